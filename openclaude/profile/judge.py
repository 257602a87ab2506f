"""The judge: everything that is wrong with a merged profile, each at its file and line.

Knows: the order in which the rules speak. Refuses to know: the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from openclaude.profile.catalog import Catalog
from openclaude.profile.document import Document
from openclaude.profile.findings import Finding
from openclaude.profile.locate import Key, dotted
from openclaude.profile.merge import HEADING, Leaves, place_of
from openclaude.profile.mistakes import Mistake
from openclaude.profile.rules import find_broken_rules
from openclaude.profile.schema import Heading, Profile
from openclaude.profile.shape import find_shape_mistakes


def find_mistakes(values: Mapping[str, object], catalog: Catalog) -> Iterator[Finding]:
    """What is wrong with a merged profile: the first finding at or above a key stands for it."""
    seen: set[Key] = set()
    for finder in (
        find_shape_mistakes(Profile, values),
        find_broken_rules(values, catalog),
    ):
        for finding in finder:
            key = finding.key
            if not any(key[:length] in seen for length in range(1, len(key) + 1)):
                seen.add(key)
                yield finding


def parent_mistakes(parents: Iterable[Document]) -> Iterator[Mistake]:
    """What is wrong with what the parents say of themselves, which is not merged."""
    for document in parents:
        heading = {key: value for key, value in document.values.items() if key in HEADING}
        for finding in find_shape_mistakes(Heading, heading):
            yield make_mistake(finding, document, document.line_of(finding.key))


def place(finding: Finding, merged: Leaves, first: Document) -> Mistake:
    """A finding with the file and the line to mend."""
    document, line = place_of(merged, finding.key) or (first, 1)
    mistake = make_mistake(finding, document, line)
    other = place_of(merged, finding.other)
    return mistake if other is None else replace(mistake, other=(other[0].path, other[1]))


def make_mistake(finding: Finding, document: Document, line: int) -> Mistake:
    """A finding at a line of a file."""
    return Mistake(
        path=document.path,
        line=line,
        key=dotted(finding.key),
        message=finding.message,
        hint=finding.hint,
    )


def in_order(mistakes: Iterable[Mistake], documents: list[Document]) -> list[Mistake]:
    """By file, the profile's own first, then by line."""
    paths = [document.path for document in documents]
    return sorted(mistakes, key=lambda mistake: (paths.index(mistake.path), mistake.line))
