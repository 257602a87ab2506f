"""What a text may be that no mark decides: reasoning, a call in bare JSON or within a line.

Knows: how models begin both. Independent of: where in a reply the text is. Pure.
"""

from __future__ import annotations

import json
import re
from typing import Any

from openclaude.gateway.replies.markup.pythonic import pythonic_calls
from openclaude.gateway.replies.markup.reading import json_calls
from openclaude.gateway.replies.markup.rules import ALL, TOKENS, MarkKind
from openclaude.gateway.replies.markup.written import Written

BLANKS = " \t\r\n"
# How reasoning starts. Text of an unknown model is buffered only if it starts like this.
MUSING = (
    "the user ",
    "okay, ",
    "ok, ",
    "hmm",
    "alright, ",
    "we need ",
    "let me think",
    "i need to ",
)
PHI = "functools["  # before Phi 4 mini's calls (vllm-project/vllm#14682)
BARE = (
    *('"name"', '"tool_name"', '"function"', '"tool"', '"type"', '"arguments"', '"parameters"'),
    *('"tool_calls"', '"id"', '"action"'),
)
# What follows the mark of a call in the middle of a line, and what may still become that
STRAY = r"(?:\s|</s>|<eos>|<pad>|<[|\uff5c][\w/\u2581]{1,30}[|\uff5c]>)*"
HALF = r"(?:</?[|\uff5c]?[\w/\u2581]{0,30}[|\uff5c]?)?"  # of a token
FORMS = {
    "<tool_call>": r"\s*(?:[{\[]|<function=|<parameter=|[\w.-]{1,80}\s*[{<])",
    "<function=": r"[^>\n]{1,80}>\s*[{<]",
}
OPEN_FORMS = {
    "<tool_call>": r"\s*[\w.-]{0,80}\s*(?:<[a-z]{0,8})?",
    "<function=": r"[^>\n]{0,80}>?\s*",
}


# gpt-oss where a server has left out the tokens around its channels, but not what is in them
# (reported: Augustas11/macprovider#743)
STRIPPED = ("analysis", "commentary to=", "assistantcommentary to=")
FIRST = re.compile(r"analysis(?=[A-Z])|(?:assistant)?commentary to=")
MOST_THOUGHT = 1 << 16  # characters of a thought after which no answer is waited for
HEADER = 200  # longest header of a channel, in characters
NEXT = re.compile(
    r"(?<=[.!?\u2026\"')\]`\n])assistantfinal(?=\S)|"
    r"(?:assistant)?commentary (?P<to>to=[\w.]{1,128}) (?:json|code)?\s*(?=\{)"
)


# What may follow the mark of a call, and what may still become that
NAME = r"[\w.:/-]{1,128}"
BEGUN = re.compile(
    rf"\s*(?:[<`(]|\{{\s*[\"'}}\w]|\[\s*(?:[\[{{\"'\]]|[\w.]{{1,128}}\s*\()|{NAME}\s*[({{\[<`])"
)
MAY_BEGIN = re.compile(r"\s*(?:\{\s*|\[\s*(?:[\w.]{1,128}\s*)?|[\w.:/-]{1,128}\s*)?")
ATTRIBUTE = re.compile(rf"[\"']?{NAME}[\"']?\s*>")
MAY_BE_ATTRIBUTE = re.compile(r"[\"']?[\w.:/-]{0,128}[\"']?\s*")
CHANNELS = ("analysis", "commentary", "final", "to=", "<|")
SENTENCE_ENDS = tuple(".!?\u2026\u3002\uff01\uff1f")
COLONS = (":", "\uff1a")
NOTHINGS = re.compile(
    "(?:(?:{})[ \\t\\r]*)+".format(
        "|".join(re.escape(rule.mark) for rule in (*ALL, *TOKENS) if rule.part is MarkKind.NOTHING)
    )
)
HTML = re.compile(
    r"</(?:td|th|tr|li|p|code|pre|b|i|em|strong|q|blockquote|a|span|div|h\d)>|<br", re.IGNORECASE
)


class Incomplete:
    """A text that may become a call."""


def bare_calls(
    text: str, names: frozenset[str], *, is_last: bool
) -> list[Written] | Incomplete | None:
    """Return the calls that a text is and nothing else, if it is some, or may still become some."""
    if PHI.startswith(text[: len(PHI)]):
        if len(text) < len(PHI):
            return None if is_last else Incomplete()
        text = text[len(PHI) - 1 :]
    if not text.startswith(("{", "[")):
        return None
    inner = text[1:].lstrip(BLANKS)
    if text.startswith("["):
        if any(f"{name}(".startswith(inner[: len(name) + 1]) for name in names):
            return pythonic_calls(text) or (None if is_last else Incomplete())
        if inner and not inner.startswith("{"):
            return None
        inner = inner[1:].lstrip(BLANKS)
    if not any(key.startswith(inner[: len(key)]) for key in BARE):
        return None
    found: list[Written] = []
    rest = text
    while rest:
        try:
            document, end = json.JSONDecoder(strict=False).raw_decode(rest)
        except (ValueError, RecursionError):
            return None if is_last else Incomplete()
        calls = json_calls(document)
        if not calls or not is_bare(document) or not all(has_object(call) for call in calls):
            return None
        found += calls
        rest = rest[end:].lstrip("; \t\r\n")
        if rest and not rest.startswith(("{", "[")):
            return None
    return found


