"""Single values of a profile: what can be judged by looking at one value alone.

Knows: the rules of a label, a port, a URL, a model's name. Refuses to know: other keys, files,
the model map. Each check gives the value back, or fails with what is allowed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from pydantic_core import PydanticCustomError

from openclaude.errors import nearest
from openclaude.profile.names import NAME_RULE, is_name, shorten

SCHEMA = 1
ANTHROPIC_URL = "https://api.anthropic.com"
LONGEST_LINE = 200
LONGEST_LABEL = 60
LOWEST_PORT, HIGHEST_PORT = 1024, 65534  # providers uses the next one

OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
# Addresses only: a name such as `localhost` is what a resolver makes of it.
LOOPBACK_URL = re.compile(
    rf"https?://(?:127\.{OCTET}\.{OCTET}\.{OCTET}|\[::1\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
)
DNS_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HTTPS_URL = re.compile(rf"https://{DNS_LABEL}(?:\.{DNS_LABEL})+(?::(?P<port>[1-9][0-9]{{0,4}}))?")
CLAUDE_ID = re.compile(r"claude-[a-z0-9][a-z0-9._-]*(?:\[1m\])?")
REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}")
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
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
REFERENCE_RULE = "allowed: `env:NAME`, `file:PATH`, `command:PROGRAM ARGUMENTS`"
LONGEST_REFERENCE = 1000


def refusal(message: str, hint: str = "") -> PydanticCustomError:
    """A refusal in our words, which `translate` hands on as it is."""
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """The nearest of `known`, then all of them."""
    near = nearest(word, known)
    allowed = "allowed: " + ", ".join(f"`{one}`" for one in known)
    return f"did you mean `{near}`? {allowed}" if near else allowed


def is_claude(model: str) -> bool:
    """Whether a model's name means Anthropic's own API."""
    return model == "claude" or model.startswith("claude-")


def one_of(*allowed: str) -> Callable[[str], str]:
    """A check for one word of a few."""

    def check(value: str) -> str:
        if value not in allowed:
            raise refusal(f'"{shorten(value)}" is not allowed', did_you_mean(value, allowed))
        return value

    return check


def tier_key(tiers: tuple[str, ...]) -> Callable[[str], str]:
    """A check for the name of a tier where it is a key."""

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
    """One printable line of at most `longest` characters that is not blank."""
    if not value.strip() or not value.isprintable() or len(value) > longest:
        raise refusal(f"is one line of 1 to {longest} printable characters")
    return value


def check_extends(value: str) -> str:
    """The name of a parent."""
    if not is_name(value):
        raise refusal(f'"{shorten(value)}" cannot be a profile name', NAME_RULE)
    return value


def check_schema_number(value: int) -> int:
    """The one schema this version reads."""
    if value != SCHEMA:
        raise refusal(
            f"this openclaude reads schema {SCHEMA}, not {value}",
            f"write `schema = {SCHEMA}`, or use a newer openclaude",
        )
    return value


def check_positive(value: int) -> int:
    """A count of tokens."""
    if value < 1:
        raise refusal(f"is 1 or more, not {value}")
    return value


def check_port(value: int) -> int:
    """A port that a user may listen on, and whose successor is one too."""
    if not LOWEST_PORT <= value <= HIGHEST_PORT:
        raise refusal(
            f"is a port from {LOWEST_PORT} to {HIGHEST_PORT}, not {value}",
            "providers listens on the next one",
        )
    return value


def check_base_url(value: str, auth: str = "plan") -> str:
    """Where requests for Anthropic are sent: with a plan its own host or this machine only.

    Matched whole, never parsed: what two URL parsers understand differently, such as
    `http://127.0.0.1@evil`, does not match. The value is not repeated: it may hold a password.
    """
    if value == ANTHROPIC_URL or is_url(LOOPBACK_URL, value):
        return value
    if auth == "api-key" and is_url(HTTPS_URL, value):
        return value
    raise refusal(
        "is Anthropic's own host or a loopback address: your Claude login is sent there",
        f"allowed: `{ANTHROPIC_URL}`, `http://127.0.0.1:PORT`",
    )


def check_api_base(value: str) -> str:
    """Where a provider is: https anywhere, http on this machine or in a private network."""
    if not is_url(API_BASE, value):
        raise refusal(
            "is an https address, or an http address of this machine or of a private network, "
            "without a user and without a query",
            "for example `https://HOST/v1` or `http://127.0.0.1:8000/v1`",
        )
    return value


def check_reference(value: str) -> str:
    """Where a secret is. The value is never repeated: it may be the secret itself."""
    kind, colon, rest = value.partition(":")
    usable = len(value) <= LONGEST_REFERENCE and value.isprintable()
    if colon and usable and is_reference(kind, rest):
        return value
    raise refusal(
        "says where the secret is, never the secret itself",
        f"{REFERENCE_RULE}; if a secret stood here, replace it at its provider",
    )


def is_reference(kind: str, rest: str) -> bool:
    """Whether `kind:rest` says where a secret is."""
    match kind:
        case "env":
            return VARIABLE.fullmatch(rest) is not None
        case "file":
            return rest.startswith(("/", "~/"))
        case "command":
            return is_command(rest)
        case _:
            return False


def is_command(text: str) -> bool:
    """Whether a text can be split into a program and its arguments."""
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


def check_endpoint_url(value: str) -> str:
    """Where requests to Bedrock are sent instead of AWS's public endpoint."""
    if not is_url(HTTPS_URL, value) and not is_url(LOOPBACK_URL, value):
        raise refusal(
            "is an https address without a path, or a loopback address",
            "allowed: `https://HOST`, `http://127.0.0.1:PORT`",
        )
    return value


