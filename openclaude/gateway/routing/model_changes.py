"""Says in an open session that another model answers in a slot from now on.

Knows: the note that whoever exchanges a model leaves (`run/launcher/changes`), and whom it
concerns: conversations that have an answer already. Independent of: why it was exchanged, plans.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaude.contracts.worker import MODEL_CHANGES
from openclaude.gateway.requests.turns import content_text, is_asked_by_a_person, role_of

KEPT_S = 24 * 3600.0  # an older note is not repeated
MOST_SESSIONS = 1000
LARGEST = 1 << 16  # bytes of the note; a sentence for each tier is less than a kilobyte


class ModelChanges:
    """What was exchanged before this instance started; it is replaced with each exchange."""

    def __init__(self, lines: Mapping[str, str]) -> None:
        """`lines`: the sentence for each slot."""
        self.lines = lines
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    @classmethod
    def of(cls, env: Mapping[str, str]) -> ModelChanges:
        """Return those that the environment names; none if they cannot be read."""
        path = env.get(MODEL_CHANGES, "")
        return cls(read_lines(Path(path), time.time()) if path else {})

    def notice(self, slot: str, session: str, document: Mapping[str, Any]) -> str:
        """Return what stands in front of the answer: once in a session, where a person reads it.

        A conversation without an answer has had no other model. One whose transcript has the
        sentence was told by an instance before this one.
        """
        line = self.lines.get(slot, "")
        if not line or (session, slot) in self._told or not is_asked_by_a_person(document):
            return ""
        answers = [turn for turn in document.get("messages", []) if role_of(turn) == "assistant"]
        is_known = any(line.strip() in content_text(turn.get("content")) for turn in answers)
        return line if answers and not is_known else ""

    def told(self, slot: str, session: str) -> None:
        """Note that a person has an answer of the slot, in front of which it was said."""
        self._told[session, slot] = None
        while len(self._told) > MOST_SESSIONS:
            self._told.popitem(last=False)


def read_lines(path: Path, now: float) -> dict[str, str]:
    """Return the sentences in a note, by slot."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(LARGEST))
        return {
            str(slot): str(line) for slot, (line, at) in found.items() if now - float(at) < KEPT_S
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
