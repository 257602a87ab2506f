"""A slot's errors as claude shows them: one flat sentence that says what to do.

Knows: which errors a slot can cause, how claude reacts to each status, and the command that fixes
it; the wording for AWS is in `aws.faults`. Independent of: LiteLLM as a library, ASGI, how a slot
is configured. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from openclaude.aws.faults import AwsCall, explain
from openclaude.contracts.anthropic_error import USER_MUST_FIX, AnthropicError, status_of
from openclaude.contracts.references import BEDROCK
from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors.overflow import BYTES_A_TOKEN, Overflow
from openclaude.gateway.errors.provider_message import ProviderMessage, unwrap
from openclaude.gateway.errors.quotas import Quota, quota_in
from openclaude.gateway.errors.reach import REDIRECT, UNTRUSTED, untrusted_sentence
from openclaude.gateway.errors.redaction import presentable
from openclaude.gateway.errors.too_long import MARKS, is_another, likely_overflow, overflow_in
from openclaude.gateway.http.way_out import NAMED, PASSING


def asked_of(slot: SlotRoute) -> AwsCall:
    """The AWS request that was made for a slot."""
    key = presentable(slot.key) if slot.provider == BEDROCK else ""
    return AwsCall(presentable(slot.aws_profile), slot.profile, slot.model, key)


class Verdict(NamedTuple):
    """The classification of an error, before it is written as a message."""

    status: int
    sentence: str
    retry_after: str | None = None


NO_SLOT = SlotRoute()
UNPROCESSABLE = 422
REFUSED = (400, 413, UNPROCESSABLE)  # statuses of a request that does not fit
RECURSION = "maximum recursion depth exceeded"  # Python's, of code that copies or writes a request
BROKE_OFF = "the connection broke before the reply was complete"


def flat_error(
    status: int,
    body: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    slot: SlotRoute = NO_SLOT,
    request_bytes: int = 0,
) -> AnthropicError:
    """Return the error that claude gets for a non-2xx reply of a slot.

    `headers` are the reply's, with names in lower case. `request_bytes` is the length of claude's
    request; it is used to estimate the size of a prompt that is too long if the provider gives no
    number.
    """
    message = unwrap(body)
    if status == 500 and is_our_recursion(message):
        return AnthropicError(400, f"{slot.model}: the request body is nested too deeply")
    status = message.upstream or status
    if too_long := prompt_too_long(status, message, slot, request_bytes):
        return AnthropicError(400, too_long)
    verdict = classify(real_status(status, message), message, slot)
    return AnthropicError(
        verdict.status,
        f"{slot.model or message.group or 'this slot'}: {verdict.sentence}",
        verdict.retry_after or asked_delay(headers or {}),
    )


def is_our_recursion(message: ProviderMessage) -> bool:
    """Tell whether LiteLLM could not copy or write a request; a provider may say it of itself."""
    is_first = message.text.startswith(RECURSION) and not message.upstream
    return is_first and message.kinds <= {"", "APIConnectionError"}


def flatten_event(
    data: str, *, slot: SlotRoute = NO_SLOT, request_bytes: int = 0
) -> AnthropicError:
    """Do the same for the `data` of an SSE `error` event, with the status that it stands for."""
    found = re.search(r'"error"\s*:\s*\{\s*"type"\s*:\s*"(\w+)"', data)
    status = status_of(found[1] if found else "")
    return flat_error(status, data.encode(), slot=slot, request_bytes=request_bytes)


def hop_is_down(slot: SlotRoute) -> AnthropicError:
    """Main met the error itself: no reply of providers is there.

    New connections wait in the socket of providers, so this is one it lost by crashing.
    """
    what = f"the connection to {slot.server} broke" if slot.server else "the providers instance"
    why = "; it may be restarting" if slot.server else " is restarting"
    return AnthropicError(503, f"{slot.model}: {what}{why}", "1")


def broke_off(slot: SlotRoute) -> AnthropicError:
    """The reply of providers ended before it was whole."""
    return AnthropicError(502, f"{slot.model}: {BROKE_OFF}")


def real_status(status: int, message: ProviderMessage) -> int:
    """Return the status that the provider meant.

    LiteLLM makes a 500 of some statuses of an OpenAI-like provider; its document still names the
    real one. Bedrock's own 424 is a ModelErrorException, which is temporary: claude must try
    again.
    """
    if status == 500 and message.code and not message.upstream:
        return message.code
    if USER_MUST_FIX in (status, message.upstream) and "BedrockException" in message.kinds:
        return 502
    return status if 400 <= status < 600 else 502


DELAY = re.compile(r"\d{1,6}(\.\d+)?|[A-Z][a-z]{2}, [\w: ]{20,30}")  # seconds, or an HTTP date


def asked_delay(headers: Mapping[str, str]) -> str | None:
    """Return the retry-after of the reply; LiteLLM renames a provider's header."""
    value = headers.get("retry-after") or headers.get("llm_provider-retry-after") or ""
    return value if DELAY.fullmatch(value) else None


