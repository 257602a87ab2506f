"""Single values of a profile: what can be judged by looking at one value alone.

Knows: the rules of a label, a port, a URL. Independent of: other keys, files, the model map; what
names a model or a secret, which `contracts.references` parses. Each check gives the value back, or
fails with what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic_core import PydanticCustomError

from openclaude.contracts.references import (
    CLAUDE,
    BadReference,
    SecretKind,
    is_claude,
    parse_model,
    parse_second_model,
    parse_secret,
)
from openclaude.errors import nearest
from openclaude.profile.names import NAME_RULE, is_name, shorten

SCHEMA = 1
ANTHROPIC_URL = "https://api.anthropic.com"
LONGEST_LINE = 200
LONGEST_LABEL = 60
LONGEST_PATH = 1000
TIERS = ("opus", "sonnet", "haiku", "fable")
VISION_HINT = "for example `bedrock/amazon.nova-lite-v1:0`, or the name of a tier that sees images"
STOP = "stop"  # when a budget is used up
MOST_DOLLARS = 1_000_000
LOWEST_PORT, HIGHEST_PORT = 1024, 65534  # providers uses the next one

OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
# Addresses only: a name such as `localhost` is what a resolver makes of it.
LOOPBACK_URL = re.compile(
    rf"https?://(?:127\.{OCTET}\.{OCTET}\.{OCTET}|\[::1\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
)
DNS_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HTTPS_URL = re.compile(rf"https://{DNS_LABEL}(?:\.{DNS_LABEL})+(?::(?P<port>[1-9][0-9]{{0,4}}))?")
# Without a path parser's freedom: no user, no query, no fragment, nothing that needs quoting.
URL_PATH = r"(?:/[A-Za-z0-9._~%-]+)*/?"
PRIVATE = (
    rf"(?:localhost|127\.{OCTET}\.{OCTET}\.{OCTET}|10\.{OCTET}\.{OCTET}\.{OCTET}"
    rf"|192\.168\.{OCTET}\.{OCTET}|172\.(?:1[6-9]|2[0-9]|3[01])\.{OCTET}\.{OCTET})"
)
API_BASE = re.compile(
    rf"(?:https://{DNS_LABEL}(?:\.{DNS_LABEL})*|http://{PRIVATE}|https?://\[::1\])"
    rf"(?::(?P<port>[1-9][0-9]{{0,4}}))?{URL_PATH}"
)

SERVER_URL = re.compile(rf"https://{DNS_LABEL}(?:\.{DNS_LABEL})*(?::(?P<port>[1-9][0-9]{{0,4}}))?")

ON_THIS_MACHINE = re.compile(
    rf"https?://(?:localhost|127\.{OCTET}\.{OCTET}\.{OCTET}|\[::1\])(?:[:/].*)?"
)


def is_on_this_machine(url: str) -> bool:
    """Whether a checked address is a loopback one."""
    return ON_THIS_MACHINE.fullmatch(url) is not None


def is_unencrypted(url: str) -> bool:
    """Whether requests to a checked address can be read on their way."""
    return url.startswith("http://") and not is_on_this_machine(url)


def refusal(message: str, hint: str = "") -> PydanticCustomError:
    """An error with our message, which `translate` passes on unchanged."""
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """The nearest of `known`, then all of them."""
    near = nearest(word, known)
    allowed = "allowed: " + ", ".join(f"`{one}`" for one in known)
    return f"did you mean `{near}`? {allowed}" if near else allowed


def one_of(*allowed: str) -> Callable[[str], str]:
    """A check for one word of a few. Raises PydanticCustomError."""

    def check(value: str) -> str:
        if value not in allowed:
            raise refusal(f'"{shorten(value)}" is not allowed', did_you_mean(value, allowed))
        return value

    return check


def tier_key(tiers: tuple[str, ...]) -> Callable[[str], str]:
    """A check for the name of a tier where it is a key. Raises PydanticCustomError."""

    def check(value: str) -> str:
        if value not in tiers:
            raise refusal("unknown tier", did_you_mean(value, tiers))
        return value

    return check


def check_line(value: str) -> str:
    """Text of one printable line: it is shown on terminals and handed on in variables."""
    return check_text(value, LONGEST_LINE)


def check_label(value: str) -> str:
    """What claude shows for a tier."""
    return check_text(value, LONGEST_LABEL)


def check_text(value: str, longest: int) -> str:
    """One printable line of at most `longest` characters that is not blank.

    Raises PydanticCustomError.
    """
    if not value.strip() or not value.isprintable() or len(value) > longest:
        raise refusal(f"must be one line of 1 to {longest} printable characters")
    return value


def check_extends(value: str) -> str:
    """The name of a parent. Raises PydanticCustomError."""
    if not is_name(value):
        raise refusal(f'"{shorten(value)}" cannot be a profile name', NAME_RULE)
    return value


def check_schema_number(value: int) -> int:
    """The one schema this version reads. Raises PydanticCustomError."""
    if value != SCHEMA:
        raise refusal(
            f"this openclaude reads schema {SCHEMA}, not {value}",
            f"write `schema = {SCHEMA}`, or use a newer openclaude",
        )
    return value


def check_positive(value: int) -> int:
    """A count of tokens. Raises PydanticCustomError."""
    if value < 1:
        raise refusal(f"must be 1 or more, not {value}")
    return value


def check_port(value: int) -> int:
    """A port that a user may listen on, and whose successor is one too.

    Raises PydanticCustomError.
    """
    if not LOWEST_PORT <= value <= HIGHEST_PORT:
        raise refusal(
            f"must be a port from {LOWEST_PORT} to {HIGHEST_PORT}, not {value}",
            "providers listens on the next one",
        )
    return value


def check_further_port(value: int) -> int:
    """A port that a user may listen on. Raises PydanticCustomError."""
    if not LOWEST_PORT <= value <= HIGHEST_PORT:
        raise refusal(
            f"must be a port from {LOWEST_PORT} to {HIGHEST_PORT}, not {value}", "for example 9464"
        )
    return value


def check_otlp(value: str) -> str:
    """Where an OpenTelemetry collector takes OTLP over HTTP: on this machine, without TLS.

    Main connects there, and main sees the plan's login: it must not leave the machine. Raises
    PydanticCustomError.
    """
    if not (is_url(LOOPBACK_URL, value) and value.startswith("http://")):
        raise refusal(
            "must be a loopback address: a collector on this machine passes on what it gets",
            "for example `http://127.0.0.1:4318`",
        )
    return value


def check_base_url(value: str, auth: str = "plan") -> str:
    """Where requests for Anthropic are sent: with a plan its own host or this machine only.

    Matched whole, never parsed: what two URL parsers understand differently, such as
    `http://127.0.0.1@evil`, does not match. The value is not repeated: it may hold a password.
    Raises PydanticCustomError.
    """
    if value == ANTHROPIC_URL or is_url(LOOPBACK_URL, value):
        return value
    if auth == "api-key" and is_url(HTTPS_URL, value):
        return value
    raise refusal(
        "must be Anthropic's own host or a loopback address: your Claude login is sent there",
        f"allowed: `{ANTHROPIC_URL}`, `http://127.0.0.1:PORT`",
    )


def check_api_base(value: str) -> str:
    """Where a provider is: https anywhere, http on this machine or in a private network.

    Raises PydanticCustomError.
    """
    if not is_url(API_BASE, value):
        raise refusal(
            "must be an https address, or an http address of this machine or a private network, "
            "without user and query",
            "for example `https://HOST/v1` or `http://127.0.0.1:8000/v1`",
        )
    return value


def check_reference(value: str) -> str:
    """Where a secret is. The value is never repeated: it may be the secret itself."""
    return checked(parse_secret, value)


def check_program(value: str) -> str:
    """A program that openclaude runs, with its arguments. Raises PydanticCustomError."""
    if not value.startswith(f"{SecretKind.COMMAND}:"):
        raise refusal("must be a program", "for example `command:aws-vault login work`")
    return checked(parse_secret, value)


def checked(parse: Callable[[str], object], value: str) -> str:
    """A reference as a profile writes it, or a refusal in the words of its parser.

    Raises PydanticCustomError.
    """
    try:
        return str(parse(value))
    except BadReference as error:
        raise refusal(error.message, error.hint) from error


def check_endpoint_url(value: str) -> str:
    """Where requests to Bedrock are sent instead of AWS's public endpoint.

    Raises PydanticCustomError.
    """
    if not is_url(HTTPS_URL, value) and not is_url(LOOPBACK_URL, value):
        raise refusal(
            "must be an https address without a path, or a loopback address",
            "allowed: `https://HOST`, `http://127.0.0.1:PORT`",
        )
    return value


def check_server_url(value: str) -> str:
    """Where an `openclaude serve` is: your key and the conversations are sent there.

    Raises PydanticCustomError.
    """
    if not is_url(SERVER_URL, value) and not is_url(LOOPBACK_URL, value):
        raise refusal(
            "must be an https address without a path, or a loopback address",
            "for example `https://models.example.internal` or `https://127.0.0.1:8443`",
        )
    return value


def check_absolute(value: str) -> str:
    """A file's path. Raises PydanticCustomError."""
    if not value.startswith("/") or not value.isprintable() or len(value) > LONGEST_PATH:
        raise refusal("must be an absolute path", "for example `/etc/ssl/team.pem`")
    return value


