"""Structured output fits the schemas that Claude Code requests."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.standins.base.schema import example


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (
            {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
            {"title": "stand-in title"},
        ),
        ({"properties": {"ok": {"type": "boolean"}}}, {"ok": True}),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": ["string", "null"]}, "stand-in value"),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 3}, 3),
        ({"default": "x", "type": "string"}, "x"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": "number", "minimum": 5}, 5),
        ({}, "stand-in value"),
    ],
)
def test_an_example_fits_its_schema(schema: dict[str, Any], value: object) -> None:
    assert example(schema) == value
