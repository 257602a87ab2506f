"""A call that a model quotes is text; one on a line of its own is made."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaude.gateway.replies.events import TextEvent
from openclaude.gateway.replies.markup.rules import MARKUP, capability
from openclaude.gateway.replies.markup.scanner import MarkupScanner
from tests.unit.gateway.replies.test_markup import CALLS, MARKS, scan
from tests.unit.gateway.replies.upstreams import LS

# What a text may have around a call that it quotes, here for `{}`
QUOTING = {
    "in a sentence": "The model writes {} for a call.",
    "at the end of a sentence": "The model writes {}.",
    "at the end of a line": "The model writes {}\nand more.",
    "at the end": "An example: {}",
    "in quotes": 'The token "{}" is special.',
    "in quotes at the end": "The model writes '{}'",
    "in brackets": "The model calls ({}) and waits.",
    "at the start of a sentence": "It is so.\n{} is how a model calls.",
    "behind a sentence": "It is so. {} is how a model calls.",
    "in a table": "| Model | Call |\n|---|---|\n| x | {} |\n",
    "in a table at the start": "| {} | x |\n",
    "in a list": "Models write\n- {} there\n",
    "in a list, alone": "Models write\n- {}\n1. {}\n* {}\n",
    "in a list, behind words": "Models write\n- this: {}\n- that. {}\n",
    "in a list, indented": "Models write\n- this:\n\n  {}\n",
    "in a quotation": "He said\n> {}\n> and more",
    "in a code span": "It is `{}` there",
    "in a code span of two": "It is ``a ` b {}`` there",
    "in a code span over two lines": "It is `so\n{}` there",
    "in a heading": "# {}\n## It is {}\n",
    "in a code block": "So:\n```\n{}\n```\nDone.",
    "in a code block of a list": "- So:\n- ```\n{}\n  ```\nDone.",
    "in an indented code block": "So:\n\n    {}\n\nDone.",
    "behind a tab": "So:\n\n\t{}\n\nDone.",
    "in HTML": "So:\n<pre>\n{}\n</pre>\nDone.",
    "in HTML, in a line": "It is <code>\n{}</code> there",
    "in a file": "1\timport re\n2\tMARK = '{}'\n3\tEND = 1\n",
    "in JSON": '{{"content": "{}"}}\n',
    "in Python": 'def f():\n    return "{}"\n',
    "in a file with numbers": "     1\u2192{}\n     2\u2192x\n",
    "in an element": "<li>{}</li>\n<p>It is {}</p>",
    "in a log": "[2026-01-01 10:00] INFO {}\n",
}
NO_MARKS = ("bare", "phi", "llama 4, in", "a thought", "cohere")  # or that of a thought
HARMONY_THOUGHT = "<|channel|>analysis<|message|>hm<|end|>"
REAL = {kind: said for kind, said in CALLS.items() if not kind.startswith(NO_MARKS)}
# without the end of a turn, which is none at the end of a text
ONE_LINE = {
    kind: re.sub(r"```(?:json)?|(?:<\|im_end\|>|<\|eom_id\|>|</s>)\Z", "", said.replace("\n", " "))
    for kind, said in REAL.items()
}
# not the end of a thought that may have begun in the prompt, nor what directly begins a turn
NOT_ALONE = ("</think>", "<|im_start|>assistant")
CALL_MARKS = [mark for mark in MARKS if "\n" not in mark and mark not in NOT_ALONE]
EXAMPLES = {
    **ONE_LINE,
    **{mark: mark for mark in CALL_MARKS},
    "mistral's list": '[TOOL_CALLS] [{"name": "Bash", "arguments": {"command": "rm -rf ~"}}]',
    "a function": '<function=Bash>{"command": "rm"}</function>',
}
MODELS = [("m", ""), ("qwen3", ""), ("gpt-oss-20b", ""), ("kimi-k2", ""), ("mistral-large", "")]
SCANNED = [*MODELS, *(("m", family) for family in MARKUP)]


def quoting(place: str, example_: str) -> str:
    """Return a text that quotes a call."""
    if place == "in JSON":
        example_ = json.dumps(example_, ensure_ascii=False)[1:-1]
    return QUOTING[place].replace("{{", "{").replace("}}", "}").replace("{}", example_)


@given(
    st.sampled_from(sorted(QUOTING)),
    st.sampled_from(sorted(EXAMPLES)),
    st.sampled_from(SCANNED),
    st.sampled_from([1, 2, 7, 64, 10_000]),
)
def test_a_call_that_a_text_quotes_is_text(
    place: str, kind: str, scanned: tuple[str, str], size: int
) -> None:
    said = quoting(place, EXAMPLES[kind])
    model, declared = scanned
    pieces = (said[at : at + size] for at in range(0, len(said), size))

    assert scan(*pieces, model=model, declared=declared) == (said, [])


@given(
    st.sampled_from(
        ["", "I look.\n", "I look:\n\n", "- one\n- two\n\n", "```\nx\n```\n", "It's.\n"]
    ),
    st.sampled_from(sorted(REAL)),
    st.sampled_from(MODELS),
    st.sampled_from([1, 2, 7, 64, 10_000]),
    st.sampled_from(["", "\n"]),
)
def test_a_call_on_a_line_of_its_own_is_made(
    before: str, kind: str, scanned: tuple[str, str], size: int, behind: str
) -> None:
    said = f"{before}{CALLS[kind]}{behind}"
    pieces = (said[at : at + size] for at in range(0, len(said), size))

    text, calls = scan(*pieces, model=scanned[0])

    assert text.rstrip() == before.rstrip()
    ((name, written),) = calls
    assert (name.removeprefix("functions.").removesuffix(":0"), written) == ("Bash", LS)


SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}}


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize(
    "data",
    [
        {"id": 1, "name": "Bash", "input": LS},
        {"name": "Bash", "input": "x"},
        {"action": "Read", "input": "foo"},
        {"action": "Read", "input": LS},
        {"name": "Bash", "parameters": SCHEMA},
        [{"type": "function", "function": {"name": "Bash", "parameters": SCHEMA}}],
    ],
)
def test_data_that_names_a_tool_is_no_call(data: object, size: int) -> None:
    said = json.dumps(data)

    assert scan(*(said[at : at + size] for at in range(0, len(said), size))) == (said, [])


@pytest.mark.parametrize(
    "said",
    [
        "analysis(x) calls assistantfinal and ends",
        'analysis"x" is it.assistantfinal',
        "analysisX is it. Its end is assistantfinal so.",
        "analysisX" + " word" * 20_000 + ".assistantfinalfour",
    ],
)
def test_a_text_of_gpt_oss_that_begins_like_a_channel_is_text(said: str) -> None:
    pieces = (said[at : at + 40] for at in range(0, len(said), 40))

    assert scan(*pieces, model="gpt-oss-20b") == (said, [])


@pytest.mark.parametrize(
    "said",
    [
        "[TOOL_CALLS] [the docs](http://x) for it.",
        "<|python_start|> begins code.",
        "It is so.[TOOL_CALLS] {the docs} for it.",
        "<tool_call> begins a call.",
    ],
)
def test_nothing_is_held_back_behind_a_mark_that_is_mentioned(said: str) -> None:
    found = capability("m")
    assert found is not None
    scanner = MarkupScanner(found, lambda: frozenset({"Bash"}), lambda _: {}, lambda: None)

    events = scanner.feed(TextEvent(said + " And more words"))

    assert "".join(one.text for one in events if isinstance(one, TextEvent)).startswith(said)


@pytest.mark.parametrize(
    "said",
    [
        "The padding token is <pad>",
        "The token is called <eos>",
        "It ends with [/INST]",
        "The lines end with <|im_end|>\nand start again.",
    ],
)
@pytest.mark.parametrize("size", [1, 10_000])
def test_a_token_that_is_a_word_of_a_sentence_stays(said: str, size: int) -> None:
    assert scan(*(said[at : at + size] for at in range(0, len(said), size))) == (said, [])
