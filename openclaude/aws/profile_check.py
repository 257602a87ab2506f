"""An AWS profile: where its credentials come from, or why there will be none.

Knows: the order in which botocore 1.44 looks for them. Independent of: files, networks, clocks.
Pure and standard library only: launches ask it. Only certain faults are reported.
"""

from __future__ import annotations

from typing import NamedTuple

import openclaude.aws.faults as faults
from openclaude.aws.files import AwsFacts
from openclaude.aws.sections import Section
from openclaude.diagnostics import Diagnostic

ROLE_PARTS = ("sso_role_name", "sso_account_id")
SSO_PARTS = (*ROLE_PARTS, "sso_start_url", "sso_region")
STATIC = ("aws_access_key_id", "aws_secret_access_key")


class CredentialSource(NamedTuple):
    """Where a profile's credentials come from."""

    method: str  # in words; "" where there is none
    fault: Diagnostic | None = None


def find_aws_fault(aws: AwsFacts, name: str) -> Diagnostic | None:
    """Why the AWS profile `name` certainly cannot work, or None."""
    return resolve_credentials(aws, name).fault


def resolve_credentials(aws: AwsFacts, name: str) -> CredentialSource:
    """How botocore will get the credentials of the AWS profile `name`."""
    if aws.broken:
        return CredentialSource("", faults.files_broken(aws.broken))
    if name not in aws.names():
        return CredentialSource("", faults.profile_missing(name))
    return by_role(aws, name, (name,)) or by_itself(aws, name)


def by_role(aws: AwsFacts, name: str, visited: tuple[str, ...]) -> CredentialSource | None:
    """A role, assumed with the credentials of another profile."""
    section = aws.merged(name)
    if not is_role(section):
        return None
    source = section.get("source_profile")
    if not source:
        if section.get("credential_source"):
            return CredentialSource(f"a role, with credentials from {section['credential_source']}")
        return CredentialSource("a role", faults.role_without_source(name))
    method = f"a role, with the credentials of `{source}`"
    if source not in aws.names():
        return CredentialSource(method, faults.source_missing(name, source))
    return CredentialSource(method, source_fault(aws, source, visited))


def is_role(section: Section) -> bool:
    """Whether botocore assumes a role for this profile, other than with a web identity."""
    return "role_arn" in section and "web_identity_token_file" not in section


def source_fault(aws: AwsFacts, source: str, visited: tuple[str, ...]) -> Diagnostic | None:
    """What is wrong with the profile that assumes a role."""
    section = aws.merged(source)
    is_static = any(key in section for key in STATIC)
    if is_role(section) and not is_static:
        if source in visited:
            return faults.roles_in_a_circle(source)
        further = by_role(aws, source, (*visited, source))
        return further.fault if further else None
    return by_itself(aws, source).fault


def by_itself(aws: AwsFacts, name: str) -> CredentialSource:
    """The profile's own credentials, in botocore's order."""
    section = aws.merged(name)
    keys, written = aws.keys.get(name, {}), aws.profiles.get(name, {})
    if "web_identity_token_file" in section:
        return CredentialSource("a web identity")
    if any(part in section for part in ROLE_PARTS):
        return by_sso(aws, name, section)
    if STATIC[0] in keys:
        return by_keys(name, keys, aws.credentials)
    if "login_session" in section:
        return by_login(aws, name, section["login_session"])
    if "credential_process" in section:
        return by_process(aws, name, section["credential_process"])
    if STATIC[0] in written:
        return by_keys(name, written, aws.config)
    if aws.has_other_source:
        return CredentialSource("boto's own configuration file")
    return CredentialSource("", faults.no_credentials(name))


def by_sso(aws: AwsFacts, name: str, section: Section) -> CredentialSource:
    """An SSO login, in its newer form (`sso_session`) or its older one."""
    method = "SSO"
    session = section.get("sso_session")
    if session is not None and session not in aws.sessions:
        return CredentialSource(method, faults.session_missing(name, session))
    whole = {**section, **aws.sessions.get(session or "", {})}
    missing = [part for part in SSO_PARTS if part not in whole]
    if missing:
        return CredentialSource(method, faults.sso_incomplete(name, ", ".join(missing)))
    token = aws.tokens.get(session or whole["sso_start_url"])
    # the older form is never renewed
    is_usable = token and (not token.is_over or (session and token.can_be_renewed))
    if not token or not is_usable:
        return CredentialSource(method, faults.not_logged_in_to_sso(name))
    renewed = ", renewed automatically" if session and token.can_be_renewed else ""
    return CredentialSource(f"SSO, until {token.expires}{renewed}")


def by_keys(name: str, section: Section, path: str) -> CredentialSource:
    """A static access key."""
    is_whole = all(key in section for key in STATIC)
    return CredentialSource(f"a key in `{path}`", None if is_whole else faults.no_credentials(name))


def by_login(aws: AwsFacts, name: str, session: str) -> CredentialSource:
    """A login with the AWS console's password, which botocore can use with its `crt` only."""
    method = "`aws login`"
    if not aws.has_crt:
        return CredentialSource(method, faults.login_unsupported(name))
    return CredentialSource(method, None if session in aws.logins else faults.not_logged_in(name))


def by_process(aws: AwsFacts, name: str, line: str) -> CredentialSource:
    """A program that prints credentials."""
    program = line.split()[0] if line.split() else line
    is_lost = line in aws.lost_programs
    method = f"the program `{program}`"
    return CredentialSource(method, faults.process_missing(name, program) if is_lost else None)
