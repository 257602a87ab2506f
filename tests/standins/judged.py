"""A request with the problems found in it, for stand-ins that check what they receive.

Knows: what a test needs to see of such a request. Independent of: which API it was sent to.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from openclaude.standins.base.exchange import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is refused."""

    status: int
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Recorded):
    """A request, and what is wrong with it."""

    operation: str = ""  # what it requests; empty for an unknown route
    model_id: str = ""
    streams: bool = False
    problems: tuple[str, ...] = ()  # why it was refused; `note: ...` if it was not
    refusal: Refusal | None = None

    def as_json(self) -> dict[str, object]:
        """The request as one line of a record file."""
        return Recorded.as_json(self) | {
            "operation": self.operation,
            "model_id": self.model_id,
            "problems": list(self.problems),
        }


def seen(request: Recorded) -> dict[str, Any]:
    """Return the parts of a request, to make a judged one from."""
    return {field.name: getattr(request, field.name) for field in fields(Recorded)}


def refused(parts: dict[str, Any], refusal: Refusal) -> Judged:
    """Return a request that is refused."""
    return Judged(**parts, problems=(refusal.message,), refusal=refusal)


def judged(parts: dict[str, Any], refusals: tuple[str, ...], notes: tuple[str, ...]) -> Judged:
    """Return a request that is refused if there are problems; notes do not count."""
    told = (*refusals, *(f"note: {note}" for note in notes))
    refusal = Refusal(status=400, message=refusals[0]) if refusals else None
    return Judged(**parts, problems=told, refusal=refusal)
