"""`openclaude profiles set` and `unset`: one key of one profile.

Knows: the steps, and what is said afterwards. Refuses to know: TOML, the rules of a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from openclaude.commands.profiles_shelf import Kept, encoded, find_kept, save, user_path, writing
from openclaude.errors import OpenclaudeError
from openclaude.output import Result
from openclaude.places import Places

if TYPE_CHECKING:
    from openclaude.profile.library import Library
    from openclaude.profile.locate import Key


class NotWritten(OpenclaudeError):
    """A key to remove that the profile's own file does not have."""

    code = "profile-key-absent"


class Change(NamedTuple):
    """What a command line asks for."""

    verb: str  # for the report
    key: Key
    edit: Callable[[str], str]


def set_key(
    places: Places,
    library: Library,
    name: str,
    env: Mapping[str, str],
    *,
    key_text: str,
    value_text: str,
) -> Result:
    """Give a key a value."""
    from openclaude.profile.authoring import set_value
    from openclaude.profile.wanted import read_key, read_value

    encoded(value_text)
    key = read_key(key_text)
    value = read_value(key, value_text)
    change = Change("set", key, lambda text: set_value(text, key, value))
    return make_change(places, library, name, env, change)


def unset_key(
    places: Places, library: Library, name: str, env: Mapping[str, str], *, key_text: str
) -> Result:
    """Remove a key."""
    from openclaude.profile.authoring import unset_value
    from openclaude.profile.wanted import read_key

    key = read_key(key_text)

    def edit(text: str) -> str:
        shorter = unset_value(text, key)
        if shorter == text:
            raise not_written(library, name, env, key)
        return shorter

    return make_change(places, library, name, env, Change("removed", key, edit))


def make_change(
    places: Places, library: Library, name: str, env: Mapping[str, str], change: Change
) -> Result:
    """Edit, judge, save; what is wrong is never saved."""
    from openclaude.profile.drafts import as_document, judge_draft, without_override

    path = user_path(places, name)
    with writing(places):
        kept = find_kept(places, library, name)
        before = as_document(kept.path, kept.content).values
        text = kept.same_mark(change.edit(kept.text))
        content = text.encode("utf-8")
        after = as_document(path, content).values
        if content != kept.content:
            judge_draft(library, name, path, content, without_override(env, change.key))
            save(path, text)
    is_new = content != kept.content
    notes = [*notes_of(kept, path, is_saved=is_new), *leftovers(before, after, change.key)]
    notes += [*overrides(env, change.key), *broken_children(library, name, env)] if is_new else []
    return report(name, path, change, notes, is_saved=is_new)


def report(name: str, path: Path, change: Change, notes: list[str], *, is_saved: bool) -> Result:
    """What was done."""
    from openclaude.profile.locate import dotted

    key = dotted(change.key)
    first = f"{change.verb} `{key}` in `{path}`" if is_saved else "nothing changed"
    data = {"name": name, "path": str(path), "key": key, "changed": is_saved, "notes": notes}
    return Result(text="".join(f"{line}\n" for line in (first, *map(noted, notes))), data=data)


def noted(note: str) -> str:
    """A note as a line."""
    return f"note: {note}"


def notes_of(kept: Kept, path: Path, *, is_saved: bool) -> Iterator[str]:
    """That a shipped profile has become the user's."""
    if kept.is_shipped and is_saved:
        yield f"`{path}` is a copy of the shipped `{kept.name}`, and is used instead of it"


def leftovers(
    before: Mapping[str, Any], after: Mapping[str, Any], key: tuple[str | int, ...]
) -> Iterator[str]:
    """What a tier whose model changed still says of the old one."""
    if key[0] != "tiers" or len(key) not in (2, 3):
        return
    old, new = (find_tier(values, str(key[1])) for values in (before, after))
    others = [name for name in new if name != "model" and new[name] == old.get(name)]
    if old.get("model") != new.get("model") and others:
        names = ", ".join(f"`{name}`" for name in others)
        yield f"`tiers.{key[1]}` keeps what was said of the old model: {names}"


def find_tier(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A tier in the long form."""
    tiers = values.get("tiers")
    tier = tiers.get(name, {}) if isinstance(tiers, Mapping) else {}
    return tier if isinstance(tier, Mapping) else {"model": tier}


def overrides(env: Mapping[str, str], key: tuple[str | int, ...]) -> Iterator[str]:
    """A variable that hides what was just written."""
    from openclaude.profile.drafts import without_override

    for variable in sorted({name for name in env if env[name]} - set(without_override(env, key))):
        yield f"{variable} is set, and goes before the profile"


def broken_children(library: Library, name: str, env: Mapping[str, str]) -> Iterator[str]:
    """The user's profiles that extend this one and are not valid."""
    from openclaude.profile.mistakes import ProfileMistakes

    for child in children(library, name):
        try:
            library.load(child, env=env)
        except ProfileMistakes:
            yield f"`{child}` extends it and has mistakes: `openclaude profiles validate {child}`"


def children(library: Library, name: str) -> list[str]:
    """The user's profiles whose `extends` names this one; what cannot be read extends nothing."""
    from openclaude.profile.document import read_document
    from openclaude.profile.mistakes import ProfileMistakes, UnreadableProfile

    found = []
    for entry in library.entries():
        try:
            document = read_document(entry.path) if entry.where == "user" else None
        except (ProfileMistakes, UnreadableProfile):
            continue
        if document and document.values.get("extends") == name:
            found.append(entry.name)
    return found


def not_written(
    library: Library, name: str, env: Mapping[str, str], key: tuple[str | int, ...]
) -> NotWritten:
    """The error for a key that is not there to be removed, with where its value is from."""
    from openclaude.profile.locate import dotted

    message = f"`{dotted(key)}` is not written in `{name}`"
    try:
        origins = library.load(name, env=env).provenance
        origin = origins.get(dotted(key)) or origins.get(f"{dotted(key)}.model")
    except OpenclaudeError:
        origin = None
    if origin is None or origin.kind == "default":
        return NotWritten(message, hint=f"see what is: `openclaude profiles show {name}`")
    return NotWritten(message, hint=f"it comes from {origin}")
