"""`openclaude profiles list`: every profile, what its tiers run on, and which is the default.

Knows: how the list looks. Independent of: the rules of a profile.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from openclaude.commands.profiles.edit import DRAFT, left_drafts
from openclaude.errors import OpenclaudeError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import BadDefault, default_profile_name
from openclaude.terminal.screen import BAD, GOOD, Screen, find_screen
from openclaude.terminal.tables import Cell, paragraph, table

if TYPE_CHECKING:
    from openclaude.profile.library import Entry, Library
    from openclaude.profile.read.loaded import Loaded

TIERS = ("opus", "sonnet", "haiku", "fable")
UNKNOWN = "?"


def list_profiles(library: Library, places: Places, env: Mapping[str, str]) -> Result:
    """Every profile; a broken one is in the list and does not stop it."""
    from openclaude.profile.mistakes import ProfileMistakes, UnreadableProfile

    default, wrong = find_default(places, env)
    entries = library.entries()
    loaded: dict[str, Loaded | OpenclaudeError] = {}
    for entry in entries:
        try:
            loaded[entry.name] = library.load(entry.name, env=env)
        except (ProfileMistakes, UnreadableProfile) as error:
            loaded[entry.name] = error
    screen = find_screen(sys.stdout, env)
    rows = [list_row(entry, loaded[entry.name], default) for entry in entries]
    notes = [*broken_notes(loaded), *library_notes(library, default, screen), *wrong]
    text = table(("  NAME", *(tier.upper() for tier in TIERS), "FROM"), rows, screen)
    if notes:
        text += "\n" + "".join(f"{paragraph(note, screen, '  ')}\n" for note in notes)
    items = [list_item(entry, loaded[entry.name], default) for entry in entries]
    return Result(text=text, data={"default": default or None, "profiles": items})


def find_default(places: Places, env: Mapping[str, str]) -> tuple[str, list[str]]:
    """The default's name, or why it is unknown: the list must work even then."""
    try:
        return default_profile_name(env, places), []
    except BadDefault as error:
        return "", [f"{error.message}: {error.hint}"]


def list_row(entry: Entry, loaded: Loaded | OpenclaudeError, default: str) -> Sequence[str | Cell]:
    """A profile's line in the table."""
    mark = "*" if entry.name == default else " "
    style = BAD if isinstance(loaded, OpenclaudeError) else GOOD if entry.name == default else ""
    return (Cell(f"{mark} {entry.name}", style), *tier_models(loaded).values(), entry.where)


def tier_models(loaded: Loaded | OpenclaudeError) -> dict[str, str]:
    """The model of each tier; unknown for a broken profile."""
    if isinstance(loaded, OpenclaudeError):
        return dict.fromkeys(TIERS, UNKNOWN)
    return {name: tier.model for name, tier in loaded.profile.tiers.items()}


def broken_notes(loaded: Mapping[str, Loaded | OpenclaudeError]) -> Iterator[str]:
    """The first mistake of each broken profile, and how to see the others."""
    for name, one in loaded.items():
        if isinstance(one, OpenclaudeError):
            first, *others = one.lines
            more = f" (and {len(others)} more: `openclaude profiles validate {name}`)"
            yield f"broken: {name}: {first}{more if others else ''}"


def library_notes(library: Library, default: str, screen: Screen) -> Iterator[str]:
    """Notes about files that are not in the list."""
    from openclaude.profile.names import NAME_RULE

    for path in library.misnamed():
        draft = DRAFT.fullmatch(path.name)
        if draft is None:
            yield f"not listed: {screen.path(path)}: {NAME_RULE}"
        elif path in left_drafts(library.user, draft["name"]):
            command = f"openclaude profiles edit {draft['name']}"
            yield f"unfinished: {screen.path(path)}: continue with `{command}`"
    if default and default not in library.names():
        yield f"the default, `{default}`, does not exist"


def list_item(entry: Entry, loaded: Loaded | OpenclaudeError, default: str) -> Mapping[str, object]:
    """A profile in the JSON list."""
    item = {
        "name": entry.name,
        "path": str(entry.path),
        "from": entry.where,
        "default": entry.name == default,
    }
    if isinstance(loaded, OpenclaudeError):
        return item | {"description": None, "tiers": None, "errors": loaded.entries()}
    description = loaded.profile.description
    return item | {"description": description, "tiers": tier_models(loaded), "errors": []}
