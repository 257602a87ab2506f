"""The script language: markers in a prompt that tell a stand-in what to answer.

Knows: how a marker is written and read. Independent of: HTTP, either cloud's wire format, and
where in a conversation a marker counts (that is conversation.py).

A marker is `[[verb:argument:argument]]`. Whatever could hold a colon, a bracket or a blank is
base64url (text, or JSON), so a marker survives a terminal's line wrapping (blanks inside are
dropped) and a marker inside a marker stays hidden until its turn comes: a prompt that starts a
subagent can carry that subagent's own script.

    [[say:B64]]                         a text block
    [[big:BYTES]]                       a long text block
    [[slow:PARTS:SECONDS:B64]]          a text block with a pause before each part
    [[reasoning:B64]]                   a thinking block
    [[tool:NAME:B64 JSON]]              a tool call
    [[then:B64 MARKERS]]                what to answer when the tool results come back
    [[stop:REASON]]                     the stop reason
    [[wait:SECONDS]]                    silence before the first byte
    [[error:STATUS:TYPE:TIMES:B64 JSON]]  an HTTP error; JSON: message, headers
    [[limit]]                           the plan's quota is used up
    [[midstream:EVENTS:TYPE:B64]]       an error inside the stream, after so many events
    [[abort:EVENTS]]                    the connection drops after so many events
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

MARKER = re.compile(r"\[\s*\[([^\[\]]*)\]\s*\]")  # a terminal may wrap between two brackets
DEFAULT_SLOW_TEXT = "one word after the other, as a model would"
FILLER = "The quick brown fox jumps over the lazy dog. "


class ScriptError(ValueError):
    """A marker with a known verb and wrong arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text block, in as many deltas as there are parts."""

    parts: tuple[str, ...]
    pause_s: float = 0.0

    @property
    def text(self) -> str:
        """The block as a whole."""
        return "".join(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """What the model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool call."""

    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """An HTTP error in place of an answer. An empty kind means the usual one of that status."""

    status: int
    kind: str = ""
    message: str = "scripted error"
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 0  # answer normally after this many; 0: always this error
    marker: str = ""  # the key by which `times` are counted
    is_limit: bool = False  # the quota of the plan is used up


@dataclass(frozen=True, slots=True, kw_only=True)
class Midstream:
    """An error after this many events of a stream. An empty kind means the cloud's usual one."""

    events: int = 4
    kind: str = ""
    message: str = "scripted error in mid-stream"


Block = Text | Reasoning | Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Everything about one reply."""

    blocks: tuple[Block, ...] = ()
    wait_s: float = 0.0
    stop: str = ""  # empty: tool_use if there are tool calls, else end_turn
    error: Error | None = None
    midstream: Midstream | None = None
    abort: int | None = None  # drop the connection after this many events
    then: tuple[str, ...] = ()  # the scripts for the turns that bring tool results

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tool calls among the blocks."""
        return tuple(block for block in self.blocks if isinstance(block, Tool))


# Writing markers --------------------------------------------------------------------------------


def say(text: str) -> str:
    """Answer with a text block."""
    return _marker("say", _encode(text))


def big(size: int) -> str:
    """Answer with this many bytes of text."""
    return _marker("big", size)


def slow(parts: int = 5, seconds: float = 0.1, text: str = DEFAULT_SLOW_TEXT) -> str:
    """Answer with a text block in this many parts, pausing before each."""
    return _marker("slow", parts, seconds, _encode(text))


def reasoning(text: str) -> str:
    """Start with a thinking block."""
    return _marker("reasoning", _encode(text))


def tool(name: str, arguments: Mapping[str, Any]) -> str:
    """Call a tool; several markers are several calls in one reply."""
    return _marker("tool", name, _encode(json.dumps(arguments)))


def stop(reason: str) -> str:
    """End with this stop reason, in the vocabulary of the cloud."""
    return _marker("stop", reason)


def wait(seconds: float) -> str:
    """Wait before the first byte."""
    return _marker("wait", seconds)


def error(
    status: int,
    kind: str = "",
    message: str = "scripted error",
    *,
    headers: Mapping[str, str] | None = None,
    times: int = 0,
) -> str:
    """Fail with an HTTP status; `times` is how often before the prompt is answered after all."""
    details = {"message": message, "headers": dict(headers or {})}
    return _marker("error", status, kind, times, _encode(json.dumps(details)))


def limit() -> str:
    """Refuse because the plan's quota is used up (Bedrock: throttle)."""
    return _marker("limit")


def midstream(
    events: int = 4, kind: str = "", message: str = "scripted error in mid-stream"
) -> str:
    """Send this many events, then an error inside the stream."""
    return _marker("midstream", events, kind, _encode(message))