def is_url(pattern: re.Pattern[str], value: str) -> bool:
    """Whether all of `value` matches, with a port that exists."""
    match = pattern.fullmatch(value)
    return match is not None and int(match["port"] or 1) <= 65535


def check_model_name(value: str) -> str:
    """A model as LiteLLM names it; `bedrock/converse/ID` and `bedrock/ID` are the same."""
    if not value or not value.isprintable() or " " in value or len(value) > LONGEST_LINE:
        raise refusal("is a model's name, for example `bedrock/qwen.qwen3-next-80b-a3b`")
    if is_claude(value):
        return check_claude_id(value)
    return check_bedrock_path(value) if value.startswith("bedrock/") else value


def check_provider_model(value: str) -> str:
    """The same where Claude makes no sense; `bedrock/REGION/ID` names a region of its own."""
    if is_claude(value):
        raise refusal(
            "is a provider's model: your Claude login is not a fallback",
            "for example `bedrock/openai.gpt-oss-120b-1:0`",
        )
    provider, _, rest = value.partition("/")
    region, slash, model_id = rest.partition("/")
    if provider == "bedrock" and slash and REGION.fullmatch(region):
        return f"bedrock/{region}/{check_model_name(f'bedrock/{model_id}').partition('/')[2]}"
    return check_model_name(value)


def check_claude_id(value: str) -> str:
    """`claude`, or an id of Anthropic's."""
    if value != "claude" and not CLAUDE_ID.fullmatch(value):
        raise refusal(
            f'"{shorten(value)}" is not an id of Anthropic\'s', "for example `claude-opus-5-5`"
        )
    return value


def check_bedrock_path(value: str) -> str:
    """`bedrock/ID`: the route is always Converse, the region has a key of its own."""
    provider, *rest = value.split("/")
    if rest[0] == "converse":
        rest = rest[1:]
    if rest and REGION.fullmatch(rest[0]):
        raise refusal("the region has a key of its own", f'write `region = "{rest[0]}"`')
    if rest and rest[0].startswith("arn:") and len(rest) == 2:
        rest = ["/".join(rest)]  # an ARN has one slash of its own
    if len(rest) != 1 or not rest[0]:
        raise refusal("is `bedrock/ID`, and requests always use Converse")
    return f"{provider}/{rest[0]}"


DURATION = re.compile(r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,3})?)(?P<unit>ms|s|m|h|d)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
NEVER = "never"


def check_duration(value: str) -> str:
    """A length of time, such as `15m`."""
    if value != NEVER and not DURATION.fullmatch(value):
        raise refusal(
            f'"{shorten(value)}" is no length of time',
            "write a number and `s`, `m`, `h` or `d`, for example `15m`, or `never`",
        )
    return value


def seconds(duration: str) -> float:
    """A checked length of time in seconds; `never` is a hundred years."""
    if duration == NEVER:
        return 3.2e9
    found = DURATION.fullmatch(duration)
    assert found, duration  # noqa: S101 - check_duration has seen it
    return float(found["number"]) * SECONDS[found["unit"]]
