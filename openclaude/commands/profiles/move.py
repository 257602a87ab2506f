"""`openclaude profiles use`, `rename` and `remove`: names, and what refers to them.

Knows: the steps, and in which order a crash harms nothing. Independent of: what a profile says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.commands.profiles.set import children
from openclaude.commands.profiles.store import (
    Kept,
    check_free,
    find_file,
    find_kept,
    find_own,
    remove_file,
    save,
    writing,
)
from openclaude.errors import USAGE, OpenclaudeError, UsageError
from openclaude.files import private_folder, write_private
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import (
    DEFAULT_FILE,
    DEFAULT_PROFILE,
    PROFILE_VARIABLE,
    BadDefault,
    check_name,
    read_default,
)
from openclaude.prompt import confirm, is_attended
from openclaude.run.stack.folder import is_live, read_record
from openclaude.run.stack.places import stack_folder

if TYPE_CHECKING:
    from openclaude.profile.library import Library


class ProfileInUse(OpenclaudeError):
    """A profile that something relies on."""

    code = "profile-in-use"
    exit_code = USAGE


# --- use


def use_profile(places: Places, library: Library, name: str, env: Mapping[str, str]) -> Result:
    """Make a profile the default."""
    find_file(places, library, check_name(name))
    write_default(places, name)
    notes = []
    if env.get(PROFILE_VARIABLE):
        notes = [f"{PROFILE_VARIABLE} is set and takes precedence"]
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
    """Rename one of the user's profiles, also in every profile that extends it.

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
    notes = [f"`{name}` now extends `{new}`" for name in names]
    notes += [f"`{new}` is now the default"] if was_default else []
    notes += back_in_force(places, old)
    return Result(
        text=said([f"renamed `{old}` to `{new}`"], notes),
        data={"name": new, "path": str(path), "was": old, "extended_by": names, "notes": notes},
    )


def heir_text(heir: Kept, parent: str) -> str:
    """The text of a profile with another parent."""
    from openclaude.profile.author.edit import set_value

    return heir.same_mark(set_value(heir.text, ("extends",), parent))


def put_under(kept: Kept, path: Path) -> None:
    """The same file under a second name; a link keeps its target."""
    if kept.path.is_symlink():
        path.symlink_to(kept.path.readlink())
    else:
        save(path, kept.same_mark(kept.text))


# --- remove


def remove_profile(places: Places, library: Library, name: str, *, is_sure: bool) -> Result:
    """Remove one of the user's profiles, after confirmation."""
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
            notes += [f"`{heir}` now extends the built-in one" for heir in heirs]
        elif is_default(places, name):
            (places.config / DEFAULT_FILE).unlink()
            notes.append(f"it was the default; now `{DEFAULT_PROFILE}` is")
    return Result(
        text=said([f"removed `{path}`"], notes),
        data={"name": name, "path": str(path), "notes": notes},
    )


def check_removable(places: Places, library: Library, name: str) -> None:
    """Raise if a profile must not be removed."""
    find_own(places, library, name, what="removed")
    check_stopped(places, name)
    heirs = children(library, name)
    if heirs and not shipped_path(places, name).exists():
        names = ", ".join(f"`{heir}`" for heir in heirs)
        raise ProfileInUse(
            f"`{name}` is extended by {names}",
            hint=f"change their parent first: `openclaude profiles edit {heirs[0]}`",
        )


def ask_first(question: str, command: str) -> None:
    """Raise unless the user confirms."""
    if not is_attended():
        raise UsageError(
            f"{command} needs confirmation, but there is no terminal", hint="add `--yes`"
        )
    if not confirm(question):
        raise OpenclaudeError("nothing changed")


# --- both


def check_stopped(places: Places, name: str) -> None:
    """Raises ProfileInUse while a stack of the profile runs: its sessions go by that name."""
    record = read_record(stack_folder(places.stacks, name))
    if record and is_live(record):
        raise ProfileInUse(
            f"the proxies of `{name}` are running",
            hint=f"stop them first: `openclaude stop --profile {name}`",
        )


def shipped_path(places: Places, name: str) -> Path:
    """The path of the built-in profile of that name, which may not exist."""
    return places.shipped / f"{name}.toml"


def back_in_force(places: Places, name: str) -> list[str]:
    """The note that a built-in profile is used again."""
    is_shipped = shipped_path(places, name).exists()
    return [f"the built-in `{name}` is used again"] if is_shipped else []


def said(lines: Iterable[str], notes: Iterable[str]) -> str:
    """Lines, then notes."""
    return "".join(f"{line}\n" for line in (*lines, *(f"note: {note}" for note in notes)))
