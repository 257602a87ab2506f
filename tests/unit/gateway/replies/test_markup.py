"""Open models' markup: removed where it is markup, unchanged where it is text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaude.gateway.replies.events import CallPiece, Event, TextEvent
from openclaude.gateway.replies.markup.rules import ALL, THOUGHTS, TOKENS, capability
from openclaude.gateway.replies.markup.scanner import MarkupScanner
from openclaude.gateway.replies.polite import Filters
from tests.unit.gateway.replies.upstreams import DIALECTS, HOSTS, LS, Asking, End, Words

NAMES = frozenset({"Bash", "Read", "Write"})
TYPES = {
    "Bash": {"command": {"type": "string"}, "timeout": {"type": "integer"}},
    "Write": {"content": {"type": "string"}},
}
MARKS = [rule.mark for rule in (*THOUGHTS, *ALL, *TOKENS)]
Call = tuple[str, Any]  # a name, and arguments


def scan(
    *pieces: str, model: str = "m", told: list[str] | None = None, declared: str = ""
) -> tuple[str, list[Call]]:
    """Return the text and the calls in a model's pieces."""
    found = capability(model, declared)
    assert found is not None
    tell = (lambda: told.append(model)) if told is not None else (lambda: None)
    scanner = MarkupScanner(found, lambda: NAMES, lambda name: TYPES.get(name, {}), tell)
    events: list[Event] = [out for piece in pieces for out in scanner.feed(TextEvent(piece))]
    events += scanner.flush()
    text = "".join(event.text for event in events if isinstance(event, TextEvent))
    calls: list[Call] = [
        (event.name, json.loads(event.arguments))
        for event in events
        if isinstance(event, CallPiece)
    ]
    return text, calls


