"""The content of AWS's two files and its login caches, read once, as botocore does.

Knows: which of it decides where credentials come from. Must not depend on what follows from it:
`aws/profile_check.py` judges. Standard library only: it runs at every launch that uses Bedrock. Of
a secret, it only keeps the fact that there is one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import gmtime, strftime
from typing import Any, NamedTuple

from openclaude.aws.locations import ELSEWHERE, LOGIN_CACHE, SSO_CACHE, expand, find_files
from openclaude.aws.sections import (
    Section,
    Sections,
    UnreadableFile,
    of_kind,
    read_sections,
    split_words,
)
from openclaude.paths import on_path

NOTHING: Sections = {}
SECRET = frozenset({"aws_secret_access_key", "aws_session_token", "aws_security_token"})
# the CLI of AWS has written "...UTC" in place of "...Z"
UTC_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|UTC)$")


class Token(NamedTuple):
    """A cached SSO login."""

    expires: str  # as it is written there
    is_over: bool
    can_be_renewed: bool


class AwsFacts(NamedTuple):
    """Everything about AWS that a launch can know without the network."""

    config: str  # the files' paths
    credentials: str
    profiles: Sections = NOTHING  # of the config file, by profile name
    sessions: Sections = NOTHING  # its `[sso-session NAME]`
    keys: Sections = NOTHING  # of the credentials file
    broken: str = ""  # a file that botocore cannot read either, and why
    tokens: Mapping[str, Token] = {}  # by SSO session or start URL; what is missing is not there
    logins: frozenset[str] = frozenset()  # login sessions (`aws login`) that are cached
    lost_programs: frozenset[str] = frozenset()  # `credential_process` lines that cannot be run
    has_crt: bool = False  # whether botocore can use those; looked at where one is needed
    has_other_source: bool = False  # files of the time before profiles

    def names(self) -> set[str]:
        """Every profile."""
        return {*self.profiles, *self.keys}

    def merged(self, name: str) -> Section:
        """A profile as botocore sees it: the credentials file takes precedence."""
        return {**self.profiles.get(name, {}), **self.keys.get(name, {})}


def look_at_aws(env: Mapping[str, str], home: Path, now: float) -> AwsFacts:
    """AWS's files and caches as they are at `now`, a Unix time."""
    paths = find_files(env, home)
    nothing = AwsFacts(str(paths["config"]), str(paths["credentials"]))
    written: dict[str, Sections] = {}
    for kind, path in paths.items():
        try:
            written[kind] = without_secrets(read_sections(path))
        except UnreadableFile as error:
            return nothing._replace(broken=f"`{path}`: {error}")
    found = nothing._replace(
        profiles=of_kind("profile", written["config"]),
        sessions=of_kind("sso-session", written["config"]),
        keys=written["credentials"],
        has_other_source=any(os.path.isfile(expand(path, home)) for path in ELSEWHERE),  # noqa: PTH113
    )
    sections = [found.merged(name) for name in found.names()]
    return found._replace(
        tokens=dict(find_tokens(sections, home, now)),
        logins=frozenset(find_logins(sections, home)),
        has_crt=any("login_session" in section for section in sections) and is_installed("awscrt"),
        lost_programs=frozenset(find_lost_programs(sections, env)),
    )


def is_installed(module: str) -> bool:
    """Whether this Python has a module."""
    from importlib.util import find_spec

    return find_spec(module) is not None


def without_secrets(sections: Sections) -> dict[str, Section]:
    """The same sections, with each secret replaced by a marker."""
    return {
        header: {key: "" if key in SECRET else value for key, value in section.items()}
        for header, section in sections.items()
    }


# Caches -----------------------------------------------------------------------------------------


def find_tokens(sections: list[Section], home: Path, now: float) -> Iterator[tuple[str, Token]]:
    """The SSO logins that these profiles would use."""
    keys = {
        section.get("sso_session") or section.get("sso_start_url") or "" for section in sections
    }
    for key in sorted(keys - {""}):
        token = read_cached(expand(SSO_CACHE, home), key, "sha1")
        if token and "accessToken" in token and "expiresAt" in token:
            yield key, judge_token(token, now)


def judge_token(token: Mapping[str, Any], now: float) -> Token:
    """Whether an SSO login has expired, and whether botocore can renew it."""
    renewable = ("refreshToken", "clientId", "clientSecret", "registrationExpiresAt")
    can_be_renewed = all(token.get(name) for name in renewable) and not is_past(
        token["registrationExpiresAt"], now
    )
    expires = token["expiresAt"]
    return Token(expires=str(expires), is_over=is_past(expires, now), can_be_renewed=can_be_renewed)


def is_past(time: object, now: float) -> bool:
    """Whether a time in a cache is before `now`; False for one that cannot be read."""
    found = UTC_TIME.match(str(time))
    if found:  # as AWS's programs write it: texts compare like times, without `datetime`
        return found[1] <= strftime("%Y-%m-%dT%H:%M:%S", gmtime(now))
    from datetime import UTC, datetime

    try:
        when = datetime.fromisoformat(str(time))
    except ValueError:
        return False
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.timestamp() <= now


def find_logins(sections: list[Section], home: Path) -> Iterator[str]:
    """The login sessions of these profiles that have a cached login."""
    for section in sections:
        session = section.get("login_session")
        if session and read_cached(expand(LOGIN_CACHE, home), session, "sha256"):
            yield session


def read_cached(folder: Path, key: str, algorithm: str) -> dict[str, Any] | None:
    """A document of an AWS cache, whose files are named by a hash of their key."""
    import hashlib

    name = hashlib.new(algorithm, key.encode(), usedforsecurity=False).hexdigest()
    try:
        document = json.loads((folder / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def find_lost_programs(sections: list[Section], env: Mapping[str, str]) -> Iterator[str]:
    """The `credential_process` lines of these profiles whose program cannot be run."""
    for section in sections:
        line = section.get("credential_process", "")
        program = next(iter(split_words(line)), "")
        # relative to a folder that is not ours to know
        if program and not ("/" in program and not program.startswith("/")):
            candidates = (
                [program] if "/" in program else on_path(program, env.get("PATH", os.defpath))
            )
            if not any(os.access(path, os.X_OK) for path in candidates):
                yield line
