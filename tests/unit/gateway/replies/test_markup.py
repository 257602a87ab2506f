"""Open models' markup: removed where it is markup, unchanged where it is text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaude.gateway.replies.events import CallPiece, Event, TextEvent
from openclaude.gateway.replies.markup.rules import ALL, MARKUP, THOUGHTS, TOKENS, capability
from openclaude.gateway.replies.markup.scanner import MarkupScanner
from openclaude.gateway.replies.polite import Filters
from tests.unit.gateway.replies.upstreams import (
    DIALECTS,
    HOSTS,
    LS,
    Asking,
    End,
    Heard,
    Words,
    sse,
)

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
    # mistralai/mistral-vibe#594, raullenchai/Rapid-MLX#1071
    "mistral": f"[TOOL_CALLS]Bash[ARGS]{json.dumps(LS)}",
    "mistral without its second mark": f"[TOOL_CALLS]Bash{json.dumps(LS)}",
    "mistral with an id": f"[TOOL_CALLS]Bash[CALL_ID]abcdefghi[ARGS]{json.dumps(LS)}",
    "mistral, older": f"[TOOL_CALLS] [{BASH}]</s>",
    # abetlen/llama-cpp-python#2227
    "gemma": '<|tool_call>call:Bash{command:<|"|>ls -la<|"|>}<tool_call|>',
    # vllm-project/vllm#39243, itayinbarr/little-coder#42
    "lfm2": "<|tool_call_start|>[Bash(command='ls -la')]<|tool_call_end|><|im_end|>",
    # vllm-project/vllm#16214, #22917
    "llama 4": f"<|python_start|>{BASH}<|python_end|>",
    "llama 4, in Python": '[Bash(command="ls -la")]',
    "llama, a method": '<|python_tag|>Bash.call(command="ls -la")',
    "olmo": '<function_calls>\nBash(command="ls -la")\n</function_calls>',
    # ggml-org/llama.cpp#23029
    "nemotron": f"<TOOLCALL>[{BASH}]</TOOLCALL>",
    # vllm-project/vllm#14682
    "phi": f"functools[{BASH}]",
    "phi, newer": f"<|tool_calls|>[{BASH}]<|/tool_calls|>",
    "internlm": '<|action_start|><|plugin|>{"name": "Bash", "parameters": {"command": "ls -la"}}'
    "<|action_end|>",
    "hunyuan": f"<tool_calls><tool_call>Bash\n```json\n{json.dumps(LS)}\n```</tool_call>"
    "</tool_calls>",
    "seed": "<seed:tool_call>\n<function=Bash>\n<parameter=command>ls -la</parameter>\n"
    "</function>\n</seed:tool_call>",
    "step": "<｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke "
    'name="Bash"><steptml:parameter name="command">ls -la</steptml:parameter></steptml:invoke>'
    "<｜tool_call_end｜><｜tool_calls_end｜>",
    "cohere": "<|START_THINKING|>I look.<|END_THINKING|><|START_ACTION|>"
    '[{"tool_call_id": "0", "tool_name": "Bash", "parameters": {"command": "ls -la"}}]'
    "<|END_ACTION|>",
    "apertus": f'<|tools_prefix|>[{{"Bash": {json.dumps(LS)}}}]<|tools_suffix|>',
    "deepseek without its frame": f"<｜tool▁call▁begin｜>Bash<｜tool▁sep｜>{json.dumps(LS)}"
    "<｜tool▁call▁end｜>",
    "dsml, its beginning eaten": '<｜DSML｜invoke name="Bash">\n<｜DSML｜parameter name="command" '
    'string="true">ls -la</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>',
    # anomalyco/opencode#6883
    "glm, tags for the parameters": '<invoke name="Bash">\n  <command>ls -la</command>\n</invoke>',
    "qwen with attributes": '<tool_call>\n<function name="Bash">\n<parameter name="command">ls -la'
    "</parameter>\n</function>\n</tool_call>",
    "hermes in Python's notation": "<tool_call>\n{'name': 'Bash', 'arguments': {'command': 'ls -la'"
    "}}\n</tool_call>",
    "kimi, one call's section": "<|tool_call_section_begin|><|tool_call_begin|>functions.Bash:0"
    f"<|tool_call_argument_begin|>{json.dumps(LS)}<|tool_call_end|><|tool_call_section_end|>",
    "minimax, JSON inside": f"<minimax:tool_call>\n{BASH}\n</minimax:tool_call>",
    "older GPTs'": f"<functioncall> {BASH} </functioncall>",
    "bare, a list": f"[{BASH}]",
    "bare, OpenAI's message": json.dumps(
        {"tool_calls": [{"id": "x", "function": {"name": "Bash", "arguments": json.dumps(LS)}}]}
    ),
    "bare, langchain's": json.dumps({"action": "Bash", "action_input": LS}),
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


@pytest.mark.parametrize("size", [1, 3, 10_000])
@pytest.mark.parametrize(
    "said",
    [
        f"{BASH}\n{READ}",
        f"[{BASH}, {READ}]",
        f"[TOOL_CALLS]Bash[ARGS]{json.dumps(LS)}[TOOL_CALLS]Read[ARGS]{json.dumps(HOSTS)}",
        '[Bash(command="ls -la"), Read(file_path="/etc/hosts")]',
        '<|tool_call>call:Bash{command:<|"|>ls -la<|"|>}<tool_call|>'
        '<|tool_call>call:Read{file_path:<|"|>/etc/hosts<|"|>}<tool_call|>',
    ],
)
def test_several_calls_without_a_frame_are_all_told(said: str, size: int) -> None:
    pieces = (said[at : at + size] for at in range(0, len(said), size))

    assert scan(*pieces) == ("", [("Bash", LS), ("Read", HOSTS)])


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_words_behind_a_call_of_mistrals_stay(size: int) -> None:
    said = f"I look.[TOOL_CALLS]Bash[ARGS]{json.dumps(LS)}\n\nLet me see."  # ml-explore/mlx-lm#1448

    heard = scan(*(said[at : at + size] for at in range(0, len(said), size)))

    assert heard == ("I look.Let me see.", [("Bash", LS)])


@pytest.mark.parametrize(
    ("notation", "value"),
    [
        ("{a:1,b:true,c:null}", {"a": 1, "b": True, "c": None}),
        ('{a:[<|"|>x, y<|"|>,<|"|>{z}<|"|>]}', {"a": ["x, y", "{z}"]}),
        ('{a:{b:<|"|>say "hi"<|"|>}}', {"a": {"b": 'say "hi"'}}),
        ('{"a":"b: c"}', {"a": "b: c"}),
        ("{a:ls -la}", {"a": "ls -la"}),
        ("{}", {}),
    ],
)
def test_gemmas_notation_is_read(notation: str, value: Any) -> None:
    assert scan(f"<|tool_call>call:Bash{notation}<tool_call|>") == ("", [("Bash", value)])


@pytest.mark.parametrize(
    ("python", "value"),
    [
        ("a=1, b=True, c=None", {"a": 1, "b": True, "c": None}),
        ("a=true, b=null", {"a": True, "b": None}),
        ("a=['x', {'y': false}]", {"a": ["x", {"y": False}]}),
        ("a=-1.5", {"a": -1.5}),
        ("", {}),
    ],
)
def test_pythons_notation_is_read(python: str, value: Any) -> None:
    assert scan(f"<|tool_call_start|>[Bash({python})]<|tool_call_end|>") == ("", [("Bash", value)])


@pytest.mark.parametrize("python", ["open('x')", "Bash(open('x'))", "Bash('ls')", "Bash(a=1) + 1"])
def test_python_that_is_no_call_of_a_tool_is_text(python: str) -> None:
    said = f"<|tool_call_start|>[{python}]<|tool_call_end|>"

    assert scan(said)[1] == []


# vybestack/llxprt-code#749, anomalyco/opencode#6883
@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("kind", ["kimi", "glm", "hermes"])
def test_a_call_that_was_left_in_the_reasoning_is_called(kind: str, streams: bool) -> None:
    message = {"reasoning_content": f"I look. {CALLS[kind]}", "content": ""}
    heard = Asking("openai", streams).hear_raw(reasoned(message, streams=streams))

    assert isinstance(heard, Heard)
    assert (heard.text, heard.calls) == ("", [("Bash", LS)])


@pytest.mark.parametrize("streams", [True, False])
def test_a_draft_of_a_call_in_the_reasoning_is_none(streams: bool) -> None:
    for thought, said in ((CALLS["kimi"], "Hi"), (f"{CALLS['kimi']} or not", "")):
        message = {"reasoning_content": thought, "content": said}
        heard = Asking("openai", streams).hear_raw(reasoned(message, streams=streams))

        assert isinstance(heard, Heard)
        assert (heard.text, heard.calls) == (said, [])


def reasoned(message: Any, *, streams: bool) -> bytes:
    """Return a completion with this message."""
    choice = {"index": 0, "finish_reason": "stop"}
    if not streams:
        return json.dumps({"choices": [{**choice, "message": message}]}).encode()
    return sse([{"choices": [{**choice, "delta": message}]}]) + b"data: [DONE]\n\n"


# Augustas11/macprovider#743
@pytest.mark.parametrize("size", [1, 3, 10_000])
@pytest.mark.parametrize(
    ("said", "text", "calls"),
    [
        ('analysisWe answer "four".assistantfinalfour', "four", []),
        (f"analysisI look.assistantcommentary to=functions.Bash json{json.dumps(LS)}", "", [LS]),
        (f"commentary to=functions.Bash json{json.dumps(LS)}", "", [LS]),
        ("analysis of the code: assistantfinal", "analysis of the code: assistantfinal", []),
        ("analysisWe", "analysisWe", []),
        ("analysis", "analysis", []),
        ("commentary to the code", "commentary to the code", []),
        ("Hi, analysisWe assistantfinal", "Hi, analysisWe assistantfinal", []),
    ],
)
def test_channels_whose_tokens_a_server_left_out_are_known(
    said: str, text: str, calls: list[Any], size: int
) -> None:
    pieces = (said[at : at + size] for at in range(0, len(said), size))

    heard = scan(*pieces, model="gpt-oss-20b")

    assert (heard[0], [given_ for _, given_ in heard[1]]) == (text, calls)


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
    "several tokens": ("Hi<|tool_call_end|><|tool_calls_section_end|>", "Hi"),
    "tokens with a blank between": ("Hi<|im_end|> <|endoftext|>", "Hi"),
    "magistral": ("[THINK]hm[/THINK]Hi", "Hi"),
    "kimi, older": ("\u25c1think\u25b7hm\u25c1/think\u25b7Hi", "Hi"),
    "gemma": ("<|channel>thought\nhm<channel|>Hi", "Hi"),
    "cohere": ("<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Hi<|END_RESPONSE|>", "Hi"),
    "in capitals": ("<THINK>hm</THINK>Hi", "Hi"),
    "an end of a text": ("Hi</s>", "Hi"),
    "several ends of a text": ("Hi<eos><pad><pad>", "Hi"),
    "a beginning of a turn": ("<|im_start|>assistant\nHi", "Hi"),
    "a beginning of a turn of Gemma's": ("<start_of_turn>model\nHi<end_of_turn>", "Hi"),
    "deepseek": ("<｜begin▁of▁sentence｜>Hi<｜end▁of▁sentence｜>", "Hi"),
    # Wei-Shaw/sub2api#6042
    "ends of DSML": ("Hi</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>", "Hi"),
    "ends of Qwen's": ("Hi\n</function>\n</tool_call>", "Hi\n"),
    "ends of GLM's": ("Hi</arg_value></tool_call>", "Hi"),
    "mistral's mark alone": ("Hi[TOOL_CALLS]", "Hi"),
    "gemma's end of a call": ("Hi<tool_call|>", "Hi"),
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
    "Mistral writes [TOOL_CALLS] before a call, [ARGS] before {} and nothing behind it.",
    f"Mistral writes `[TOOL_CALLS]Bash[ARGS]{json.dumps(LS)}`.",
    "[1] The first source\n[2] The second",
    "[Bash](https://example.com) is a shell.",
    '[Bash(command="ls -la")] is how it is called.',
    '[{"name": "Ada", "born": 1815}]',
    f"[{BASH}, 7]",
    f"{BASH} is how it is called.",
    "functools is a module, functools[0] is an error.",
    "It was <s>old</s>",
    "It ends so:\n<function>\n</parameter>\n</function>",
    "<TOOLCALL>no JSON</TOOLCALL>",
    "<function_call>\nsoon\n</function_call>",
    "The token \u25c1think\u25b7 begins a thought, [THINK] too.",
    "In Jinja it is {% if x %}[INST]{% endif %} and [/INST] behind it.",
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


def is_tag(mark: str) -> bool:
    """Tell whether a mark is a tag on one line, as a text may have it, and no token."""
    return mark[1] not in "|｜" and not mark.endswith("|>") and "\n" not in mark


@given(
    st.sampled_from([rule.mark for rule in (*THOUGHTS, *ALL) if is_tag(rule.mark)]),
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
    "mistral": ("[TOOL_CALLS]Write[ARGS]{input}", ""),
    "gemma": ('<|tool_call>call:Write{content:<|"|>{text}<|"|>}<tool_call|>', '<|"|>'),
    "lfm2": ("<|tool_call_start|>[Write(content={python})]<|tool_call_end|>", ""),
    "nemotron": ("<TOOLCALL>[{json}]</TOOLCALL>", ""),
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
        .replace("{python}", repr(said))
        .replace("{text}", said)
    )

    for declared in {family, ""} & {*MARKUP, ""}:
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

    for declared in MARKUP:
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


# No text may keep the gateway busy ----------------------------------------------------------------

WORST = {
    "parameters of Qwen's": (
        "<function=Bash>\n" + "<parameter=command>x</parameter>" * 3000 + "zz</function>"
    ),
    "parameters of Qwen's, without an end": (
        "<function=Bash>\n" + "<parameter=command>x</parameter>" * 3000 + "zz"
    ),
    "parameters of Claude's": (
        '<invoke name="Bash">\n' + '<parameter name="command">x</parameter>' * 3000 + "zz</invoke>"
    ),
    "blanks behind a name": "<tool_call>Bash" + " " * 50_000 + "x</tool_call>",
    "blanks behind JSON": "<tool_call>{" + " " * 50_000 + "x</tool_call>",
    "tags behind JSON": "<tool_call>{" + "<a>" * 20_000 + "x</tool_call>",
    "tags behind Python": "<tool_code>Bash(" + "<a>" * 20_000 + "x</tool_code>",
    "objects of Gemma's": "<|tool_call>" + "call:a{" * 10_000 + "<tool_call|>",
    "strings of Gemma's": "<|tool_call>call:a{" + '"\\' * 30_000 + "<tool_call|>",
}


@pytest.mark.parametrize("kind", WORST)
def test_no_call_takes_longer_than_its_length(kind: str) -> None:
    said = WORST[kind]  # if one did, this test would not end

    assert scan(said)[1] in ([], [("Bash", {"command": "x"})])
