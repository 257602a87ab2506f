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
    ANY = auto()  # at the start of a line, or directly behind the end of a sentence
    LAST = auto()  # at the start or end of a line, or directly after other markup
    CALL = auto()  # at the start of a line, or behind a sentence if the form of a call follows
    END = auto()  # at the end of the reply, and it closes nothing


BY_JSON = ("json",)  # in place of marks: a call ends where its JSON does


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
    *(thought(name) for name in ("THINK", "Thinking", "mm:think", "reasoning_content")),
    *(
        Rule(mark, MarkKind.THOUGHT, Place.START, (end,))
        for mark, end in (
            ("[THINK]", "[/THINK]"),  # Magistral: RooCodeInc/Roo-Code#8522
            ("\u25c1think\u25b7", "\u25c1/think\u25b7"),  # Kimi's older ones
            ("<|channel>thought", "<channel|>"),  # Gemma 4
            ("<|begin_of_thought|>", "<|end_of_thought|>"),
            ("<|START_THINKING|>", "<|END_THINKING|>"),  # Cohere
            ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
        )
    ),
    # further ones, which are text if they have no end
    Rule("<think>", MarkKind.THOUGHT, Place.LINE, ("</think>",)),
    Rule("</think>", MarkKind.THOUGHT_END, Place.LAST),
)
HERMES = (
    Rule("<tool_call>", MarkKind.CALL, Place.CALL, ("</tool_call>",)),
    Rule("<tool_calls>", MarkKind.CALL, Place.LINE, ("</tool_calls>",)),
    Rule("</tool_call>", MarkKind.NOTHING, Place.LAST),
)
QWEN = (
    *HERMES,
    Rule("<function=", MarkKind.CALL, Place.CALL, ("</function>",)),
    Rule("<function name=", MarkKind.CALL, Place.LINE, ("</function>",)),
)
KIMI = (
    *(
        Rule(f"<|{name}_section_begin|>", MarkKind.CALL, Place.ANY, (f"<|{name}_section_end|>",))
        for name in ("tool_calls", "tool_call")
    ),
    Rule("<|tool_call_begin|>", MarkKind.CALL, Place.ANY, ("<|tool_call_end|>",)),
    *(
        Rule(f"<|{name}_end|>", MarkKind.NOTHING, Place.LAST)
        for name in ("tool_calls_section", "tool_call_section", "tool_call")
    ),
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
    Rule("<｜tool▁call▁begin｜>", MarkKind.CALL, Place.ANY, ("<｜tool▁call▁end｜>",)),
    *(
        Rule(f"</{bar}DSML{bar}{name}>", MarkKind.NOTHING, Place.LAST)
        for bar in ("｜", "|")
        for name in ("function_calls", "tool_calls", "invoke", "parameter")
    ),
    Rule("<｜end▁of▁sentence｜>", MarkKind.NOTHING, Place.LAST),
    Rule("<｜begin▁of▁sentence｜>", MarkKind.NOTHING, Place.START),
    Rule("<｜Assistant｜>", MarkKind.NOTHING, Place.START),
)
MINIMAX = (
    Rule("<minimax:tool_call>", MarkKind.CALL, Place.ANY, ("</minimax:tool_call>",)),
    Rule("</minimax:tool_call>", MarkKind.NOTHING, Place.LAST),
    # the same without its own mark, as open models write it that have read Claude's
    Rule("<function_calls>", MarkKind.CALL, Place.LINE, ("</function_calls>",)),
    Rule("<invoke name=", MarkKind.CALL, Place.LINE, ("</invoke>",)),
    Rule("</function_calls>", MarkKind.NOTHING, Place.LAST),
)
HARMONY = (
    Rule("<|channel|>", MarkKind.HARMONY, Place.ANY),
    Rule("<|start|>assistant", MarkKind.HARMONY, Place.ANY),
    *(Rule(f"<|{name}|>", MarkKind.NOTHING, Place.LAST) for name in ("end", "return", "call")),
)
# Families that no profile can declare, each with who writes it
OTHERS = (
    # Mistral: mistralai/mistral-vibe#594, raullenchai/Rapid-MLX#1071
    Rule("[TOOL_CALLS]", MarkKind.CALL, Place.ANY, BY_JSON),
    *(
        Rule(mark, MarkKind.CALL, place, (end,))
        for mark, end, place in (
            # Gemma 4: abetlen/llama-cpp-python#2227
            ("<|tool_call>", "<tool_call|>", Place.ANY),
            # LFM2: vllm-project/vllm#39243; Llama 4: vllm-project/vllm#16214
            ("<|tool_call_start|>", "<|tool_call_end|>", Place.ANY),
            ("<|python_start|>", "<|python_end|>", Place.ANY),
            # Nemotron: ggml-org/llama.cpp#23029
            ("<TOOLCALL>", "</TOOLCALL>", Place.LINE),
            # InternLM, Cohere, Apertus, Phi 4, Step 3, Seed-OSS: their chat templates
            ("<|action_start|>", "<|action_end|>", Place.ANY),
            ("<|START_ACTION|>", "<|END_ACTION|>", Place.ANY),
            ("<|tools_prefix|>", "<|tools_suffix|>", Place.ANY),
            ("<|tool_calls|>", "<|/tool_calls|>", Place.ANY),
            ("<｜tool_calls_begin｜>", "<｜tool_calls_end｜>", Place.ANY),
            ("<seed:tool_call>", "</seed:tool_call>", Place.LINE),
            ("<function_call>", "</function_call>", Place.LINE),
            ("<functioncall>", "</functioncall>", Place.LINE),
            ("<tool_code>", "</tool_code>", Place.LINE),
        )
    ),
    *(
        Rule(mark, MarkKind.NOTHING, Place.LAST)
        for mark in (
            *("</function>\n</tool_call>", "</parameter>\n</function>\n</tool_call>"),
            *("</arg_value></tool_call>", "</arg_value>\n</tool_call>"),
            *("</invoke>\n</minimax:tool_call>", "</parameter>\n</invoke>\n</minimax:tool_call>"),
            *("</seed:tool_call>", "</TOOLCALL>", "<tool_call|>", "<turn|>"),
        )
    ),
)
STRAY = (
    *("im_end", "im_start", "endoftext", "eot_id", "eom_id"),
    *("assistant", "user", "observation", "begin_of_box", "end_of_box"),  # GLM
    *("eot", "fim_middle", "fim_suffix", "fim_prefix", "END_RESPONSE", "END_TEXT"),
    *("begin_of_solution", "end_of_solution"),
)
TOKENS = (
    *(
        Rule(mark, MarkKind.NOTHING, Place.START)
        for mark in (
            *("<|im_start|>assistant", "<start_of_turn>model", "<|turn>model", "<s>"),
            *("<|START_RESPONSE|>", "<|START_TEXT|>", "<|begin_of_text|>"),
        )
    ),
    *(Rule(f"<|{name}|>", MarkKind.NOTHING, Place.LAST) for name in STRAY),
    Rule("<end_of_turn>", MarkKind.NOTHING, Place.LAST),
    *(Rule(mark, MarkKind.NOTHING, Place.END) for mark in ("</s>", "<eos>", "<pad>", "[/INST]")),
    # Llama, Granite and Phi: JSON up to the end of the reply
    *(
        Rule(f"<|{name}|>", MarkKind.CALL, Place.LINE, ("<|eom_id|>", "<|eot_id|>", f"<|/{name}|>"))
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
ALL = tuple(dict.fromkeys(rule for rules in (*MARKUP.values(), OTHERS) for rule in rules))
NONE = "none"  # what a profile says of a model that writes no markup
BARE = ("hermes", "qwen")  # families that may leave the tag out

# Families by the models' names; the first match counts; "" is a family without markup. Every other
# model is checked for all marks, its own family's first: templates are copied, and hosts mix them
# up.
FAMILIES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), family)
    for pattern, family in (
        (r"gpt-oss", "harmony"),
        (r"claude|gemini|nova-|titan|grok|^o[134](-|$)", ""),
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
    has_channels: bool = False  # gpt-oss's, which servers strip of their tokens
    is_declared: bool = False  # by the profile


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
            has_channels=declared == "harmony",
            is_declared=True,
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
        has_channels=family == "harmony",
    )
