"""A slot's errors as claude can show them: one flat sentence that says what to do.

Knows: which errors a slot can meet, what claude does with each status, and the command that mends
it; AWS's faults have their words in `aws_faults`. Refuses to know: LiteLLM as a library, ASGI, how
a slot is set up. Pure.

The statuses are chosen for what Claude Code 2.1.330 does with them (measured): 424 is asked once
and shown as it is; 401 would make it rotate the plan's login, 403 reads "Failed to authenticate",
404 hides our text; 408, 429 and 5xx are retried with back-off, `retry-after` honoured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from openclaude.aws_faults import Asked, explain
from openclaude.gateway.reply_sentence import Said, presentable, unwrap

MEND = 424  # what the user must mend
# Anthropic's own names (its API documentation, "Errors"); what is not listed is an api_error. A 424
# is one too: claude acts on authentication_error and permission_error whatever the status.
TYPES = {
    400: "invalid_request_error",
    402: "billing_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# The other way round, for errors inside a stream, which carry no status
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class Slot(NamedTuple):
    """What main knows of a slot; every field may be empty."""

    model: str = ""
    context_window: int = 0  # tokens
    aws_profile: str = ""
    key: str = ""  # where the provider's key is: a reference, never the key
    address: str = ""  # the provider's, where the profile names one
    profile: str = ""  # openclaude's, which the commands that mend are to name

    @property
    def asked(self) -> Asked:
        """What AWS is asked for on its behalf."""
        return Asked(presentable(self.aws_profile), self.profile, self.model)


class FlatError(NamedTuple):
    """An error reply in Anthropic's shape."""

    status: int
    type: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()

    def body(self) -> bytes:
        """The JSON body, also the `data` of an SSE error event."""
        error = {"type": self.type, "message": self.message}
        return json.dumps({"type": "error", "error": error}).encode()

    def event(self) -> bytes:
        """The whole SSE event."""
        return b"event: error\ndata: " + self.body() + b"\n\n"


class Verdict(NamedTuple):
    """What an error is, before it is written down."""

    status: int
    sentence: str
    retry_after: str = ""


NO_SLOT = Slot()


def flatten(
    status: int,
    body: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    slot: Slot = NO_SLOT,
    request_bytes: int = 0,
) -> FlatError:
    """The error that claude gets for a non-2xx reply of a slot.

    `headers` are the reply's, names in lower case. `request_bytes`, the length of claude's request,
    serves to size a prompt that is too long when the provider names no number.
    """
    said = unwrap(body)
    if too_long := prompt_too_long(said, slot, request_bytes):
        return FlatError(400, TYPES[400], too_long)
    verdict = judge(real_status(status, said), said, slot)
    retry_after = verdict.retry_after or asked_delay(headers or {})
    return FlatError(
        verdict.status,
        TYPES.get(verdict.status, "api_error"),
        f"{slot.model or said.group or 'this slot'}: {verdict.sentence}",
        (("retry-after", retry_after),) if retry_after else (),
    )


def flatten_event(data: bytes, *, slot: Slot = NO_SLOT, request_bytes: int = 0) -> FlatError:
    """The same for the `data` of an SSE `error` event; its status is the one it would have had."""
    found = re.search(rb'"error"\s*:\s*\{\s*"type"\s*:\s*"(\w+)"', data)
    kind = found[1].decode() if found else ""
    return flatten(STATUSES.get(kind, 500), data, slot=slot, request_bytes=request_bytes)


def real_status(status: int, said: Said) -> int:
    """The status the provider meant.

    LiteLLM 1.106.2 turns a 402 and a 502 of an OpenAI-like provider into a 500 on the hop (its own
    TypeError on the way, measured); the provider's document still names the real one. Bedrock's
    own 424 is a ModelErrorException, which passes by itself: claude shall try again.
    """
    if status == 500 and said.code:
        return said.code
    if status == MEND and "BedrockException" in said.kinds:
        return 502
    return status if 400 <= status < 600 else 502


def asked_delay(headers: Mapping[str, str]) -> str:
    """The reply's own retry-after; LiteLLM renames a provider's header."""
    value = headers.get("retry-after") or headers.get("llm_provider-retry-after") or ""
    return value if re.fullmatch(r"\d{1,6}(\.\d+)?|[A-Z][a-z]{2}, [\w: ]{20,30}", value) else ""


# A prompt that does not fit ---------------------------------------------------------------------

TOO_LONG = re.compile(
    r"input is too long|prompt is too long|maximum context length|context_length_exceeded"
    r"|exceeds the (?:context window|available context size|maximum number of tokens allowed)"
    r"|exceeds? (?:the )?(?:model'?s? )?context (?:window|length|limit)",
    re.IGNORECASE,
)
# prompt tokens and window, as providers write them: Anthropic, Gemini, OpenAI and its imitators
NUMBERS = (
    re.compile(r"(?P<tokens>\d+) tokens > (?P<window>\d+)"),
    re.compile(r"token count \((?P<tokens>\d+)\) exceeds .*? \((?P<window>\d+)\)"),
    re.compile(r"(?P<window>\d+) tokens\D.*?(?P<tokens>\d+) (?:input )?tokens", re.DOTALL),
)


