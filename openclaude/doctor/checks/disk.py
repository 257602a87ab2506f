"""Directories and files: can we write to them, is there space, who else has access.

Knows: how much space a stack needs, which permissions are too wide. Must not look at the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.snapshot.world import World

SCARCE_BYTES = 50_000_000  # logs and plans
NONE_BYTES = 1_000_000
OTHERS_WRITE = 0o022
OTHERS_READ = 0o077


def check_disk(world: World) -> Iterator[Diagnostic]:
    """Our directories, then the files whose permissions matter."""
    found = [*folders(world), *modes(world)]
    yield from found
    if not found:
        yield Diagnostic(
            code="disk",
            severity=Severity.OK,
            message="all directories are writable, and only by you",
        )


def check_recording(world: World) -> Iterator[Diagnostic]:
    """Bodies of requests, which hold prompts and answers."""
    number, folder = world.recorded
    if world.is_recording:
        yield Diagnostic(
            code="recording",
            severity=Severity.WARNING,
            message="prompts and answers of slots are being recorded",
            why="`openclaude requests record` has asked for it; it ends automatically",
            fix="run `openclaude requests record --stop`",
        )
    if number:
        yield Diagnostic(
            code="recorded",
            severity=Severity.NOTE,
            message=f"{number} recorded requests, with prompts and answers, are in `{folder}`",
            why="`openclaude requests record` has kept them",
            fix="run `openclaude requests record --remove` when you need them no longer",
        )


def folders(world: World) -> Iterator[Diagnostic]:
    """Our directories."""
    for folder in world.folders:
        if folder.problem:
            yield Diagnostic(
                code="folder-unusable",
                severity=Severity.ERROR,
                message=f"cannot use the directory `{folder.path}`: {folder.problem}",
                why="openclaude keeps its files there",
                fix=either(folder.fix),
                location=Location(path=Path(folder.path)),
            )
        elif folder.exposed:
            yield Diagnostic(
                code="folder-exposed",
                severity=Severity.ERROR,
                message=f"cannot keep files in `{folder.path}`: {folder.exposed}",
                why="another user could replace openclaude's keys and plans there",
                fix=either(folder.fix),
                location=Location(path=Path(folder.path)),
            )
        elif folder.free_bytes < SCARCE_BYTES:
            yield Diagnostic(
                code="disk-full",
                severity=Severity.ERROR if folder.free_bytes < NONE_BYTES else Severity.WARNING,
                message=f"the disk of `{folder.path}` has only "
                f"{folder.free_bytes // 1_000_000} MB left",
                why="openclaude writes logs and plans there",
                fix=f"free some space; `du -sh {quote(folder.path)}` shows what openclaude uses",
                location=Location(path=Path(folder.path)),
            )


def either(fix: str) -> str:
    """A fix of the folder, or another folder."""
    another = "choose another one with XDG_CONFIG_HOME, XDG_STATE_HOME or XDG_CACHE_HOME"
    return f"{fix}, or {another}" if fix else another


def modes(world: World) -> Iterator[Diagnostic]:
    """Files that other users could change or read."""
    for path, mode in world.modes:
        if path.endswith(".toml") and mode & OTHERS_WRITE:
            yield Diagnostic(
                code="profile-writable-by-others",
                severity=Severity.WARNING,
                message=f"other users can write to `{path}` ({mode:04o})",
                why="a change to it can redirect your requests",
                fix=f"run `chmod go-w {quote(path)}`",
                location=Location(path=Path(path)),
            )
        elif not path.endswith(".toml") and mode & OTHERS_READ:
            yield Diagnostic(
                code="readable-by-others",
                severity=Severity.WARNING,
                message=f"other users can read `{path}` ({mode:04o})",
                why="it contains a secret",
                fix=f"run `chmod 600 {quote(path)}`",
                location=Location(path=Path(path)),
            )
