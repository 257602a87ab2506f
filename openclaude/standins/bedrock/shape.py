"""Checks whether a body fits the Converse operations in AWS's own service model.

Knows: botocore's shapes: unknown members, required ones, unions, enums, limits, patterns, blobs.
Independent of: the rules that the service model does not contain (rules.py).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import botocore.loaders
import botocore.model

Shape = Any  # botocore has no types
SERVICE_MODEL = "bedrock-runtime"


@cache
def input_shape(operation: str) -> Shape:
    """Return the shape of an operation's request."""
    # Only the loader: a botocore session would read the environment and ~/.aws.
    loader = botocore.loaders.Loader()
    described = loader.load_service_model(SERVICE_MODEL, "service-2")
    return (
        botocore.model.ServiceModel(described, SERVICE_MODEL).operation_model(operation).input_shape
    )


def violations(value: Any, shape: Shape, where: str = "") -> Iterator[str]:
    """Yield everything about a value that its shape does not allow."""
    if getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    wanted = JSON_TYPES.get(kind, (str,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{where or 'body'}: {type(value).__name__} found, {kind} expected"
        return
    yield from _limit_violations(value, shape, where)
    if walk := WALKS.get(kind):
        yield from walk(value, shape, where)


def without_nulls(value: Any, shape: Shape) -> Any:
    """Return a value that fits its shape without null members: to AWS they are absent."""
    if getattr(shape, "is_document_type", False):
        return value
    match shape.type_name:
        case "structure":
            return {
                key: without_nulls(part, shape.members[key])
                for key, part in value.items()
                if part is not None
            }
        case "list":
            return [without_nulls(part, shape.member) for part in value]
        case _:
            return value


def _structure(value: Mapping[str, Any], shape: Shape, where: str) -> Iterator[str]:
    given = {key: part for key, part in value.items() if part is not None}  # null means absent
    members = {
        name: member
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }
    yield from (f"{_under(where, key)}: unknown member" for key in given if key not in members)
    for key in shape.required_members:
        if key in members and key not in given:
            yield f"{_under(where, key)}: required member is missing"
    if shape.is_tagged_union and len(given) != 1:
        yield f"{where}: exactly one of {', '.join(members)} must be set, not {len(given)}"
    for key in given.keys() & members.keys():
        yield from violations(given[key], members[key], _under(where, key))


def _list(value: list[Any], shape: Shape, where: str) -> Iterator[str]:
    for place, part in enumerate(value):
        yield from violations(part, shape.member, f"{where}.{place}")


def _map(value: Mapping[str, Any], shape: Shape, where: str) -> Iterator[str]:
    for key, part in value.items():
        yield from violations(key, shape.key, _under(where, key))
        yield from violations(part, shape.value, _under(where, key))


def _string(value: str, shape: Shape, where: str) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{where}: `{value}` is not one of {', '.join(allowed)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield f"{where}: `{value[:80]}` does not match {pattern[:80]}"


def _blob(value: str, _: Shape, where: str) -> Iterator[str]:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        yield f"{where}: not base64"


def _limit_violations(value: Any, shape: Shape, where: str) -> Iterator[str]:
    """Check min and max: of a number its value, of anything else its length."""
    size = value if isinstance(value, int | float) else len(value)
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"{where}: {size} is below the minimum of {least}"
    if most is not None and size > most:
        yield f"{where}: {size} is above the maximum of {most}"


def _under(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}
WALKS: Mapping[str, Callable[[Any, Shape, str], Iterator[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "blob": _blob,
}
