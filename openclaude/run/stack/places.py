"""Which folder a stack has: a home may be shared by containers, namespaces and machines.

Knows: whose a folder is, where the stacks of another place are. Independent of: what runs in them.

A profile's stack is in `stacks/NAME`, for whoever comes first. Where that one may still run in
another place, this place has a folder of its own, `stacks-PLACE/NAME`, and keeps to it. Decided
under the lock of `stacks/NAME`; two machines without common locks see each other's record.

Where the file system has no locks or no Unix sockets, `stacks-PLACE` is a file: the path of the
folder that this place has for them instead, on another file system.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from openclaude.contracts.stack_record import StackRecord
from openclaude.files import FolderUnusable, private_folder, read_regular, write_private
from openclaude.run.os.environment import Relation, digest, here, relation, shares_network
from openclaude.run.stack.control_socket import is_served
from openclaude.run.stack.folder import holders, read_record, record_path

# A container that was killed leaves its record. Its sessions may live on, if the supervisor alone
# was killed, and they find its port by it.
REMEMBERED_S = 24 * 3600.0
SEPARATOR = "-"
LONGEST_PATH = 4096


class Neighbour(NamedTuple):
    """A stack of another place in this home."""

    name: str
    folder: Path
    relation: Relation
    record: StackRecord | None = None

    @property
    def who(self) -> str:
        """Where it lives, for people."""
        if self.relation is Relation.ELSEWHERE:
            return "on another machine"
        return "in another container or namespace"


def own_stacks(stacks: Path) -> Path:
    """The folder of this place's own stacks, beside those of who came first; it may not exist."""
    ours = here()
    if found := next((one for one in others(stacks) if is_ours(one)), None):
        return moved_to(found) or found  # the machine may have had another name
    return stacks.with_name(f"{stacks.name}{SEPARATOR}{ours}")


def stack_folder(stacks: Path, name: str) -> Path:
    """Where this place's stack of a profile is, or would be."""
    folder = likely_folder(stacks, name)
    if folder.parent == stacks and is_anothers(folder):
        return own_stacks(stacks) / name
    return folder


def likely_folder(stacks: Path, name: str) -> Path:
    """The same at one look: whoever joins finds out under its lock whether it is another's."""
    root = own_stacks(stacks)
    is_moved = root.parent != stacks.parent
    # os.path: a closed folder raises nothing here; whoever uses it says so
    is_there = is_moved or os.path.isdir(root / name)  # noqa: PTH112
    return root / name if is_there else stacks / name


def moved_to(root: Path) -> Path | None:
    """Where this place's stacks are instead; None where they were not moved."""
    said = read_regular(root, LONGEST_PATH, is_private=True).decode("utf-8", "surrogateescape")
    return Path(said) if said.startswith("/") else None


@contextlib.contextmanager
def move(stacks: Path, runtime: str, temporary: str) -> Iterator[Path]:
    """Keep this place's stacks on another file system from now on, if the block succeeds.

    `runtime` is XDG_RUNTIME_DIR, "" for none. Raises FolderUnusable.
    """
    note = stacks.with_name(f"{stacks.name}{SEPARATOR}{here()}")
    base = runtime if runtime.startswith("/") and os.path.isdir(runtime) else ""  # noqa: PTH112
    root = Path(base or temporary, f"run-{os.geteuid()}-{digest(str(stacks))}")
    moved = root / "openclaude" / note.name
    for folder in (root, moved.parent, moved):
        private_folder(folder)
    write_private(note, str(moved))
    try:
        yield moved
    except BaseException:
        note.unlink(missing_ok=True)
        remove_tree(root)
        raise


def moved_root(stacks: Path) -> Path | None:
    """All that this place has on another file system; None where it has nothing there."""
    own = own_stacks(stacks)
    return own.parents[1] if own.parent != stacks.parent else None


def stack_folders(stacks: Path) -> dict[str, Path]:
    """The folders of this place's stacks by name; not all of them run."""
    names = {path.name for root in (stacks, own_stacks(stacks)) for path in folders_in(root)}
    found = {name: stack_folder(stacks, name) for name in sorted(names)}
    return {name: folder for name, folder in found.items() if folder.is_dir()}


