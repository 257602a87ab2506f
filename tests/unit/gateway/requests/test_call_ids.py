"""The ids of calls as each provider accepts them: the same in every turn, and no two alike."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.call_ids import fit_call_ids

ANY = Capabilities()
MISTRAL = ANY._replace(wants_nine_letters=True)
OPENAI = ANY._replace(max_call_id=40)
KIMI = ANY._replace(wants_kimi_ids=True)


def conversation(*ids: str) -> list[Any]:
    """A turn with a call of each id, and its result."""
    turns: list[Any] = [{"role": "user", "content": "hi"}]
    for one in ids:
        call = {"type": "tool_use", "id": one, "name": "Bash", "input": {"id": one}}
        result = {"type": "tool_result", "tool_use_id": one, "content": "ok"}
        turns.append({"role": "assistant", "content": [{"type": "text", "text": "x"}, call]})
        turns.append({"role": "user", "content": [result]})
    return turns


def ids_of(turns: list[Any]) -> tuple[list[str], list[str]]:
    """Return the ids of the calls and of the results."""
    blocks = [block for turn in turns[1:] for block in turn["content"]]
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    return calls, [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]


FORMS = [(MISTRAL, "[a-zA-Z0-9]{9}"), (OPENAI, ".{0,40}"), (KIMI, r"functions\.Bash:\d+")]


@pytest.mark.parametrize(("capabilities", "form"), FORMS)
@given(ids=st.lists(st.text(max_size=60), max_size=5))
def test_any_ids_become_ones_that_the_provider_takes(
    capabilities: Capabilities, form: str, ids: list[str]
) -> None:
    turns = conversation(*ids)
    before = repr(turns)

    fitted = fit_call_ids(turns, capabilities)

    calls, results = ids_of(fitted)
    assert calls == results
    assert len(set(calls)) == len(ids)
    assert all(re.fullmatch(form, one, re.DOTALL) for one in calls)
    assert fit_call_ids(fitted, capabilities) == fitted
    # a longer conversation keeps its ids, so that a prefix stays in the cache
    assert ids_of(fit_call_ids(conversation(*ids, "more"), capabilities))[0][: len(ids)] == calls
    assert repr(turns) == before


def test_an_id_that_the_provider_takes_stays_and_one_of_nobodys_call_too() -> None:
    own = conversation("abcDEF123")
    orphan = [{"role": "user", "content": [own[2]["content"][0], "text", None]}, None, "x"]

    assert fit_call_ids(own, MISTRAL) == own
    assert fit_call_ids(orphan, KIMI) == orphan
    assert fit_call_ids(own, ANY) is own


def test_kimis_calls_are_numbered_through_the_conversation() -> None:
    calls, _ = ids_of(fit_call_ids(conversation("functions_Bash_0_ab12", "toolu_1", "x"), KIMI))

    assert calls == ["functions.Bash:0", "functions.Bash:1", "functions.Bash:2"]
