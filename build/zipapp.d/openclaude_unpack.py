"""The zipapp's first run: unpack the tree once for everyone, and remove earlier versions.

Knows: the packed parts, the lock, which processes may still use an older version. Independent of:
the content of the tree. A tree appears whole or not at all: it is renamed into place.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from openclaude_start import BUILD_ID, LOCK, TREE, enter, hold, is_nobody_elses

PARTS = (
    "site-packages/native.tar.xz",
    "site-packages/compiled.tar.xz",
    "site-packages/text.tar.xz",
)
LIBC = "@LIBC@"  # the oldest glibc that the native modules run on, or empty
FAILED = 125  # as for a launch that could not become claude
INTERRUPTED = 130


class CannotUnpack(Exception):
    """The first run fails; its text includes the hint."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__(f"error: {sentence}\n\nhint: {hint}\n")


def unpack_or_say_why(app: str, archive: str) -> int:
    """Return the lock of the unpacked version, held. Exits with a message if it fails."""
    try:
        check_libc()
        return unpack(app, archive)
    except CannotUnpack as error:
        said = str(error)
    except OSError as error:
        said = str(
            CannotUnpack(
                f"cannot unpack openclaude to `{app}`: {error.strerror or error}",
                "it needs 400 MB there; `XDG_CACHE_HOME` names another place",
            )
        )
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.stderr.write(said)
    sys.exit(FAILED)


def check_libc() -> None:
    """Raise CannotUnpack if the native modules could not be loaded."""
    if not LIBC:
        return
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except ValueError:  # musl has no such name
        name, version = "another one", "(musl)"
    if name != "glibc" or numbers(version) < numbers(LIBC):
        raise CannotUnpack(
            f"this openclaude needs glibc {LIBC} or later, and this system has {name} {version}",
            "install it with pipx instead",
        )


def numbers(version: str) -> tuple[int, ...]:
    """Return a version in comparable form."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def unpack(app: str, archive: str) -> int:
    """Unpack unless another process just has; then remove unused versions."""
    before = os.umask(0o077)
    try:
        os.makedirs(app, exist_ok=True)
        if not is_nobody_elses(os.path.join(app, BUILD_ID)):
            raise CannotUnpack(
                f"other users can change `{app}` or a directory above it",
                "take that right away from them (`chmod go-w DIRECTORY`), or name another place "
                "with `XDG_CACHE_HOME`",
            )
        with locked(app):
            held = hold(app)  # check again: another start may have had the lock
            if held is None:
                write_tree(app, archive)
                held = hold(app)
        if held is None:
            raise CannotUnpack(
                f"`{app}` is not this user's, or was removed a moment ago",
                "`XDG_CACHE_HOME` names another place",
            )
        sweep(app)
        return held
    finally:
        os.umask(before)


@contextlib.contextmanager
def locked(app: str, more: int = 0) -> Iterator[None]:
    """Hold the lock; others wait, or with LOCK_NB get a BlockingIOError."""
    descriptor = os.open(os.path.join(app, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | more)
        yield
    finally:
        os.close(descriptor)


def write_tree(app: str, archive: str) -> None:
    """Write the tree under a temporary name, then rename it."""
    folder = os.path.join(app, BUILD_ID)
    temporary = os.path.join(app, f".new-{os.getpid()}")
    if os.path.isdir(folder):
        return  # hold refused it: another user owns it
    try:
        with progress("openclaude: unpacking itself, once for this version"):
            write_parts(archive, os.path.join(temporary, TREE))
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def progress(line: str) -> Iterator[None]:
    """Show a line on a terminal during this block."""
    shown = sys.stderr is not None and sys.stderr.isatty()
    if shown:
        sys.stderr.write(line)
        sys.stderr.flush()
    try:
        yield
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")


def write_parts(archive: str, tree: str) -> None:
    """Write all parts in parallel: lzma releases the interpreter's lock."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(PARTS)) as pool:
        try:
            jobs = [pool.submit(write_part, archive, part, tree, stop) for part in PARTS]
            for job in jobs:
                job.result()
        finally:
            stop.set()


def write_part(archive: str, part: str, tree: str, stop: threading.Event) -> None:
    """The files of one part."""
    try:
        import lzma
    except ImportError:
        raise CannotUnpack(
            "this Python was built without `lzma`, which unpacking needs",
            "use another Python of this version, or install openclaude with pipx",
        ) from None
    made: set[str] = set()
    with (
        zipfile.ZipFile(archive) as outer,
        outer.open(part) as packed,
        lzma.open(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as files,
    ):
        for member in files:
            if stop.is_set():
                return
            path = os.path.join(tree, member.name)
            parent = os.path.dirname(path)
            if parent not in made:
                os.makedirs(parent, exist_ok=True)
                made.add(parent)
            content = files.extractfile(member)
            if content is None:
                raise tarfile.TarError(f"not a file: {member.name}")
            with open(path, "xb") as file:
                shutil.copyfileobj(content, file)


def sweep(app: str) -> None:
    """Remove leftovers and unused versions; what cannot be removed stays."""
    enter(app)  # for psutil
    with contextlib.suppress(OSError), locked(app, fcntl.LOCK_NB):
        os.utime(os.path.join(app, LOCK))
        for name in os.listdir(app):
            if name.startswith("."):  # of a start that was killed: we hold the lock
                shutil.rmtree(os.path.join(app, name), ignore_errors=True)
            elif name not in {BUILD_ID, LOCK}:
                remove_unused(app, name)


def remove_unused(app: str, name: str) -> None:
    """Remove one version, unless a start holds it or a process runs from it."""
    folder = os.path.join(app, name)
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # lock first, then check: a process is visible before the start that created it ends
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not is_used(os.path.realpath(folder)):
                gone = os.path.join(app, f".gone-{name}")
                os.rename(folder, gone)
                shutil.rmtree(gone, ignore_errors=True)
        finally:
            os.close(descriptor)


def is_used(folder: str) -> bool:
    """Tell whether a process runs from there: PYTHONPATH names the tree in all its children."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if folder + os.sep in process.environ().get("PYTHONPATH", ""):
                return True
    return False
