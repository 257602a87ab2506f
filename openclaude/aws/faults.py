"""What can go wrong between a slot and AWS: one message for each fault, used everywhere.

Knows: each fault's sentence, the command that fixes it, and the errors of botocore and of AWS that
mean it. Must not depend on how it was found: the launch finds it in files, `doctor` in an answer,
the gateway in a failed request. Standard library only: it is imported at launches and in main.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple

from openclaude.diagnostics import Diagnostic, Severity


class AwsCall(NamedTuple):
    """The request to AWS, as far as it is known; every field may be empty."""

    aws_profile: str = ""
    profile: str = ""  # openclaude's
    model: str = ""  # Bedrock's id
    key: str = ""  # where the Bedrock API key is that it was made with: a reference


def named(aws_profile: str) -> str:
    """How a sentence calls an AWS profile."""
    return f"AWS profile `{aws_profile}`" if aws_profile else "the AWS profile"


def aws(words: str, aws_profile: str) -> str:
    """A command of the AWS CLI for a profile, ready to paste."""
    return shlex.join(["aws", *words.split(), *(["--profile", aws_profile] if aws_profile else [])])


def ours(words: str, option: str, name: str) -> str:
    """A command of ours, ready to paste."""
    return shlex.join(["openclaude", *words.split(), *([option, name] if name else [])])


def set_up(aws_profile: str) -> str:
    """The command that creates or repairs an AWS profile."""
    return ours("aws setup", "--name", aws_profile)


# The faults -------------------------------------------------------------------------------------


def fault(code: str, message: str, *commands: str, advice: str = "") -> Diagnostic:
    """A fault that each of the commands fixes; `advice` says what to do where none does."""
    run = "run " + " or ".join(f"`{command}`" for command in commands)
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        message=message,
        fix="; ".join(filter(None, (run if commands else "", advice))),
        commands=commands,
    )


def profile_missing(name: str) -> Diagnostic:
    """The profile is in no AWS file."""
    message = f"{named(name)} does not exist on this machine"
    return fault("aws-profile-missing", message, set_up(name))


def files_broken(why: str) -> Diagnostic:
    """An AWS file that AWS's own programs cannot read either."""
    return fault("aws-file-broken", f"AWS's own programs cannot read {why}", advice="correct it")


def source_missing(name: str, source: str) -> Diagnostic:
    """A role is assumed with the credentials of another profile, which does not exist."""
    message = f"{named(name)} assumes a role with AWS profile `{source}`, which does not exist"
    return fault("aws-source-profile-missing", message, set_up(source))


def role_without_source(name: str) -> Diagnostic:
    """A role without credentials to assume it with."""
    message = f"{named(name)} has `role_arn` but no `source_profile`"
    return fault("aws-role-without-source", message, set_up(name))


def roles_in_a_circle(name: str) -> Diagnostic:
    """Roles that assume each other in a circle."""
    message = f"{named(name)} assumes its own role"
    return fault("aws-role-circle", message, set_up(name))


def session_missing(name: str, session: str) -> Diagnostic:
    """An SSO session that no `[sso-session ...]` describes."""
    message = f"{named(name)} uses the SSO session `{session}`, which does not exist"
    return fault("aws-sso-session-missing", message, aws("configure sso", name))


def sso_incomplete(name: str, missing: str) -> Diagnostic:
    """An SSO profile that lacks what a login needs."""
    message = f"{named(name)} lacks `{missing}` for its SSO login"
    return fault("aws-sso-incomplete", message, aws("configure sso", name))


def not_logged_in_to_sso(name: str, session: str = "") -> Diagnostic:
    """No SSO login, or one that has expired and cannot be renewed."""
    command = aws("sso login", name)
    if not name and session and "://" not in session:  # the older form of the file has a URL
        command = shlex.join(["aws", "sso", "login", "--sso-session", session])
    return fault("aws-sso-login", f"{named(name)} is not logged in to SSO", command)


def not_logged_in(name: str) -> Diagnostic:
    """No `aws login`, or an expired one."""
    return fault("aws-login", f"{named(name)} is not logged in", aws("login", name))


def login_unsupported(name: str) -> Diagnostic:
    """botocore leaves `aws login` to awscrt, which does not come with LiteLLM."""
    message = f"{named(name)} uses `aws login`, which needs the package `awscrt`"
    advice = f"install it beside openclaude, or log in another way with `{set_up(name)}`"
    return fault("aws-login-unsupported", message, advice=advice)


def no_credentials(name: str) -> Diagnostic:
    """An incomplete key, or none."""
    message = f"{named(name)} has no complete credentials"
    return fault("aws-no-credentials", message, set_up(name))


def process_missing(name: str, program: str) -> Diagnostic:
    """A `credential_process` that is not installed."""
    message = f"{named(name)} gets its credentials from `{program}`, which cannot be run"
    advice = f"install it, or change `credential_process` with `{set_up(name)}`"
    return fault("aws-credential-process", message, advice=advice)


def process_failed(name: str) -> Diagnostic:
    """A `credential_process` that failed; its output is hidden, as it may contain the secret."""
    message = f"{named(name)} could not get its credentials"
    return fault("aws-credentials-not-fetched", message, aws("sts get-caller-identity", name))


def wrong_clock() -> Diagnostic:
    """AWS accepts signatures for five minutes."""
    return fault("aws-clock", "this machine's clock is off", advice="correct the clock")


def credentials_expired(name: str) -> Diagnostic:
    """Temporary credentials that have expired."""
    message = f"the credentials of {named(name)} have expired"
    return fault("aws-credentials-expired", message, aws("sso login", name), set_up(name))


def key_refused(name: str) -> Diagnostic:
    """An access key that AWS does not know, or with a wrong secret."""
    message = f"AWS rejects the access key of {named(name)}"
    return fault("aws-key-refused", message, set_up(name))


