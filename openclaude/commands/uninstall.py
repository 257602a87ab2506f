"""`openclaude uninstall`: stop everything, remove what openclaude has left, say how it goes itself.

Knows: what is shown, asked and done in which order. Refuses to know: which files are ours
(`uninstall_files`). `~/.claude` and `~/.aws` are never looked at.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import openclaude
from openclaude.commands.profiles_ask import confirm, is_attended, tell
from openclaude.commands.stacks import stack_names, stop_one
from openclaude.commands.uninstall_files import (
    STATE,
    Failure,
    Found,
    find_ours,
    is_there,
    look_into,
    remove,
)
from openclaude.commands.uninstall_program import Program, find_program
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.places import Places
from openclaude.profile.names import is_name
from openclaude.run.files import locked
from openclaude.run.stack import ask, read_record


class NotRemoved(OpenclaudeError):
    """Something of ours that stays, though it was to go."""

    code = "not-removed"


class Inventory(NamedTuple):
    """What there is to stop and to remove."""

    running: dict[str, int]  # the stacks that run, and their sessions
    found: tuple[Found, ...]
    profiles: Path | None  # the user's, where they are there and stay

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do."""
        return not self.running and not self.found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The word's options."""
    parser.add_argument("--purge", action="store_true", help="your own profiles too")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(arguments: argparse.Namespace, places: Places, _env: Mapping[str, str]) -> Result:
    """Show what there is, ask, remove it. Exit status 1 when something of ours stays."""
    program = this_program()
    there = take_inventory(places, purge=arguments.purge)
    if there.is_empty:
        text = f"openclaude has no files here\n{kept_text(there)}{program_text(program)}"
        return Result(text=text, data=report(there, program, is_done=True))
    if not arguments.yes:
        if not is_attended():
            return refused(there, program, as_json=arguments.json)
        tell(f"{announcement(there)}\n")
        if not confirm("go on?"):
            raise OpenclaudeError("nothing changed")
    return uninstall(there, places, program, purge=arguments.purge)


def this_program() -> Program:
    """The openclaude that runs."""
    return find_program(
        package=Path(openclaude.__file__).parent,
        prefix=Path(sys.prefix),
        python=sys.executable,
        called=sys.argv[0],
    )


def refused(there: Inventory, program: Program, *, as_json: bool) -> Result:
    """Nobody can be asked, and nobody has said yes."""
    error = UsageError(
        "`openclaude uninstall` asks first, and nobody can be asked here",
        hint="add `--yes` to go ahead",
    )
    if not as_json:
        tell(f"{announcement(there)}\n")
        raise error
    return Result(
        data=report(there, program, is_done=False),
        exit_code=error.exit_code,
        errors=tuple(error.entries()),
    )


def take_inventory(places: Places, *, purge: bool) -> Inventory:
    """Look at everything; nothing is changed."""
    found = find_ours(places, purge=purge)
    running = {}
    for name in our_stacks(places):
        record = read_record(places.stacks / name)
        if record and record.is_live:
            running[name] = count_sessions(places.stacks / name)
    profiles = places.config if not purge and is_there(places.config) else None
    return Inventory(running, found, profiles)


def our_stacks(places: Places) -> list[str]:
    """The folders that a stack of ours may have."""
    if places.state.is_symlink() or places.stacks.is_symlink():
        return []
    return [
        name
        for name in stack_names(places)
        if is_name(name) and not (places.stacks / name).is_symlink()
    ]


def count_sessions(folder: Path) -> int:
    """How many claudes use a stack; none that it can tell of where it does not answer."""
    try:
        answer = ask(folder, {"do": "status"})
    except OpenclaudeError:
        return 0
    return len(answer["sessions"]) if answer else 0


# --- what is said before


