"""What providers refuse in a tool's schema: one function per rule, in their words if known.

Knows: the reported rules of OpenAI (ruvnet/ruflo#1294, zed-industries/zed#32946) and of Gemini
(google/adk-python#4531, androidStern/openclaw-mcp-adapter#9) and of Anthropic
(anthropics/claude-code#5319 and #34771, openclaw/openclaw#29416). Independent of: requests, HTTP.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
BRANCHES = ("anyOf", "oneOf", "allOf")
DEEPEST = 100
MOST_TOOLS = 128


def refused_by_openai(schema: object) -> Iterator[str]:
    """What OpenAI refuses in a function's parameters."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        yield "schema must be a JSON Schema of 'type: \"object\"'"
        return
    if "properties" not in schema:
        yield "object schema missing properties"
    if stray := schema.keys() & {*BRANCHES, "enum", "not"}:
        yield f"schema must not have {sorted(stray)} at the top level"
    yield from unsound(schema, ())


def refused_by_claude(schema: object) -> Iterator[str]:
    """What Anthropic refuses in a tool's input schema."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        yield "input_schema.type: Field required"
        return
    if schema.keys() & {*BRANCHES}:
        yield "input_schema does not support oneOf, allOf, or anyOf at the top level"
    for fault in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema):
        yield f"JSON schema is invalid. It must match JSON Schema draft 2020-12: {fault.message}"
    for name in schema.get("properties") or ():
        if isinstance(name, str) and not re.fullmatch("[a-zA-Z0-9_.-]{1,64}", name):
            yield "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'"


def unsound(schema: object, path: tuple[str, ...]) -> Iterator[str]:
    """What makes a schema invalid, at any depth."""
    where = f"In context={path!r}"
    if not isinstance(schema, Mapping):
        yield f"{where}, {schema!r} is not of type 'object'"
        return
    if len(path) > DEEPEST:
        yield f"{where}, too deep"
        return
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    yield from (f"{where}, {kind!r} is no type" for kind in kinds if kind not in TYPES)
    yield from (f"{where}, {fault}" for fault in wrong_values(schema))
    if "array" in kinds and "items" not in schema:
        yield f"{where}, array schema missing items"
    properties = schema.get("properties", {})
    yield from (
        f"{where}, required of {name!r}, which is no property"
        for name in schema.get("required", ())
        if name not in properties
    )
    for name, part in properties.items():
        yield from unsound(part, (*path, "properties", name))
    if "items" in schema:
        yield from unsound(schema["items"], (*path, "items"))
    for key in BRANCHES:
        if key in schema and not schema[key]:
            yield f"{where}, {key} is empty"
        for part in schema.get(key, ()):
            yield from unsound(part, (*path, key))


def wrong_values(schema: Mapping[str, Any]) -> Iterator[str]:
    """Keywords with values that JSON schema does not allow them."""
    for key in ("minItems", "maxItems", "minLength", "maxLength"):
        value = schema.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            yield f"{value!r} is no count"
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        value = schema.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{value!r} is not of type 'number'"
    for key in ("title", "format", "pattern"):
        if not isinstance(schema.get(key, ""), str):
            yield f"{schema[key]!r} is not of type 'string'"
    try:
        re.compile(schema.get("pattern", ""))
    except (re.error, TypeError):
        yield f"{schema['pattern']!r} is not a 'regex'"
    values = [json.dumps(value) for value in schema.get("enum", ())]
    if len(set(values)) < len(values):
        yield f"{values} has non-unique elements"


def refused_by_gemini(schema: object) -> Iterator[str]:
    """What Gemini refuses in a function's parameters."""
    yield from unsound(schema, ())
    yield from small(schema, ())


def small(schema: object, path: tuple[str, ...]) -> Iterator[str]:
    """What Google's subset does not contain."""
    if not isinstance(schema, Mapping):
        return
    if not isinstance(schema.get("type", ""), str):
        yield f"{path}: Proto field is not repeating, cannot start list: type"
    if schema.keys() & {"const", "oneOf", "allOf", "not", "$ref", "prefixItems", "default"}:
        yield f"{path}: Unknown name: {sorted(schema)}"
    if any(not isinstance(value, str) or not value for value in schema.get("enum", ())):
        yield f"{path}: enum: only allowed for STRING type"
    parts: dict[str, Any] = {**schema.get("properties", {})}
    parts |= {f"anyOf {place}": part for place, part in enumerate(schema.get("anyOf", ()))}
    if "items" in schema:
        parts["items of it"] = schema["items"]
    for name, part in parts.items():
        yield from small(part, (*path, name))