def folders_in(root: Path) -> list[Path]:
    """The folders in one, in order; none of one that is closed, which is said of it elsewhere."""
    try:
        names = sorted(os.listdir(root))  # noqa: PTH208 - as those of `others`
    except OSError:
        return []
    return [root / name for name in names if os.path.isdir(root / name)]  # noqa: PTH112


def is_anothers(folder: Path) -> bool:
    """Whether a stack of another place has the folder, or may have it."""
    return relation_of(folder) in {Relation.BESIDE, Relation.ELSEWHERE}


def relation_of(folder: Path) -> Relation:
    """Whose a folder is."""
    held = {relation(where) for where in holders(folder)}
    for one in (Relation.BESIDE, Relation.ELSEWHERE):
        if one in held:
            return one
    try:
        record = read_record(folder)
    except FolderUnusable:  # which a launch says; whoever answers there says where it is
        return Relation.HERE
    found = relation(record.where) if record else Relation.HERE
    if (
        found is Relation.BESIDE
        and not is_served(folder)
        and age_s(record_path(folder)) > (REMEMBERED_S)
    ):
        return Relation.ENDED
    return found


def neighbours(stacks: Path) -> Iterator[Neighbour]:
    """The stacks of other places in this home, as far as their records tell."""
    for root in (stacks, *(one for one in others(stacks) if not is_ours(one))):
        for folder in folders_in(root):
            try:
                found = relation_of(folder)
                record = read_record(folder)
            except FolderUnusable:
                continue  # which is said of the folder itself
            if found in {Relation.BESIDE, Relation.ELSEWHERE}:
                yield Neighbour(folder.name, folder, found, record)


def who_has(stacks: Path, port: int) -> str:
    """` by the proxies of NAME, in another container` for a port that we share with that.

    `stacks` may be this place's own folder too.
    """
    stacks = stacks.with_name(stacks.name.partition(SEPARATOR)[0])
    for one in neighbours(stacks):
        record = one.record
        if record and shares_network(record.where) and port in {record.port, record.port + 1}:
            return f" by the proxies of `{one.name}` {one.who}"
    return ""


def others(stacks: Path) -> Iterator[Path]:
    """The folders of stacks that have a place in their name."""
    prefix = f"{stacks.name}{SEPARATOR}"
    try:
        names = os.listdir(stacks.parent)  # noqa: PTH208 - every launch looks
    except OSError:
        return
    for name in names:
        if name.startswith(prefix):
            yield stacks.with_name(name)


def is_ours(root: Path) -> bool:
    """Whether a folder of stacks with a place in its name is this place's."""
    where = root.name.partition(SEPARATOR)[2]
    return where.count(".") > 0 and relation(where) is Relation.HERE


def clear_ended(stacks: Path) -> None:
    """Remove what places have left that have certainly ended: a boot, a container of yesterday."""
    for root in list(others(stacks)):
        where = root.name.partition(SEPARATOR)[2]
        found = relation(where)
        if root.is_symlink() or found in {Relation.HERE, Relation.ELSEWHERE}:
            continue
        if root.is_dir():
            if found is Relation.ENDED or is_abandoned(root):
                remove_tree(root)
        elif found is Relation.ENDED and (moved := moved_to(root)):
            remove_tree(moved.parents[1])
            root.unlink(missing_ok=True)


def remove_tree(root: Path) -> None:
    """Remove a folder of ours with all that is in it, as far as it can be."""
    import shutil  # slow to import, and this is rare

    shutil.rmtree(root, ignore_errors=True)


def is_abandoned(root: Path) -> bool:
    """Whether nothing runs in a place's stacks, and nothing has for a day."""
    folders = [one for one in root.iterdir() if one.is_dir()]
    return all(
        not is_served(folder) and not holders(folder) and last_use_s(folder) > REMEMBERED_S
        for folder in folders
    )


def last_use_s(folder: Path) -> float:
    """How long ago anything was written in a folder."""
    return min([age_s(folder), *(age_s(path) for path in folder.iterdir())])


def age_s(path: Path) -> float:
    """How long ago a file was written; 0 if it cannot be looked at."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
