"""Which versions of claude and LiteLLM were tried together, and with what result.

Knows: compat.json, which only `build/contract` writes. Independent of: which versions
are installed, and what is said about them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("compat.json")


class Outcome(StrEnum):
    """What a trial has shown."""

    WORKS = "works"  # its requests have the names that the pinned claude's have
    DIFFERS = "differs"  # they have others, and all is well
    BROKEN = "broken"


class Trial(NamedTuple):
    """One claude with one LiteLLM."""

    claude: str
    litellm: str
    outcome: Outcome
    date: str
    scope: str  # "all" situations, or the "main job"


class Standing(NamedTuple):
    """Where a version of claude stands among those that were tried, with one LiteLLM."""

    trial: Trial | None  # of this very version
    older: Trial | None  # of the nearest before it
    newer: Trial | None
    best: Trial | None  # the newest that is not broken


def read_trials(path: Path = TABLE) -> tuple[Trial, ...]:
    """All trials, newest claude first."""
    rows = json.loads(path.read_text("utf-8"))["trials"]
    trials = (Trial(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows)
    return tuple(sorted(trials, key=lambda one: numbers(one.claude), reverse=True))


def find_standing(trials: Iterable[Trial], claude: str, litellm: str) -> Standing:
    """Where a version stands."""
    found = [one for one in trials if one.litellm == litellm]
    found.sort(key=lambda one: numbers(one.claude))
    wanted = numbers(claude)
    older = [one for one in found if numbers(one.claude) < wanted]
    newer = [one for one in found if numbers(one.claude) > wanted]
    good = [one for one in found if one.outcome is not Outcome.BROKEN]
    return Standing(
        trial=next((one for one in found if numbers(one.claude) == wanted), None),
        older=older[-1] if older else None,
        newer=newer[0] if newer else None,
        best=good[-1] if good else None,
    )


def numbers(version: str) -> tuple[int, ...]:
    """A version to compare; empty for a text that is none."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
