"""Messages between processes: records, and JSON that becomes one or is refused with a sentence."""

from enum import StrEnum
from typing import Any

import pytest

from openclaude.contracts.decode import Malformed, decode, encode, read, to_line
from openclaude.contracts.record import Record


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Point(Record):
    x: int
    y: float = 0.0


class Drawing(Record):
    name: str
    points: tuple[Point, ...]
    corner: tuple[int, str] | None = None
    colours: dict[str, Colour] = {}  # noqa: RUF012
    is_done: bool = False
    rest: Any = None


class OpenPoint(Record, is_open=True):
    x: int


WHOLE = Drawing(
    name="a",
    points=(Point(x=1, y=2.0), Point(x=3)),
    corner=(1, "b"),
    colours={"line": Colour.RED},
    is_done=True,
    rest={"a": [1]},
)


def test_a_record_is_given_by_keyword_compared_by_value_and_never_changed() -> None:
    point = Point(x=1)

    assert point == Point(x=1, y=0.0)
    assert point != OpenPoint(x=1)
    assert len({point, Point(x=1), Point(x=2)}) == 2
    assert (point._replace(y=3.0), point) == (Point(x=1, y=3.0), Point(x=1))
    assert repr(point) == "Point(x=1, y=0.0)"
    with pytest.raises(AttributeError, match="never changed"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match=r"no \['z'\], and \['x'\] is missing"):
        Point(z=1)  # type: ignore[call-arg]


def test_what_is_encoded_is_decoded() -> None:
    assert read(Drawing, to_line(WHOLE), "drawing") == WHOLE
    assert encode(WHOLE) == {
        "name": "a",
        "points": [{"x": 1, "y": 2.0}, {"x": 3, "y": 0.0}],
        "corner": [1, "b"],
        "colours": {"line": "red"},
        "is_done": True,
        "rest": {"a": [1]},
    }


def test_what_is_missing_has_its_default_and_a_whole_number_may_stand_for_any() -> None:
    drawing = decode(Drawing, {"name": "a", "points": [{"x": 1, "y": 2}]}, "drawing")

    assert drawing == Drawing(name="a", points=(Point(x=1, y=2.0),))
    assert type(drawing.points[0].y) is float


def test_an_open_record_ignores_what_it_does_not_know() -> None:
    assert decode(OpenPoint, {"x": 1, "later": []}, "point") == OpenPoint(x=1)


GOOD = {"name": "a", "points": []}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "drawing must be an object, not a list"),
        (None, "drawing must be an object, not null"),
        ({"points": []}, "drawing: `name` is missing"),
        ({**GOOD, "later": 1}, "drawing: `later` is unknown"),
        ({**GOOD, "name": 1}, "drawing: `name` must be text, not a whole number"),
        ({**GOOD, "points": {}}, "drawing: `points` must be a list, not an object"),
        (
            {**GOOD, "points": [{"x": 1}, 2]},
            "drawing: `points[1]` must be an object, not a whole number",
        ),
        (
            {**GOOD, "points": [{"x": "4"}]},
            "drawing: `points[0].x` must be a whole number, not text",
        ),
        (
            {**GOOD, "points": [{"x": True}]},
            "drawing: `points[0].x` must be a whole number, not true or false",
        ),
        (
            {**GOOD, "points": [{"x": 1.0}]},
            "drawing: `points[0].x` must be a whole number, not a number",
        ),
        (
            {**GOOD, "points": [{"x": 1, "y": float("nan")}]},
            "drawing: `points[0].y` must be a number, not nan",
        ),
        ({**GOOD, "corner": [1]}, "drawing: `corner` must have 2 entries, not 1"),
        ({**GOOD, "corner": [1, 2]}, "drawing: `corner[1]` must be text, not a whole number"),
        (
            {**GOOD, "colours": {"line": "green"}},
            "drawing: `colours.line` must be one of red, blue",
        ),
        ({**GOOD, "colours": {"line": []}}, "drawing: `colours.line` must be one of red, blue"),
        ({**GOOD, "is_done": 1}, "drawing: `is_done` must be true or false, not a whole number"),
        (
            {**GOOD, "colours": {"k" * 500: 1}},
            f"drawing: `colours.'{'k' * 60}'` must be one of red, blue",
        ),
        (
            {**GOOD, "colours": {"a\nb": 1}},
            "drawing: `colours.'a\\nb'` must be one of red, blue",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(document: Any, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        decode(Drawing, document, "drawing")

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "point: it is not JSON (Expecting value: line 1 column 1 (char 0))"),
        (b"\xff", "point: it is not JSON ('utf-8' codec can't decode"),
        (b"{", "point: it is not JSON (Expecting property name"),
        (b"[" * 100_000, "point: it is nested too deeply"),
        (b'{"x": ' + b"1" * 5000 + b"}", "point: it is not JSON (Exceeds the limit"),
    ],
    ids=["nothing", "no text", "half", "deep", "long number"],
)
def test_what_is_no_json_is_refused(text: bytes, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(Point, text, "point")

    assert str(refused.value).startswith(sentence)
