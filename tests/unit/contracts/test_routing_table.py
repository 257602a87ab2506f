"""The routing table of main: read as it was written, and nothing else is accepted as one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.contracts.decode import Malformed
from openclaude.contracts.routing import RoutingTable, SlotRoute, read_routing, routing_in

SLOT = SlotRoute(
    model="m",
    context_window=1000,
    aws_profile="work",
    key="env:KEY",
    address="https://a.example",
    profile="mine",
)
TABLE = RoutingTable(slots={"openclaude-haiku": SLOT, "limit": SlotRoute()}, on_limit="limit")


def test_a_table_is_read_as_it_was_written() -> None:
    assert read_routing(TABLE.to_json()) == TABLE
    assert read_routing(RoutingTable(slots={}).to_json()) == RoutingTable(slots={})


@pytest.mark.parametrize("variable", ["OPENCLAUDE_ROUTES", "OPENCLAUDE_LANES"])
def test_main_finds_its_table_under_the_name_of_this_version_or_the_last(variable: str) -> None:
    assert routing_in({variable: TABLE.to_json()}) == TABLE


def changed(**fields: Any) -> str:
    return json.dumps({**json.loads(TABLE.to_json()), **fields})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", ": it is not JSON"),
        ("[]", " must be an object, not a list"),
        ("{}", ": `slots` is missing"),
        (changed(routes=1), ": `routes` is unknown"),
        (changed(slots=[]), ": `slots` must be an object, not a list"),
        (changed(auth=None), ": `auth` must be one of plan, api-key, none"),
        (changed(on_limit="x"), ": `on_limit` is not a slot of the table"),
        (
            changed(slots={"a": {"context_window": "4000"}}),
            ": `slots.a.context_window` must be a whole number, not text",
        ),
        (
            changed(slots={"a": {"context_window": True}}),
            ": `slots.a.context_window` must be a whole number, not true or false",
        ),
        (
            changed(slots={"a": {"model": 5.5}}),
            ": `slots.a.model` must be text, not a number",
        ),
        (changed(slots={"a": 1}), ": `slots.a` must be an object, not a whole number"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_routing(text)

    assert str(refused.value).startswith(f"main's routing table{sentence}")