def is_url(pattern: re.Pattern[str], value: str) -> bool:
    """Whether all of `value` matches, with a port that exists."""
    match = pattern.fullmatch(value)
    return match is not None and int(match["port"] or 1) <= 65535


def check_model_name(value: str) -> str:
    """A model as LiteLLM names it; `bedrock/converse/ID` and `bedrock/ID` are the same."""
    return checked(parse_model, value)


def check_provider_model(value: str) -> str:
    """The same where Claude makes no sense; `bedrock/REGION/ID` names a region of its own."""
    return checked(parse_second_model, value)


def check_after_budget(value: str) -> str:
    """What happens when a budget is used up: `stop`, `claude`, or a model that answers."""
    return value if value in (STOP, CLAUDE) else check_provider_model(value)


def check_vision(value: object) -> object:
    """Whether a model sees images, or who describes them for it. Raises PydanticCustomError."""
    if isinstance(value, bool) or value in TIERS:
        return value
    name = value if isinstance(value, str) else ""
    if "/" not in name and not is_claude(name):
        raise refusal("must be `true`, `false`, a tier or a model", VISION_HINT)
    if is_claude(name):
        what = "must be a provider's model: your Claude login gets no images of other tiers"
        raise refusal(what, VISION_HINT)
    return check_provider_model(name)


def check_dollars(value: float) -> float:
    """US dollars of a budget. Raises PydanticCustomError."""
    if not 0 < value <= MOST_DOLLARS:
        raise refusal(f"must be more than 0 and at most {MOST_DOLLARS} dollars")
    return value


DURATION = re.compile(r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,3})?)(?P<unit>ms|s|m|h|d)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
NEVER = "never"


def check_duration(value: str) -> str:
    """A length of time, such as `15m`. Raises PydanticCustomError."""
    if not is_duration(value):
        raise refusal(
            f'"{shorten(value)}" is not a duration',
            "write a number and `s`, `m`, `h` or `d`, for example `15m`, or `never`",
        )
    return value


def is_duration(text: str) -> bool:
    """Whether a text is a length of time."""
    return text == NEVER or DURATION.fullmatch(text) is not None


def seconds(duration: str) -> float:
    """A checked length of time in seconds; `never` is a hundred years."""
    if duration == NEVER:
        return 3.2e9
    found = DURATION.fullmatch(duration)
    assert found, duration  # noqa: S101 - check_duration has seen it
    return float(found["number"]) * SECONDS[found["unit"]]
