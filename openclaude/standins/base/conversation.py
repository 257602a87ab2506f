"""Where in a conversation a script counts, and what to answer if there is none.

Knows: turns, as both clouds have them. Independent of: how either of them encodes a turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from openclaude.standins.base.script import (
    Reasoning,
    Script,
    ScriptError,
    Text,
    pieces,
    read_script,
)

REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
# How claude asks for the rest of an answer of which it has a part (Claude Code 2.1.330)
RESUME = "Your response above was cut off mid-stream"
QUOTED = 200  # characters of a result's start and, for a long one, of its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The content of one message: the role, the text, and the text of each tool result."""

    role: str
    text: str
    results: tuple[str, ...] = ()


def script_for(conversation: Sequence[Said], *, default: str) -> Script:
    """Return the newest user turn's script, or a text that says what the request contained.

    A turn with tool results is not searched for markers, because a tool's output must not be
    obeyed; it is answered by the `then` of the script that called the tool, if that has one.
    """
    try:
        return _ready(_decide(_user_turns(conversation)), default)
    except ScriptError as problem:
        return _text(f"SCRIPT ERROR: {problem}")


def _decide(turns: Sequence[Said]) -> Script | None:
    if not turns or not turns[-1].results:
        return read_script(turns[-1].text) if turns else None
    asked = next((n for n in reversed(range(len(turns))) if not turns[n].results), None)
    script = read_script(turns[asked].text) if asked is not None else None
    if asked is not None and script is not None and len(turns) - 2 - asked < len(script.then):
        return read_script(script.then[len(turns) - 2 - asked])
    return _text(_seen(turns[-1].results))


def _user_turns(conversation: Sequence[Said]) -> list[Said]:
    """Return the user's turns; messages with no answer between them are one turn.

    What asks for the rest of an answer is none: the turn before it is answered once more, whole.
    """
    turns: list[Said] = []
    is_open = False
    for said in conversation:
        if said.role == "user":
            text = REMINDER.sub("", said.text)
            if not said.results and text.lstrip().startswith(RESUME):
                is_open = False
                continue
            if is_open:
                last = turns.pop()
                text, results = f"{last.text}\n{text}", (*last.results, *said.results)
                turns.append(Said(role="user", text=text, results=results))
            else:
                turns.append(replace(said, text=text))
        # A system message inside the conversation does not end the user's turn.
        is_open = said.role == "user" or (is_open and said.role == "system")
    return turns


def _seen(results: Sequence[str]) -> str:
    count = f"{len(results)} result{'s' if len(results) > 1 else ''}"
    return f"TOOL RESULT SEEN: {count}: " + " | ".join(map(_quote, results))


def _quote(result: str) -> str:
    is_long = len(result) > 2 * QUOTED
    return f"{result[:QUOTED]} [...] {result[-QUOTED:]}" if is_long else result


def _ready(script: Script | None, default: str) -> Script:
    """Make sure that a script says something, even one that only sets a stop reason."""
    script = script or Script()
    if all(isinstance(block, Reasoning) for block in script.blocks):
        return replace(script, blocks=(*script.blocks, Text(parts=pieces(default))))
    return script


def _text(text: str) -> Script:
    return Script(blocks=(Text(parts=pieces(text)),))
