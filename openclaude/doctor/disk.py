"""Folders and files: can they be written, is there room, who else can.

Knows: how much room a stack needs, which permissions are too wide. Refuses to know: the disk.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaude.doctor.finding import OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World

SCARCE_BYTES = 50_000_000  # logs and plans
NONE_BYTES = 1_000_000
OTHERS_WRITE = 0o022
OTHERS_READ = 0o077


def check_disk(world: World) -> Iterator[Finding]:
    """Our folders, then the files whose permissions matter."""
    found = [*folders(world), *modes(world)]
    yield from found
    if not found:
        yield Finding("disk", OK, "every folder can be written, and nobody else writes to them")


def folders(world: World) -> Iterator[Finding]:
    """Folders of ours."""
    for folder in world.folders:
        if folder.problem:
            yield Finding(
                "folder-unusable",
                STOPS,
                f"cannot use the folder `{folder.path}`: {folder.problem}",
                "openclaude keeps its state there",
                f"make it writable (`mkdir -p {folder.path} && chmod 700 {folder.path}`), or name "
                "another place with XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_CACHE_HOME",
                folder.path,
            )
        elif folder.free_bytes < SCARCE_BYTES:
            yield Finding(
                "disk-full",
                STOPS if folder.free_bytes < NONE_BYTES else WARNS,
                f"the disk of `{folder.path}` has {folder.free_bytes // 1_000_000} MB left",
                "logs and plans are written there",
                f"free some space: `du -sh {folder.path}`",
                folder.path,
            )


def modes(world: World) -> Iterator[Finding]:
    """Files that others could change or read."""
    for path, mode in world.modes:
        if path.endswith(".toml") and mode & OTHERS_WRITE:
            yield Finding(
                "profile-writable-by-others",
                WARNS,
                f"others can write `{path}` ({mode:04o})",
                "whoever writes it decides where your requests go",
                f"run `chmod go-w {path}`",
                path,
            )
        elif not path.endswith(".toml") and mode & OTHERS_READ:
            yield Finding(
                "readable-by-others",
                WARNS,
                f"others can read `{path}` ({mode:04o})",
                "it holds a secret",
                f"run `chmod 600 {path}`",
                path,
            )
