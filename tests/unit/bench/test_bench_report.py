"""The benchmark's report: plots are XML that holds the numbers, blocks replace only themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench.figures import Kind, Measured, Row
from tests.bench.machine import Machine
from tests.bench.plots import draw_all
from tests.bench.report import Run, short_block, where_block, with_block, write_documents
from tests.bench.svg import Axis, Bar, Line, draw_bars, draw_lines, short, spaced, steps

MACHINE = Machine(
    date="2026-11-22",
    cores=2,
    cpu="AMD EPYC",
    load=0.1,
    system="Linux 6.18",
    python="3.11.7",
    openclaude="0.1.0",
    litellm="1.106.2",
    claude="2.1.1",
    peers="",
)


def row(
    key: str, ours: tuple[float, ...], other: tuple[float, ...] = (), unit: str = "ms"
) -> Measured:
    kind = Kind.RATIO if other else Kind.VALUE
    return Measured(
        row=Row(key=key, name=f"row {key}", kind=kind, unit=unit), ours=ours, other=other
    )


RUN = Run(
    machine=MACHINE,
    rounds=3,
    rows=(
        row("a", (0.6, 0.7, 0.8), (0.5, 0.5, 0.6), "s"),
        *(row(f"h.{size}", (7.0,), (21.0,)) for size in ("5k", "50k", "500k", "2m")),
        *(row(f"i.claude.{crowd}.rate", (90.0,), (80.0,), "") for crowd in (1, 8, 32, 64)),
        row("p.claude.main.litellm", (6.5,)),
    ),
)


def elements(svg: str) -> list[ElementTree.Element]:
    """Return all elements of a plot."""
    return list(ElementTree.fromstring(svg).iter())  # noqa: S314 - our own text


def texts(svg: str) -> list[str]:
    """Return the texts of a plot, from its XML."""
    return [element.text or "" for element in elements(svg) if element.text]


def test_a_bar_is_as_long_as_its_value_and_says_it() -> None:
    bars = [
        Bar(name="a <b>", value=100, low=90, high=200, colour=0),
        Bar(name="c", value=50, low=50, high=50, colour=1),
    ]

    drawn = draw_bars("Title & more", "below", "ms", bars)

    rects = [e for e in elements(drawn) if e.tag.endswith("rect")]
    long, half = (float(rect.attrib["width"]) for rect in rects)
    assert long == pytest.approx(2 * half)
    assert {"Title & more", "a <b>", "100 ms", "c", "50 ms", "below"} <= set(texts(drawn))


def test_a_line_rises_where_its_values_do() -> None:
    line = Line(name="ours", points=((5.0, 1.0), (50.0, 10.0), (500.0, 100.0)))
    axes = Axis(name="KB", is_log=True), Axis(name="ms", is_log=True)

    drawn = draw_lines("T", "below", *axes, [line])

    path = [
        element.attrib["points"]
        for element in elements(drawn)
        if element.attrib.get("stroke-width") == "2"
    ]
    points = [tuple(map(float, pair.split(","))) for pair in path[0].split()]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert (x1 - x0, y0 - y1) == pytest.approx((x2 - x1, y1 - y2), abs=0.2)
    assert x0 < x1
    assert y0 > y1


def test_names_that_would_lie_upon_each_other_are_moved_apart() -> None:
    assert spaced([100.0, 10.0, 101.0], least=14) == [100.0, 10.0, 114.0]


@pytest.mark.parametrize(
    ("low", "high", "is_log", "found"),
    [
        (0, 10, False, [0, 2, 4, 6, 8, 10]),
        (0, 0.5, False, [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (7, 1400, True, [10, 100, 1000]),
    ],
)
def test_steps_along_an_axis_are_round(
    low: float, high: float, is_log: bool, found: list[float]
) -> None:
    assert steps(low, high, is_log=is_log) == pytest.approx(found)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123, "0.12"), (7.6, "7.6"), (120.4, "120"), (12_340, "12.3k"), (2_000_000, "2M")],
)
def test_a_number_in_a_plot_is_short(value: float, text: str) -> None:
    assert short(value) == text


def test_a_plot_whose_rows_were_not_measured_is_left_out() -> None:
    drawn = draw_all(RUN.rows, "below")

    assert sorted(drawn) == ["launches.svg", "requests.svg", "streams.svg", "where.svg"]
    for svg in drawn.values():
        assert "below" in texts(svg)


def test_a_block_replaces_what_is_between_its_marks_and_nothing_else() -> None:
    text = (
        "a\n<!-- generated: one -->\nold\n<!-- end -->\nb\n<!-- generated: two -->\nx\n<!-- end -->"
    )

    after = with_block(text, "one", "new \\1\n")

    assert after == text.replace("old\n", "new \\1\n")
    assert with_block("no marks", "one", "new") == "no marks"


def test_a_run_survives_its_own_json() -> None:
    assert Run.from_json(RUN.as_json()) == RUN


def test_the_documents_get_tables_plots_and_json_and_keep_the_rest(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    marks = "<!-- generated: {} -->\n<!-- end -->\n"
    page = "".join(map(marks.format, ("bench", "bench-plots", "bench-where")))
    (tmp_path / "docs/performance.md").write_text(f"mine\n{page}")
    (tmp_path / "README.md").write_text("no block\n")

    written = write_documents(RUN, tmp_path)

    found = (tmp_path / "docs/performance.md").read_text()
    assert found.startswith("mine\n")
    assert "| h.50k | row h.50k | 7.0 (7.0-7.0) ms | 21.0 (21.0-21.0) ms | 0.33 |" in found
    assert "(bench/requests.svg)" in found
    assert (tmp_path / "README.md").read_text() == "no block\n"
    assert Run.from_json((tmp_path / "docs/bench/bench.json").read_text()) == RUN
    assert all(path.exists() for path in written)


def test_a_number_that_must_be_reached_is_shown_for_two_runs(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/performance.md").write_text("<!-- generated: bench-held -->\n<!-- end -->\n")
    (tmp_path / "README.md").write_text("")
    row = Row(key="g", name="crash", kind=Kind.VALUE, unit="s", reach=1.5, aim=0.3)
    runs = [
        replace(RUN, rows=(Measured(row=row, ours=(seconds,)),)) for seconds in (2.0, 0.2, 0.25)
    ]
    shown = []
    for run in (*runs, runs[-1]):
        write_documents(run, tmp_path)
        shown.append((tmp_path / "docs/performance.md").read_text().splitlines()[3])

    assert shown == [
        "| crash | 2.00 s |  | 1.50 s | 0.30 s | MISSED |",
        "| crash | 0.20 s | 2.00 s | 1.50 s | 0.30 s | MISSED |",
        "| crash | 0.25 s | 0.20 s | 1.50 s | 0.30 s | aim |",
        "| crash | 0.25 s | 0.20 s | 1.50 s | 0.30 s | aim |",
    ]


def test_the_readme_says_the_medians_of_what_was_measured() -> None:
    assert short_block(RUN).splitlines()[2:4] == [
        "| To claude's first prompt, no proxies running | 0.70 s | 0.50 s | plain `claude` |",
        "| Added to an answer's first byte, `claude-*`, 50 KB | 7.0 ms | 21 ms "
        "| one stock LiteLLM |",
    ]


def test_the_profile_is_a_column_for_each_place_and_adds_up() -> None:
    rows = [
        Measured(row=Row(key=f"p.{n}", name=name, kind=Kind.VALUE, unit="ms"), ours=(value,))
        for n, (name, value) in enumerate(
            [("one: LiteLLM", 6.0), ("one: JSON", 1.0), ("two: LiteLLM", 20.0)]
        )
    ]

    assert where_block(rows) == (
        "| ms of a request | one | two |\n| --- | --: | --: |\n"
        "| LiteLLM | 6.0 | 20.0 |\n| JSON | 1.0 | 0.0 |\n| all | 7.0 | 20.0 |\n"
    )
