"""One page that says what a new version changes and breaks, with the file to look at.

Knows: Markdown. Independent of: how anything was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from differences import Difference

SHOWN_PLACES = 3
SHOWN_NAMES = 12
# hundreds of these change in a release; only their number gets a line
MANY = ("gates", "variables")


class Finding(NamedTuple):
    """One thing that is broken."""

    text: str
    place: str


class Page(NamedTuple):
    """The results of one run of build/contract."""

    title: str
    result: str  # works, differs, broken
    facts: Sequence[str]
    breaks: Sequence[Finding]
    differences: Sequence[Difference]
    changed_bodies: Sequence[str]  # the bodies at Bedrock that differ from the accepted ones


def render(page: Page) -> str:
    """The page's text."""
    return "\n".join(lines(page)).rstrip() + "\n"


def lines(page: Page) -> Iterator[str]:
    """Yield the page line by line."""
    yield from (f"# {page.title}: {page.result}", "")
    yield from (f"* {fact}" for fact in page.facts)
    yield from section(
        "Broken", [f"* **{one.text}**\n  look at: {one.place}" for one in page.breaks]
    )
    yield from section("Different requests", list(on_the_wire(page.differences)))
    yield from section("In the program only", list(in_the_program(page.differences)))
    yield from section(
        "Other bodies at Bedrock", [f"```\n{one}\n```" for one in page.changed_bodies]
    )
    if not (page.breaks or page.differences or page.changed_bodies):
        yield from ("", "Nothing is different.")


def section(title: str, texts: Sequence[str]) -> Iterator[str]:
    """Return a section of the page, if it has content."""
    if texts:
        yield from ("", f"## {title}", "", *texts)


def on_the_wire(differences: Iterable[Difference]) -> Iterator[str]:
    """Return what differs in requests; one line for one kind in the same situations."""
    alike: dict[tuple[str, bool, tuple[str, ...]], list[Difference]] = {}
    for one in differences:
        if one.where and not one.is_break:
            alike.setdefault((one.kind, one.is_of_slot, one.where), []).append(one)
    for found in alike.values():
        lane = "slot, " if found[0].is_of_slot else ""
        names = ", ".join(f"`{one.text}`" for one in found)
        yield f"* {found[0].kind} {names} ({lane}{where(found[0])})"
        yield f"  look at: {told(found[0])}"


def in_the_program(differences: Iterable[Difference]) -> Iterator[str]:
    """Return names that were added to or removed from the binary."""
    kinds: dict[str, list[Difference]] = {}
    for one in differences:
        if not one.where:
            kinds.setdefault(one.kind, []).append(one)
    for kind, found in kinds.items():
        shown = SHOWN_NAMES if kind not in MANY else SHOWN_PLACES
        names = ", ".join(f"`{one.text}`" for one in found[:shown])
        more = f" and {len(found) - shown} more" if len(found) > shown else ""
        yield f"* {kind}: {names}{more}"
        yield f"  look at: {told(found[0])}"


def where(one: Difference) -> str:
    """Return the situations."""
    if len(one.where) <= SHOWN_PLACES:
        return ", ".join(one.where)
    return f"{one.where[0]} and {len(one.where) - 1} more situations"


def told(one: Difference) -> str:
    """Return the place of a difference as text."""
    return f"{one.place.file} ({one.place.why})"
