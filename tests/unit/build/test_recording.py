"""README's recordings: pictures that need nothing from elsewhere and show nothing private."""

from __future__ import annotations

import re
import socket
from xml.etree import ElementTree

import pytest

from tests.conftest import REPOSITORY
from tests.pinned import CLAUDE_VERSION
from tests.recording.picture import Screen, draw

RECORDINGS = sorted((REPOSITORY / "docs/recording").glob("*.svg"))
PRIVATE = re.compile("/tmp|/home|/root|CANARY|sk-ant|AKIA|openclaude-bench")  # noqa: S108
SVG = "{http://www.w3.org/2000/svg}"
MOST_BYTES = 150_000


def parts_of(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter())  # noqa: S314 - a file of this repository


def texts_of(svg: str) -> str:
    return "\n".join(one.text or "" for one in parts_of(svg) if one.tag == f"{SVG}text")


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_is_small_and_needs_nothing_from_elsewhere(path: object) -> None:
    svg = (REPOSITORY / str(path)).read_text(encoding="utf-8")
    tags = {one.tag.removeprefix(SVG) for one in parts_of(svg)}

    assert len(svg.encode()) < MOST_BYTES
    assert tags == {"svg", "style", "rect", "circle", "text", "g"}
    assert not re.search(r"href|url\(|@import|font-face", svg)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_shows_no_path_host_or_secret(path: object) -> None:
    svg = (REPOSITORY / str(path)).read_text(encoding="utf-8")

    assert not PRIVATE.search(svg)
    assert socket.gethostname() not in texts_of(svg)


def test_the_recordings_are_in_the_readme_and_of_the_claude_that_is_tested() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    usage = (REPOSITORY / "docs/usage.md").read_text(encoding="utf-8")
    in_readme = {path.stem for path in RECORDINGS if f"(docs/recording/{path.name})" in readme}
    in_docs = {path.stem for path in RECORDINGS if f"(recording/{path.name})" in usage}
    first = REPOSITORY / "docs/recording/first-minute.svg"

    assert in_readme == {"first-minute", "model", "usage"}
    assert in_docs == {path.stem for path in RECORDINGS} - in_readme
    assert CLAUDE_VERSION in texts_of(first.read_text(encoding="utf-8"))


def test_a_picture_keeps_columns_colours_and_what_looks_like_markup() -> None:
    screen = Screen("\x1b[31m<b>\x1b[0m \x1b[7m漢\x1b[0m   x\n\n", 1.0)

    svg = draw("a & b", [screen, Screen("end", 3.0)], columns=20)

    pieces = {one.text: (one.get("x"), one.get("textLength")) for one in parts_of(svg)}
    assert pieces["<b>"] == ("0.0", "25.2")
    assert pieces["漢"] == ("33.6", "16.8")
    assert pieces["x"] == ("75.6", "8.4")
    assert "a & b" in pieces
    assert svg.count("@keyframes") == 2
    assert "25.00%{opacity:0}" in svg
