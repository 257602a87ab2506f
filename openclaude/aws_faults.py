"""What can be wrong between a slot and AWS, in one set of words for everybody who tells it.

Knows: each fault's sentence, the command that mends it, and the errors of botocore and of AWS that
mean it. Refuses to know: how it was found; the launch finds it in files, `doctor` in an answer, the
gateway in a failed request. Pure and standard library only: it is read at launches and in main.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple


class Fault(NamedTuple):
    """Something the user must mend: one sentence, and how."""

    code: str
    problem: str
    commands: tuple[str, ...] = ()  # each of them mends it
    advice: str = ""  # what to do where no command does

    @property
    def mend(self) -> str:
        """How to mend it, in words."""
        run = "run " + " or ".join(f"`{command}`" for command in self.commands)
        return "; ".join(filter(None, (run if self.commands else "", self.advice)))

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        return f"{self.problem}; {self.mend}"


class Asked(NamedTuple):
    """What was asked of AWS, as far as it is known; every field may be empty."""

    aws_profile: str = ""
    profile: str = ""  # openclaude's
    model: str = ""  # Bedrock's id


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
    """The command that makes an AWS profile, or makes it again."""
    return ours("aws setup", "--name", aws_profile)


# The faults -------------------------------------------------------------------------------------


def profile_missing(name: str) -> Fault:
    """No file of AWS's has the profile."""
    problem = f"{named(name)} does not exist on this machine"
    return Fault("aws-profile-missing", problem, (set_up(name),))


def files_broken(why: str) -> Fault:
    """A file of AWS's that AWS's own programs cannot read either."""
    return Fault("aws-file-broken", f"AWS's own programs cannot read it: {why}", (), "correct it")


def source_missing(name: str, source: str) -> Fault:
    """A role is taken with the credentials of another profile, and there is none."""
    problem = f"{named(name)} takes its role with AWS profile `{source}`, which does not exist"
    return Fault("aws-source-profile-missing", problem, (set_up(source),))


def role_without_source(name: str) -> Fault:
    """A role, and nothing to take it with."""
    problem = f"{named(name)} names a role and no `source_profile` to take it with"
    return Fault("aws-role-without-source", problem, (set_up(name),))


def roles_in_a_circle(name: str) -> Fault:
    """Roles that are each taken with the next."""
    problem = f"the role of {named(name)} is taken with itself"
    return Fault("aws-role-without-source", problem, (set_up(name),))


def session_missing(name: str, session: str) -> Fault:
    """An SSO session that no `[sso-session ...]` describes."""
    problem = f"{named(name)} names the SSO session `{session}`, which does not exist"
    return Fault("aws-sso-session-missing", problem, (aws("configure sso", name),))


def sso_incomplete(name: str, missing: str) -> Fault:
    """An SSO profile that lacks what a login needs."""
    problem = f"{named(name)} lacks `{missing}` for its SSO login"
    return Fault("aws-sso-incomplete", problem, (aws("configure sso", name),))


def not_logged_in_to_sso(name: str, session: str = "") -> Fault:
    """No SSO login, or one that has ended and cannot be renewed."""
    command = aws("sso login", name)
    if not name and session and "://" not in session:  # the older form of the file has a URL
        command = shlex.join(["aws", "sso", "login", "--sso-session", session])
    return Fault("aws-sso-login", f"{named(name)} is not logged in to SSO", (command,))


def not_logged_in(name: str) -> Fault:
    """No `aws login`, or one that has ended."""
    return Fault("aws-login", f"{named(name)} is not logged in", (aws("login", name),))


def login_unsupported(name: str) -> Fault:
    """botocore leaves `aws login` to awscrt, which comes without LiteLLM."""
    problem = f"{named(name)} uses `aws login`, which needs `awscrt` beside openclaude"
    advice = f"install it there, or log in another way with `{set_up(name)}`"
    return Fault("aws-login-unsupported", problem, (), advice)


def no_credentials(name: str) -> Fault:
    """Half a key, or none."""
    problem = f"{named(name)} has no complete credentials"
    return Fault("aws-no-credentials", problem, (set_up(name),))


