"""`openclaude profiles use`, `rename` and `remove`: names, and who relies on them.

Knows: the steps, and in which order a crash harms nothing. Refuses to know: what a profile says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.commands.profiles_ask import confirm, is_attended
from openclaude.commands.profiles_set import children
from openclaude.commands.profiles_shelf import (
    Kept,
    check_free,
    find_file,
    find_kept,
    find_own,
    remove_file,
    save,
    writing,
)
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.places import Places
from openclaude.profile.names import (
    DEFAULT_FILE,
    DEFAULT_PROFILE,
    PROFILE_VARIABLE,
    BadDefault,
    check_name,
    read_default,
)
from openclaude.run.files import private_folder, write_private
from openclaude.run.stack import read_record

if TYPE_CHECKING:
    from openclaude.profile.library import Library


class ProfileInUse(OpenclaudeError):
    """A profile that something relies on."""

    code = "profile-in-use"
    exit_code = 2


# --- use


def use_profile(places: Places, library: Library, name: str, env: Mapping[str, str]) -> Result:
    """Make a profile the one that is meant when none is named."""
    find_file(places, library, check_name(name))
    write_default(places, name)
    notes = []
    if env.get(PROFILE_VARIABLE):
        notes = [f"{PROFILE_VARIABLE} is set, and goes before it"]
    return Result(
        text=said([f"`{name}` is the default"], notes),
        data={"default": name, "path": str(places.config / DEFAULT_FILE), "notes": notes},
    )


def clear_default(places: Places) -> Result:
    """Go back to the default of openclaude."""
    (places.config / DEFAULT_FILE).unlink(missing_ok=True)
    return Result(
        text=f"`{DEFAULT_PROFILE}` is the default again\n",
        data={"default": DEFAULT_PROFILE, "path": str(places.config / DEFAULT_FILE), "notes": []},
    )


def write_default(places: Places, name: str) -> None:
    """The one line that says which profile is the default."""
    write_private(private_folder(places.config) / DEFAULT_FILE, f"{name}\n")


def is_default(places: Places, name: str) -> bool:
    """Whether `use` has chosen this one."""
    try:
        return read_default(places.config / DEFAULT_FILE) == name
    except BadDefault:
        return False


# --- rename


def rename_profile(places: Places, library: Library, old: str, new: str) -> Result:
    """Another name for a profile of the user's, and in every profile that extends it.

    The new file first, the old one last: a crash leaves every text under one of its names.
    """
    with writing(places):
        find_own(places, library, old, what="renamed")
        kept = find_kept(places, library, old)
        path = check_free(places, new)
        check_stopped(places, old)
        heirs = [find_kept(places, library, child) for child in children(library, old)]
        rewritten = [(heir.path, heir_text(heir, new)) for heir in heirs]
        put_under(kept, path)
        for heir, text in rewritten:
            save(heir, text)
        was_default = is_default(places, old)
        if was_default:
            write_default(places, new)
        remove_file(kept.path)
    names = [heir.name for heir in heirs]
    notes = [f"`{name}` extends `{new}` now" for name in names]
    notes += [f"`{new}` is the default now"] if was_default else []
    notes += back_in_force(places, old)
    return Result(
        text=said([f"renamed `{old}` to `{new}`"], notes),
        data={"name": new, "path": str(path), "was": old, "extended_by": names, "notes": notes},
    )


def heir_text(heir: Kept, parent: str) -> str:
    """The text of a profile with another parent."""
    from openclaude.profile.authoring import set_value

    return heir.same_mark(set_value(heir.text, ("extends",), parent))


def put_under(kept: Kept, path: Path) -> None:
    """The same file under a second name; a link leads where it led."""
    if kept.path.is_symlink():
        path.symlink_to(kept.path.readlink())
    else:
        save(path, kept.same_mark(kept.text))


# --- remove


def remove_profile(places: Places, library: Library, name: str, *, is_sure: bool) -> Result:
    """Remove a profile of the user's, once somebody has said so."""
    check_removable(places, library, name)
    if not is_sure:
        path = find_own(places, library, name, what="removed")
        ask_first(f"remove `{path}`?", f"`openclaude profiles remove {name}`")
    with writing(places):
        check_removable(places, library, name)
        path = find_own(places, library, name, what="removed")
        heirs = children(library, name)
        remove_file(path)
        notes = back_in_force(places, name)
        if notes:
            notes += [f"`{heir}` extends the shipped one now" for heir in heirs]
        elif is_default(places, name):
            (places.config / DEFAULT_FILE).unlink()
            notes.append(f"it was the default; now `{DEFAULT_PROFILE}` is")
    return Result(
        text=said([f"removed `{path}`"], notes),
        data={"name": name, "path": str(path), "notes": notes},
    )


def check_removable(places: Places, library: Library, name: str) -> None:
    """Raises what stands against removing a profile."""
    find_own(places, library, name, what="removed")
    check_stopped(places, name)
    heirs = children(library, name)
    if heirs and not shipped_path(places, name).exists():
        names = ", ".join(f"`{heir}`" for heir in heirs)
        raise ProfileInUse(
            f"`{name}` is extended by {names}",
            hint=f"give those another parent: `openclaude profiles edit {heirs[0]}`",
        )


def ask_first(question: str, command: str) -> None:
    """Raises unless a person says yes."""
    if not is_attended():
        raise UsageError(
            f"{command} asks first, and nobody can be asked here", hint="add `--yes` to go ahead"
        )
    if not confirm(question):
        raise OpenclaudeError("nothing changed")


# --- both


def check_stopped(places: Places, name: str) -> None:
    """Raises ProfileInUse while a stack of the profile runs: its sessions go by that name."""
    record = read_record(places.stacks / name)
    if record and record.is_live:
        raise ProfileInUse(
            f"the proxies of `{name}` are running",
            hint=f"stop them first: `openclaude stop --profile {name}`",
        )


def shipped_path(places: Places, name: str) -> Path:
    """Where the shipped profile of that name is, or would be."""
    return places.shipped / f"{name}.toml"


def back_in_force(places: Places, name: str) -> list[str]:
    """That the shipped profile of a name is no longer hidden."""
    is_shipped = shipped_path(places, name).exists()
    return [f"the shipped `{name}` is in force again"] if is_shipped else []


def said(lines: Iterable[str], notes: Iterable[str]) -> str:
    """Lines, then notes."""
    return "".join(f"{line}\n" for line in (*lines, *(f"note: {note}" for note in notes)))
