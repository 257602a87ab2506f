"""Advisories about packages: the affected versions, and the locked ones among them.

Knows: the format of a snapshot (advisories.json), how versions are ordered. Independent of: where
advisories are published, which locks there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of versions: from one, up to or before another; "" means open-ended."""

    since: str = "0"
    before: str = ""
    upto: str = ""

    def has(self, version: Version) -> bool:
        """Tell whether a version is in it."""
        return (
            version >= Version(self.since)
            and (not self.before or version < Version(self.before))
            and (not self.upto or version <= Version(self.upto))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """One advisory about one package."""

    id: str
    package: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    spans: tuple[Span, ...] = ()
    versions: tuple[str, ...] = ()  # affected versions that are listed individually

    def is_about(self, version: str) -> bool:
        """Tell whether it applies to this version."""
        return version in self.versions or any(span.has(Version(version)) for span in self.spans)

    @property
    def fixed_in(self) -> str:
        """Return the first versions that are not affected."""
        return ", ".join(span.before for span in self.spans if span.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was known on one day."""

    taken: str  # the day
    source: str
    advisories: tuple[Advisory, ...]


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return Snapshot(
        taken=table["taken"],
        source=table["source"],
        advisories=tuple(advisory_from(row) for row in table["advisories"]),
    )


def advisory_from(row: dict[str, Any]) -> Advisory:
    """An advisory from its row."""
    spans = tuple(Span(**span) for span in row.get("spans", ()))
    lists = {key: tuple(row.get(key, ())) for key in ("aliases", "versions")}
    return Advisory(**{**row, **lists, "spans": spans})


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write it, in an order that makes a short diff."""
    ordered = sorted(snapshot.advisories, key=lambda one: (one.package, one.id))
    table = {
        "taken": snapshot.taken,
        "source": snapshot.source,
        "advisories": [without_empty(asdict(one)) for one in ordered],
    }
    new = path.with_suffix(".new")
    new.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(path)


def without_empty(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without empty values."""
    spans = [{key: value for key, value in span.items() if value} for span in row["spans"]]
    return {key: value for key, value in {**row, "spans": spans}.items() if value}


def applying(
    pins: Iterable[tuple[str, str]], advisories: Iterable[Advisory]
) -> list[tuple[str, Advisory]]:
    """Return the advisories about a locked version, each with that version."""
    known = list(advisories)
    return sorted(
        (
            (version, one)
            for name, version in set(pins)
            for one in known
            if one.package == name and one.is_about(version)
        ),
        key=lambda hit: (hit[1].package, hit[1].id),
    )


def is_version(text: str) -> bool:
    """Tell whether a version can be compared with others."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