BASH = json.dumps({"name": "Bash", "arguments": LS})
READ = json.dumps({"name": "Read", "arguments": HOSTS})
CALLS = {
    "hermes": f"<tool_call>\n{BASH}\n</tool_call>",
    "hermes without its end": f"<tool_call>\n{BASH}",
    "qwen": "<tool_call>\n<function=Bash>\n<parameter=command>\nls -la\n</parameter>\n</function>\n"
    "</tool_call>",
    "qwen without its beginning": "<function=Bash>\n<parameter=command>\nls -la\n</parameter>\n"
    "</function>\n</tool_call>",
    "kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.Bash:0"
    f"<|tool_call_argument_begin|>{json.dumps(LS)}<|tool_call_end|><|tool_calls_section_end|>",
    "dsml": '<｜DSML｜function_calls>\n<｜DSML｜invoke name="Bash">\n<｜DSML｜parameter '
    'name="command" string="true">ls -la</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
    "</｜DSML｜function_calls>",
    "deepseek": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>Bash\n```json\n"
    f"{json.dumps(LS)}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "minimax": '<minimax:tool_call>\n<invoke name="Bash">\n<parameter name="command">ls -la'
    "</parameter>\n</invoke>\n</minimax:tool_call>",
    "glm": "<tool_call>Bash\n<arg_key>command</arg_key>\n<arg_value>ls -la</arg_value>\n"
    "</tool_call>",
    "harmony": "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary "
    f"to=functions.Bash <|constrain|>json<|message|>{json.dumps(LS)}<|call|>",
    "harmony, the other order": "<|start|>assistant to=functions.Bash<|channel|>commentary json"
    f"<|message|>{json.dumps(LS)}<|call|>",
    "bare": BASH,
    "bare, the input first": json.dumps({"arguments": LS, "name": "Bash"}),
    "bare, with its type": json.dumps({"type": "function", "name": "Bash", "parameters": LS}),
    "a thought before it": f"<think>hm</think>\n<tool_call>{BASH}</tool_call>",
    "a thought that does not end before it": f"<think>hm\n<tool_call>{BASH}</tool_call>",
    "hermes, the end of the turn for its own": f"<tool_call>\n{BASH}<|im_end|>",
    "hermes, a bracket too many": f"<tool_call>\n{BASH}}}\n</tool_call>",
    "hermes in a fence of its own": f"<tool_call>\n```json\n{BASH}\n```\n</tool_call>",
    "hermes, the name before the input": f"<tool_call>Bash\n{json.dumps(LS)}\n</tool_call>",
    "minimax m1": f"<tool_calls>\n{BASH}\n</tool_calls>",
    "qwen's mark, JSON inside": f"<function=Bash>{json.dumps(LS)}</function>",
    "kimi without its end": "<|tool_calls_section_begin|><|tool_call_begin|>functions.Bash:0"
    f"<|tool_call_argument_begin|>{json.dumps(LS)}",
    "dsml without its frame": '<｜DSML｜invoke name="Bash">\n<｜DSML｜parameter name="command" '
    'string="true">ls -la</｜DSML｜parameter>\n</｜DSML｜invoke>',
    "dsml with other bars": '<|DSML|function_calls>\n<|DSML|invoke name="Bash">\n<|DSML|parameter '
    'name="command" string="true">ls -la</|DSML|parameter>\n</|DSML|invoke>\n'
    "</|DSML|function_calls>",
    "claude's": '<function_calls>\n<invoke name="Bash">\n<parameter name="command">ls -la'
    "</parameter>\n</invoke>\n</function_calls>",
    "claude's without its frame": '<invoke name="Bash">\n<parameter name="command">ls -la'
    "</parameter>\n</invoke>",
    "llama": f"<|python_tag|>{BASH}<|eom_id|>",
    "granite": f"<|tool_call|>[{BASH}]",
}


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_a_call_that_was_written_is_a_call(kind: str, size: int) -> None:
    said = CALLS[kind]

    text, calls = scan(*(said[at : at + size] for at in range(0, len(said), size)))

    assert (text.strip(), len(calls)) == ("", 1)
    (call,) = calls
    assert isinstance(call, tuple)
    name, given_ = call
    assert (name.removeprefix("functions.").removesuffix(":0"), given_) == ("Bash", LS)


def test_several_calls_and_the_words_before_them() -> None:
    said = f"I look.\n<tool_call>{BASH}</tool_call>\n<tool_call>{READ}</tool_call>"

    assert scan(said) == ("I look.\n", [("Bash", LS), ("Read", HOSTS)])


@pytest.mark.parametrize("size", [1, 3, 10_000])
@pytest.mark.parametrize("behind", ["", "\n", "<|im_end|>"])
def test_a_call_at_the_end_of_a_line_is_one(size: int, behind: str) -> None:
    said = f"I look. <tool_call>{BASH}</tool_call>{behind}"

    text, calls = scan(*(said[at : at + size] for at in range(0, len(said), size)))

    assert (text.rstrip(), calls) == ("I look.", [("Bash", LS)])


def test_a_tool_without_input_may_be_called_by_its_name_alone() -> None:
    assert scan("<tool_call>Bash</tool_call>") == ("", [("Bash", {})])


def test_values_are_what_the_schema_says() -> None:
    said = (
        "<function=Bash><parameter=command>1</parameter><parameter=timeout>5</parameter></function>"
    )

    assert scan(said) == ("", [("Bash", {"command": "1", "timeout": 5})])


THOUGHTS_SAID = {
    "think": ("<think>hm</think>\n\nHi", "Hi"),
    "reasoning": ("<reasoning>hm</reasoning>Hi", "Hi"),
    "harmony": (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi"
        "<|return|>",
        "Hi",
    ),
    "empty": ("\n\n</think>\n\nHi", "Hi"),
    "without an end": ("<think>hm", ""),
    "without an end, with a draft of a call": (
        f"<think>I may <tool_call>{BASH}</tool_call> or not",
        "",
    ),
    "a draft of a call": (f"<think>I may <tool_call>{BASH}</tool_call></think>\nHi", "Hi"),
    "a second one": ("<think>hm</think>\nHi\n<think>hm</think>\nthere", "Hi\nthere"),
    "tokens of GLM's": ("<|begin_of_box|>Hi<|end_of_box|>", "Hi"),
    "a token of Gemma's": ("Hi<end_of_turn>", "Hi"),
    "tokens": ("Hi<|im_end|>", "Hi"),
    "a token of the wrong kind": ("Hi\n</tool_call>", "Hi\n"),
}


@pytest.mark.parametrize("kind", THOUGHTS_SAID)
@pytest.mark.parametrize("size", [1, 4, 10_000])
def test_thoughts_and_tokens_are_taken_out(kind: str, size: int) -> None:
    said, expected = THOUGHTS_SAID[kind]

    text, calls = scan(*(said[at : at + size] for at in range(0, len(said), size)))

    assert (text, calls) == (expected, [])


def test_a_thought_whose_beginning_is_in_the_prompt_is_known_the_second_time() -> None:
    thought = "The user wants something that takes long to explain."
    told: list[str] = []

    text, _ = scan(thought, "</think>\n\n", "Hi", told=told)

    assert (text, told) == (f"{thought}Hi", ["m"])
    assert scan(thought, "</think>\n\n", "Hi", model="qwen3-thinking") == ("Hi", [])
    assert scan(f"{thought}</think>\n\nHi") == ("Hi", [])  # whole


TEXTS = [
    f"Write this:\n```\n<tool_call>{BASH}</tool_call>\n```\nThen go.",
    "Models write <tool_call> before a call and </tool_call> behind it.",
    "The mark `<think>` begins a thought, `</think>` ends it.",
    f"An example: <tool_call>{BASH}</tool_call> in the middle of a line.",
    f'~~~json\n{{"name": "Bash", "arguments": {json.dumps(LS)}}}\n~~~',
    f"```json\n{BASH}\n```",
    "In the text <think>this stays</think> as it is.",
    "A line may begin with\n<think> and go on.\n\nIt is text.",
    "The call <function=Bash> has parameters.",
    "if a < b and b <c: print('<')",
    "<tool_call>\nno call at all\n</tool_call>\nand more",
    '<tool_call>{"name": "Unknown", "arguments": {}}</tool_call>',
    "<function=Unknown><parameter=a>1</parameter></function>",
    '{"name": "Ada", "born": 1815}',
    "<html><body>Hi</body></html>",
    "A list:\n- `<|im_end|>` ends a turn\n- <|im_end|> too, in prose",
]


@pytest.mark.parametrize("said", TEXTS)
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_what_only_looks_like_markup_is_left_alone(said: str, size: int) -> None:
    assert scan(*(said[at : at + size] for at in range(0, len(said), size))) == (said, [])


@given(
    st.lists(st.sampled_from([*MARKS, "a", " ", "\n", "x < y", "{", "}", '"name"']), max_size=30)
)
def test_nothing_in_a_fence_is_markup(parts: list[str]) -> None:
    said = "Look:\n```\n" + "".join(parts).replace("`", "") + "\n```\nDone."

    assert scan(*(said[at : at + 3] for at in range(0, len(said), 3))) == (said, [])


@given(
    st.sampled_from([rule.mark for rule in (*THOUGHTS, *ALL) if rule.mark[1] not in "|｜"]),
    st.text(st.characters(exclude_characters="`<\n\r~{", categories=["L", "N", "P"]), min_size=1),
)
def test_a_mark_that_is_quoted_in_the_middle_of_a_line_is_text(mark: str, word: str) -> None:
    said = f"See {word} {mark} {word} for more."

    assert scan(*(said[at : at + 4] for at in range(0, len(said), 4))) == (said, [])


@given(st.text(st.characters(exclude_characters="<{"), max_size=60), st.integers(1, 9))
def test_other_text_is_not_changed(text: str, size: int) -> None:
    said, _ = scan(*(text[at : at + size] for at in range(0, len(text), size)), model="qwen3-coder")

    assert said.lstrip() == text.lstrip()


@pytest.mark.parametrize("model", ["m", "qwen3-coder"])
def test_the_first_words_of_an_answer_do_not_wait(model: str) -> None:
    found = capability(model)
    assert found is not None
    event = TextEvent("one word")

    assert MarkupScanner(found, lambda: NAMES, lambda _: {}, lambda: None).feed(event) == [event]


def test_no_more_is_held_back_than_the_longest_mark() -> None:
    found = capability("qwen3-coder")
    assert found is not None
    scanner = MarkupScanner(found, lambda: NAMES, lambda _: {}, lambda: None)
    events = [out for one in ("Hello <too", "l_cal") for out in scanner.feed(TextEvent(one))]
    said = "".join(event.text for event in events if isinstance(event, TextEvent))

    assert len("Hello <tool_cal") - len(said) <= max(map(len, MARKS))


@pytest.mark.parametrize(
    ("model", "is_scanned"),
    [
        ("gpt-5.1", False),
        ("openai/gpt-4o", False),
        ("gemini-2.5-pro", False),
        ("us.amazon.nova-pro-v1:0", False),
        ("openai.gpt-oss-120b-1:0", True),
        ("moonshotai/kimi-k2", True),
        ("my-own", True),
    ],
)
def test_models_that_write_no_markup_are_left_alone(model: str, is_scanned: bool) -> None:
    assert (capability(model) is not None) == is_scanned


# What a model writes into a file ------------------------------------------------------------------


def in_json(name: str, given_: Any) -> str:
    return json.dumps({"name": name, "arguments": given_}, ensure_ascii=False)


# How each family writes a call of Write with some content; and what it cannot have in a value
WRITES: dict[str, tuple[str, str]] = {
    "hermes": ("<tool_call>\n{json}\n</tool_call>", ""),
    "qwen": (
        "<tool_call>\n<function=Write>\n<parameter=content>\n{text}\n</parameter>\n</function>\n"
        "</tool_call>",
        "</parameter>",
    ),
    "kimi": (
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.Write:0"
        "<|tool_call_argument_begin|>{input}<|tool_call_end|><|tool_calls_section_end|>",
        "",
    ),
    "dsml": (
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="Write">\n<｜DSML｜parameter '
        'name="content" string="true">{text}</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
        "</｜DSML｜function_calls>",
        "parameter>",
    ),
    "minimax": (
        '<minimax:tool_call>\n<invoke name="Write">\n<parameter name="content">{text}</parameter>'
        "\n</invoke>\n</minimax:tool_call>",
        "parameter>",
    ),
    "harmony": (
        "<|channel|>commentary to=functions.Write <|constrain|>json<|message|>{input}<|call|>",
        "",
    ),
}
CONTENTS = st.lists(
    st.sampled_from(
        [
            *(*MARKS, "</function>", "</invoke>", "<parameter=a>", "<|tool_call_end|>", "```"),
            *("a", " ", "\n", '"', "\\", "{", "}", "x < y", "</parameter>", "<|call|>", "'"),
        ]
    ),
    min_size=1,
    max_size=20,
).map("".join)


@given(st.sampled_from(sorted(WRITES)), CONTENTS, st.integers(1, 40))
@example("hermes", '</tool_call>"', 1)
@example("qwen", "</function>\n</tool_call>", 7)
@example("kimi", "<|tool_call_end|>", 7)
def test_what_a_model_writes_into_a_file_is_left_alone(family: str, said: str, size: int) -> None:
    form, forbidden = WRITES[family]
    if forbidden:
        said = said.replace(forbidden, "")
    given_ = {"content": said}
    text = (
        form.replace("{json}", in_json("Write", given_))
        .replace("{input}", json.dumps(given_, ensure_ascii=False))
        .replace("{text}", said)
    )

    for declared in (family, ""):
        heard = scan(*(text[at : at + size] for at in range(0, len(text), size)), declared=declared)

        assert heard[0].strip() == ""
        ((name, written),) = heard[1]
        assert (name.removeprefix("functions.").removesuffix(":0"), written) == ("Write", given_)


@given(
    st.sampled_from(["```", "~~~", "````"]),
    st.lists(st.sampled_from([*MARKS, "a", " ", "\n", "x < y", "{", '"name"']), max_size=20),
    st.integers(1, 20),
)
def test_nothing_in_any_fence_is_markup_for_a_declared_family(
    fence: str, parts: list[str], size: int
) -> None:
    said = f"Look:\n{fence}\n" + "".join(parts).replace("`", "") + f"\n{fence}\nDone."

    for declared in WRITES:
        pieces = (said[at : at + size] for at in range(0, len(said), size))
        assert scan(*pieces, declared=declared) == (said, [])


@given(
    st.sampled_from(["hermes", "qwen", "kimi", "dsml", "minimax", "harmony", ""]),
    st.lists(
        st.one_of(
            st.sampled_from(MARKS).flatmap(
                lambda mark: st.integers(1, len(mark) - 1).map(lambda end: mark[:end])
            ),
            st.sampled_from(["word ", "\n", "a < b ", "`", "\n\n"]),
        ),
        max_size=30,
    ),
)
def test_of_text_no_more_is_held_back_than_the_longest_mark(
    declared: str, parts: list[str]
) -> None:
    found = capability("m", declared)
    assert found is not None
    scanner = MarkupScanner(found, lambda: NAMES, lambda _: {}, lambda: None)
    given_ = "Hello. "
    events = scanner.feed(TextEvent(given_))
    for part in parts:
        part = part if part not in MARKS else "x"
        given_ += part
        events += scanner.feed(TextEvent(part))
        said = "".join(event.text for event in events if isinstance(event, TextEvent))
        if any(mark in given_ for mark in MARKS):
            return  # two parts may make a mark together
        assert given_.startswith(said)
        assert len(given_) - len(said) <= max(map(len, MARKS)) + 2  # and the line feeds behind it


def test_a_declared_family_has_no_other_familys_marks_looked_for() -> None:
    assert scan(CALLS["kimi"], declared="hermes") == (CALLS["kimi"], [])
    assert scan(CALLS["hermes"], declared="hermes")[1] == [("Bash", LS)]
    assert scan(CALLS["hermes"], model="gpt-5", declared="hermes")[1] == [("Bash", LS)]
    assert capability("qwen3-coder", "none") is None


@pytest.mark.parametrize(("declared", "is_call"), [("hermes", True), ("", False)])
def test_a_reply_is_read_as_the_profile_declares_its_model(declared: str, is_call: bool) -> None:
    asking = Asking("openai", True, model="gpt-4o")  # of which no markup is known
    body = {**DIALECTS["openai"].request(["Bash"], []), "model": "gpt-4o", "stream": True}
    filters = Filters(lambda: "t", {"gpt-4o": declared}.__getitem__)
    found = filters("/v1/chat/completions", json.dumps(body).encode())
    assert found is not None

    raw = b"".join([*found.feed(asking.say(Words(CALLS["hermes"]), End())), *found.close()])

    assert [name for name, _ in DIALECTS["openai"].hear(raw).calls] == ["Bash"] * is_call
