"""The benchmark's arithmetic: what samples become, and what is subtracted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench.figures import Kind, Measured, Row, amount, interleave, less, missed

ROW = Row(key="x", name="a thing", kind=Kind.RATIO, unit="ms", reach=0.5, aim=0.2)


def test_each_round_begins_with_another_side() -> None:
    asked: list[str] = []

    def side(name: str) -> Callable[[], dict[str, float]]:
        def ask() -> dict[str, float]:
            asked.append(name)
            return {name: float(len(asked))}

        return ask

    samples = interleave(3, side("a"), side("b"), side("c"))

    assert asked == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert {name: len(values) for name, values in samples.items()} == {"a": 3, "b": 3, "c": 3}


def test_the_floor_is_taken_off_round_by_round() -> None:
    samples = {"floor": [1.0, 2.0], "ours": [5.0, 7.0], "theirs": [11.0, 22.0]}

    assert less(samples, "floor", "ours", "theirs") == {"ours": [4.0, 5.0], "theirs": [10.0, 20.0]}


@pytest.mark.parametrize(
    ("kind", "figure"),
    [
        (Kind.RATIO, 0.5),
        (Kind.DIFFERENCE, -2.0),
        (Kind.VALUE, 2.0),
        (Kind.WORST, 3.0),
    ],
)
def test_each_kind_makes_its_own_figure_of_both_sides(kind: Kind, figure: float) -> None:
    row = Row(key="x", name="a thing", kind=kind, unit="s")

    assert Measured(row=row, ours=(1.0, 2.0, 3.0), other=(4.0, 4.0)).figure == figure


@pytest.mark.parametrize(
    ("ours", "verdict"), [(2.0, "aim"), (2.1, "reached"), (5.0, "reached"), (5.1, "MISSED")]
)
def test_a_figure_that_equals_its_number_reaches_it(ours: float, verdict: str) -> None:
    one = Measured(row=ROW, ours=(ours,), other=(10.0,))

    assert one.verdict == verdict
    assert missed([one]) == (["x"] if verdict == "MISSED" else [])


def test_a_row_survives_its_own_json() -> None:
    one = Measured(row=ROW, ours=(1.0, 2.0), other=(3.0,))

    assert Measured.from_data(one.as_data()) == one


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.123, "s", "0.12 s"),
        (3.0, "", "3"),
        (0.38, "", "0.38"),
        (7.64, "ms", "7.6 ms"),
        (76.4, "ms", "76 ms"),
        (501.2, "MB", "501 MB"),
    ],
)
def test_a_number_is_as_exact_as_it_is_meant(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text