def prompt_too_long(said: Said, slot: Slot, request_bytes: int) -> str:
    """Anthropic's own words for a prompt over the window, or an empty string for other errors.

    claude compacts the conversation on these words, by as many tokens as the two numbers differ.
    Therefore numbers are the provider's, or an estimate of four bytes a token when that exceeds
    the slot's window, and never made up: with the words alone claude drops a share of its own
    choosing (recognised without numbers: measured with Claude Code 2.1.330).
    """
    if "ContextWindowExceededError" not in said.kinds and not TOO_LONG.search(said.text):
        return ""
    found = next((match for form in NUMBERS if (match := form.search(said.text))), None)
    window = int(found["window"]) if found else slot.context_window
    tokens = int(found["tokens"]) if found else request_bytes // 4
    if tokens > window > 0:
        return f"prompt is too long: {tokens} tokens > {window} maximum"
    return f"prompt is too long for {slot.model or said.group or 'this slot'}"


# Everything else --------------------------------------------------------------------------------


def judge(status: int, said: Said, slot: Slot) -> Verdict:
    """The first rule that knows this error."""
    if said.raiser == "Litellm_proxyException" and status >= 500:
        return hop_is_down()
    if fault := explain(said.text, slot.asked, presentable):
        return Verdict(MEND, fault.sentence)
    for pattern, verdict in RULES:
        if found := re.search(pattern, said.text, re.IGNORECASE):
            return verdict(found, slot)
    return by_status(status, presentable(said.text) or f"HTTP {status} without a reason", slot)


def by_status(status: int, text: str, slot: Slot) -> Verdict:
    """An error that only its status explains."""
    if status in (401, 403) and slot.key:
        problem = f"the provider refused the key of `{slot.key}` ({text}); put a valid one there"
        return Verdict(MEND, f"{problem}, then run `openclaude restart`")
    if status in (401, 403):
        return mend(
            f"the provider refused this slot's credentials ({text})", "openclaude logs providers"
        )
    if status == 404:
        return mend(
            f"the provider does not have this model ({text})", "openclaude profiles validate"
        )
    return Verdict(status, text)


def mend(problem: str, *commands: str) -> Verdict:
    """Something the user must do: what is wrong, and the command that mends it."""
    return Verdict(MEND, f"{problem}; run " + " or ".join(f"`{command}`" for command in commands))


def hop_is_down() -> Verdict:
    """Main met the error itself, and no reply of providers is inside it.

    New connections wait in the socket of providers, so this is one it lost by crashing.
    """
    return Verdict(503, "the providers instance is starting again", retry_after="1")


Judge = Callable[["re.Match[str]", Slot], Verdict]


def broken_off(_found: re.Match[str], _slot: Slot) -> Verdict:
    """The provider, or providers itself, went away in the middle of a reply."""
    return Verdict(502, "the connection broke before the reply was complete")


def out_of_step(_found: re.Match[str], _slot: Slot) -> Verdict:
    """Main and providers were not started from one plan."""
    return mend("the providers instance does not belong to this stack", "openclaude restart")


def unreachable(found: re.Match[str], _slot: Slot) -> Verdict:
    """A refused or unknown address. On loopback somebody has to start something."""
    return out_of_reach(presentable(found["address"]))


def no_connection(_found: re.Match[str], slot: Slot) -> Verdict:
    """The same from OpenAI's own client, which does not say whom it asked."""
    return out_of_reach(presentable(slot.address) or "the provider")


def out_of_reach(address: str) -> Verdict:
    """Nobody answers at an address."""
    if re.match(r"(?:https?://)?(?:127\.|localhost|\[?::1)", address):
        return Verdict(MEND, f"nothing listens on {address}; start what the profile expects there")
    return Verdict(503, f"cannot reach {address}")


def unprocessable(_found: re.Match[str], _slot: Slot) -> Verdict:
    """A 422, of whose words LiteLLM 1.106.2 leaves none (measured)."""
    return Verdict(MEND, "the provider refused the request as it is (HTTP 422)")


# What is no fault of AWS's: LiteLLM's sentences, and what aiohttp and asyncio say (measured)
RULES: tuple[tuple[str, Judge], ...] = (
    (r"Invalid model name passed in model=|No connected db|No module named 'prisma'", out_of_step),
    (
        r"TransferEncodingError|Server disconnected|^Connection closed\.$"
        r"|before emitting a message_stop",
        broken_off,
    ),
    (r"Cannot connect to host (?P<address>\S+)", unreachable),
    (r"^Connection error\.$", no_connection),
    (r"^'NoneType' object has no attribute '(?:choices|__aiter__)'", unprocessable),
)
