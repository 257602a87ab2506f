"""`openclaude uninstall`: stop everything, remove our files, say how to remove the program.

Knows: what is shown, asked and done in which order. Independent of: which files are ours
(`uninstall_files`). `~/.claude` and `~/.aws` are not touched.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import openclaude
from openclaude.commands import help_page
from openclaude.commands.demo.leftovers import clear, find_leftovers
from openclaude.commands.running import stop_one
from openclaude.commands.uninstall.files import (
    STATE,
    Failure,
    Leftover,
    find_ours,
    is_there,
    look_into,
    remove_leftover,
)
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import locked
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import is_name
from openclaude.program import Program, find_program
from openclaude.prompt import confirm, is_attended, tell
from openclaude.run.stack.folder import is_live, read_record
from openclaude.run.stack.holding import release_ports
from openclaude.run.stack.places import Neighbour, neighbours, stack_folders
from openclaude.run.stack.reports import ask_report


class NotRemoved(OpenclaudeError):
    """One of our files that could not be removed."""

    code = "not-removed"


class Inventory(NamedTuple):
    """What to stop and to remove."""

    running: dict[str, int]  # the stacks that run, and their sessions
    found: tuple[Leftover, ...]
    profiles: Path | None  # the user's, where they are there and stay
    demos: tuple[Path, ...]  # folders of demos that were killed
    theirs: tuple[Neighbour, ...] = ()  # stacks of other containers and machines with this home

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do."""
        return not self.running and not self.found and not self.demos