def announcement(there: Inventory) -> str:
    """What will be stopped, removed and kept; the user's own texts by name."""
    lines = [
        f"stop    the proxies of `{name}`{users(count)}" for name, count in there.running.items()
    ]
    for found in there.found:
        own = [path for path in found.files if path.suffix == ".toml"]
        others = counted(len(found.files) + len(found.trees) - len(own), "file")
        lines += [f"remove  {path}" for path in own]
        lines += [f"remove  {found.root} ({others})"] if found.folders else []
    return "".join(f"{line}\n" for line in lines) + "".join(
        f"keep    {path}: {why}\n" for path, why in kept(there)
    )


def users(count: int) -> str:
    """Who would lose it."""
    return f", used by {counted(count, 'session')} of claude" if count else ""


def counted(count: int, what: str) -> str:
    """So many of something."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def kept(there: Inventory) -> list[tuple[Path, str]]:
    """What stays, and why."""
    strange = [(path, "not openclaude's") for found in there.found for path in found.strange]
    own = [(there.profiles, "your profiles; `--purge` removes them")] if there.profiles else []
    return [*strange, *own]


# --- what is done


def uninstall(there: Inventory, places: Places, program: Program, *, purge: bool) -> Result:
    """Stop, then remove what is there by then."""
    stopped = [name for name in our_stacks(places) if stop_one(places.stacks / name)]
    failures = [one for name in our_stacks(places) for one in remove_stack(places, name)]
    left = find_ours(places, purge=purge)
    failures += [one for found in left for one in remove(found)]
    there = Inventory(dict.fromkeys(stopped, 0), there.found, there.profiles)
    text = "".join(f"stopped the proxies of `{name}`\n" for name in stopped)
    text += "".join(removed_text(found.root) for found in there.found if found.folders)
    errors = [not_removed(one) for one in failures]
    return Result(
        text=f"{text}{kept_text(there)}{failure_text(errors)}{program_text(program)}",
        data=report(there, program, is_done=True),
        exit_code=1 if errors else 0,
        errors=tuple(entry for error in errors for entry in error.entries()),
    )


def remove_stack(places: Places, name: str) -> list[Failure]:
    """Remove a stack's files while no launch can make it anew. Raises NotRemoved if one has."""
    folder = places.stacks / name
    with locked(folder / "lock"):
        record = read_record(folder)
        if record and record.is_live:
            raise NotRemoved(
                f"the proxies of `{name}` were started again meanwhile",
                hint="end what starts them, then run `openclaude uninstall` again",
            )
        found = look_into(places.state, STATE)
        files = [path for path in found.files if folder in path.parents]
        trees = [path for path in found.trees if folder in path.parents]
        return remove(Found(folder, tuple(files), tuple(trees)))


def not_removed(failure: Failure) -> NotRemoved:
    """The error for one path."""
    return NotRemoved(
        f"cannot remove `{failure.path}`: {failure.why}",
        hint="make its folder writable, then run `openclaude uninstall` again",
    )


# --- what is said after


def removed_text(root: Path) -> str:
    """What has gone: the folder, or all of it that was ours."""
    return f"removed what is openclaude's in {root}\n" if is_there(root) else f"removed {root}\n"


def kept_text(there: Inventory) -> str:
    """What has stayed."""
    return "".join(f"kept {path}: {why}\n" for path, why in kept(there))


def failure_text(errors: Iterable[NotRemoved]) -> str:
    """What should have gone."""
    return "".join(f"{error.message}; {error.hint}\n" for error in errors)


def program_text(program: Program) -> str:
    """How the program itself is removed."""
    return f"\nopenclaude itself goes with: {program.command}\n"


def report(there: Inventory, program: Program, *, is_done: bool) -> dict[str, object]:
    """The same for a program that reads it."""
    return {
        "is_done": is_done,
        "stopped": list(there.running),
        "removed": [
            {"path": str(found.root), "files": [str(path) for path in (*found.files, *found.trees)]}
            for found in there.found
        ],
        "kept": [{"path": str(path), "why": why} for path, why in kept(there)],
        "program": program._asdict(),
    }