def process_missing(name: str, program: str) -> Fault:
    """A `credential_process` that is not installed."""
    problem = f"{named(name)} fetches its credentials with `{program}`, which cannot be run"
    advice = f"install it, or change `credential_process` with `{set_up(name)}`"
    return Fault("aws-credential-process", problem, (), advice)


def process_failed(name: str) -> Fault:
    """A `credential_process` that failed; what it printed may hold what it was to fetch."""
    problem = f"{named(name)} could not fetch its credentials"
    return Fault("aws-credentials-not-fetched", problem, (aws("sts get-caller-identity", name),))


def wrong_clock() -> Fault:
    """AWS accepts signatures for five minutes."""
    problem = "AWS refuses the signature's time"
    return Fault("aws-clock", problem, (), "set this machine's clock")


def credentials_expired(name: str) -> Fault:
    """Temporary credentials that were used up."""
    problem = f"the credentials of {named(name)} have expired"
    return Fault("aws-credentials-expired", problem, (aws("sso login", name), set_up(name)))


def key_refused(name: str) -> Fault:
    """An access key that AWS does not know, or whose secret is another."""
    problem = f"AWS refuses the access key of {named(name)}"
    return Fault("aws-key-refused", problem, (set_up(name),))


def no_model_access() -> Fault:
    """A model that the AWS account has not been given."""
    problem = "the AWS account has no access to this model"
    return Fault("bedrock-no-access", problem, (), "request it in the Amazon Bedrock console")


def not_allowed(asked: Asked, said: str) -> Fault:
    """IAM says no."""
    problem = f"{named(asked.aws_profile)} may not call this model ({said})"
    policy = ours("aws policy", "--profile", asked.profile)
    return Fault("bedrock-not-allowed", problem, (), f"allow it what `{policy}` prints")


def needs_inference_profile(asked: Asked) -> Fault:
    """A model that no region serves by itself."""
    problem = "Bedrock serves this model through an inference profile only"
    listing = shlex.join(["openclaude", "models", asked.model or "bedrock"])
    advice = f"put one of its ids in the profile, such as `us.` in front; `{listing}` lists them"
    return Fault("bedrock-inference-profile", problem, (), advice)


def unknown_model(asked: Asked) -> Fault:
    """An id that Bedrock does not know where it was asked."""
    problem = "Bedrock does not know this model in this region"
    listing = shlex.join(["openclaude", "models", asked.model or "bedrock"])
    return Fault("bedrock-unknown-model", problem, (listing,), "name another model or region")


# What means them --------------------------------------------------------------------------------

Rule = Callable[["re.Match[str]", Asked, Callable[[str], str]], Fault]


def of_profile(make: Callable[[str], Fault]) -> Rule:
    """A rule whose sentence is about the AWS profile: the one the error names, or the asked one."""

    def rule(found: re.Match[str], asked: Asked, show: Callable[[str], str]) -> Fault:
        return make(show(found.groupdict().get("profile") or asked.aws_profile))

    return rule


def of_session(found: re.Match[str], asked: Asked, show: Callable[[str], str]) -> Fault:
    """botocore names the SSO session, or for the older form of the file its start URL."""
    session = found.groupdict().get("session") or ""
    return not_logged_in_to_sso(show(asked.aws_profile), show(session))


# botocore's own sentences (its exceptions.py), LiteLLM's (measured), AWS's (its API documentation)
RULES: tuple[tuple[str, Rule], ...] = (
    (
        r"The config profile \((?P<profile>[^)]*)\) could not be found",
        of_profile(profile_missing),
    ),
    (r"Error loading SSO Token: Token for (?P<session>\S+) does not exist", of_session),
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


def explain(text: str, asked: Asked, show: Callable[[str], str]) -> Fault | None:
    """The fault that an error's text means, or None.

    `show` makes somebody else's text fit to be shown.
    """
    for pattern, rule in RULES:
        if found := re.search(pattern, text, re.IGNORECASE):
            return rule(found, asked, show)
    return None