TOO_MANY = 429
OF_THE_MODEL = re.compile(r"context|model|sequence|prompt (?:is )?too long", re.IGNORECASE)
# Prompts that are too long ------------------------------------------------------------------------


def prompt_too_long(
    status: int, message: ProviderMessage, slot: SlotRoute, request_bytes: int
) -> str:
    """Return Anthropic's own message for a prompt over the window, or "" for other errors.

    claude compacts the conversation when it sees this message, by the difference of the two
    numbers. So the numbers are the provider's, or an estimate of four bytes per token if that
    exceeds the slot's window, and never invented: without numbers claude drops a share of its own
    choice (it recognises the message without numbers: measured with Claude Code 2.1.330).
    """
    estimate = request_bytes // BYTES_A_TOKEN
    if status == TOO_MANY and not OF_THE_MODEL.search(message.text) and not message.marks & MARKS:
        return ""  # so many tokens are too many for now
    overflow = overflow_in(message.text)
    if overflow is None and status in REFUSED:
        overflow = likely_overflow(message.text)
    if overflow is None and is_too_long(status, message, estimate, slot.context_window):
        overflow = Overflow()
    if overflow is None:
        return ""
    window = overflow.window or slot.context_window
    tokens = overflow.tokens or (window + overflow.over if overflow.over else estimate)
    if tokens > window > 0:
        return f"prompt is too long: {tokens} tokens > {window} maximum"
    return f"prompt is too long for {slot.model or message.group or 'this slot'}"


def is_too_long(status: int, message: ProviderMessage, estimate: int, window: int) -> bool:
    """Tell whether a prompt is too long from everything but the wording of the error.

    A 413 without a message means this (reported for Cerebras); for such a 400 only the sizes tell.
    """
    if is_another(message.text) or quota_in(status, message.text, message.marks):
        return False
    if "ContextWindowExceededError" in message.kinds or message.marks & MARKS:
        return True
    if 413 in (status, message.code):
        return True
    return status == 400 and not presentable(message.text) and estimate > window > 0


# Everything else --------------------------------------------------------------------------------


def classify(status: int, message: ProviderMessage, slot: SlotRoute) -> Verdict:
    """Return the verdict of the first rule that matches this error."""
    is_aws = slot.provider in ("", BEDROCK)  # another provider denies access in such words, too
    if is_aws and (fault := explain(message.text, asked_of(slot), presentable)):
        return Verdict(USER_MUST_FIX, of_server(fault.message, slot) or fault.sentence)
    for pattern, verdict in RULES:
        if found := re.search(pattern, message.text, re.IGNORECASE):
            return verdict(found, slot)
    text = presentable(message.text) or f"HTTP {status} without an error message"
    if quota := quota_in(status, message.text, message.marks):
        return Verdict(USER_MUST_FIX, USED_UP[quota].format(text))
    return by_status(status, text, slot)


# A limit that will not pass while claude keeps retrying
USED_UP = {
    Quota.MONEY: "the account at the provider has no credit for this ({}); "
    "add credit there, or choose another model with `/model`",
    Quota.PERIOD: "a limit of the provider is used up, for longer than claude would wait ({}); "
    "ask again when it resets, or choose another model with `/model`",
    Quota.SIZE: "the request is larger than what the provider allows in a minute ({}); "
    "raise that limit there, or choose another model with `/model`",
}


