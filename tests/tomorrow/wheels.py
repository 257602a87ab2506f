"""Indexes of small wheels: today's, with the locked versions, and tomorrow's, with 9999 of all.

Knows: the formats of a wheel, a lock and a simple index. Independent of: how they are installed.

One of today's wheels has the metadata of the real package and no content, so a hundred of them are
installed in seconds and without a network; pip and the build back end are the real ones, since they
are run. One of tomorrow's wheels ends any program that imports it.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import NamedTuple

LOCKS = ("requirements.lock", "otel.lock", "bootstrap.lock", "requirements-dev.lock")
EXPLODES = "raise SystemExit('{name} 9999 was imported: something took it from the index')\n"
# the names of other packages' build back ends, and what those need
BACK_ENDS = (
    *("setuptools", "wheel", "flit-core", "poetry-core", "hatchling", "hatch-vcs", "maturin"),
    *("pdm-backend", "setuptools-scm", "setuptools-rust", "scikit-build-core", "meson-python"),
    *("mesonpy", "cython", "ninja", "cmake", "editables", "calver", "pbr", "uv-build"),
)


class Pin(NamedTuple):
    """A requirement of a lock, and its position in the text."""

    name: str
    version: str
    text: str


def canonical(name: str) -> str:
    """Return a package's normalised name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(lock: str) -> list[Pin]:
    """Return every requirement of a lock with its hashes."""
    found = re.finditer(
        r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+).*\n(?:    --hash=\S+(?: \\)?\n)+",
        lock,
        re.MULTILINE,
    )
    return [Pin(canonical(one["name"]), one["version"], one[0]) for one in found]


def with_hash(pin: Pin, sha256: str) -> str:
    """Return the requirement for this file only."""
    first, *_ = pin.text.splitlines()
    return f"{first}\n    --hash=sha256:{sha256}\n"


def write_wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes]) -> Path:
    """Write a wheel for every Python; `files` include its metadata, but not its RECORD."""
    stem = f"{name.replace('-', '_')}-{version}"
    rows = [f"{path},sha256={digest(content)},{len(content)}" for path, content in files.items()]
    record = f"{stem}.dist-info/RECORD"
    made = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as wheel:
        for path, content in files.items():
            wheel.writestr(zipfile.ZipInfo(path), content)
        wheel.writestr(zipfile.ZipInfo(record), "\n".join([*rows, f"{record},,", ""]))
    return made


def digest(content: bytes) -> str:
    """Return a hash in the format of RECORD."""
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def write_stub(folder: Path, name: str, version: str, metadata: str, code: str = "") -> Path:
    """A wheel with one module and this metadata."""
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    files = {
        f"{stem}.py": code,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    encoded = {path: text.encode() for path, text in files.items()}
    return write_wheel(folder, name, version, encoded)


def find(name: str) -> Distribution | None:
    """Return the package as it is installed beside these tests."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def write_today(folder: Path, pin: Pin, *, whole: bool) -> Path:
    """Write the wheel that a lock names: all of it, or its metadata only."""
    found = find(pin.name)
    if whole and found and found.version == pin.version:
        return write_whole(folder, pin, found)
    bare = f"Metadata-Version: 2.1\nName: {pin.name}\nVersion: {pin.version}\n"
    told = (found.read_text("METADATA") if found else None) or bare
    metadata = re.sub(r"(?m)^Version: .*$", f"Version: {pin.version}", told, count=1)
    return write_stub(folder, pin.name, pin.version, metadata)


def write_whole(folder: Path, pin: Pin, found: Distribution) -> Path:
    """Write the installed files as the original wheel, except scripts, which pip creates."""
    info = f"{pin.name.replace('-', '_')}-{pin.version}.dist-info"
    made_by_pip = {f"{info}/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED")}
    kept = [
        file
        for file in found.files or ()
        if not file.as_posix().startswith("../")
        and file.suffix != ".pyc"
        and file.as_posix() not in made_by_pip
    ]
    return write_wheel(
        folder, pin.name, pin.version, {file.as_posix(): file.read_binary() for file in kept}
    )


def make_today(folder: Path, locks: Mapping[str, str]) -> dict[str, str]:
    """Make wheels of all locked packages, and the locks with their hashes."""
    folder.mkdir(parents=True)
    whole = {pin.name for pin in read_pins(locks["bootstrap.lock"])}
    sums: dict[tuple[str, str], str] = {}
    made = {}
    for name, text in locks.items():
        for pin in read_pins(text):
            one = (pin.name, pin.version)
            if one not in sums:
                wheel = write_today(folder, pin, whole=pin.name in whole)
                sums[one] = hashlib.sha256(wheel.read_bytes()).hexdigest()
            text = text.replace(pin.text, with_hash(pin, sums[one]))
        made[name] = text
    return made


def make_tomorrow(folder: Path, locks: Iterable[str]) -> None:
    """Make version 9999 of all locked packages, of their requirements, and of back ends."""
    folder.mkdir(parents=True)
    names = {pin.name for text in locks for pin in read_pins(text)}
    for name in sorted({*names, *requirements(), *map(canonical, BACK_ENDS)}):
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 9999\n"
        write_stub(folder, name, "9999", metadata, EXPLODES.format(name=name))


def requirements() -> set[str]:
    """Return every package that an installed one names, also for extras and other systems."""
    told = (row for one in distributions() for row in one.requires or ())
    return {canonical(re.split(r"[^\w.-]", row, maxsplit=1)[0]) for row in told}


def make_simple_index(folder: Path, wheels: Path) -> str:
    """Make a folder of links to these wheels, in the format of an index; return its URL."""
    for wheel in sorted(wheels.iterdir()):
        page = folder / canonical(wheel.name.partition("-")[0]) / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as file:
            file.write(f'<a href="{wheel.as_uri()}">{wheel.name}</a>\n')
    return folder.as_uri()
