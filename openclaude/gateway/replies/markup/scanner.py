"""Removes markup from a text while it streams.

Knows: where in a text markup can start, and how much must be buffered. Independent of: which marks
there are (`rules`), how a call is parsed (`reading`). Pure.

No more is buffered than could be the start of a mark, and a call until it is complete. A call that
cannot be parsed, or of a tool that was not offered, stays text, unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from openclaude.gateway.replies.calls import tool_named
from openclaude.gateway.replies.events import CallEnd, CallPiece, Event, TextEvent
from openclaude.gateway.replies.markup import guesses
from openclaude.gateway.replies.markup.ends import Found, end_of_call, end_of_json, first_of
from openclaude.gateway.replies.markup.lines import Lines
from openclaude.gateway.replies.markup.marks import Marks, is_end_of_call
from openclaude.gateway.replies.markup.reading import calls_in, harmony
from openclaude.gateway.replies.markup.rules import BY_JSON, Capability, MarkKind, Place, Rule
from openclaude.gateway.replies.markup.written import Written

MESSAGE = "<|message|>"
MOST_REASONING = 1 << 17  # pieces of reasoning in which calls are looked for
LONGEST = 28  # characters of the longest mark, which may have to be buffered at a reply's start
CALL_ENDS = ("<|call|>", "<|end|>", "<|start|>")
CLOSED = (*"}])>", "```")  # how a call without its end may end
OPENERS = ("<|start|>", "<|channel|>")  # the next channel, which ends the current one


class MarkupScanner:
    """Scans the text of one reply."""

    def __init__(
        self,
        capability: Capability,
        names: Callable[[], frozenset[str]],
        types: Callable[[str], Mapping[str, Any]],
        begins_thoughts: Callable[[], None],
    ) -> None:
        """`begins_thoughts`: the model's reasoning has an end mark but no start mark."""
        self._capability = capability
        self._names = names
        self._types = types
        self._tell = begins_thoughts
        self._held = ""
        self._block = 0
        self._lines = Lines()
        self._marks = Marks(capability.rules, self._lines, is_declared=capability.is_declared)
        self._reasoning: list[str] = []  # what came of it in a field of its own
        self._rule: Rule | None = None  # the part that is open
        self._ends: tuple[str, ...] = ()
        self._past = 0  # how far ends were looked for that are inside a value
        self._count = 0
        self._out: list[Event] = []
        # how much of the start may be reasoning that began in the prompt
        self._window = LONGEST if capability.is_unknown else 0
        if capability.begins_thoughts:
            self._window = 1 << 20

    def feed(self, event: TextEvent) -> list[Event]:
        """Return the events for this text; the same event object if nothing changed."""
        idle = not self._held and self._rule is None and not self._window
        idle = idle and not self._lines.swallows
        is_begun = self._capability.has_bare_json or self._capability.has_channels
        may_be_bare = self._lines.is_start and is_begun
        if idle and not may_be_bare and not self._marks.may_be_in(event.text):
            self._lines.pass_(event.text)
            return [event]
        if self._held and event.block != self._block and self._rule is None:
            self._say(self._held)
            self._held = ""
        self._block = event.block
        self._held += event.text
        self._run(is_last=False)
        out = self._taken()
        return [event] if out == [event] and not self._held else out

    def reasoned(self, text: str) -> None:
        """Note that the provider separates the model's reasoning: there is none in the text."""
        self._window = 0
        if len(self._reasoning) < MOST_REASONING:
            self._reasoning.append(text)

    def forgotten(self) -> list[Event]:
        """Return the calls that the reasoning ends with, for a reply without anything else.

        Servers that separate it leave them in there (vybestack/llxprt-code#749).
        """
        if found := self._last_calls("".join(self._reasoning)):
            self._call(Rule("", MarkKind.CALL, Place.ANY), *found)
        return self._taken()

    def flush(self) -> list[Event]:
        """Return what was buffered."""
        self._run(is_last=True)
        return self._taken()

    def _taken(self) -> list[Event]:
        out, self._out = self._out, []
        return out

    def _run(self, *, is_last: bool) -> None:
        if self._capability.has_channels and self._lines.is_start and self._rule is None:
            whole = guesses.with_channels(self._held, self._past, is_last=is_last)
            self._past = 0
            if isinstance(whole, guesses.Incomplete):
                self._past = max(0, len(self._held) - guesses.HEADER)
                return
            self._held = whole or self._held
        moved = True
        while moved and self._held:
            if self._rule is not None:
                moved = self._inside(self._rule, is_last=is_last)
            elif self._lines.is_start and self._bare(is_last=is_last):
                return
            else:
                moved = self._outside(is_last=is_last)

    # Text ------------------------------------------------------------------------------------

    def _outside(self, *, is_last: bool) -> bool:
        """Emit text up to the next mark; False if more input is needed first."""
        at = -1
        while (at := self._marks.next_in(self._held, at + 1)) >= 0:
            rule = self._marks.rule_at(self._held, at, is_last=is_last)
            if rule is not None:
                self._begin(rule, at)
                return True
            if not is_last and self._marks.may_become(self._held, at):
                return self._keep_from(at)
            if is_last and self._marks.is_residue(self._held, at):
                self._say(self._held[:at])
                self._held = ""
                return False
            self._marks.note_text(self._held, at)
        return self._keep_from(len(self._held), is_last=is_last)

    def _keep_from(self, at: int, *, is_last: bool = False) -> bool:
        """Emit what precedes this; nothing while it may be reasoning that began in the prompt."""
        said = self._held[:at]
        if self._window and not is_last:
            is_short = len(said) <= self._window and not self._lines.has_said
            if is_short and (self._window > LONGEST or guesses.is_musing(said)):
                return False
            self._window = 0
        self._say(said)
        self._held = self._held[at:]
        return False

    def _say(self, text: str) -> None:
        if self._lines.swallows:
            text = text.lstrip(self._lines.swallows)
        if text:
            self._lines.pass_(text)
            self._out.append(TextEvent(text, self._block))

    def _begin(self, rule: Rule, at: int) -> None:
        said, rest = self._held[:at], self._held[at:]
        if rule.part is MarkKind.THOUGHT_END:
            self._end_thought(said)
            self._held = rest[len(rule.mark) :]
            return
        if said.strip():
            self._window = 0
        if rule.place is not Place.START:  # otherwise it is blank
            self._say(said)
        if rule.part is MarkKind.NOTHING:
            is_alone = self._lines.ahead("").is_blank or is_end_of_call(rule.mark)
            self._held = rest[len(rule.mark) :]
            self._lines.cut(swallows=guesses.BLANKS if is_alone else " \t\r")
            return
        self._window = 0
        self._marks.has_thought = self._marks.has_thought or rule.part is MarkKind.THOUGHT
        self._rule, self._ends, self._held = rule, rule.ends, rest

    def _end_thought(self, said: str) -> None:
        """Treat all buffered text as reasoning; the model is now known to start like this."""
        if said.strip() or self._lines.has_said:
            self._tell()
        self._out = [one for one in self._out if not isinstance(one, TextEvent)]
        self._window = 0
        self._marks.has_thought = True
        self._lines.cut()

    # A part ----------------------------------------------------------------------------------

    def _inside(self, rule: Rule, *, is_last: bool) -> bool:
        is_channel = rule.part is MarkKind.HARMONY
        if is_channel or rule.part is MarkKind.CALL:
            behind = self._held[len(rule.mark) :]
            begins = guesses.begins(rule.mark, behind, is_channel=is_channel)
            if begins is False or (begins is None and not is_last):
                return begins is False and self._quoted(rule.mark)
        if is_channel:
            return self._channel(rule, is_last=is_last)
        found = self._end_of(rule, is_last=is_last)
        if not found and not is_last:
            self._drop_thought(rule)
            return False
        if not found and rule.part is MarkKind.THOUGHT and self._open_thought(rule):
            return True
        if not found and rule.part is MarkKind.CALL and not self._held.rstrip().endswith(CLOSED):
            return self._quoted(self._held)
        at, end = found or (len(self._held), "")
        if end in OPENERS:
            end = ""
        part, rest = self._held[: at + len(end)], self._held[at + len(end) :]
        is_example = rule.part is MarkKind.CALL and guesses.is_example(rest, is_last=is_last)
        if is_example is None:
            return False
        self._past = 0
        if is_example:
            return self._quoted(part)
        self._rule, self._held = None, rest
        if rule.part is MarkKind.CALL:
            self._call(rule, part, calls_in(part, self._types))
        else:
            self._lines.cut()
        return True

    def _quoted(self, part: str) -> bool:
        """Emit the start of what is buffered as text: it is an example in a sentence."""
        self._rule, self._held = None, self._held[len(part) :]
        self._past = 0
        self._marks.has_quoted = True
        self._say(part)
        return True

    def _end_of(self, rule: Rule, *, is_last: bool) -> Found | None:
        """Return where the part ends; if a call has no end of its own, at the first one."""
        if rule.part is not MarkKind.CALL:
            return first_of(self._ends, self._held, 0)
        if rule.ends == BY_JSON:
            found, self._past = end_of_json(self._held, self._past, is_last=is_last)
            return found
        found, self._past = end_of_call(self._ends, self._held, self._past)
        return found or (first_of(self._ends, self._held, 0) if is_last else None)

    def _drop_thought(self, rule: Rule) -> None:
        """Drop reasoning; keep only what may be the start of its end mark, and calls in it."""
        if rule.part is MarkKind.THOUGHT and rule.place is not Place.LINE:
            kept = max(len(self._held) - LONGEST, 0)
            self._held = self._held[min(kept, self._marks.call_at(self._held, kept)) :]

    def _open_thought(self, rule: Rule) -> bool:
        """Handle reasoning that never ended; return whether there was something in it to keep.

        A model may forget to end it before it calls a tool (QwenLM/Qwen3#1459). A call with more
        behind it is a draft.
        """
        if rule.place is Place.LINE:
            part, self._held, self._rule = self._held, "", None
            self._say(part)
            return True
        if not (found := self._last_calls(self._held)):
            return False
        self._held, self._rule = "", None
        self._call(Rule("", MarkKind.CALL, Place.ANY), *found)
        return True

    def _last_calls(self, thought: str) -> tuple[str, list[Written]] | None:
        """Return the calls of offered tools that a thought ends with, as text and parsed."""
        part = thought[self._marks.call_at(thought, len(thought)) :]
        ends = self._marks.call_ends()
        written = calls_in(part, self._types) if part.rstrip().endswith(ends) else []
        is_good = written and all(tool_named(call.name, self._names()) for call in written)
        return (part, written) if is_good else None

    def _channel(self, rule: Rule, *, is_last: bool) -> bool:
        """Handle a channel of gpt-oss: its header says what the body is."""
        head, mark, body = self._held.partition(MESSAGE)
        if not mark:
            if not is_last and len(head) < guesses.HEADER:
                return False
            self._held = "" if is_last else head[len(rule.mark) :]
            self._rule = None
            self._lines.cut()
            return True
        if "to=" in head:
            return self._commentary(head, body, is_last=is_last)
        is_thought = "<|channel|>analysis" in head
        ends = ("<|end|>", "<|start|>", "<|channel|>", "<|return|>")
        self._held = body
        self._rule = Rule(MESSAGE, MarkKind.THOUGHT, Place.ANY, ends) if is_thought else None
        self._ends = ends
        self._lines.cut()
        return True

    def _commentary(self, head: str, body: str, *, is_last: bool) -> bool:
        found, self._past = end_of_call(CALL_ENDS, body, self._past)
        if not found and not is_last:
            return False
        found = found or first_of(CALL_ENDS, body, 0)
        at = found[0] if found else len(body)
        end = "<|call|>" if found and found[1] == "<|call|>" else ""
        is_example = guesses.is_example(body[at + len(end) :], is_last=is_last)
        if is_example is None:
            return False
        if is_example:
            return self._quoted(head + MESSAGE + body[: at + len(end)])
        self._past = 0
        written = harmony(head, body[:at])
        self._rule, self._held = None, body[at:]
        whole = head + MESSAGE + body[:at]
        rule = Rule("<|channel|>", MarkKind.CALL, Place.ANY)
        self._call(rule, whole, [written] if written else [])
        return True

    def _call(self, rule: Rule, part: str, written: list[Written]) -> None:
        names = self._names()
        if not part.removeprefix(rule.mark).strip():
            self._lines.cut()  # the mark alone: a stray token
            return
        if not written or not all(tool_named(call.name, names) for call in written):
            self._marks.has_quoted = True
            self._say(part)
            return
        for call in written:
            self._count += 1
            key = ("markup", self._count)
            given = call.input if isinstance(call.input, str) else json.dumps(call.input)
            self._out += [CallPiece(key, "", call.name, given), CallEnd(key)]
        self._lines.cut()

    # Bare JSON -------------------------------------------------------------------------------

    def _bare(self, *, is_last: bool) -> bool:
        """Tell whether the reply may be a call in bare JSON that is still incomplete."""
        if not self._capability.has_bare_json:
            return False
        text = self._held.lstrip(guesses.BLANKS)
        calls = guesses.bare_calls(text, self._names(), is_last=is_last)
        if calls is None or isinstance(calls, guesses.Incomplete):
            return calls is not None
        if not all(tool_named(call.name, self._names()) for call in calls):
            return False
        if not is_last:
            return True  # more text would make it an example
        self._held = ""
        self._call(Rule("", MarkKind.CALL, Place.START), text, calls)
        return True
