"""openclaude's files on this machine, and their removal.

Knows: the shape of our folders. Independent of: why, and whom to ask. Unknown files are not
ours: they are named and kept, and so is their directory. No link is followed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from openclaude.contracts.routing import LEDGER_FILE, LEDGER_FOLDER
from openclaude.files import FolderUnusable
from openclaude.ledger.recording import FOLDER, SWITCH
from openclaude.paths import Places
from openclaude.run.os.environment import Relation, relation
from openclaude.run.stack.folder import SETTINGS as SETTINGS_FOLDER
from openclaude.run.stack.folder import settings_of
from openclaude.run.stack.places import moved_root

NAME = r"[a-z0-9][a-z0-9._-]{0,63}"  # of a profile
STACKS = r"stacks(-[0-9a-f.]+)?"  # of this place, or of one of its own
STACK = f"{STACKS}/{NAME}"
TEMPORARY = r"(.+/)?\.[^/]+\.tmp"  # of a writer that was killed


class Shape(NamedTuple):
    """What can be in a folder of ours; patterns of paths from there."""

    files: str
    folders: str
    trees: str = "(?!)"  # folders that are ours with all that is in them


STATE = Shape(
    files=rf"crash\.md|stacks-[0-9a-f.]+|{STACK}/(lock|(control|held[^/]*)\.sock|[a-z]+\.log(\.1)?|[^/]+\.(json|yaml|pem))"
    rf"|{LEDGER_FOLDER}/{re.escape(LEDGER_FILE)}(\.broken-[0-9]+)?(-wal|-shm|-journal)?"
    rf"|{LEDGER_FOLDER}/({re.escape(SWITCH)}|{FOLDER}/[^/]+\.json)"
    rf"|{STACK}/launches/[^/]+\.(json|pem)|{TEMPORARY}",
    folders=rf"{STACKS}|{STACK}|{STACK}/launches|{LEDGER_FOLDER}(/{FOLDER})?",
    trees=rf"{STACK}/empty",  # LiteLLM's home
)
SETTINGS = Shape(files=rf"[0-9]+-[^/-]*-{NAME}(@[0-9a-f.]+)?\.json|{TEMPORARY}", folders="(?!)")
OURS_ELSEWHERE = ("openclaude", SETTINGS_FOLDER)  # of stacks on another file system
CACHE = Shape(
    files=rf"plans/[^/]+\.json|app/lock|{TEMPORARY}",
    folders="plans|app",
    trees=r"app/(\.new-[0-9]+|[0-9a-f]{32})",  # where the zipapp unpacks itself
)
CONFIG = Shape(
    files=rf"default|profiles/(\.lock|{NAME}\.toml|\.[^/]+\.draft\.toml)|{TEMPORARY}",
    folders="profiles",
)


class Leftover(NamedTuple):
    """What is in one folder of ours."""

    root: Path
    files: tuple[Path, ...] = ()  # with links and sockets
    trees: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()  # the deepest first, the root last
    strange: tuple[Path, ...] = ()


class Failure(NamedTuple):
    """What could not be removed."""

    path: Path
    why: str


def find_ours(
    places: Places, *, purge: bool, spared: Collection[Path] = ()
) -> tuple[Leftover, ...]:
    """Everything to remove: state and cache, with `purge` the user's profiles too.

    Nothing in the folders `spared`, which stacks of other places have, and none of what their
    sessions read.
    """
    shapes: dict[Path, Shape] = {}
    known = [(places.state, STATE), (places.settings, SETTINGS), (places.cache, CACHE)]
    for root, shape in [*known, (places.config, CONFIG)] if purge else known:
        shapes[root] = both(shapes[root], shape) if root in shapes else shape
    found = [look_into(root, shape) for root, shape in shapes.items() if is_there(root)]
    if moved := moved_root(places.stacks):
        trees = tuple(path for path in list_folder(moved) if path.name in OURS_ELSEWHERE)
        found = [*found, Leftover(moved, trees=trees, folders=(moved,))]
    left = (spare(one, spared) for one in found)
    return tuple(one for one in left if one.files or one.trees or one.folders or one.strange)


def spare(found: Leftover, folders: Collection[Path]) -> Leftover:
    """The same without what other places use, and without the folders that it is in."""

    def is_theirs(path: Path) -> bool:
        owner = settings_of(path) if path.parent.name == SETTINGS_FOLDER else None
        if owner and relation(owner.where) in {Relation.BESIDE, Relation.ELSEWHERE}:
            return True
        return path in folders or any(folder in path.parents for folder in folders)

    kept = [path for path in (*found.files, *found.trees, *folders) if is_theirs(path)]
    around = {parent for path in kept for parent in path.parents}
    return found._replace(
        files=tuple(path for path in found.files if not is_theirs(path)),
        trees=tuple(path for path in found.trees if not is_theirs(path)),
        folders=tuple(path for path in found.folders if path not in around and not is_theirs(path)),
    )


def both(one: Shape, other: Shape) -> Shape:
    """The shape of one folder that two XDG variables name."""
    return Shape(*(f"{mine}|{yours}" for mine, yours in zip(one, other, strict=True)))


def look_into(root: Path, shape: Shape) -> Leftover:
    """Sort what is in a folder into ours and strange."""
    if root.is_symlink() or not root.is_dir():
        return Leftover(root, strange=(root,))
    kinds: dict[str, list[Path]] = {"files": [], "trees": [], "folders": [], "strange": []}
    for path, kind in sort_paths(root, "", shape):
        kinds[kind].append(path)
    folders = (*reversed(kinds["folders"]), root)
    return Leftover(
        root, tuple(kinds["files"]), tuple(kinds["trees"]), folders, tuple(kinds["strange"])
    )


def sort_paths(folder: Path, within: str, shape: Shape) -> Iterator[tuple[Path, str]]:
    """Every path under a folder and what it is; nothing from inside what is strange or a tree."""
    for path in list_folder(folder):
        name = f"{within}{path.name}"
        is_folder = path.is_dir() and not path.is_symlink()
        if not is_folder:
            yield path, "files" if re.fullmatch(shape.files, name) else "strange"
        elif re.fullmatch(shape.trees, name):
            yield path, "trees"
        elif re.fullmatch(shape.folders, name):
            yield path, "folders"
            yield from sort_paths(path, f"{name}/", shape)
        else:
            yield path, "strange"


def list_folder(folder: Path) -> list[Path]:
    """What is in a folder. Raises FolderUnusable if it cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise FolderUnusable(
            f"cannot read the directory `{folder}`: {(error.strerror or str(error)).lower()}",
            hint=f"make it readable (`chmod u+rwx {quote(str(folder))}`), then try again; "
            "nothing was changed",
        ) from error


def remove_leftover(found: Leftover) -> list[Failure]:
    """Remove our files, and directories that are then empty."""
    failures = [*remove_each(found.files, Path.unlink), *remove_each(found.trees, shutil.rmtree)]
    kept = {
        parent
        for path in (*found.strange, *(one.path for one in failures))
        for parent in path.parents
    }
    empty = (folder for folder in found.folders if folder not in kept)
    return [*failures, *remove_each(empty, Path.rmdir)]


def remove_each(paths: Iterable[Path], how: Callable[[Path], object]) -> list[Failure]:
    """Remove paths with one function; return the failures."""
    failures = []
    for path in paths:
        try:
            how(path)
        except FileNotFoundError:
            continue  # gone meanwhile
        except OSError as error:
            failures.append(Failure(path, (error.strerror or str(error)).lower()))
    return failures


def is_there(path: Path) -> bool:
    """Whether the path exists, even as a broken link."""
    return path.is_symlink() or path.exists()
