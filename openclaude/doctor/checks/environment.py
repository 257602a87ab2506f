"""The environment: variables that change who pays, who is asked, or which way requests take.

Knows: what each of them does to claude and to AWS's programs. Must not depend on settings files.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.snapshot.world import World

KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
BASE_URL = "ANTHROPIC_BASE_URL"
OTHER_CLOUDS = "CLAUDE_CODE_USE_"
# strongest first, as claude reads them
PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
TAKES_OVER = ("AWS_BEARER_TOKEN_BEDROCK",)
AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
METHODS = ("", "fork", "spawn")


def check_environment(world: World) -> Iterator[Diagnostic]:
    """Every variable that matters, or that none does."""
    found = [*who_pays(world), *addresses(world), *proxies(world), *aws(world), *our_own(world)]
    found += python_path(world)
    yield from found
    if not found:
        yield Diagnostic(
            code="environment",
            severity=Severity.OK,
            message="no environment variable interferes",
        )


def python_path(world: World) -> Iterator[Diagnostic]:
    """The packages of another Python."""
    if world.ignored_path:
        yield Diagnostic(
            code="python-path",
            severity=Severity.NOTE,
            message=f"PYTHONPATH names `{world.ignored_path[0]}`",
            why="openclaude uses its own packages; claude and its tools inherit the variable",
            fix="nothing to do; or run `unset PYTHONPATH` if you no longer need it",
            location=Location(variable="PYTHONPATH"),
        )


def who_pays(world: World) -> Iterator[Diagnostic]:
    """Keys that claude prefers to the plan's login."""
    if world.wanted.auth == "api-key":
        return
    for name in KEYS:
        if world.env.get(name):
            yield Diagnostic(
                code="key-in-environment",
                severity=Severity.WARNING,
                message=f"{name} is set",
                why="plain `claude` pays per token with it instead of using your plan; a launch "
                "keeps it for the programs in claude's Bash tool",
                fix=f"run `unset {name}`, and remove it from your shell's startup files",
                location=Location(variable=name),
            )


def addresses(world: World) -> Iterator[Diagnostic]:
    """Where plain claude would send requests."""
    for name in sorted(world.env):
        if name.startswith(OTHER_CLOUDS) and world.env[name]:
            yield Diagnostic(
                code="other-cloud-in-environment",
                severity=Severity.NOTE,
                message=f"{name} is set",
                why="plain `claude` sends requests to another cloud; a launch removes it",
                fix=f"run `unset {name}` if you no longer need it",
                location=Location(variable=name),
            )
    base = world.env.get(BASE_URL, "")
    if base in world.dead:
        yield Diagnostic(
            code="environment-dead-address",
            severity=Severity.WARNING,
            message=f"{BASE_URL} is {base}, where nothing listens",
            why="another tool left it behind: plain `claude` cannot work; a launch replaces it",
            fix=f"run `unset {BASE_URL}`",
            location=Location(variable=BASE_URL),
        )
    elif base:
        yield Diagnostic(
            code="base-url-in-environment",
            severity=Severity.NOTE,
            message=f"{BASE_URL} is {base}",
            why="plain `claude` sends requests there; a launch replaces it",
            fix=f"run `unset {BASE_URL}` if you no longer need it",
            location=Location(variable=BASE_URL),
        )


def proxies(world: World) -> Iterator[Diagnostic]:
    """Proxies to the internet. A launch excludes loopback from them with NO_PROXY."""
    for name in PROXIES:
        value = world.env.get(name, "")
        if not value:
            continue
        where = Location(variable=name)
        if value in world.dead:
            yield Diagnostic(
                code="proxy-dead",
                severity=Severity.WARNING,
                message=f"{name} is {without_password(value)}, where nothing listens",
                why="claude and openclaude's proxies cannot reach the internet through it",
                fix=f"start that proxy, or run `unset {name}`",
                location=where,
            )
        else:
            yield Diagnostic(
                code="proxy",
                severity=Severity.NOTE,
                message=f"{name} is {without_password(value)}",
                why="requests to the internet go through it; a launch excludes loopback from it",
                fix="nothing to do",
                location=where,
            )


def without_password(url: str) -> str:
    """An address without the user and the password in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return "an address with a password" if "@" in shown else shown


def aws(world: World) -> Iterator[Diagnostic]:
    """AWS's own variables, which the proxies do not get."""
    if not (world.wanted.plan and world.wanted.plan.aws_profile):
        return
    profile = world.wanted.plan.aws_profile
    for name in TAKES_OVER:
        if world.env.get(name):
            yield Diagnostic(
                code="aws-variable-takes-over",
                severity=Severity.WARNING,
                message=f"{name} is set",
                why="AWS's programs prefer it to any AWS profile; the proxies use "
                f"`{profile}` instead, so what works in your shell may not work in a session",
                fix=f"run `unset {name}`, or check that `{profile}` works without it",
                location=Location(variable=name),
            )
    given = [name for name in AWS_KEYS if world.env.get(name)]
    if given:
        yield Diagnostic(
            code="aws-variable-unused",
            severity=Severity.NOTE,
            message=f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} set but not used",
            why=f"the proxies use only the AWS profile `{profile}`",
            fix="nothing to do; to use another AWS profile, set OPENCLAUDE_AWS_PROFILE",
            location=Location(variable=given[0]),
        )


def our_own(world: World) -> Iterator[Diagnostic]:
    """Our own variables."""
    method = world.env.get("OPENCLAUDE_START_METHOD", "")
    if method not in METHODS:
        yield Diagnostic(
            code="start-method",
            severity=Severity.ERROR,
            message=f"OPENCLAUDE_START_METHOD is `{method}`",
            why="every launch fails with a usage error",
            fix="run `unset OPENCLAUDE_START_METHOD`, or set it to `fork` or `spawn`",
            location=Location(variable="OPENCLAUDE_START_METHOD"),
        )
