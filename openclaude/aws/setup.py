"""What a named AWS profile consists of, for each way to have credentials.

Knows: the keys of AWS's files and which of them decide where credentials come from (botocore 1.44).
Independent of: texts, disks, terminals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from openclaude.aws.answers import Answers
from openclaude.aws.ini import Values
from openclaude.aws.sections import Sections, find_header, header_name, of_kind

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
    """The new values of one section of one file."""

    file: str  # config or credentials
    header: str
    values: Values


def edits(answers: Answers, config: Sections) -> tuple[Edit, ...]:
    """The sections to change, given the current `config` file."""
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
        Edit(file="credentials", header=answers.name, values=static_keys(answers)),
        Edit(file="config", header=find_header(config, "profile", answers.name), values=profile),
    ]
    if session:
        wanted.append(
            Edit(
                file="config",
                header=find_header(config, "sso-session", session),
                values=login(answers),
            )
        )
    return tuple(wanted)


def static_keys(answers: Answers) -> Values:
    """The credentials file's part: keys or nothing; it takes precedence over the config."""
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


def choose_session(answers: Answers, config: Sections) -> str:
    """A session with the same login, else one that only this profile uses."""
    names = of_kind("sso-session", config)
    wanted = (answers.start_url.rstrip("/#"), answers.sso_region)
    for name in names:
        said = config[find_header(config, "sso-session", name)]
        if (said.get("sso_start_url", "").rstrip("/#"), said.get("sso_region", "")) == wanted:
            return name
    others = {
        said.get("sso_session")
        for header, said in config.items()
        if header_name(header, "profile") != answers.name
    }
    name, number = answers.name, 2
    while name in others:
        name, number = f"{answers.name}-{number}", number + 1
    return name


def profile_names(config: Sections, credentials: Sections) -> list[str]:
    """Every AWS profile, of either file."""
    return list(dict.fromkeys([*of_kind("profile", config), *credentials]))


def read_answers(name: str, config: Sections, credentials: Sections) -> Answers:
    """The current values of an AWS profile, as answers."""
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
