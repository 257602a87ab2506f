"""Tools as providers accept them: schemas of MCP servers, and any other schema."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.request import fit_request
from openclaude.gateway.requests.schema import SchemaRules, Unmendable, mend_schema
from tests.standins.tool_schema import refused_by_gemini, refused_by_openai

FULL = SchemaRules()
SMALL = SchemaRules(is_full=False, max_depth=20)
TAKES = Capabilities(max_output_tokens=1000)


def with_property(schema: object) -> dict[str, Any]:
    """A tool's schema with one property."""
    return {"type": "object", "properties": {"a": schema}}


STRING = {"type": "string"}
IN_ORDER = 'the items are in this order: {"type": "string"}, {"type": "integer"}'
# a property's schema, what a provider with JSON schema gets, and what Gemini gets
MENDED: list[tuple[Any, Any, Any]] = [
    (True, {}, {}),
    (None, {}, {}),
    ({}, {}, {}),
    ({"type": "array"}, {"type": "array", "items": {}}, {"type": "array", "items": {}}),
    ({"items": STRING}, {"type": "array", "items": STRING}, {"type": "array", "items": STRING}),
    ({"type": "array", "items": True}, {"type": "array", "items": {}},
     {"type": "array", "items": {}}),
    (
        {"type": "array", "prefixItems": [STRING, {"type": "integer"}]},
        {"type": "array", "items": {"anyOf": [STRING, {"type": "integer"}]},
         "description": IN_ORDER},
        {"type": "array", "items": {"anyOf": [STRING, {"type": "integer"}]},
         "description": IN_ORDER},
    ),
    (
        {"type": "array", "items": [STRING, STRING], "minItems": 2},
        {"type": "array", "items": STRING, "minItems": 2,
         "description": 'the items are in this order: {"type": "string"}, {"type": "string"}'},
        {"type": "array", "items": STRING, "minItems": 2,
         "description": 'the items are in this order: {"type": "string"}, {"type": "string"}'},
    ),
    ({"type": ["string"]}, STRING, STRING),
    ({"type": "STRING"}, STRING, STRING),
    # the older form of a bound that is exclusive
    (
        {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "number", "description": "exclusiveMinimum: 0"},
    ),
    ({"type": "number", "minimum": 0, "exclusiveMinimum": False},
     {"type": "number", "minimum": 0}, {"type": "number", "minimum": 0}),
    # values of another type than JSON schema demands
    ({"type": "array", "items": STRING, "minItems": "1", "maxItems": -1, "title": 5},
     {"type": "array", "items": STRING, "minItems": 1},
     {"type": "array", "items": STRING, "minItems": 1}),
    ({"type": "integer", "enum": ["1", "2", "1"]}, {"type": "integer", "enum": [1, 2]},
     {"type": "integer", "description": "one of [1, 2]"}),
    ({"type": "string", "enum": [1, 2]}, {"type": "string", "enum": ["1", "2"]},
     {"type": "string", "enum": ["1", "2"]}),
    # what some servers do not understand
    ({"type": "string", "maxLength": 65536}, {"type": "string", "description": "maxLength: 65536"},
     {"type": "string", "description": "maxLength: 65536"}),
    ({"type": "string", "pattern": "^[a-z]+$"}, {"type": "string", "pattern": "^[a-z]+$"},
     {"type": "string", "pattern": "^[a-z]+$"}),
    *(
        ({"pattern": pattern, "description": "a name"},
         {"type": "string", "description": f"a name; pattern: {pattern}"},
         {"type": "string", "description": f"a name; pattern: {pattern}"})
        for pattern in ("^(?!x).*$", "[a-", "a+", r"^\p{L}$", r"^\S+$")
    ),
    ({"type": ["string", "null"]}, {"type": ["string", "null"]},
     {"type": "string", "nullable": True}),
    (
        {"type": ["string", "array"], "items": STRING, "maxLength": 9},
        {"type": ["string", "array"], "items": STRING, "maxLength": 9},
        {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "array", "items": STRING}]},
    ),
    ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]},
     {"type": "string", "enum": ["a", "b"]}),
    ({"const": "a"}, {"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
    ({"const": 3}, {"type": "integer", "const": 3},
     {"type": "integer", "description": "one of [3]"}),
    ({"enum": [1, 2]}, {"type": "integer", "enum": [1, 2]},
     {"type": "integer", "description": "one of [1, 2]"}),
    ({"enum": []}, {}, {}),
    ({"type": "int"}, {"type": "integer"}, {"type": "integer"}),
    ({"type": "any", "description": "x"}, {"description": "x"}, {"description": "x"}),
    ({"minimum": 3}, {"type": "number", "minimum": 3}, {"type": "number", "minimum": 3}),
    (
        {"type": "object", "properties": {"b": STRING}, "required": ["b", "ghost", 3, "b"]},
        {"type": "object", "properties": {"b": STRING}, "required": ["b"]},
        {"type": "object", "properties": {"b": STRING}, "required": ["b"]},
    ),
    ({"properties": {"b": False, "c": True}, "required": ["b"]},
     {"type": "object", "properties": {"c": {}}}, {"type": "object", "properties": {"c": {}}}),
    (
        {"type": "object", "additionalProperties": {"type": "array"}},
        {"type": "object", "properties": {},
         "additionalProperties": {"type": "array", "items": {}}},
        {"type": "object", "properties": {}},
    ),
    ({"type": "string", "format": "uri", "default": "x"},
     {"type": "string", "format": "uri", "default": "x"},
     {"type": "string", "description": 'format uri; by default "x"'}),
    ({"oneOf": [STRING, {"type": "null"}]}, {"oneOf": [STRING, {"type": "null"}]},
     {"type": "string", "nullable": True}),
    ({"anyOf": []}, {}, {}),
    ({"type": "string", "not": True}, STRING, STRING),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "full", "small"), MENDED, ids=lambda one: json.dumps(one)[:30])
