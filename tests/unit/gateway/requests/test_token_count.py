"""claude's count of tokens left, in the real client's forms, and what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.contracts.capabilities import ModelInfo
from openclaude.gateway.requests.request import fit_request
from openclaude.gateway.requests.turns import without_count

COUNT = "<total_tokens>15000000 tokens left</total_tokens>"
REMINDER = f"<system-reminder>\n{COUNT}\n</system-reminder>"
PLAIN = ModelInfo().capabilities()


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def result(content: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t", "content": content}


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ([text("hi"), text(REMINDER)], [text("hi")]),
        (f"hi\n\n{REMINDER}", "hi"),
        ([result(f"files\n\n{REMINDER}")], [result("files")]),
        ([result([text("files"), text(REMINDER)])], [result([text("files")])]),
        ([result(REMINDER)], [result("(no output)")]),
        (
            [result(f"a\n\n{REMINDER}\n<system-reminder>\nb\n</system-reminder>")],
            [result("a\n<system-reminder>\nb\n</system-reminder>")],
        ),
    ],
)
def test_no_turn_tells_a_slot_how_many_tokens_are_left(said: Any, sent: Any) -> None:
    turn = {"role": "user", "content": said}

    fitted = fit_request({"model": "m", "messages": [turn]}, PLAIN)

    assert fitted["messages"] == [{"role": "user", "content": sent}]


@pytest.mark.parametrize(
    ("system", "sent"),
    [
        (f"Be brief.\n\n{COUNT}", "Be brief."),
        (
            [text("Be"), text(f"brief.\n\n{COUNT}\nAnd kind.")],
            [text("Be\n"), text("brief.\nAnd kind.")],
        ),
        ([text("Be"), text(COUNT)], [text("Be")]),
        (COUNT.replace("15000000", "Infinite"), None),
    ],
)
def test_no_system_prompt_does(system: Any, sent: Any) -> None:
    turn = {"role": "user", "content": "hi"}

    fitted = fit_request({"model": "m", "system": system, "messages": [turn]}, PLAIN)

    assert fitted.get("system") == sent


def test_a_system_turn_does_not_either() -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "system", "content": f"Now:\n{COUNT}"}]

    fitted = fit_request({"model": "m", "messages": turns}, PLAIN)

    assert COUNT not in str(fitted)
    assert "Now:" in str(fitted)


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "user", "content": f"what does {COUNT} mean?"},
        {"role": "user", "content": [result(f"1\t{COUNT}\n2\t")]},
        {"role": "user", "content": [result(COUNT)]},
        {"role": "user", "content": f"<system-reminder>\nI said {COUNT}\n</system-reminder>"},
        {"role": "assistant", "content": [text(REMINDER)]},
        {"role": "assistant", "content": [{"type": "tool_use", "input": {"text": REMINDER}}]},
    ],
)
def test_what_a_person_a_file_or_the_model_says_of_it_stays(turn: Any) -> None:
    assert without_count(turn) == turn


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    worst = "\n\n<system-reminder>\n<total_tokens>1" * 20_000

    assert without_count({"role": "system", "content": worst})["content"] == worst
