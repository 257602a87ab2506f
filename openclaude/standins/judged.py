"""A request with everything there is to say about it, for stand-ins that check what they receive.

Knows: what a test asks of such a request. Refuses to know: which API it was made to.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from openclaude.standins.exchange import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request gets no answer."""

    status: int
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Recorded):
    """A request, and what is wrong with it."""

    operation: str = ""  # what it asks for; empty for no route of ours
    model_id: str = ""
    streams: bool = False
    problems: tuple[str, ...] = ()  # why it was refused; `note: ...` for what was let pass
    refusal: Refusal | None = None

    def as_json(self) -> dict[str, object]:
        """The request as one line of a record file."""
        return Recorded.as_json(self) | {
            "operation": self.operation,
            "model_id": self.model_id,
            "problems": list(self.problems),
        }


def seen(request: Recorded) -> dict[str, Any]:
    """The parts of a request, to make a judged one of."""
    return {field.name: getattr(request, field.name) for field in fields(Recorded)}


def refused(parts: dict[str, Any], refusal: Refusal) -> Judged:
    """A request that ends here."""
    return Judged(**parts, problems=(refusal.message,), refusal=refusal)


def judged(parts: dict[str, Any], refusals: tuple[str, ...], notes: tuple[str, ...]) -> Judged:
    """A request that ends here when there is anything against it; notes let it pass."""
    told = (*refusals, *(f"note: {note}" for note in notes))
    refusal = Refusal(status=400, message=refusals[0]) if refusals else None
    return Judged(**parts, problems=told, refusal=refusal)
