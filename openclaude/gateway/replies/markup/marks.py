"""Which marks in a text are markup, by their place in it.

Knows: where each kind of mark counts. Independent of: which marks there are (`rules`), what they
begin (`scanner`).
"""

from __future__ import annotations

import re

from openclaude.gateway.replies.markup import guesses
from openclaude.gateway.replies.markup.lines import Lines, Spot
from openclaude.gateway.replies.markup.rules import MarkKind, Place, Rule

HEAD = 4  # characters of a mark that are looked for first: nearly all text has none of them
SHORTEST = 5  # characters of a mark's start that do not occur in normal text
CALLS = (MarkKind.CALL, MarkKind.HARMONY)
OPENERS = ("<|start|>assistant", "<|channel|>")
HARMONY_ENDS = ("<|end|>", "<|return|>", "<|call|>")
NO_WORDS = "\u2192|=([{"  # before a token that is shown
BEGUN = "<|tool_call"  # of one family, which others end
BARS = "|\uff5c"  # what follows the first letter of a token of a template


class Marks:
    """The marks of one model's markup."""

    def __init__(self, rules: tuple[Rule, ...], lines: Lines, *, is_declared: bool = False) -> None:
        """`is_declared`: the profile says that the model writes these."""
        self._rules = rules
        self._lines = lines
        self._is_declared = is_declared
        self.has_quoted = False  # a mark of a call was text, and so are its ends
        self.has_thought = False  # so a further end of a thought is text
        marks = [rule.mark for rule in rules]
        heads = {re.escape(mark[:HEAD]) for mark in marks}
        # at the end of a text, less of a mark may be there so far
        heads |= {re.escape(mark[:size]) + r"\Z" for mark in marks for size in range(1, HEAD)}
        self._first = re.compile("|".join(sorted(heads, reverse=True)))
        self._any = re.compile("|".join(re.escape(rule.mark) for rule in rules))
        self._longest = max(len(rule.mark) for rule in rules)

    def may_be_in(self, text: str) -> bool:
        """Tell whether a mark may begin in a text."""
        return self._first.search(text) is not None

    def next_in(self, text: str, past: int) -> int:
        """Return where the next mark may begin; -1 if nowhere."""
        found = self._first.search(text, past)
        return found.start() if found else -1

    def rule_at(self, text: str, at: int, *, is_last: bool) -> Rule | None:
        """Return the rule whose mark counts at a position."""
        if not self._any.match(text, at) or (not is_last and self._is_part(text[at:])):
            return None
        marked = (rule for rule in self._rules if text.startswith(rule.mark, at))
        return next(
            (rule for rule in marked if self._counts(rule, text, at, is_last=is_last)), None
        )

    def _is_part(self, rest: str) -> bool:
        """Tell whether a text is the beginning of a mark, and a whole one perhaps."""
        return any(
            len(rest) < len(rule.mark) and rule.mark.startswith(rest) for rule in self._rules
        )

    def may_become(self, text: str, at: int) -> bool:
        """Tell whether more text could complete a mark here."""
        rest = text[at:]
        if len(rest) >= self._longest and not self._any.match(rest):
            return False
        for rule in self._rules:
            is_open = len(rest) < len(rule.mark) and rule.mark.startswith(rest)
            behind = rest[len(rule.mark) :] if rest.startswith(rule.mark) else "x"
            waits = rule.place in (Place.LAST, Place.END) and guesses.may_be_nothing(behind)
            waits = waits and (rule.place is Place.END or "\n" not in behind)
            if rule.place is Place.CALL and rest.startswith(rule.mark):
                waits = guesses.may_be_form(rule.mark, behind)
            if rule.part is MarkKind.THOUGHT_END and not self.has_thought:
                waits = behind.strip(" \t\r") in ("", "\n")
            if (is_open or waits) and not self._lines.ahead(text[:at]).is_code:
                return True
        return False

    def is_residue(self, text: str, at: int) -> bool:
        """Tell whether this is a stray, incomplete token at the end."""
        rest = text[at:]
        is_token = not self.has_quoted and len(rest) >= SHORTEST
        is_token = is_token and any(
            rule.mark.startswith(rest) and rule.mark[1] in BARS for rule in self._rules
        )
        line = self._lines.ahead(text[:at])
        return is_token and not line.is_code and (line.is_blank or is_closed(line))

    def note_text(self, text: str, at: int) -> None:
        """Note that what is at a position is text, even if it is a mark."""
        quoted = (rule.mark for rule in self._rules if rule.part in CALLS)
        self.has_quoted = self.has_quoted or any(text.startswith(mark, at) for mark in quoted)

    def call_at(self, text: str, otherwise: int) -> int:
        """Return where the first call in a text is; `otherwise` if there is none."""
        marks = (rule.mark for rule in self._rules if rule.part is MarkKind.CALL)
        return min((at for mark in marks if (at := text.find(mark)) >= 0), default=otherwise)

    def call_ends(self) -> tuple[str, ...]:
        """Return the marks that end a call."""
        return tuple(end for rule in self._rules for end in rule.ends if "call" in end)

    def _counts(self, rule: Rule, text: str, at: int, *, is_last: bool) -> bool:
        """Tell whether a mark is markup at its position."""
        line = self._lines.ahead(text[:at])
        if line.is_code:
            return False
        behind = text[at + len(rule.mark) :].lstrip(" \t\r")
        if rule.part is MarkKind.THOUGHT_END:
            ends = line.is_blank or behind.startswith("\n\n") or (is_last and not behind.strip())
            return ends and not self.has_thought
        if rule.part in CALLS:
            return self._may_call(rule, line, text[at + len(rule.mark) :])
        match rule.place:
            case Place.START:
                return line.is_start
            case Place.LINE:
                return line.is_blank
            case Place.LAST:
                if self.has_quoted and (not is_last or is_end_of_call(rule.mark)):
                    return False
                if line.is_blank and line.indent > 1:
                    return False
                rest = guesses.without_tokens(behind)
                is_end = rest.startswith(("\n", *OPENERS)) or (is_last and not rest)
                if line.is_blank:
                    is_word = bool(rest) and text[at + len(rule.mark)] not in " \t"
                    return is_end or is_word
                if is_end_of_call(rule.mark) and (line.before[-1] == ">" or BEGUN in line.before):
                    return False
                return is_end and is_closed(line)
            case Place.END:
                opening = rule.mark.replace("/", "")
                is_pair = opening != rule.mark and opening in self._lines.line + text[:at]
                ends = is_last and not is_pair and guesses.is_nothing(behind)
                return ends and (line.indent < 2 if line.is_blank else is_closed(line))
            case _:
                return True

    def _may_call(self, rule: Rule, line: Spot, behind: str) -> bool:
        """Tell whether a call may begin here, rather than an example of one."""
        if line.is_blank:
            return line.is_start or line.indent < 2
        if rule.place is Place.LINE or self.has_quoted:
            return False
        if rule.place is Place.CALL and not guesses.is_form(rule.mark, behind):
            return False
        last = line.before[-1:]
        if self._is_declared and last.isascii() and last.isalnum():
            return True
        is_attached = rule.place is Place.ANY and not self._is_declared
        is_told = guesses.ends_a_sentence(line.before, is_attached=is_attached)
        if not is_told and rule.mark == "[TOOL_CALLS]" and not behind.strip():
            return last.isalnum()  # the mark alone
        return is_told and not line.is_contained


def is_closed(line: Spot) -> bool:
    """Tell whether a token behind this is the end of a turn, and no word of the sentence."""
    last = line.before[-1:]
    if last not in " \t":
        return last not in NO_WORDS
    return not line.is_contained and guesses.ends_a_sentence(line.before, is_attached=False)


def is_end_of_call(mark: str) -> bool:
    """Tell whether a mark is an end of what calls have, and no end of a turn."""
    return "tool" in mark.lower() or mark.startswith("</") or mark in HARMONY_ENDS
