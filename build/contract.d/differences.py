"""The differences between two records, and which of them break something.

Knows: two records. Independent of: how they were made, what a page looks like. Only what both
contain is compared, so that a new situation breaks nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from exchanges import Exchange, Happened, Record
from places import Place, place
from wire_names import MODEL_ENDPOINTS, Name, counts, names_of

# of a request's bytes: texts are reworded in every release, which does not concern us
SIZE_CHANGE = 0.15
BINARY_KINDS = ("betas", "endpoints", "models", "gates", "variables")


class Difference(NamedTuple):
    """One thing that is new, gone or changed, and where that was seen."""

    kind: str
    text: str
    is_of_slot: bool
    where: tuple[str, ...]  # MODE: SITUATION
    is_break: bool = False

    @property
    def place(self) -> Place:
        """Return the file to look at."""
        return place(self.kind, is_of_slot=self.is_of_slot)


Key = tuple[str, str, bool, bool]


def differences(old: Record, new: Record) -> list[Difference]:
    """Return all differences, those that break something first."""
    found: dict[Key, list[str]] = defaultdict(list)
    for mode, situation, before, after in pairs(old, new):
        for key in compare(before, after):
            found[key].append(f"{mode}: {situation}")
    made = [
        Difference(kind, text, is_of_slot, tuple(where), is_break)
        for (kind, text, is_of_slot, is_break), where in found.items()
    ]
    made.sort(key=lambda one: (not one.is_break, one.kind, one.text))
    return [*made, *binary_differences(old, new)]


def pairs(old: Record, new: Record) -> Iterator[tuple[str, str, Happened, Happened]]:
    """Yield each situation that both have, in each mode."""
    for mode, happened in new.modes.items():
        for situation, after in happened.items():
            before = old.modes.get(mode, {}).get(situation)
            if before is not None:
                yield mode, situation, before, after


def compare(before: Happened, after: Happened) -> Iterator[Key]:
    """Yield what changed in one situation."""
    if after.exit != before.exit:
        worked = before.exit == "0"
        yield "exit", f"{before.exit} -> {after.exit}", False, worked
    was = {name for one in before.exchanges for name in names_of(one)}
    now = {name for one in after.exchanges for name in names_of(one)}
    for name in now - was:
        if is_refusal(name.kind, name.name):
            yield name.kind, f"+ {name.name}", name.is_of_slot, True
        elif is_comparable(name, was):
            yield name.kind, f"+ {name.name}", name.is_of_slot, False
    for name in was - now:
        if is_comparable(name, now):
            yield name.kind, f"- {name.name}", name.is_of_slot, False
    old_counts, new_counts = counts(before.exchanges), counts(after.exchanges)
    for what in sorted(old_counts.keys() | new_counts.keys()):
        if old_counts[what] != new_counts[what]:
            # a client that was stopped also sends no further requests
            stopped = bool(old_counts) and not new_counts
            yield "count", f"{what}: {old_counts[what]} -> {new_counts[what]}", False, stopped
    if (change := size_change(before.exchanges, after.exchanges)) is not None:
        yield "size", f"{change:+.0%}", False, False


def is_comparable(name: Name, others: set[Name]) -> bool:
    """Tell whether the other record has requests on this route; if not, the counts say all."""
    return name.kind in ("model", "endpoint") or any(
        one.is_of_slot == name.is_of_slot and one.kind == "model" for one in others
    )


def is_refusal(kind: str, name: str) -> bool:
    """Tell whether a request that is new in a situation was refused, or its answer was cut off."""
    if kind != "status":
        return False
    status = int(name.partition(" ")[0])
    return status >= 400 or status == 0


def size_change(before: list[Exchange], after: list[Exchange]) -> float | None:
    """Return by how much the size of all requests changed, if that is much."""
    was, now = (
        sum(len(one.body) for one in exchanges if one.target.startswith(MODEL_ENDPOINTS))
        for exchanges in (before, after)
    )
    if not was or abs(now - was) / was < SIZE_CHANGE:
        return None
    return (now - was) / was


def binary_differences(old: Record, new: Record) -> Iterator[Difference]:
    """Yield names that were added to or removed from the program."""
    for kind in BINARY_KINDS:
        was, now = set(old.binary.get(kind, ())), set(new.binary.get(kind, ()))
        yield from (Difference(kind, f"+ {name}", False, ()) for name in sorted(now - was))
        yield from (Difference(kind, f"- {name}", False, ()) for name in sorted(was - now))