def abort(events: int = 3) -> str:
    """Send this many events, then drop the connection; 0: not even a status line."""
    return _marker("abort", events)


def then(*markers: str) -> str:
    """Answer like this when the tool results of this reply come back; may be nested."""
    return _marker("then", _encode("".join(markers)))


def _marker(verb: str, *arguments: object) -> str:
    return "[[" + ":".join((verb, *(str(argument) for argument in arguments))) + "]]"


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


# Reading markers --------------------------------------------------------------------------------


def read_script(text: str) -> Script | None:
    """Return a prompt's script, or None without a marker. Raises ScriptError for a broken one."""
    script = None
    for verb, arguments, marker in _markers(text):
        try:
            script = VERBS[verb](script or Script(), arguments, marker)
        except (IndexError, TypeError, ValueError) as problem:
            raise ScriptError(f"cannot read the marker {marker}: {problem}") from problem
    return script


def pieces(text: str) -> tuple[str, ...]:
    """Split a text into parts as a model streams it: a few for a sentence, never very many."""
    size = max(16, len(text) // 64)
    return tuple(text[start : start + size] for start in range(0, len(text), size))


def _markers(text: str) -> Iterator[tuple[str, list[str], str]]:
    """Yield verb, arguments and text of every marker; other double brackets are prose."""
    for found in MARKER.finditer(text):
        marker = "".join(found[1].split())
        verb, *arguments = marker.split(":")
        if verb in VERBS:
            yield verb, arguments, f"[[{marker}]]"


def _decode(encoded: str) -> str:
    """Decode base64url or base64, padded or not."""
    plain = encoded.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), b"-_", validate=True).decode()
    except binascii.Error as problem:
        raise ScriptError(f"`{encoded}` is not base64url: {problem}") from problem


def _add(script: Script, *blocks: Block) -> Script:
    return replace(script, blocks=(*script.blocks, *blocks))


def _read_slow(script: Script, arguments: Sequence[str], _: str) -> Script:
    count, pause_s = int(arguments[0]), float(arguments[1])
    text = _decode(arguments[2]) if len(arguments) > 2 else DEFAULT_SLOW_TEXT
    if count < 1:
        raise ScriptError("a text has at least one part")
    cuts = [len(text) * index // count for index in range(count + 1)]
    parts = tuple(text[a:b] for a, b in pairwise(cuts))
    return _add(script, Text(parts=parts, pause_s=pause_s))


def _read_big(script: Script, arguments: Sequence[str], _: str) -> Script:
    size = int(arguments[0])
    return _add(script, Text(parts=pieces((FILLER * (size // len(FILLER) + 1))[:size])))


def _read_tool(script: Script, arguments: Sequence[str], _: str) -> Script:
    given = json.loads(_decode(arguments[1]))
    if not isinstance(given, dict):
        raise ScriptError("the input of a tool is a JSON object")
    return _add(script, Tool(name=arguments[0], input=given))


def _read_error(script: Script, arguments: Sequence[str], marker: str) -> Script:
    status, kind, times, details = (*arguments, *("", "0", "")[len(arguments) - 1 :])[:4]
    more = json.loads(_decode(details)) if details else {}
    return replace(
        script,
        error=Error(status=int(status), kind=kind, times=int(times), marker=marker, **more),
    )


def _read_midstream(script: Script, arguments: Sequence[str], _: str) -> Script:
    wanted = Midstream(
        events=int(arguments[0]) if arguments else Midstream().events,
        kind=arguments[1] if len(arguments) > 1 else "",
        message=_decode(arguments[2]) if len(arguments) > 2 else Midstream().message,
    )
    return replace(script, midstream=wanted)


VERBS: Mapping[str, Callable[[Script, Sequence[str], str], Script]] = {
    "say": lambda script, given, _: _add(script, Text(parts=pieces(_decode(given[0])))),
    "big": _read_big,
    "slow": _read_slow,
    "reasoning": lambda script, given, _: _add(script, Reasoning(text=_decode(given[0]))),
    "tool": _read_tool,
    "stop": lambda script, given, _: replace(script, stop=given[0]),
    "wait": lambda script, given, _: replace(script, wait_s=float(given[0])),
    "error": _read_error,
    "limit": lambda script, *_: replace(script, error=Error(status=429, is_limit=True)),
    "midstream": _read_midstream,
    "abort": lambda script, given, _: replace(script, abort=int(given[0]) if given else 3),
    "then": lambda script, given, _: replace(script, then=(*script.then, _decode(given[0]))),
}
