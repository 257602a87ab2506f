"""`openclaude profiles set` and `unset`: keys of one profile, changed together.

Knows: the steps, and what is said afterwards. Independent of: TOML, the rules of a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from openclaude.commands.profiles.store import Kept, encoded, find_kept, save, user_path, writing
from openclaude.errors import OpenclaudeError
from openclaude.output import Result
from openclaude.paths import Places

if TYPE_CHECKING:
    from openclaude.diagnostics import Key
    from openclaude.profile.library import Library


class NotWritten(OpenclaudeError):
    """A key to remove that the profile's own file does not have."""

    code = "profile-key-absent"


class Change(NamedTuple):
    """What a command line asks for."""

    verb: str  # for the report
    keys: tuple[Key, ...]
    edit: Callable[[str], str]


def set_keys(
    places: Places,
    library: Library,
    name: str,
    env: Mapping[str, str],
    assignments: Sequence[tuple[str, str]],
) -> Result:
    """Give keys their values; what one of them needs, another may bring."""
    from openclaude.profile.author.edit import set_value
    from openclaude.profile.author.parse_value import read_key, read_value

    values = []
    for key_text, value_text in assignments:
        encoded(value_text)
        key = read_key(key_text)
        values.append((key, read_value(key, value_text)))

    def edit(text: str) -> str:
        for key, value in values:
            text = set_value(text, key, value)
        return text

    keys = tuple(key for key, _ in values)
    return make_change(places, library, name, env, Change(verb="set", keys=keys, edit=edit))


def unset_keys(
    places: Places, library: Library, name: str, env: Mapping[str, str], key_texts: Sequence[str]
) -> Result:
    """Remove keys. Raises OpenclaudeError."""
    from openclaude.profile.author.edit import unset_value
    from openclaude.profile.author.parse_value import read_key

    keys = tuple(read_key(text) for text in key_texts)

    def edit(text: str) -> str:
        for key in keys:
            shorter = unset_value(text, key)
            if shorter == text:
                raise not_written(library, name, env, key)
            text = shorter
        return text

    return make_change(places, library, name, env, Change(verb="removed", keys=keys, edit=edit))


def make_change(
    places: Places, library: Library, name: str, env: Mapping[str, str], change: Change
) -> Result:
    """Edit, validate, save; an invalid profile is never saved."""
    from openclaude.profile.author.drafts import as_document, judge_draft

    path = user_path(places, name)
    with writing(places):
        kept = find_kept(places, library, name)
        before = as_document(kept.path, kept.content).values
        text = kept.same_mark(change.edit(kept.text))
        content = text.encode("utf-8")
        after = as_document(path, content).values
        if content != kept.content:
            judge_draft(library, name, path, content, unreplaced(env, change.keys))
            save(path, text)
    is_new = content != kept.content
    notes = [*notes_of(kept, path, is_saved=is_new)]
    notes += [note for key in change.keys for note in leftovers(before, after, key)]
    notes += [*overrides(env, change.keys), *broken_children(library, name, env)] if is_new else []
    return report(name, path, change, notes, is_saved=is_new)


def report(name: str, path: Path, change: Change, notes: list[str], *, is_saved: bool) -> Result:
    """What was done."""
    from openclaude.diagnostics import dotted

    keys = [dotted(key) for key in change.keys]
    named = ", ".join(f"`{key}`" for key in keys)
    first = f"{change.verb} {named} in `{path}`" if is_saved else "nothing changed"
    # `key` is of the time when one could be changed at once
    data = {
        **{"name": name, "path": str(path), "key": keys[0], "keys": keys},
        **{"changed": is_saved, "notes": notes},
    }
    return Result(text="".join(f"{line}\n" for line in (first, *map(noted, notes))), data=data)


def noted(note: str) -> str:
    """A note as a line."""
    return f"note: {note}"


def notes_of(kept: Kept, path: Path, *, is_saved: bool) -> Iterator[str]:
    """The note that a built-in profile was copied."""
    if kept.is_shipped and is_saved:
        yield f"`{path}` is a copy of the built-in `{kept.name}`, and is used instead of it"


def leftovers(
    before: Mapping[str, Any], after: Mapping[str, Any], key: tuple[str | int, ...]
) -> Iterator[str]:
    """The values of a tier that still describe its old model."""
    if key[0] != "tiers" or len(key) not in (2, 3):
        return
    old, new = (find_tier(values, str(key[1])) for values in (before, after))
    others = [name for name in new if name != "model" and new[name] == old.get(name)]
    if old.get("model") != new.get("model") and others:
        names = ", ".join(f"`{name}`" for name in others)
        yield f"`tiers.{key[1]}` still has values for the old model, update or unset them: {names}"


def find_tier(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A tier in the long form."""
    tiers = values.get("tiers")
    tier = tiers.get(name, {}) if isinstance(tiers, Mapping) else {}
    return tier if isinstance(tier, Mapping) else {"model": tier}


def unreplaced(env: Mapping[str, str], keys: Sequence[Key]) -> Mapping[str, str]:
    """The environment without the variables that replace one of these keys."""
    from openclaude.profile.author.drafts import without_override

    for key in keys:
        env = without_override(env, key)
    return env


def overrides(env: Mapping[str, str], keys: Sequence[Key]) -> Iterator[str]:
    """The note that a variable overrides what was just written."""
    for variable in sorted({name for name in env if env[name]} - set(unreplaced(env, keys))):
        yield f"{variable} is set, and overrides the profile"


def broken_children(library: Library, name: str, env: Mapping[str, str]) -> Iterator[str]:
    """The user's profiles that extend this one and are not valid."""
    from openclaude.profile.mistakes import ProfileMistakes

    for child in children(library, name):
        try:
            library.load(child, env=env)
        except ProfileMistakes:
            yield f"`{child}` extends it and has mistakes: `openclaude profiles validate {child}`"


def children(library: Library, name: str) -> list[str]:
    """The user's profiles whose `extends` names this one; unreadable ones are skipped."""
    from openclaude.profile.mistakes import ProfileMistakes, UnreadableProfile
    from openclaude.profile.read.document import read_document

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
    """The error for a key that cannot be removed, with the origin of its value."""
    from openclaude.diagnostics import dotted

    message = f"`{dotted(key)}` is not set in `{name}`"
    try:
        origins = library.load(name, env=env).provenance
        origin = origins.get(dotted(key)) or origins.get(f"{dotted(key)}.model")
    except OpenclaudeError:
        origin = None
    if origin is None or origin.kind == "default":
        return NotWritten(message, hint=f"see what is set: `openclaude profiles show {name}`")
    return NotWritten(message, hint=f"it comes from {origin}")