def test_a_schema_keeps_its_meaning_in_the_words_that_a_provider_has(
    schema: object, full: object, small: object
) -> None:
    assert mend_schema(with_property(schema), FULL) == with_property(full)
    assert mend_schema(with_property(schema), SMALL) == with_property(small)


@pytest.mark.parametrize(
    ("schema", "mended"),
    [
        ({}, {"type": "object", "properties": {}}),
        (True, {"type": "object", "properties": {}}),
        (None, {"type": "object", "properties": {}}),
        ({"properties": {"a": STRING}}, with_property(STRING)),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"type": ["object", "null"], "properties": {"a": STRING}}, with_property(STRING)),
    ],
)
def test_a_tools_input_is_an_object_whatever_is_said(schema: object, mended: object) -> None:
    assert mend_schema(schema, FULL) == mended


def test_a_choice_at_the_top_is_said_in_words_and_its_properties_are_kept() -> None:
    one, other = with_property(STRING), {"properties": {"b": STRING}, "required": ["b"]}

    mended = mend_schema({"type": "object", "anyOf": [one, other]}, FULL)

    assert mended["properties"] == {"a": STRING, "b": STRING}
    assert "anyOf" not in mended
    assert '"required": ["b"]' in mended["description"]


@pytest.mark.parametrize(
    "name", ["#/$defs/A%20B", "#/properties/one/anyOf/0", "#/properties/two/items"]
)
def test_a_reference_may_be_escaped_or_lead_into_a_list(name: str) -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"$ref": name},
            "one": {"anyOf": [STRING, {"type": "integer"}]},
            "two": {"type": "array", "items": STRING},
        },
        "$defs": {"A B": STRING},
    }

    assert mend_schema(schema, FULL)["properties"]["a"] == STRING


def test_references_are_written_out_and_a_circle_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    schema = {
        "type": "object",
        "properties": {"list": {"$ref": "#/$defs/Node", "description": "it"},
                       "gone": {"$ref": "#/$defs/Gone"}, "far": {"$ref": "http://x/y"}},
        "$defs": {"Node": node},
    }  # fmt: skip

    mended = mend_schema(schema, FULL)

    again = {"type": "object", "properties": {}, "description": "the same again"}
    assert mended["properties"] == {
        "list": {"type": "object", "properties": {"next": again}, "description": "it"},
        "gone": {},
        "far": {},
    }
    assert "$defs" not in mended


