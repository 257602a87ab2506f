"""A value that fits a JSON schema, as short as possible: for titles and other structured output.

Knows: the schemas Claude Code uses (objects of strings, numbers, enums, lists). Independent of:
patterns, references, and the rest of JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def example(schema: Mapping[str, Any], name: str = "value") -> Any:
    """Return a value that fits the schema; strings contain the name of their property."""
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    if schema.get("enum"):
        return schema["enum"][0]
    for keyword in ("anyOf", "oneOf", "allOf"):
        if schema.get(keyword):
            return example(schema[keyword][0], name)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {key: example(part, key) for key, part in schema.get("properties", {}).items()}
        case "array":
            return [example(schema.get("items", {}), name)] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return f"stand-in {name}"
