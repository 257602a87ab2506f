"""JSON to typed records and back; what does not fit is refused with the field's name.

Knows: records, the types their fields may have. Independent of: any message.
A field may be str, int, float, bool, a StrEnum, a record, `tuple[X, ...]`, `tuple[X, Y]`,
`dict[str, X]`, `X | None` or Any. Modules that declare records to be read here must not postpone
their annotations. (msgspec does the same in C, and importing it costs a launch 25 ms.)
"""

from __future__ import annotations

import enum
import json
from math import isfinite
from types import NoneType, UnionType
from typing import Any, TypeVar

from openclaude.contracts.record import Record

Value = TypeVar("Value")
NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    NoneType: "null",
}


LONGEST_STEP = 60  # characters of a name that a sentence shows


class Malformed(ValueError):
    """A message that cannot be decoded; the text says where and why.

    It names fields and types, never values: one may be a key.
    """


class Mismatch(Exception):
    """What is wrong with a value; each outer level adds to the path."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.path = ""

    def within(self, step: str) -> Mismatch:
        """Prefix the path with one step, which may be a foreign text of any length."""
        step = (
            step if len(step) < LONGEST_STEP and step.isprintable() else ascii(step[:LONGEST_STEP])
        )
        self.path = f"{step}{'' if self.path[:1] in {'', '['} else '.'}{self.path}"
        return self


def read_json(text: str | bytes, what: str) -> Any:
    """The JSON document in `text`. Raises Malformed, naming `what`."""
    try:
        return json.loads(text)
    except RecursionError:
        raise Malformed(f"{what}: it is nested too deeply") from None
    except ValueError as error:  # of JSON, of UTF-8, of numbers with thousands of digits
        raise Malformed(f"{what}: it is not JSON ({error})") from None


def decode(kind: type[Value], value: Any, what: str) -> Value:
    """A JSON value as a `kind`. Raises Malformed, naming `what` and the field."""
    try:
        return convert(kind, value)  # type: ignore[no-any-return]
    except Mismatch as wrong:
        field = f": `{wrong.path}`" if wrong.path else ""
        raise Malformed(f"{what}{field} {wrong.problem}") from None


def read(kind: type[Value], text: str | bytes, what: str) -> Value:
    """A JSON text as a `kind`. Raises Malformed, naming `what` and the field."""
    return decode(kind, read_json(text, what), what)


def convert(kind: Any, value: Any) -> Any:
    """`value` as a `kind`. Raises Mismatch."""
    if kind in NAMES:
        return convert_scalar(kind, value)
    if kind is Any:
        return value
    if isinstance(kind, UnionType):
        (inner,) = (one for one in kind.__args__ if one is not NoneType)
        return None if value is None else convert(inner, value)
    if isinstance(kind, type) and issubclass(kind, Record):
        return convert_record(kind, value)
    if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
        return convert_choice(kind, value)
    if kind.__origin__ is tuple:
        return convert_list(kind.__args__, value)
    return convert_table(kind.__args__[1], value)


def convert_scalar(kind: type, value: Any) -> Any:
    """A text, number or boolean; true is not a number, an integer is a float too.

    Raises Mismatch.
    """
    if type(value) is kind:
        if type(value) is float and not isfinite(value):  # JSON of Python's has NaN and Infinity
            raise Mismatch(f"must be a number, not {value}")
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise expected(NAMES[kind], value)


def convert_record(kind: type[Record], value: Any) -> Record:
    """A record from an object. Raises Mismatch."""
    if type(value) is not dict:
        raise expected(NAMES[dict], value)
    found = {}
    for name, field in kind._kinds.items():
        if name in value:
            try:
                found[name] = convert(field, value[name])
            except Mismatch as wrong:
                raise wrong.within(name) from None
        elif name not in kind._defaults:
            raise Mismatch("is missing").within(name)
    if not kind._is_open and (unknown := value.keys() - kind._kinds.keys()):
        raise Mismatch("is unknown").within(min(unknown))
    return kind(**found)


def convert_choice(kind: type[enum.StrEnum], value: Any) -> enum.StrEnum:
    """A member of an enumeration. Raises Mismatch."""
    try:
        return kind(value)
    except ValueError:
        raise Mismatch(f"must be one of {', '.join(kind)}") from None


def convert_list(kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """A list: of one type and any length, or of these types in order. Raises Mismatch."""
    if type(value) is not list:
        raise expected(NAMES[list], value)
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise Mismatch(f"must have {len(kinds)} entries, not {len(value)}")
    found = []
    for place, (kind, entry) in enumerate(zip(kinds, value, strict=True)):
        try:
            found.append(convert(kind, entry))
        except Mismatch as wrong:
            raise wrong.within(f"[{place}]") from None
    return tuple(found)


def convert_table(kind: Any, value: Any) -> dict[str, Any]:
    """An object with any keys and values of one type. Raises Mismatch."""
    if type(value) is not dict:
        raise expected(NAMES[dict], value)
    found = {}
    for name, entry in value.items():
        try:
            found[name] = convert(kind, entry)
        except Mismatch as wrong:
            raise wrong.within(name) from None
    return found


def expected(wanted: str, value: Any) -> Mismatch:
    """The error for a value of another type."""
    return Mismatch(f"must be {wanted}, not {NAMES[type(value)]}")


def encode(value: Any) -> Any:
    """Records, at any depth, as plain values for `json`."""
    if isinstance(value, Record):
        return {name: encode(entry) for name, entry in vars(value).items()}
    if isinstance(value, tuple | list):
        return [encode(entry) for entry in value]
    if isinstance(value, dict):
        return {name: encode(entry) for name, entry in value.items()}
    return value


def to_line(value: Any) -> bytes:
    """A message as one line of JSON."""
    return json.dumps(encode(value)).encode() + b"\n"
