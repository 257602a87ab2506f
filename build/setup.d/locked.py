"""Install exactly what a lock names, and look whether that is what is installed.

Knows: pip's options and messages, the form of a lock, how an environment is compared with it.
Depends on the standard library and the pip beside it; does not know which locks there are.

    locked.py install LOCK... [--package FOLDER]   into the environment whose Python runs this
    locked.py download FOLDER LOCK [--python PY]   the wheels only

Nothing is resolved (`--no-deps`): a lock is complete, and what an index offers since it was made
does not matter. Nothing is built but our own package (`--only-binary :all:`): to build, pip would
fetch a back end that no lock names.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import invalidate_caches
from importlib.metadata import distributions
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

import pip_runs

OURS = "openclaude"
# inputs of its wheel
SOURCES = (
    *("openclaude", "profiles", "share", "build/requirements.lock", "build/otel.lock"),
    *("pyproject.toml", "README.md", "LICENSE"),
)
LOCKED = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
# while this file exists, an environment is incomplete
UNFINISHED = Path(sys.prefix) / ".unfinished"
SHOWN = 5


class NotAsLocked(Exception):
    """An environment differs from its lock; the message says how."""


class Pin(NamedTuple):
    """A requirement of a lock."""

    name: str
    version: str
    marker: str = ""
    text: str = ""  # with its hashes


def main() -> int:
    """Run one of the two commands; return 1 if it fails."""
    parser = argparse.ArgumentParser(prog="locked.py", allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", required=True)
    installing = actions.add_parser("install")
    installing.add_argument("locks", nargs="+", type=Path)
    installing.add_argument("--package", type=Path)
    downloading = actions.add_parser("download")
    downloading.add_argument("folder", type=Path)
    downloading.add_argument("lock", type=Path)
    downloading.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    try:
        match options.action:
            case "install":
                install(options.locks, options.package)
            case "download":
                download(options.folder, options.lock, options.python)
    except (NotAsLocked, pip_runs.PipFailed) as error:
        sys.stderr.write(f"setup: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def install(locks: Sequence[Path], package: Path | None) -> None:
    """Add what is missing, replace other versions, remove what no lock names."""
    for lock in locks:
        found = installed()
        if missing := [pin for pin in wanted(lock) if found.get(pin.name) != pin.version]:
            say(f"installing {len(missing)} packages of {lock}")
            UNFINISHED.touch()
            install_pins(lock, missing)
        if strange := strangers(lock, installed()):
            UNFINISHED.touch()
            pip_runs.run("remove what is in no lock", "uninstall", "--yes", *strange)
    if package and stamp_of(package) != read_stamp():
        say(f"building and installing {OURS}")
        UNFINISHED.touch()
        install_package(package)
    if UNFINISHED.exists():
        check(locks)
        UNFINISHED.unlink()


def install_pins(lock: Path, pins: Sequence[Pin]) -> None:
    """Install some pins of a lock; for installed packages pip would still contact the index."""
    with NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.writelines(pin.text for pin in pins)
        file.flush()
        pip_runs.run(f"install {lock}", "install", *LOCKED, "-r", file.name)


def check(locks: Sequence[Path]) -> None:
    """Check that nothing is missing, different or foreign, and that pip finds no conflict."""
    found = installed()
    if wrong := list(dict.fromkeys(one for lock in locks for one in mistakes(lock, found))):
        more = f", and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        what = ", ".join(wrong[:SHOWN]) + more
        raise NotAsLocked(
            f"not as locked: {what}; run build/setup again, it makes {sys.prefix} anew"
        )
    pip_runs.run("find the packages consistent", "check")


def install_into(folder: Path, lock: Path, more: Sequence[str]) -> None:
    """Install a lock's packages in a plain folder, for the platforms that `more` gives to pip."""
    target = ("--target", str(folder), "--no-compile", *more)
    pip_runs.run(f"install {lock}", "install", *target, *LOCKED, "-r", str(lock))
    if wrong := mistakes(lock, installed(folder)):
        raise NotAsLocked(f"{folder} is not as locked: {', '.join(wrong[:SHOWN])}")


