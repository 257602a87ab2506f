"""Facts of AWS: its two files and its login caches, looked at as botocore does and read once.

Knows: where they are and how they are written (botocore 1.44). Refuses to know: what follows from
them; `doctor/aws_profiles.py` judges. Standard library only: it runs at every launch that uses
Bedrock. Of a secret it keeps that there is one.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import gmtime, strftime
from typing import Any, NamedTuple

from openclaude.facts import on_path

Section = Mapping[str, str]
Sections = Mapping[str, Section]
NOTHING: Sections = {}
SECRET = frozenset({"aws_secret_access_key", "aws_session_token", "aws_security_token"})
# the CLI of AWS has written "...UTC" in place of "...Z"
UTC_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|UTC)$")
# Where botocore still looks when an AWS profile has no credentials of its own.
ELSEWHERE = ("/etc/boto.cfg", "~/.boto")


class Token(NamedTuple):
    """A cached SSO login."""

    expires: str  # as it is written there
    is_over: bool
    can_be_renewed: bool


class AwsFacts(NamedTuple):
    """Everything about AWS that a launch can know without asking anybody."""

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
        """A profile as botocore sees it: the credentials file goes before the config file."""
        return {**self.profiles.get(name, {}), **self.keys.get(name, {})}


class Broken(Exception):
    """A file that cannot be parsed."""


def look_at_aws(env: Mapping[str, str], home: Path, now: float) -> AwsFacts:
    """AWS's files and caches as they are at `now`, a Unix time."""
    config = aws_file(env, "AWS_CONFIG_FILE", home, "config")
    credentials = aws_file(env, "AWS_SHARED_CREDENTIALS_FILE", home, "credentials")
    nothing = AwsFacts(str(config), str(credentials))
    try:
        written, keys = parse(config), parse(credentials)
    except Broken as error:
        return nothing._replace(broken=str(error))
    found = nothing._replace(
        profiles={**of_kind("profile", written), **one("default", written)},
        sessions=of_kind("sso-session", written),
        keys=keys,
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


def aws_file(env: Mapping[str, str], variable: str, home: Path, name: str) -> Path:
    """Where one of AWS's files is."""
    return Path(expand(env.get(variable) or f"~/.aws/{name}", home))


def expand(path: str, home: Path) -> str:
    """A path whose `~` is the home of the user we serve."""
    return str(home) + path[1:] if path == "~" or path.startswith("~/") else path


def parse(path: Path) -> dict[str, dict[str, str]]:
    """The sections of a file; none where there is no file. Raises Broken where botocore would."""
    import configparser  # here: a launch without Bedrock has no use for it

    parser = configparser.RawConfigParser()
    if not path.is_file():
        return {}
    try:
        parser.read([path])
    except (configparser.Error, UnicodeDecodeError) as error:
        raise Broken(f"`{path}`: {' '.join(str(error).split())}") from error
    return {
        section: {key: "" if key in SECRET else value for key, value in parser.items(section)}
        for section in parser.sections()
    }


def of_kind(kind: str, sections: Sections) -> dict[str, Section]:
    """The sections `[KIND NAME]`, by name."""
    found = {}
    for header, values in sections.items():
        words = split(header) if header.startswith(kind) else []
        if len(words) == 2:
            found[words[1]] = values
    return found


def one(name: str, sections: Sections) -> dict[str, Section]:
    """The section of that name, if there is one."""
    return {name: sections[name]} if name in sections else {}


def split(text: str) -> list[str]:
    """The words of a line, as a shell reads them; none of a line that it cannot read."""
    try:
        return shlex.split(text)
    except ValueError:
        return []


# Caches -----------------------------------------------------------------------------------------


def find_tokens(sections: list[Section], home: Path, now: float) -> Iterator[tuple[str, Token]]:
    """The SSO logins that these profiles would use."""
    keys = {
        section.get("sso_session") or section.get("sso_start_url") or "" for section in sections
    }
    for key in sorted(keys - {""}):
        token = read_cached(home / ".aws" / "sso" / "cache", key, "sha1")
        if token and "accessToken" in token and "expiresAt" in token:
            yield key, judge_token(token, now)


def judge_token(token: Mapping[str, Any], now: float) -> Token:
    """Whether an SSO login is over, and whether botocore can renew it by itself."""
    renewable = ("refreshToken", "clientId", "clientSecret", "registrationExpiresAt")
    can_be_renewed = all(token.get(name) for name in renewable) and not is_past(
        token["registrationExpiresAt"], now
    )
    expires = token["expiresAt"]
    return Token(str(expires), is_past(expires, now), can_be_renewed)


def is_past(time: object, now: float) -> bool:
    """Whether a time in a cache lies before `now`; one that cannot be read does not."""
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
        if session and read_cached(home / ".aws" / "login" / "cache", session, "sha256"):
            yield session


def read_cached(folder: Path, key: str, algorithm: str) -> dict[str, Any] | None:
    """A document of a cache of AWS's, whose files are named by a hash of their key."""
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
        program = next(iter(split(line)), "")
        # relative to a folder that is not ours to know
        if program and not ("/" in program and not program.startswith("/")):
            candidates = (
                [program] if "/" in program else on_path(program, env.get("PATH", os.defpath))
            )
            if not any(os.access(path, os.X_OK) for path in candidates):
                yield line
