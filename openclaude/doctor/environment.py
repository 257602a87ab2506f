"""The environment: variables that would change who pays, who is asked, or by which way.

Knows: what each of them does to claude and to AWS's programs. Refuses to know: settings files.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from openclaude.doctor.finding import NOTE, OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World

KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
BASE_URL = "ANTHROPIC_BASE_URL"
OTHER_CLOUDS = "CLAUDE_CODE_USE_"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
TAKES_OVER = ("AWS_BEARER_TOKEN_BEDROCK",)
AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
METHODS = ("", "fork", "spawn")


def check_environment(world: World) -> Iterator[Finding]:
    """Every variable that matters, or that none does."""
    found = [*who_pays(world), *addresses(world), *proxies(world), *aws(world), *our_own(world)]
    yield from found
    if not found:
        yield Finding("environment", OK, "no variable that would change who is asked or who pays")


def who_pays(world: World) -> Iterator[Finding]:
    """Keys that go before the plan's login."""
    if world.wanted.auth == "api-key":
        return
    for name in KEYS:
        if world.env.get(name):
            yield Finding(
                "key-in-environment",
                WARNS,
                f"{name} is set",
                "plain `claude` pays with it by the token in place of your plan; a launch takes it "
                "away",
                f"run `unset {name}`, and look for it in your shell's files",
                f"environment:{name}",
            )


def addresses(world: World) -> Iterator[Finding]:
    """Where plain claude would go."""
    for name in sorted(world.env):
        if name.startswith(OTHER_CLOUDS) and world.env[name]:
            yield Finding(
                "other-cloud-in-environment",
                NOTE,
                f"{name} is set",
                "plain `claude` goes to another cloud; a launch takes it away",
                f"run `unset {name}` if it is no longer wanted",
                f"environment:{name}",
            )
    base = world.env.get(BASE_URL, "")
    if base in world.dead:
        yield Finding(
            "environment-dead-address",
            WARNS,
            f"{BASE_URL} is {base}, where nobody listens",
            "another tool has left it: plain `claude` cannot work; a launch replaces it",
            f"run `unset {BASE_URL}`",
            f"environment:{BASE_URL}",
        )
    elif base:
        yield Finding(
            "base-url-in-environment",
            NOTE,
            f"{BASE_URL} is {base}",
            "plain `claude` goes there; a launch replaces it",
            f"run `unset {BASE_URL}` if it is no longer wanted",
            f"environment:{BASE_URL}",
        )


def proxies(world: World) -> Iterator[Finding]:
    """Ways to the outside. A launch keeps loopback out of them by NO_PROXY."""
    for name in PROXIES:
        value = world.env.get(name, "")
        if not value:
            continue
        where = f"environment:{name}"
        if value in world.dead:
            yield Finding(
                "proxy-dead",
                WARNS,
                f"{name} is {without_password(value)}, where nobody listens",
                "claude and the proxies reach nobody outside through it",
                f"start that proxy, or run `unset {name}`",
                where,
            )
        else:
            yield Finding(
                "proxy",
                NOTE,
                f"{name} is {without_password(value)}",
                "requests to the outside go through it; a launch keeps loopback out of it",
                "nothing to mend",
                where,
            )


def without_password(url: str) -> str:
    """An address without the user and the password in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return "an address with a password" if "@" in shown else shown


def aws(world: World) -> Iterator[Finding]:
    """AWS's own variables, which the proxies are not given."""
    if not (world.wanted.plan and world.wanted.plan.aws_profile):
        return
    profile = world.wanted.plan.aws_profile
    for name in TAKES_OVER:
        if world.env.get(name):
            yield Finding(
                "aws-variable-takes-over",
                WARNS,
                f"{name} is set",
                f"AWS's programs use it in place of any AWS profile; the proxies are not given it "
                f"and use `{profile}`, so what works in your shell may not work in a session",
                f"run `unset {name}`, or see that `{profile}` works without it",
                f"environment:{name}",
            )
    given = [name for name in AWS_KEYS if world.env.get(name)]
    if given:
        yield Finding(
            "aws-variable-unused",
            NOTE,
            f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} set, and not used",
            f"the proxies use the AWS profile `{profile}` and nothing else",
            "nothing to mend; another one is named with OPENCLAUDE_AWS_PROFILE",
            f"environment:{given[0]}",
        )


def our_own(world: World) -> Iterator[Finding]:
    """Variables of ours."""
    method = world.env.get("OPENCLAUDE_START_METHOD", "")
    if method not in METHODS:
        yield Finding(
            "start-method",
            STOPS,
            f"OPENCLAUDE_START_METHOD is `{method}`",
            "every launch ends with a usage error",
            "run `unset OPENCLAUDE_START_METHOD`, or set it to `fork` or `spawn`",
            "environment:OPENCLAUDE_START_METHOD",
        )
