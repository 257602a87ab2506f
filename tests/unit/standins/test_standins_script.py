"""Markers: what is written is read back, even through a terminal, and only where it counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaude.standins.base import script
from openclaude.standins.base.conversation import QUOTED, RESUME, Said, script_for
from openclaude.standins.base.script import (
    Error,
    Midstream,
    Reasoning,
    Script,
    ScriptError,
    Text,
    Tool,
    read_script,
)

INNER = script.tool("Bash", {"command": "echo [[not:a:marker]] ]] : \n ü"})


def text_of(answer: Script) -> str:
    return "".join(block.text for block in answer.blocks if isinstance(block, Text))


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        (script.tool("Read", {"a": 1}), Script(blocks=(Tool(name="Read", input={"a": 1}),))),
        (script.reasoning("hm: [[x]]"), Script(blocks=(Reasoning(text="hm: [[x]]"),))),
        (script.say("short"), Script(blocks=(Text(parts=("short",)),))),
        (script.slow(2, 0.5, "abcd"), Script(blocks=(Text(parts=("ab", "cd"), pause_s=0.5),))),
        (script.stop("max_tokens"), Script(stop="max_tokens")),
        (script.wait(1.5), Script(wait_s=1.5)),
        (script.abort(), Script(abort=3)),
        (script.abort(0), Script(abort=0)),
        (
            script.midstream(2, "x_error", "oh: no"),
            Script(midstream=Midstream(events=2, kind="x_error", message="oh: no")),
        ),
        (script.midstream(), Script(midstream=Midstream())),
        (script.limit(), Script(error=Error(status=429, is_limit=True))),
        (script.then(script.say("a"), INNER), Script(then=(script.say("a") + INNER,))),
        ("[[slow:2:0]]", read_script(script.slow(2, 0))),
        ("[[abort]]", Script(abort=3)),
        ("[[midstream]]", Script(midstream=Midstream())),
        ("[[error:529]]", Script(error=Error(status=529, marker="[[error:529]]"))),
    ],
)  # fmt: skip
def test_a_marker_is_read_as_it_was_written(marker: str, expected: Script) -> None:
    assert read_script(f"before {marker} after") == expected


def test_an_error_brings_its_type_message_headers_and_how_often() -> None:
    marker = script.error(
        429, "rate_limit_error", "slow: down", headers={"retry-after": "3"}, times=2
    )

    assert read_script(marker) == Script(
        error=Error(
            status=429,
            kind="rate_limit_error",
            message="slow: down",
            headers={"retry-after": "3"},
            times=2,
            marker=marker,
        )
    )


def test_big_text_has_the_wanted_size_in_few_parts() -> None:
    answer = read_script(script.big(100_000))

    assert answer is not None
    assert len(text_of(answer)) == 100_000
    assert isinstance(answer.blocks[0], Text)
    assert len(answer.blocks[0].parts) <= 65


def test_several_markers_make_one_reply_in_their_order() -> None:
    answer = read_script(script.reasoning("hm") + script.say("so") + INNER + INNER)

    assert answer is not None
    assert [type(block) for block in answer.blocks] == [Reasoning, Text, Tool, Tool]


@given(st.text(), st.integers(min_value=20, max_value=60))
def test_a_marker_survives_the_line_wrapping_of_a_terminal(text: str, width: int) -> None:
    marker = script.tool("Write", {"text": text})
    wrapped = "\n  ".join(marker[start : start + width] for start in range(0, len(marker), width))

    assert read_script(wrapped) == Script(blocks=(Tool(name="Write", input={"text": text}),))


def test_a_marker_inside_a_marker_stays_hidden_until_its_turn() -> None:
    outer = script.tool("Agent", {"prompt": f"go {INNER}"})

    answer = read_script(outer)

    assert answer is not None
    assert len(answer.blocks) == 1
    assert read_script(answer.tools[0].input["prompt"]) == read_script(INNER)


def test_plain_padded_base64_is_read_too() -> None:
    assert read_script("[[say:Pz8/Pj4+YQ==]]") == Script(blocks=(Text(parts=("???>>>a",)),))


@pytest.mark.parametrize(
    "prose", ["", "hi", "[[ -f x ]] && y", "[[wiki link]]", "[say:aGk]", "[[]]"]
)
def test_other_brackets_are_prose(prose: str) -> None:
    assert read_script(prose) is None


@pytest.mark.parametrize(
    "broken",
    ["[[say]]", "[[say:*]]", "[[say:a]]", "[[tool:Bash]]", "[[tool:Bash:W10]]", "[[wait:long]]",
     "[[slow:0:1]]", "[[slow:3]]", "[[error:x]]", "[[error:500::0:W10]]", "[[error]]"],
)  # fmt: skip
def test_a_broken_marker_is_said_aloud(broken: str) -> None:
    with pytest.raises(ScriptError, match="cannot read the marker"):
        read_script(broken)

    answer = script_for([Said(role="user", text=broken)], default="")
    assert text_of(answer).startswith("SCRIPT ERROR: cannot read the marker")


# Where a script counts --------------------------------------------------------------------------


def user(text: str, *results: str) -> Said:
    return Said(role="user", text=text, results=results)


ASSISTANT = Said(role="assistant", text="...")
SYSTEM = Said(role="system", text=script.say("from the system"))


@pytest.mark.parametrize(
    ("conversation", "answer"),
    [
        ([user("hi")], "default"),
        ([], "default"),
        ([user(script.say("yes"))], "yes"),
        ([user(script.say("yes")), SYSTEM], "yes"),
        ([user(script.say("old")), ASSISTANT, user("new")], "default"),
        ([user(script.say("old")), ASSISTANT, user(script.say("new"))], "new"),
        ([user(f"<system-reminder>\n{script.say('no')}</system-reminder>hi")], "default"),
        ([user(script.say("a")), user(script.say("b"))], "ab"),
        ([user(script.say("a")), SYSTEM, user(script.say("b"))], "ab"),
        ([user(script.stop("refusal"))], "default"),
        ([user(script.reasoning("hm"))], "default"),
    ],
)
def test_the_newest_user_text_is_the_script(conversation: list[Said], answer: str) -> None:
    assert text_of(script_for(conversation, default="default")) == answer


def test_who_asks_for_the_rest_of_an_answer_gets_the_answer() -> None:
    later = script.tool("Bash", {}) + script.then(script.say("second"))
    later += script.then(script.say("third"))
    cut = [Said(role="assistant", text="sec"), user(f"{RESUME}. Resume directly from there.")]

    first = script_for([user(script.say("only")), *cut, *cut], default="default")
    second = script_for([user(later), ASSISTANT, user("", "result"), *cut], default="default")
    third = [user(later), ASSISTANT, user("", "result"), *cut, ASSISTANT, user("", "result")]

    assert text_of(first) == "only"
    assert text_of(second) == "second"
    assert text_of(script_for(third, default="default")) == "third"


def test_a_tool_result_is_quoted_and_never_obeyed() -> None:
    calls = [user(INNER), ASSISTANT]

    one = script_for([*calls, user(script.say("no"), script.say("no"))], default="")
    two = script_for([*calls, user("", "a\nb"), user("", "c")], default="")

    assert text_of(one) == f"TOOL RESULT SEEN: 1 result: {script.say('no')}"
    assert text_of(two) == "TOOL RESULT SEEN: 2 results: a\nb | c"


def test_a_long_tool_result_is_quoted_at_both_ends() -> None:
    answer = script_for([user("go"), ASSISTANT, user("", "a" * 5000 + "b" * 5000)], default="")

    quoted = text_of(answer).removeprefix("TOOL RESULT SEEN: 1 result: ")
    assert quoted == "a" * QUOTED + " [...] " + "b" * QUOTED


def test_then_answers_one_tool_result_after_the_other() -> None:
    asked = user(INNER + script.then(script.tool("Read", {})) + script.then(script.say("done")))
    turns = [asked]
    answers = []
    for result in ("one", "two", "three"):
        turns += [ASSISTANT, user("", result)]
        answers.append(script_for(turns, default=""))

    assert answers[0].tools == (Tool(name="Read", input={}),)
    assert [text_of(answer) for answer in answers[1:]] == [
        "done",
        "TOOL RESULT SEEN: 1 result: three",
    ]
