"""The faster `copy.deepcopy` makes the copies that Python's own makes."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaude.gateway import copies

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture(autouse=True)
def faster() -> Iterator[None]:
    """Make copies by our functions during a test."""
    table: dict[type, Any] = vars(copy)[copies.TABLE]
    before = dict(table)
    copies.copy_faster()
    assert table[dict] is copies.copy_dict
    yield
    table.update(before)


def shares(one: Any, other: Any) -> bool:
    """Tell whether two equal documents have a dict or a list in common."""
    if isinstance(one, dict):
        return one is other or any(shares(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return one is other or any(map(shares, one, other))
    return False


@pytest.mark.usefixtures("faster")
@given(JSON)
def test_a_copy_is_equal_and_shares_nothing(document: Any) -> None:
    made = copy.deepcopy(document)

    assert made == document
    assert not shares(document, made)


def test_what_occurs_twice_is_one_thing_in_the_copy_too() -> None:
    tool = {"name": "t"}
    document: dict[str, Any] = {"first": tool, "all": [tool, tool]}
    document["itself"] = document

    made = copy.deepcopy(document)

    assert made["first"] is made["all"][0] is made["all"][1]
    assert made["first"] is not tool
    assert made["itself"] is made


class Chatty(str):
    """A text that notices that it is copied."""

    __slots__ = ()

    def __deepcopy__(self, _: Any) -> Chatty:
        return Chatty("copied")


def test_whatever_is_no_plain_json_is_copied_as_it_says() -> None:
    made = copy.deepcopy({Chatty("a"): [Chatty("b"), (1, [2])], "o": OrderedDict(a=[1])})

    assert made == {"copied": ["copied", (1, [2])], "o": OrderedDict(a=[1])}
    assert type(made["o"]) is OrderedDict


def test_a_memo_that_has_a_copy_already_is_used() -> None:
    tool: dict[str, Any] = {"name": "t"}

    made: list[Any] = copy.deepcopy([tool], {id(tool): "told"})

    assert made == ["told"]


def test_fewer_calls_are_made() -> None:
    calls = 0

    def counting(found: Any, memo: dict[int, Any]) -> Any:
        nonlocal calls
        calls += 1
        return copy.deepcopy(found, memo)

    copies.copy_dict({"a": 1, "b": "c", "d": {"e": None}}, {}, counting)

    assert calls == 1  # for the dict inside
