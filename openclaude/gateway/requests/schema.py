"""A tool's JSON schema as providers accept it, fixed without a change of meaning if possible.

Knows: what MCP servers write, and what OpenAI, Gemini and chat templates refuse (reported:
ruvnet/ruflo#1294, google/adk-python#4531, androidStern/openclaw-mcp-adapter#9). Independent of:
tools, providers. Pure: nothing is changed in place, and a second pass changes nothing.

What a provider has no keyword for is put into the description as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from openclaude.gateway.requests.keywords import OBJECT, mend_keywords, type_named, type_of

Schema = dict[str, Any]

BRANCHES = ("anyOf", "oneOf", "allOf")
# The type that each keyword belongs to
KEYWORDS = {
    "object": ("properties", "additionalProperties", "patternProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
# Keywords that contain one schema, and those that contain several by name
ONE_SCHEMA = ("not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties")
MAPS = ("patternProperties", "dependentSchemas")
# The keywords of Google's subset of OpenAPI (its API reference, "Schema")
SMALL = frozenset(
    {"type", "format", "title", "description", "nullable", "enum", "properties", "required"}
    | {"items", "minItems", "maxItems", "anyOf", "minimum", "maximum", "minLength", "maxLength"}
    | {"pattern"}
)
FORMATS = ("date-time", "enum")
LOCAL = "#/"
TOO_DEEP = "any JSON value; the rest of its description is too deep for this model"
RECURSIVE = "the same again"
MOST_PARTS = 4000  # size of one schema after its references are resolved
MOST_PASSES = 5


class SchemaRules(NamedTuple):
    """What a provider accepts."""

    is_full: bool = True  # full JSON schema, not only Google's subset
    max_depth: int = 64


class Unmendable(Exception):
    """A schema that cannot be expressed for this provider; the message says why."""


def mend_schema(schema: object, rules: SchemaRules) -> Schema:
    """Return a tool's input schema, always an object's. Raises Unmendable."""
    if not isinstance(schema, Mapping):
        return {"type": OBJECT, "properties": {}}
    mended = Mender(schema, rules).root()
    for _ in range(MOST_PASSES):  # what the first pass removes may have served as a type
        before, mended = mended, Mender(mended, rules).root()
        if mended == before:
            break
    return mended


class Mender:
    """Fixes one schema, and counts how much of it was written."""

    def __init__(self, whole: Mapping[str, Any], rules: SchemaRules) -> None:
        self._whole = whole
        self._rules = rules
        self._parts = 0

    def root(self) -> Schema:
        """Return the schema itself: an object with properties, and no choice between several."""
        mended = self._part(self._whole, 0, ())
        branches = [mended.pop(key) for key in BRANCHES if key in mended]
        properties = dict(mended.get("properties") or {})
        for branch in (part for parts in branches for part in parts):
            properties = {**(branch.get("properties") or {}), **properties}
        for key in ("enum", "const", "not", "items", "nullable"):
            mended.pop(key, None)
        mended |= {"type": OBJECT, "properties": properties}
        if branches:
            words = [json.dumps(branch) for branch in branches]
            mended = described(mended, f"it must also fit: {'; '.join(words)}")
        return self._with_required(mended)

    def _part(self, schema: object, depth: int, seen: tuple[str, ...]) -> Schema:
        """Return a schema at any position."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Unmendable("its schema is too large")
        if not isinstance(schema, Mapping):
            return {}  # `true`, and whatever is not a schema: anything
        if depth >= self._rules.max_depth:
            return described({}, TOO_DEEP)
        if isinstance(schema.get("$ref"), str):
            return self._referred(schema, depth, seen)
        mended = {
            key: value
            for key, value in schema.items()
            if isinstance(key, str) and not is_empty(key, value)
        }
        mended = mend_keywords(self._with_type(mended))
        if not self._rules.is_full:
            mended = without_null(mended)

        def inner(part: object) -> Schema:
            return self._part(part, depth + 1, seen)

        self._mend_children(mended, inner)
        mended = self._with_required(mended)
        return mended if self._rules.is_full else small(mended)

    # References ------------------------------------------------------------------------------

    def _referred(self, schema: Mapping[str, Any], depth: int, seen: tuple[str, ...]) -> Schema:
        """Return what a reference means, written out in its place."""
        name = schema["$ref"]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        if name in seen or name == "#":
            return described({"type": OBJECT, "properties": {}}, RECURSIVE)
        found = self._find(name)
        if not isinstance(found, Mapping):
            return self._part(beside, depth, seen)
        return self._part({**found, **beside}, depth, (*seen, name))

    def _find(self, name: str) -> object:
        if not name.startswith(LOCAL):
            return None
        found: object = self._whole
        for step in unquote(name.removeprefix(LOCAL)).split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, Mapping):
                found = found.get(key)
            else:
                return None
        return found

    # Types -----------------------------------------------------------------------------------

    def _with_type(self, schema: Schema) -> Schema:
        """Return the schema with a valid type, if one can be inferred."""
        said = schema.pop("type", None)
        kinds = [found for one in many(said) if (found := type_named(one))]
        kinds = list(dict.fromkeys(kinds))
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if "enum" in schema and not (isinstance(values, list) and values):
            del schema["enum"]
            values = None
        if not kinds and isinstance(values, list):
            kinds = list(dict.fromkeys(type_of(value) for value in values))
        if not kinds and not any(key in schema for key in (*BRANCHES, "not")):
            kinds = [kind for kind, keys in KEYWORDS.items() if any(key in schema for key in keys)]
            kinds = kinds[:1]
        if len(kinds) == 1:
            return {"type": kinds[0], **schema}
        if kinds and self._rules.is_full:
            return {"type": kinds, **schema}
        return split_types(schema, kinds) if kinds else schema

    def _mend_children(self, schema: Schema, inner: Callable[[object], Schema]) -> None:
        """Fix the schemas inside a schema, in place."""
        if "properties" in schema or schema.get("type") == OBJECT:
            self._mend_properties(schema, inner)
        if "array" in many(schema.get("type")) or schema.keys() & {"items", "prefixItems"}:
            mend_items(schema, inner)
        for key in BRANCHES:
            if key in schema:
                branches = schema.pop(key)
                schema[key] = [inner(part) for part in many(branches) if part is not False]
        for key in [key for key in ONE_SCHEMA if key in schema]:
            schema[key] = inner(schema[key])
        for key in [key for key in MAPS if key in schema]:
            found = schema[key] if isinstance(schema[key], Mapping) else {}
            schema[key] = {name: inner(part) for name, part in found.items()}
        if not isinstance(schema.get("additionalProperties", False), bool):
            schema["additionalProperties"] = inner(schema["additionalProperties"])
        for key in ("$defs", "definitions", "$schema", "$id", "$anchor", "$comment"):
            schema.pop(key, None)  # written out elsewhere; the rest is for tools that read schemas

    def _mend_properties(self, schema: Schema, inner: Callable[[object], Schema]) -> None:
        found = schema.get("properties")
        properties = found if isinstance(found, Mapping) else {}
        schema["properties"] = {
            name: inner(part) for name, part in properties.items() if part is not False
        }

    def _with_required(self, schema: Schema) -> Schema:
        """Keep in `required` only properties that exist."""
        if "required" not in schema:
            return schema
        properties = schema.get("properties")
        names = properties if isinstance(properties, Mapping) else {}
        required = [name for name in many(schema["required"]) if isinstance(name, str)]
        kept = [name for name in dict.fromkeys(required) if name in names]
        rest = {key: value for key, value in schema.items() if key != "required"}
        return {**rest, "required": kept} if kept else rest


