"""The content of a record: a client's requests, and the result of each; and its file format.

Knows: the file format. Independent of: how a record is made, and what is compared. A record is one
JSON document, compressed: requests are similar to one another, so a thousand of them are small.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parents[2] / "tests/contract"
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 27}]


class Exchange(NamedTuple):
    """One request as the client sent it, without personal data, and its status."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: str
    status: int

    def document(self) -> dict[str, Any]:
        """The body as an object; empty if it is not one."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def model(self) -> str:
        """The requested model."""
        return str(self.document().get("model", ""))

    def header(self, name: str) -> str:
        """Return a header's value; "" if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(slots=True, kw_only=True)
class Happened:
    """One situation in one mode: how claude ended, and its requests."""

    exit: str  # an exit status, or why there is none
    exchanges: list[Exchange] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Record:
    """One version of claude in all modes and situations, and the names that are in its binary."""

    version: str
    date: str
    modes: dict[str, dict[str, Happened]] = field(default_factory=dict)
    binary: dict[str, list[str]] = field(default_factory=dict)

    def exchanges(self) -> list[Exchange]:
        """Return every request of it, without duplicates."""
        found = (
            one for mode in self.modes.values() for it in mode.values() for one in it.exchanges
        )
        return list(dict.fromkeys(found))


def kept(folder: Path = FOLDER) -> dict[str, Path]:
    """Return the kept records, by version, oldest first."""
    found = {path.name.removesuffix(".json.xz"): path for path in folder.glob("*.json.xz")}
    return dict(sorted(found.items(), key=lambda item: numbers(item[0])))


def numbers(version: str) -> tuple[int, ...]:
    """Return a version in comparable form."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def save(record: Record, path: Path) -> None:
    """Write a record."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(record), separators=(",", ":"), ensure_ascii=False)
    path.write_bytes(lzma.compress(text.encode(), filters=FILTERS))


def load(path: Path) -> Record:
    """Read a record."""
    document = json.loads(lzma.decompress(path.read_bytes()))
    modes = {
        mode: {
            name: Happened(exit=it["exit"], exchanges=[exchange(one) for one in it["exchanges"]])
            for name, it in happened.items()
        }
        for mode, happened in document.pop("modes").items()
    }
    return Record(modes=modes, **document)


def exchange(fields: list[Any]) -> Exchange:
    """Read an exchange from JSON."""
    method, target, headers, body, status = fields
    return Exchange(method, target, tuple((name, value) for name, value in headers), body, status)
