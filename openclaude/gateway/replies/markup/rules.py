"""The kinds of markup: their marks, where they count, how each part ends, and which models use it.

Knows: the chat templates of open models (Hermes, Qwen, Kimi, DeepSeek, MiniMax, gpt-oss), families
of models by their names. Independent of: how a part is parsed. Pure.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple


class MarkKind(Enum):
    """What a mark begins."""

    THOUGHT = auto()
    CALL = auto()
    HARMONY = auto()  # a channel, which may contain any of the others
    NOTHING = auto()  # a stray template token
    THOUGHT_END = auto()  # reasoning whose start is in the prompt


class Place(Enum):
    """Where a mark is markup; elsewhere it is text. Inside code it is always text."""

    START = auto()  # at the start of the reply
    LINE = auto()  # at the start of a line, or directly after other markup
    ANY = auto()
    LAST = auto()  # at the start or end of a line, or directly after other markup
    CALL = auto()  # at the start of a line, or where the form of a call follows


class Rule(NamedTuple):
    """One mark."""

    mark: str
    part: MarkKind
    place: Place
    ends: tuple[str, ...] = ()


def thought(name: str) -> Rule:
    """Return the rule for reasoning in a tag."""
    return Rule(f"<{name}>", MarkKind.THOUGHT, Place.START, (f"</{name}>",))


THOUGHTS = (
    *(thought(name) for name in ("think", "thinking", "reasoning", "thought", "seed:think")),
    # further ones, which are text if they have no end
    Rule("<think>", MarkKind.THOUGHT, Place.LINE, ("</think>",)),
    Rule("</think>", MarkKind.THOUGHT_END, Place.LAST),
)
HERMES = (
    Rule("<tool_call>", MarkKind.CALL, Place.CALL, ("</tool_call>",)),
    Rule("<tool_calls>", MarkKind.CALL, Place.LINE, ("</tool_calls>",)),
    Rule("</tool_call>", MarkKind.NOTHING, Place.LAST),
)
QWEN = (*HERMES, Rule("<function=", MarkKind.CALL, Place.CALL, ("</function>",)))
KIMI = (
    Rule("<|tool_calls_section_begin|>", MarkKind.CALL, Place.ANY, ("<|tool_calls_section_end|>",)),
    Rule("<|tool_call_begin|>", MarkKind.CALL, Place.ANY, ("<|tool_call_end|>",)),
    Rule("<|tool_calls_section_end|>", MarkKind.NOTHING, Place.LAST),
)
DSML = (
    *(
        Rule(f"<{bar}DSML{bar}{mark}", MarkKind.CALL, Place.ANY, (f"</{bar}DSML{bar}{end}",))
        for bar in ("｜", "|")
        for mark, end in (
            ("function_calls>", "function_calls>"),
            ("tool_calls>", "tool_calls>"),
            ("invoke name=", "invoke>"),
        )
    ),
    Rule("<｜tool▁calls▁begin｜>", MarkKind.CALL, Place.ANY, ("<｜tool▁calls▁end｜>",)),
    Rule("</｜DSML｜function_calls>", MarkKind.NOTHING, Place.LAST),
    Rule("<｜end▁of▁sentence｜>", MarkKind.NOTHING, Place.LAST),
)
MINIMAX = (
    Rule("<minimax:tool_call>", MarkKind.CALL, Place.ANY, ("</minimax:tool_call>",)),
    Rule("</minimax:tool_call>", MarkKind.NOTHING, Place.LAST),
    # the same without its own mark, as open models write it that have read Claude's
    Rule("<function_calls>", MarkKind.CALL, Place.LINE, ("</function_calls>",)),
    Rule("<invoke name=", MarkKind.CALL, Place.LINE, ("</invoke>",)),
)
HARMONY = (
    Rule("<|channel|>", MarkKind.HARMONY, Place.ANY),
    Rule("<|start|>assistant", MarkKind.HARMONY, Place.ANY),
    *(Rule(f"<|{name}|>", MarkKind.NOTHING, Place.LAST) for name in ("end", "return", "call")),
)
STRAY = (
    *("im_end", "im_start", "endoftext", "eot_id", "eom_id"),
    *("assistant", "user", "observation", "begin_of_box", "end_of_box"),  # GLM
)
TOKENS = (
    *(Rule(f"<|{name}|>", MarkKind.NOTHING, Place.LAST) for name in STRAY),
    Rule("<end_of_turn>", MarkKind.NOTHING, Place.LAST),
    # Llama and Granite: JSON up to the end of the reply
    *(
        Rule(f"<|{name}|>", MarkKind.CALL, Place.START, ("<|eom_id|>", "<|eot_id|>"))
        for name in ("python_tag", "tool_call")
    ),
)

MARKUP = {
    "hermes": HERMES,
    "qwen": QWEN,
    "kimi": KIMI,
    "dsml": DSML,
    "minimax": MINIMAX,
    "harmony": HARMONY,
}
ALL = tuple(dict.fromkeys(rule for rules in MARKUP.values() for rule in rules))
NONE = "none"  # what a profile says of a model that writes no markup
BARE = ("hermes", "qwen")  # families that may leave the tag out

# Families by the models' names; the first match counts; "" is a family without markup. Every other
# model is checked for all marks, its own family's first: templates are copied, and hosts mix them
# up.
FAMILIES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), family)
    for pattern, family in (
        (r"gpt-oss", "harmony"),
        (r"claude|gemini|nova-|titan|command|grok|^o[134](-|$)", ""),
        (r"(^|/|\.)(gpt|chatgpt|codex)-", ""),
        (r"qwen|qwq", "qwen"),
        (r"kimi|moonshot", "kimi"),
        (r"deepseek", "dsml"),
        (r"minimax", "minimax"),
        (r"hermes|glm", "hermes"),
    )
)
# Models whose template starts the reasoning itself, so that a reply contains only its end
BEGUN_THOUGHTS = re.compile(r"thinking|qwq|deepseek-?r1|r1-distill|minimax-?m[12]", re.IGNORECASE)


class Capability(NamedTuple):
    """Which markup to look for in a model's text."""

    rules: tuple[Rule, ...]
    is_unknown: bool  # the model is unknown
    begins_thoughts: bool
    has_bare_json: bool


def capability(model: str, declared: str = "") -> Capability | None:
    """Return the markup that a model of this name may write; None if it writes none.

    If the profile declares one, no other family's marks are looked for.
    """
    if declared == NONE:
        return None
    if declared in MARKUP:
        return Capability(
            rules=tuple(dict.fromkeys((*THOUGHTS, *MARKUP[declared], *TOKENS))),
            is_unknown=False,
            begins_thoughts=bool(BEGUN_THOUGHTS.search(model)),
            has_bare_json=declared in BARE,
        )
    family = next((family for pattern, family in FAMILIES if pattern.search(model)), None)
    if family == "":
        return None
    own = () if family is None else MARKUP[family]
    return Capability(
        rules=tuple(dict.fromkeys((*THOUGHTS, *own, *ALL, *TOKENS))),
        is_unknown=family is None,
        begins_thoughts=bool(BEGUN_THOUGHTS.search(model)),
        has_bare_json=family is None or family in BARE,
    )
