"""The validator: every mistake in a merged profile, with file and line.

Knows: the order of the rules. Independent of: the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from openclaude.diagnostics import Diagnostic, Key, Location
from openclaude.models.catalog import Catalog
from openclaude.profile.mistakes import key_of, locate
from openclaude.profile.read.document import Document
from openclaude.profile.read.merge import HEADING, Leaves, place_of
from openclaude.profile.schema import Heading, Profile
from openclaude.profile.validate.rules import find_broken_rules
from openclaude.profile.validate.schema_errors import find_shape_mistakes


def find_mistakes(values: Mapping[str, object], catalog: Catalog) -> Iterator[Diagnostic]:
    """What is wrong with a merged profile: the first finding at or above a key stands for it."""
    seen: set[Key] = set()
    for finder in (
        find_shape_mistakes(Profile, values),
        find_broken_rules(values, catalog),
    ):
        for finding in finder:
            key = key_of(finding)
            if not any(key[:length] in seen for length in range(1, len(key) + 1)):
                seen.add(key)
                yield finding


def parent_mistakes(parents: Iterable[Document]) -> Iterator[Diagnostic]:
    """What is wrong with what the parents say of themselves, which is not merged."""
    for document in parents:
        heading = {key: value for key, value in document.values.items() if key in HEADING}
        for finding in find_shape_mistakes(Heading, heading):
            yield locate(finding, document.path, document.line_of(key_of(finding)))


def place(finding: Diagnostic, merged: Leaves, first: Document) -> Diagnostic:
    """A finding with the file and the line to change."""
    document, line = place_of(merged, key_of(finding)) or (first, 1)
    found = locate(finding, document.path, line)
    other = place_of(merged, finding.related.key) if finding.related else None
    if other is None:
        return found._replace(related=None)
    return found._replace(related=Location(path=other[0].path, line=other[1]))


def in_order(mistakes: Iterable[Diagnostic], documents: list[Document]) -> list[Diagnostic]:
    """By file, the profile's own first, then by line."""
    return by_line(mistakes, [document.path for document in documents])


def by_line(found: Iterable[Diagnostic], paths: Sequence[Path]) -> list[Diagnostic]:
    """In the order of the files, then by line."""

    def position(one: Diagnostic) -> tuple[int, int]:
        location = one.location or Location()
        return paths.index(location.path or paths[0]), location.line or 0

    return sorted(found, key=position)