def no_model_access() -> Diagnostic:
    """A model that the AWS account has no access to."""
    message = "the AWS account has no access to this model"
    advice = "request access in the Amazon Bedrock console"
    return fault("bedrock-no-access", message, advice=advice)


def not_allowed(asked: AwsCall, said: str) -> Diagnostic:
    """IAM denies the request: to the AWS profile, or to whoever is behind a Bedrock API key."""
    who, to_whom, lacks = named(asked.aws_profile), "", "may not call this model"
    if asked.key:
        who, to_whom = f"the identity behind the API key from `{asked.key}`", " to that identity"
        if found := re.search(LACKING, said):
            lacks = f"lacks the permission `{found['action']}`"
    policy = ours("aws policy", "--profile", asked.profile)
    return fault(
        "bedrock-not-allowed",
        f"{who} {lacks} ({said})",
        advice=f"attach the policy that `{policy}` prints{to_whom}",
    )


def key_rejected(asked: AwsCall) -> Diagnostic:
    """A Bedrock API key that Bedrock does not know, or one that has expired."""
    return fault(
        "bedrock-key-refused",
        f"Bedrock refuses the API key from `{asked.key}`",
        advice="put a valid key there; "
        f"`openclaude aws setup {shlex.quote(asked.profile)} --method api-key` keeps a new one",
    )


def needs_inference_profile(asked: AwsCall) -> Diagnostic:
    """A model that is only served through an inference profile."""
    message = "Bedrock serves this model only through an inference profile"
    listing = shlex.join(["openclaude", "models", asked.model or "bedrock"])
    advice = f"use one of its ids, for example with the prefix `us.`; `{listing}` lists them"
    return fault("bedrock-inference-profile", message, advice=advice)


def unknown_model(asked: AwsCall) -> Diagnostic:
    """An id that Bedrock does not know in the region of the request."""
    message = "Bedrock does not know this model in this region"
    listing = shlex.join(["openclaude", "models", asked.model or "bedrock"])
    return fault("bedrock-unknown-model", message, listing, advice="choose another model or region")


# What AWS says of credentials, which is said of a Bedrock API key where the request had one
OF_KEYS = ("aws-key-refused", "aws-credentials-expired", "aws-no-credentials")
WRONG_KEY = r"make sure your API Key is valid"  # what Bedrock says of one
LACKING = r"not authorized to perform: (?P<action>[a-z-]{1,40}:[A-Za-z]{1,60})\b"

# What means them --------------------------------------------------------------------------------

Rule = Callable[["re.Match[str]", AwsCall, Callable[[str], str]], Diagnostic]


def of_profile(make: Callable[[str], Diagnostic]) -> Rule:
    """A rule whose message names the AWS profile: that of the error, or of the request."""

    def rule(found: re.Match[str], asked: AwsCall, show: Callable[[str], str]) -> Diagnostic:
        return make(show(found.groupdict().get("profile") or asked.aws_profile))

    return rule


def of_session(found: re.Match[str], asked: AwsCall, show: Callable[[str], str]) -> Diagnostic:
    """botocore names the SSO session, or for the older form of the file its start URL."""
    session = found.groupdict().get("session") or ""
    return not_logged_in_to_sso(show(asked.aws_profile), show(session))


# botocore's own sentences (its exceptions.py), LiteLLM's (measured), AWS's (its API documentation)
RULES: tuple[tuple[str, Rule], ...] = (
    (
        r"The config profile \((?P<profile>[^)]{0,200})\) could not be found",
        of_profile(profile_missing),
    ),
    (r"Error loading SSO Token: Token for (?P<session>\S{1,200}) does not exist", of_session),
    (r"Error loading SSO Token|SSO session associated with this profile", of_session),
    (r"Error when retrieving token from sso|Token has expired and refresh failed", of_session),
    (
        r"reauthenticate using 'aws login'|Error loading login session token",
        of_profile(not_logged_in),
    ),
    (r"Using the login credential provider requires", of_profile(login_unsupported)),
    (
        r"Unable to locate (?:credentials|authorization)|Partial credentials found",
        of_profile(no_credentials),
    ),
    (r"Error when retrieving (?:credentials|token) from", of_profile(process_failed)),
    (
        r"signature (?:expired|not yet current)|RequestTimeTooSkewed",
        lambda *_: wrong_clock(),
    ),
    (
        r"token included in the request is expired|ExpiredToken",
        of_profile(credentials_expired),
    ),
    (
        r"token included in the request is invalid|InvalidClientTokenId|UnrecognizedClient"
        r"|request signature we calculated does not match|SignatureDoesNotMatch",
        of_profile(key_refused),
    ),
    (r"have access to the model", lambda *_: no_model_access()),
    (
        r"not authorized to perform|AccessDenied",
        lambda found, asked, show: not_allowed(asked, show(found.string)),
    ),
    # AWS writes a typographic apostrophe here
    (
        r"on-demand throughput isn.t supported",
        lambda _found, asked, _show: needs_inference_profile(asked),
    ),
    (
        r"provided model identifier is invalid",
        lambda _found, asked, _show: unknown_model(asked),
    ),
)


def explain(text: str, asked: AwsCall, show: Callable[[str], str]) -> Diagnostic | None:
    """The fault behind an error's text, or None.

    `show` makes foreign text safe to print.
    """
    if asked.key and re.search(WRONG_KEY, text, re.IGNORECASE):
        return key_rejected(asked)
    for pattern, rule in RULES:
        if found := re.search(pattern, text, re.IGNORECASE):
            fault = rule(found, asked, show)
            return key_rejected(asked) if asked.key and fault.code in OF_KEYS else fault
    return None