def is_empty(key: str, value: object) -> bool:
    """Tell whether a keyword's value has no meaning and must not be used to infer a type."""
    if key == "description":
        return not isinstance(value, str)
    if key in BRANCHES:
        return all(part is False for part in many(value))
    return key in ONE_SCHEMA and not isinstance(value, Mapping)


def mend_items(schema: Schema, inner: Callable[[object], Schema]) -> None:
    """Return one schema for an array's items; the order of several becomes text."""
    items = schema.get("items", {})
    ordered = schema.pop("prefixItems", None)
    if isinstance(items, list):
        ordered, items = items, schema.get("additionalItems", {})
    schema.pop("additionalItems", None)
    if not isinstance(ordered, list) or not ordered:
        schema["items"] = inner(items)
        return
    parts = [inner(part) for part in ordered]
    schema["items"] = any_of(parts)
    words = ", ".join(json.dumps(part) for part in parts)
    schema |= described(schema, f"the items are in this order: {words}")


def any_of(parts: Iterable[Schema]) -> Schema:
    """Return one schema for values of several."""
    different = list({json.dumps(part, sort_keys=True): part for part in parts}.values())
    if len(different) == 1 or {} in different:
        return different[0] if len(different) == 1 else {}
    return {"anyOf": different}


def split_types(schema: Schema, kinds: list[str]) -> Schema:
    """Turn a schema of several types into a choice of schemas with one type each."""
    rest = dict(schema)
    own = {
        kind: {key: rest.pop(key) for key in keys if key in rest} for kind, keys in KEYWORDS.items()
    }
    own["integer"] = own["number"]
    own["object"] |= {key: rest.pop(key) for key in ("required",) if key in rest}
    values = rest.pop("enum", None)
    parts = []
    for kind in kinds:
        fitting = [value for value in values or () if type_of(value) == kind]
        enum = {"enum": fitting} if fitting else {}
        parts.append({"type": kind, **own.get(kind, {}), **enum})
    return {**rest, "anyOf": [*many(rest.get("anyOf")), *parts]}