def test_what_is_too_deep_is_cut_where_the_provider_ends() -> None:
    schema: dict[str, Any] = STRING
    for _ in range(300):
        schema = with_property(schema)

    mended = json.dumps(mend_schema(schema, SMALL))

    assert mended.count("properties") == 20
    assert "too deep for this model" in mended
    assert list(refused_by_gemini(json.loads(mended))) == []


def test_a_schema_that_grows_without_end_is_given_up() -> None:
    defs = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 9} for n in range(9)}

    with pytest.raises(Unmendable):
        mend_schema({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs},
                    FULL)  # fmt: skip


WORDS = st.sampled_from(
    (
        *("type", "properties", "required", "items", "prefixItems", "enum", "const", "anyOf"),
        *("oneOf", "allOf", "not", "$ref", "$defs", "description", "default", "format", "title"),
        *("additionalProperties", "patternProperties", "pattern", "nullable", "minItems", "a", "b"),
        *("minimum", "exclusiveMinimum", "maxLength"),
    )
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(
        ["string", "array", "object", "null", "int", "any", "", "a", "#/$defs/a", "#/a", "#"]
    )
    | st.floats(allow_nan=False, allow_infinity=False)
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=400, deadline=None)
@given(schema=SCHEMAS)
@pytest.mark.parametrize(
    ("rules", "refused"), [(FULL, refused_by_openai), (SMALL, refused_by_gemini)]
)
def test_any_schema_becomes_one_that_the_provider_takes(
    rules: SchemaRules, refused: Any, schema: object
) -> None:
    before = json.dumps(schema)

    mended = mend_schema(schema, rules)

    assert list(refused(mended)) == []
    assert mend_schema(mended, rules) == mended
    assert json.dumps(schema) == before


def offered(*tools: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a request with these tools."""
    return {"model": "m", "max_tokens": 9, "messages": [], "tools": list(tools), **more}


def tool(name: str, schema: object = None) -> dict[str, Any]:
    return {"name": name, "input_schema": schema if schema is not None else with_property(STRING)}


def said(fitted: dict[str, Any]) -> str:
    """Return the system prompt."""
    return "\n".join(block["text"] for block in fitted.get("system", []))


@pytest.mark.parametrize("name", ["", "a b", "x" * 129, "é", None, 3])
def test_a_tool_that_cannot_be_called_is_left_out_and_the_model_is_told(name: Any) -> None:
    fitted = fit_request(offered(tool("Bash"), tool(name)), TAKES)

    assert [one["name"] for one in fitted["tools"]] == ["Bash"]
    assert "not available with this model" in said(fitted)
    assert fit_request(fitted, TAKES) == fitted


def test_of_too_many_tools_those_of_claude_and_those_in_use_stay() -> None:
    names = [*(f"mcp__s__t{n}" for n in range(200)), "Bash", "Read"]
    called = {"type": "tool_use", "id": "t", "name": "mcp__s__t150", "input": {}}
    turns = [{"role": "assistant", "content": [called]}]

    fitted = fit_request(offered(*map(tool, names), messages=turns), TAKES._replace(max_tools=128))

    kept = [one["name"] for one in fitted["tools"]]
    assert len(kept) == 128
    assert {"Bash", "Read", "mcp__s__t150", "mcp__s__t0"} <= set(kept)
    assert kept == [name for name in names if name in kept]
    assert re.search(r"mcp__s__t199 \(the provider takes 128 tools at most\)", said(fitted))
    assert fit_request(fitted, TAKES._replace(max_tools=128)) == fitted


def test_two_tools_of_one_name_are_one() -> None:
    assert len(fit_request(offered(tool("Bash"), tool("Bash")), TAKES)["tools"]) == 1