def unpack_wheel(folder: Path, wheel: Path) -> None:
    """Unpack one of our wheels beside them."""
    target = ("--target", str(folder), "--no-compile", "--no-deps", "--no-index")
    pip_runs.run(f"unpack {wheel.name}", "install", *target, str(wheel))


def download(folder: Path, lock: Path, python: str) -> None:
    """Download the wheels of a lock for another Python, by the pip beside this one."""
    arguments = ("--dest", str(folder), "-r", str(lock))
    pip_runs.run(f"download {lock}", "--python", python, "download", *LOCKED, *arguments)
    count, there = len(wanted(lock)), len(list(folder.glob("*.whl")))
    if there != count:
        raise NotAsLocked(f"{folder} has {there} wheels, and {lock} names {count}")


def install_package(package: Path) -> None:
    """Build our own package with the locked back end and install it; record its inputs."""
    # not editable: the built package is under test
    alone = ("--no-deps", "--no-index", "--no-build-isolation", "--force-reinstall")
    pip_runs.run(f"build {OURS}", "install", *alone, str(package))
    stamp_path().write_text(stamp_of(package))


def stamp_path() -> Path:
    """Return the file of this record."""
    return Path(sys.prefix) / ".package"


def read_stamp() -> str:
    """Return the inputs of the installed package, or "" if none is recorded."""
    return stamp_path().read_text() if stamp_path().exists() else ""


def stamp_of(package: Path) -> str:
    """Return digests of the sources and of the installed files: both may have changed since."""
    sources = hashlib.sha256()
    for top in SOURCES:
        path = package / top
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                sources.update(f"{file.relative_to(package)} {content}\n".encode())
    records = [one.read_text("RECORD") or "" for one in distributions(name=OURS)]
    return f"{sources.hexdigest()} {hashlib.sha256(''.join(records).encode()).hexdigest()}\n"


def read_lock(lock: Path) -> list[Pin]:
    """Every pin of a lock."""
    rows = re.finditer(
        r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?: ?; (?P<marker>[^\\\n]+?))?"
        r"(?:[ \\\n]+--hash=\S+)*$\n?",
        lock.read_text("utf-8"),
        re.MULTILINE,
    )
    return [
        Pin(canonical(row["name"]), row["version"], row["marker"] or "", row[0]) for row in rows
    ]


def wanted(lock: Path) -> list[Pin]:
    """Return what this Python on this machine needs of it."""
    # the standard library cannot parse markers; pip includes a library that can
    from pip._vendor.packaging.markers import Marker

    return [pin for pin in read_lock(lock) if not pin.marker or Marker(pin.marker).evaluate()]


def installed(folder: Path | None = None) -> dict[str, str]:
    """Every package of this environment, or of a folder, with its version."""
    invalidate_caches()
    found = distributions(path=[str(folder)]) if folder else distributions()
    return {canonical(one.metadata["Name"]): one.version for one in found}


def mistakes(lock: Path, found: Mapping[str, str]) -> list[str]:
    """Return where the installed packages differ from the lock, and what no lock names."""
    rows = [
        f"{pin.name} {found[pin.name]} is not {pin.version}"
        if pin.name in found
        else f"{pin.name} is missing"
        for pin in wanted(lock)
        if found.get(pin.name) != pin.version
    ]
    return rows + [f"{name} {found[name]} is in no lock" for name in strangers(lock, found)]


def strangers(lock: Path, found: Mapping[str, str]) -> list[str]:
    """Return packages that are in no lock beside this one, in that version; except our own."""
    pins = (pin for other in lock.parent.glob("*.lock") for pin in wanted(other))
    known = {(pin.name, pin.version) for pin in pins}
    # a different version of one of these is another mistake
    names = {OURS, *(pin.name for pin in wanted(lock))}
    return sorted(name for name in found.keys() - names if (name, found[name]) not in known)


def canonical(name: str) -> str:
    """Return a package's normalised name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def say(what: str) -> None:
    """Print one step as it begins."""
    sys.stderr.write(f"setup: {what}\n")


if __name__ == "__main__":
    sys.exit(main())