def by_status(status: int, text: str, slot: SlotRoute) -> Verdict:
    """Classify an error that only its status explains."""
    if status in (401, 403, 404) and (sentence := of_server(text, slot)):
        return Verdict(USER_MUST_FIX, sentence)
    if status in (401, 403) and slot.key:
        return Verdict(
            USER_MUST_FIX,
            f"the provider rejected the API key from `{slot.key}` ({text}); "
            f"put a valid key there, then run `{command('restart', slot)}`",
        )
    if status in (401, 403):
        logs = command("logs providers", slot)
        return fix(f"the provider rejected this slot's credentials ({text})", logs)
    if status == 404:
        judge = command("profiles validate", slot)
        return fix(f"the provider does not have this model ({text})", judge)
    if status == UNPROCESSABLE:
        return Verdict(USER_MUST_FIX, f"the provider rejected the request (HTTP 422): {text}")
    return Verdict(status, text)


def of_server(problem: str, slot: SlotRoute) -> str:
    """What another machine cannot do for a slot, which only who runs it can fix; else ""."""
    return f"{slot.server} says: {problem}; tell whoever runs it" if slot.server else ""


def fix(problem: str, how: str) -> Verdict:
    """Return an error that the user must fix: what is wrong, and the command that fixes it."""
    return Verdict(USER_MUST_FIX, f"{problem}; run `{how}`")


def command(words: str, slot: SlotRoute) -> str:
    """Return a command of ours for the session's own profile, which need not be the default."""
    return f"openclaude {words}" + (f" --profile {slot.profile}" if slot.profile else "")


Rule = Callable[["re.Match[str]", SlotRoute], Verdict]


def broken_off(_found: re.Match[str], _slot: SlotRoute) -> Verdict:
    """The provider, or our providers instance, closed the connection in the middle of a reply."""
    return Verdict(502, BROKE_OFF)


def out_of_step(_found: re.Match[str], slot: SlotRoute) -> Verdict:
    """Main and providers were not started from the same plan."""
    problem = "the providers instance does not belong to this stack"
    return fix(problem, command("restart", slot))


def unreachable(found: re.Match[str], _slot: SlotRoute) -> Verdict:
    """The address refused the connection or is unknown. On loopback a server is not running."""
    return out_of_reach(presentable(found["address"]))


def redirected(found: re.Match[str], slot: SlotRoute) -> Verdict:
    """The address redirects its clients elsewhere, along with the key and the conversation."""
    return fix(presentable(found[0]), command("profiles edit", slot))


def not_trusted(found: re.Match[str], _slot: SlotRoute) -> Verdict:
    """The server's certificate was issued by an unknown authority."""
    return Verdict(USER_MUST_FIX, untrusted_sentence(presentable(found["address"])))


def out_of_the_way(found: re.Match[str], _slot: SlotRoute) -> Verdict:
    """The providers instance has met no server, and says why."""
    status = PASSING if found["now"] else USER_MUST_FIX
    return Verdict(status, presentable(found[0]))


def in_plain_text(found: re.Match[str], _slot: SlotRoute) -> Verdict:
    """AWS's configuration names an address that is not encrypted (`aws.endpoints`)."""
    return Verdict(USER_MUST_FIX, presentable(found[0]))


def no_connection(_found: re.Match[str], slot: SlotRoute) -> Verdict:
    """The same from OpenAI's own client, which does not name the address."""
    return out_of_reach(presentable(slot.address) or "the provider")


def out_of_reach(address: str) -> Verdict:
    """Nothing answers at the address."""
    if re.match(r"(?:https?://)?(?:127\.|localhost|\[?::1)", address):
        sentence = (
            f"nothing is listening on {address}; start the server that the profile expects there"
        )
        return Verdict(USER_MUST_FIX, sentence)
    return Verdict(503, f"cannot reach {address}")


# `aws.endpoints`, wrapped by LiteLLM
PLAIN_TEXT = r"the AWS profile names \S{1,300}+ for Bedrock, which is not encrypted[^\n]{0,300}+"

# Not AWS's errors: LiteLLM's messages, and those of aiohttp and asyncio (measured)
RULES: tuple[tuple[str, Rule], ...] = (
    (r"Invalid model name passed in model=|No connected db|No module named 'prisma'", out_of_step),
    (
        r"TransferEncodingError|Server disconnected|^Connection closed\.$"
        r"|before emitting a message_stop",
        broken_off,
    ),
    (REDIRECT, redirected),
    (NAMED.pattern, out_of_the_way),
    (PLAIN_TEXT, in_plain_text),
    (UNTRUSTED.pattern, not_trusted),
    (r"Cannot connect to host (?P<address>\S+)", unreachable),
    (r"^Connection error\.$", no_connection),
)