def without_null(schema: Schema) -> Schema:
    """Turn a choice that includes null into a schema that is marked as nullable."""
    told = dict(schema)
    for key in ("anyOf", "oneOf"):
        parts = many(told.get(key))
        others = [part for part in parts if not is_null(part)]
        if len(others) < len(parts):
            told |= {key: others, "nullable": True}
    return told


def is_null(schema: object) -> bool:
    """Tell whether a schema only allows null."""
    return isinstance(schema, Mapping) and schema.get("type") in ("null", ["null"])


def small(schema: Schema) -> Schema:
    """Return a schema with the keywords of Google's subset; the others become text."""
    told = dict(schema)
    words = []
    if "const" in told:
        told["enum"] = [told.pop("const")]
    for key in ("oneOf", "allOf"):
        if key in told:
            parts = told.pop(key)
            if key == "oneOf" and "anyOf" not in told:
                told["anyOf"] = parts
            elif len(parts) == 1 and not told.keys() & parts[0].keys() - {"description"}:
                told = {**parts[0], **told}
            else:
                words.append(f"it fits all of {json.dumps(parts)}")
    if len(told.get("anyOf", ())) == 1:
        (only,) = told["anyOf"]
        if not told.keys() & only.keys() - {"description"}:
            del told["anyOf"]
            told = {**only, **told}
    if told.get("type") == "null":
        told |= {"type": "string", "nullable": True}
    if "enum" in told and not all(isinstance(one, str) and one for one in told["enum"]):
        words.append(f"one of {json.dumps(told.pop('enum'))}")
    if "enum" in told and told.get("type") != "string":
        told["type"] = "string"
    if "format" in told and told["format"] not in FORMATS:
        words.append(f"format {told.pop('format')}")
    for key in [key for key in told if key not in SMALL]:
        value = told.pop(key)
        if key not in ("default", "examples", "$schema", "additionalProperties"):
            words.append(f"{key}: {json.dumps(value)}")
        elif key == "default":
            words.append(f"by default {json.dumps(value)}")
    return described(told, *words) if words else told


def described(schema: Schema, *words: str) -> Schema:
    """Return a schema with more text in its description."""
    said = schema.get("description")
    parts = [said] if isinstance(said, str) and said else []
    new = [word for word in words if word not in (said or "")]
    return {**schema, "description": "; ".join([*parts, *new])}


def many(value: object) -> list[Any]:
    """Return a value that may be one item or a list as a list."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
