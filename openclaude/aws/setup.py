"""What a named AWS profile consists of, for each way to have credentials.

Knows: the keys of AWS's files and which of them decide where credentials come from (botocore 1.44).
Refuses to know: texts, disks, terminals.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import NamedTuple

from openclaude.aws.answers import Answers
from openclaude.aws.ini import Values, is_named, write_header

Sections = Mapping[str, Mapping[str, str]]  # header -> key -> value, as botocore reads a file
# What makes botocore take credentials from somewhere; one left over from before would win or fail
STATIC = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token")
DECIDING = (
    *STATIC,
    *("sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name"),
    *("role_arn", "source_profile", "credential_source", "web_identity_token_file"),
    *("credential_process", "login_session"),
)
SCOPES = "sso:account:access"


class Edit(NamedTuple):
    """What one section of one file shall say."""

    file: str  # config or credentials
    header: str
    values: Values


def edits(answers: Answers, config: Sections) -> tuple[Edit, ...]:
    """The sections to change, for a config file that says `config` now."""
    session = choose_session(answers, config) if answers.method == "sso" else ""
    own = {
        "keys": {},
        "sso": {
            "sso_session": session,
            "sso_account_id": answers.account,
            "sso_role_name": answers.role,
        },
        "assume-role": {"role_arn": answers.role, "source_profile": answers.source_profile},
        "process": {"credential_process": answers.command},
    }[answers.method]
    profile: dict[str, str | None] = {**dict.fromkeys(DECIDING), **own, "region": answers.region}
    wanted = [
        Edit("credentials", answers.name, static_keys(answers)),
        Edit("config", find_header(config, "profile", answers.name), profile),
    ]
    if session:
        wanted.append(Edit("config", find_header(config, "sso-session", session), login(answers)))
    return tuple(wanted)


def static_keys(answers: Answers) -> Values:
    """What the credentials file says: keys, or nothing; what stands there wins over the config."""
    keys = {
        "aws_access_key_id": answers.key_id,
        "aws_secret_access_key": answers.secret,
        "aws_session_token": answers.token or None,
    }
    nothing = dict.fromkeys((*DECIDING, "region"))
    return {**nothing, **keys} if answers.method == "keys" else nothing


def login(answers: Answers) -> Values:
    """An SSO session: where to log in; several profiles can share one login."""
    return {
        "sso_start_url": answers.start_url,
        "sso_region": answers.sso_region,
        "sso_registration_scopes": SCOPES,
    }


def find_header(config: Sections, kind: str, name: str) -> str:
    """The header that says it now (of several the last, as botocore reads), or a new one."""
    found = [header for header in config if is_named(header, kind, name)]
    return found[-1] if found else write_header(kind, name)


def choose_session(answers: Answers, config: Sections) -> str:
    """A session with the same login; else one of the profile's own that nobody else uses."""
    names = names_of(config, "sso-session")
    wanted = (answers.start_url.rstrip("/#"), answers.sso_region)
    for name in names:
        said = config[find_header(config, "sso-session", name)]
        if (said.get("sso_start_url", "").rstrip("/#"), said.get("sso_region", "")) == wanted:
            return name
    others = {
        said.get("sso_session")
        for header, said in config.items()
        if not is_named(header, "profile", answers.name)
    }
    name, number = answers.name, 2
    while name in others:
        name, number = f"{answers.name}-{number}", number + 1
    return name


def names_of(config: Sections, kind: str) -> list[str]:
    """The names of all sections of a kind in the config file."""
    found = []
    for header in config:
        try:
            parts = shlex.split(header)
        except ValueError:
            continue
        if header.startswith(kind) and len(parts) == 2:
            found.append(parts[1])
    default = ["default"] if kind == "profile" and "default" in config else []
    return list(dict.fromkeys([*found, *default]))


def profile_names(config: Sections, credentials: Sections) -> list[str]:
    """Every AWS profile, of either file."""
    return list(dict.fromkeys([*names_of(config, "profile"), *credentials]))


def read_answers(name: str, config: Sections, credentials: Sections) -> Answers:
    """What an AWS profile says now, as answers."""
    said = {
        **config.get(find_header(config, "profile", name), {}),
        **credentials.get(name, {}),
    }
    session = config.get(find_header(config, "sso-session", said.get("sso_session", "")), {})
    return Answers(
        name=name,
        method=find_method(said),
        region=said.get("region", ""),
        start_url=session.get("sso_start_url") or said.get("sso_start_url", ""),
        sso_region=session.get("sso_region") or said.get("sso_region", ""),
        account=said.get("sso_account_id", ""),
        role=said.get("role_arn") or said.get("sso_role_name", ""),
        source_profile=said.get("source_profile", ""),
        command=said.get("credential_process", ""),
        key_id=said.get("aws_access_key_id", ""),
        secret=said.get("aws_secret_access_key", ""),
        token=said.get("aws_session_token", ""),
    )


def find_method(said: Mapping[str, str]) -> str:
    """Where a profile's credentials come from, in botocore's order; "" for nowhere."""
    if "role_arn" in said:
        return "assume-role"
    if "sso_session" in said or "sso_start_url" in said:
        return "sso"
    if "aws_access_key_id" in said:
        return "keys"
    return "process" if "credential_process" in said else ""