PAGE = help_page.HelpPage(
    text="""\
Stop all proxies and remove openclaude's own files, after confirmation, and say
how to remove the program itself. Your profiles stay unless you add --purge.
~/.claude and ~/.aws are not touched.""",
    examples=("openclaude uninstall", "openclaude uninstall --purge --yes"),
    variables=(*help_page.CONFIG, *help_page.STATE, *help_page.CACHE),
    docs="docs/install.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    help_page.add_page(parser, PAGE)
    parser.add_argument("--purge", action="store_true", help="remove your own profiles too")
    parser.add_argument("--yes", action="store_true", help="remove everything without confirmation")
    help_page.add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Show what will be removed, ask, remove it. Exit status 1 if something is left.

    Raises OpenclaudeError.
    """
    program = this_program()
    there = take_inventory(places, env, purge=arguments.purge)
    if there.is_empty:
        text = f"openclaude has no files here\n{kept_text(there)}{program_text(program)}"
        return Result(text=text, data=report(there, program, is_done=True))
    if not arguments.yes:
        if not is_attended():
            return refused(there, program, as_json=arguments.json)
        tell(f"{announcement(there)}\n")
        if not confirm("continue?"):
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
    """There is no terminal for a confirmation, and no `--yes`. Raises OpenclaudeError."""
    error = UsageError(
        "`openclaude uninstall` needs confirmation, but there is no terminal",
        hint="add `--yes`",
    )
    if not as_json:
        tell(f"{announcement(there)}\n")
        raise error
    return Result(
        data=report(there, program, is_done=False),
        exit_code=error.exit_code,
        errors=tuple(error.entries()),
    )


def take_inventory(places: Places, env: Mapping[str, str], *, purge: bool) -> Inventory:
    """Look at everything; nothing is changed."""
    theirs = tuple(neighbours(places.stacks))
    found = find_ours(places, purge=purge, spared=[one.folder for one in theirs])
    running = {}
    for name, folder in our_stacks(places).items():
        record = read_record(folder)
        if record and is_live(record):
            running[name] = count_sessions(folder)
    profiles = places.config if not purge and is_there(places.config) else None
    return Inventory(running, found, profiles, tuple(find_leftovers(env)), theirs)


def our_stacks(places: Places) -> dict[str, Path]:
    """The folders that a stack of this place may have, by name."""
    if places.state.is_symlink() or places.stacks.is_symlink():
        return {}
    return {
        name: folder
        for name, folder in stack_folders(places.stacks).items()
        if is_name(name) and not folder.is_symlink() and not folder.parent.is_symlink()
    }


def count_sessions(folder: Path) -> int:
    """How many sessions use a stack; 0 if it does not answer."""
    try:
        report = ask_report(folder)
    except OpenclaudeError:
        return 0
    return len(report.sessions) if report else 0


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
    lines += [f"remove  {path} (left by a demo that was killed)" for path in there.demos]
    return "".join(f"{line}\n" for line in lines) + "".join(
        f"keep    {path}: {why}\n" for path, why in kept(there)
    )


def users(count: int) -> str:
    """The sessions that use it."""
    return f", used by {counted(count, 'session')} of claude" if count else ""


def counted(count: int, what: str) -> str:
    """A number and its noun."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def kept(there: Inventory) -> list[tuple[Path, str]]:
    """What stays, and why."""
    strange = [(path, "not openclaude's") for found in there.found for path in found.strange]
    own = [(there.profiles, "your profiles; `--purge` removes them")] if there.profiles else []
    theirs = [(one.folder, f"the proxies of `{one.name}` {one.who}") for one in there.theirs]
    return [*strange, *theirs, *own]


# --- what is done


def uninstall(there: Inventory, places: Places, program: Program, *, purge: bool) -> Result:
    """Stop, then remove what is there by then."""
    ours = our_stacks(places)
    stopped = [name for name, folder in ours.items() if stop_one(folder)]
    for folder in ours.values():
        release_ports(folder)
    failures = [one for folder in ours.values() for one in remove_stack(places, folder)]
    left = find_ours(places, purge=purge, spared=[one.folder for one in there.theirs])
    failures += [one for found in left for one in remove_leftover(found)]
    for folder in there.demos:
        clear(folder)
    there = there._replace(running=dict.fromkeys(stopped, 0))
    text = "".join(f"stopped the proxies of `{name}`\n" for name in stopped)
    text += "".join(removed_text(found.root) for found in there.found if found.folders)
    text += "".join(removed_text(folder) for folder in there.demos)
    errors = [not_removed(one) for one in failures]
    return Result(
        text=f"{text}{kept_text(there)}{failure_text(errors)}{program_text(program)}",
        data=report(there, program, is_done=True),
        exit_code=1 if errors else 0,
        errors=tuple(entry for error in errors for entry in error.entries()),
    )


def remove_stack(places: Places, folder: Path) -> list[Failure]:
    """Remove a stack's files while no launch can start it again. Raises NotRemoved if one has."""
    with locked(folder / "lock"):
        record = read_record(folder)
        if record and is_live(record):
            raise NotRemoved(
                f"the proxies of `{folder.name}` were started again meanwhile",
                hint="stop whatever starts them, then run `openclaude uninstall` again",
            )
        found = look_into(places.state, STATE)
        files = [path for path in found.files if folder in path.parents]
        trees = [path for path in found.trees if folder in path.parents]
        return remove_leftover(Leftover(folder, tuple(files), tuple(trees)))


def not_removed(failure: Failure) -> NotRemoved:
    """The error for one path."""
    return NotRemoved(
        f"cannot remove `{failure.path}`: {failure.why}",
        hint="make its directory writable, then run `openclaude uninstall` again",
    )


# --- what is said after


def removed_text(root: Path) -> str:
    """The line about a removed directory, or about our files in it."""
    return f"removed openclaude's files in {root}\n" if is_there(root) else f"removed {root}\n"


def kept_text(there: Inventory) -> str:
    """The lines about what was kept."""
    return "".join(f"kept {path}: {why}\n" for path, why in kept(there))


def failure_text(errors: Iterable[NotRemoved]) -> str:
    """The lines about what could not be removed."""
    return "".join(f"{error.message}; {error.hint}\n" for error in errors)


def program_text(program: Program) -> str:
    """How the program itself is removed."""
    return f"\nto remove openclaude itself: {program.command}\n"


def report(there: Inventory, program: Program, *, is_done: bool) -> dict[str, object]:
    """The same as data."""
    return {
        "is_done": is_done,
        "stopped": list(there.running),
        "removed": [
            {"path": str(found.root), "files": [str(path) for path in (*found.files, *found.trees)]}
            for found in (*there.found, *(Leftover(path, trees=(path,)) for path in there.demos))
        ],
        "kept": [{"path": str(path), "why": why} for path, why in kept(there)],
        "program": program._asdict(),
    }
