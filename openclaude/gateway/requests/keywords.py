"""The values of a JSON schema's keywords, as JSON schema itself demands them.

Knows: the type of each keyword's value, and what llama.cpp cannot make a grammar of: patterns
without both anchors or with `\\S` and the like, bounds above some 2,000. It refuses every request
with such a tool (reported: containers/kubernetes-mcp-server#758, aebrer/dreb#422,
unslothai/unsloth#7512). Independent of: what a schema means, providers. Pure; a second pass changes
nothing.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

Schema = dict[str, Any]

OBJECT = "object"
TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
# Type names that people use from other languages
MEANT = {
    **{"int": "integer", "long": "integer", "float": "number", "double": "number"},
    **{"str": "string", "text": "string", "bool": "boolean", "none": "null", "nonetype": "null"},
    **{"dict": "object", "map": "object", "list": "array", "tuple": "array", "set": "array"},
}
COUNTS = (
    *("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"),
    *("minContains", "maxContains"),
)
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
TEXTS = ("title", "format", "pattern")
FLAGS = ("uniqueItems", "deprecated", "readOnly", "writeOnly", "nullable")
# What a grammar for a model's output cannot express: look around, look back, and no anchors
UNUSUAL = re.compile(r"\(\?|\\[1-9a-zA-Z]|\A(?!\^)|(?<!\$)\Z|[*+?}][+]")
LARGEST_COUNT = 2000
LISTS = ("examples",)


def mend_keywords(schema: Schema) -> Schema:
    """Return a schema whose keywords have values of their types; the others are left out.

    What not every server understands becomes words.
    """
    mended = dict(schema)
    mend_bounds(mended)
    for keys, read in ((COUNTS, count), (NUMBERS, number), (TEXTS, text), (FLAGS, flag)):
        for key in [key for key in keys if key in mended]:
            value = read(mended.pop(key))
            if value is not None:
                mended[key] = value
    for key in [key for key in LISTS if not isinstance(mended.get(key, []), list)]:
        del mended[key]
    if isinstance(mended.get("enum"), list):
        mended["enum"] = fitting(mended["enum"], mended.get("type"))
    unusual = [key for key in COUNTS if mended.get(key, 0) > LARGEST_COUNT]
    if "pattern" in mended and not is_usual(mended["pattern"]):
        unusual.append("pattern")
    words = [f"{key}: {mended.pop(key)}" for key in unusual]
    if words:
        said = mended.get("description")
        mended["description"] = "; ".join(
            [*([said] if isinstance(said, str) and said else []), *words]
        )
    return mended


def mend_bounds(schema: Schema) -> None:
    """Turn the older form of an exclusive bound, a flag, into the bound itself; in place."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(exclusive), bool):
            is_exclusive = schema.pop(exclusive)
            if is_exclusive and bound in schema:
                schema[exclusive] = schema.pop(bound)


def number(value: object) -> int | float | None:
    """Return a number, also one that was written as a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=lambda _: None)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def count(value: object) -> int | None:
    """Return a count: a whole number that is not negative."""
    found = number(value)
    return int(found) if found is not None and found >= 0 and found == int(found) else None


def text(value: object) -> str | None:
    """Return a text."""
    return value if isinstance(value, str) else None


def flag(value: object) -> bool | None:
    """Return a flag."""
    return value if isinstance(value, bool) else None


def fitting(values: list[Any], kind: object) -> list[Any]:
    """Return the values of an enum, each once, as the one type that is declared for them."""
    fitted = [str(one) if kind == "string" and is_number(one) else one for one in values]
    if kind in ("integer", "number"):
        fitted = [one if (read := number(one)) is None else read for one in fitted]
    return list({json.dumps(one): one for one in fitted}.values())


def is_number(value: object) -> bool:
    """Tell whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_usual(pattern: str) -> bool:
    """Tell whether every server understands a pattern."""
    if UNUSUAL.search(pattern):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def type_named(name: object) -> str:
    """Return the JSON type for a type name from another language; "" if unknown."""
    if not isinstance(name, str):
        return ""
    low = name.lower()
    return low if low in TYPES else MEANT.get(low, "")


def type_of(value: object) -> str:
    """Return the JSON type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return OBJECT