def is_bare(document: Any) -> bool:
    """Tell whether JSON alone may be calls: data with an id has no type of a call."""
    found = document if isinstance(document, list) else [document]
    return all(
        isinstance(one["id"], str) and ("type" in one or "function" in one)
        for one in found
        if isinstance(one, dict) and "id" in one
    )


def has_object(call: Written) -> bool:
    """Tell whether a call's input is an object, or the JSON of one."""
    try:
        given = json.loads(call.input) if isinstance(call.input, str) else call.input
    except (ValueError, RecursionError):
        return False
    return isinstance(given, dict)


def with_channels(text: str, past: int, *, is_last: bool) -> str | Incomplete | None:
    """Return a reply of gpt-oss with the tokens that were left out; None for any other.

    `past`: how far there is no second channel.
    """
    if any(mark.startswith(text) for mark in STRIPPED) or text in STRIPPED:
        return None if is_last else Incomplete()
    if not FIRST.match(text):
        return None
    if not (found := NEXT.search(text, past)):
        most = MOST_THOUGHT if text.startswith(STRIPPED[0]) else HEADER
        return Incomplete() if not is_last and len(text) < most else None
    thought = text[: found.start()].removeprefix("analysis")
    before = f"<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant" if thought else ""
    channel = f"commentary {found['to']}" if found["to"] else "final"
    return f"{before}<|channel|>{channel}<|message|>{text[found.end() :]}"


def is_nothing(text: str) -> bool:
    """Tell whether a text is nothing but blanks and tokens of templates."""
    return re.fullmatch(STRAY, text) is not None


def may_be_nothing(text: str) -> bool:
    """Tell whether more text may make it nothing else."""
    return re.fullmatch(STRAY + HALF, text) is not None


def without_tokens(text: str) -> str:
    """Return a text without the tokens of templates at its start."""
    return re.sub(r"\A(?:<[|\uff5c][\w/\u2581]{1,30}[|\uff5c]>[ \t\r]*)+", "", text)


def is_musing(text: str) -> bool:
    """Tell whether a reply starts as reasoning does, or may still do so."""
    begun = text.lstrip(BLANKS).lower()
    return any(begun.startswith(one) or one.startswith(begun) for one in MUSING)


def is_form(mark: str, behind: str) -> bool:
    """Tell whether what follows a mark in the middle of a line makes it the start of a call."""
    return bool(re.match(FORMS[mark], behind))


def may_be_form(mark: str, behind: str) -> bool:
    """Tell whether more text may make it one."""
    return bool(re.fullmatch(OPEN_FORMS[mark], behind))


def begins(mark: str, behind: str, *, is_channel: bool) -> bool | None:
    """Tell whether a call or channel can begin with what follows its mark; None: not known yet."""
    if is_channel:
        header = behind.lstrip()
        may = any(one.startswith(header) for one in CHANNELS)
        return None if may else header.startswith(CHANNELS)
    is_attribute = mark.endswith("=")
    if (ATTRIBUTE if is_attribute else BEGUN).match(behind):
        return True
    may = (MAY_BE_ATTRIBUTE if is_attribute else MAY_BEGIN).fullmatch(behind) is not None
    return None if may else False


def ends_a_sentence(before: str, *, is_attached: bool) -> bool:
    """Tell whether a line so far is a whole sentence, directly behind which a mark may count."""
    bare = before.rstrip(" \t")
    if is_attached and bare != before:
        return False
    return bare.endswith(SENTENCE_ENDS) or (bare == before and bare.endswith(COLONS))


def is_example(behind: str, *, is_last: bool) -> bool | None:
    """Tell by what follows a call on its line that it is a part of a sentence; None: not known."""
    behind = behind.lstrip(" \t\r")
    if found := NOTHINGS.match(behind):
        behind = behind[found.end() :]
    if not behind.strip():
        return None if not behind and not is_last else False
    if behind.startswith("<"):
        is_open = not is_last and len(behind) < 40 and ">" not in behind
        return None if is_open else HTML.match(behind) is not None
    again = "[TOOL_CALLS]"
    if again.startswith(behind[: len(again)]):
        return None if len(behind) < len(again) and not is_last else len(behind) < len(again)
    return not behind.startswith("\n")
