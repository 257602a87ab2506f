"""`openclaude requests record`: begins a recording, ends it, removes it, and says what is in it."""

from __future__ import annotations

import argparse
import stat
from pathlib import Path
from typing import Any

import pytest

from openclaude.commands.ledger.record import (
    NotRecorded,
    record,
    recording_data,
    recording_text,
)
from openclaude.errors import UsageError
from openclaude.ledger.recording import FOLDER, SWITCH, read_switch, recording_folder
from openclaude.paths import Places, find_places

NOW = 1_790_000_000.0


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return find_places({"HOME": str(tmp_path)})


def asked(**changed: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"minutes": None, "stop": False, "remove": False, **changed})


def test_a_recording_lasts_ten_minutes_and_says_what_is_in_it(places: Places) -> None:
    folder = recording_folder(places.state)

    result = record(asked(), places, NOW)

    switch = read_switch(folder, NOW + 599)
    assert switch is not None
    assert switch.until == NOW + 600
    assert read_switch(folder, NOW + 600) is None
    assert stat.S_IMODE((folder / SWITCH).stat().st_mode) == 0o600
    for words in ("warning: for 10 minutes", "your prompts", str(folder / FOLDER), "--stop"):
        assert words in result.text
    assert "recording: prompts and answers" in recording_text(places, NOW)
    assert recording_data(places, NOW)["until"] == NOW + 600


def test_it_is_ended_and_removed(places: Places) -> None:
    record(asked(minutes=1.0), places, NOW)
    place = recording_folder(places.state) / FOLDER
    place.mkdir()
    (place / "one.json").write_text("{}")
    assert "recorded: 1 requests (0.0 MB)" in recording_text(places, NOW)

    ended = record(asked(stop=True), places, NOW)
    removed = record(asked(remove=True), places, NOW)

    assert ended.data == {"was_on": True, "removed": 0}
    assert removed.data == {"was_on": False, "removed": 1}
    assert recording_text(places, NOW) == ""


@pytest.mark.parametrize("minutes", [0.0, -1.0, 60.1, float("nan"), float("inf")])
def test_it_lasts_an_hour_at_most(places: Places, minutes: float) -> None:
    with pytest.raises(UsageError, match="at most 60"):
        record(asked(minutes=minutes), places, NOW)


def test_a_folder_that_cannot_be_written_is_said(places: Places) -> None:
    folder = recording_folder(places.state)
    (folder / SWITCH).mkdir(parents=True)

    with pytest.raises(NotRecorded, match="cannot write in"):
        record(asked(), places, NOW)
