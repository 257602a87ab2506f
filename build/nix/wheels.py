"""Write build/nix/wheels.json: for each Nix system, the wheels that the locks pin for it.

Knows: which wheel fits which system. Independent of: where wheels are; no URL is written. The locks
contain versions and hashes; the file names for them come from the index, by the `uv` beside this
Python, in a temporary folder. `--check` needs neither uv nor a network: it fails if the file and
the locks differ. `--requirements SYSTEM` prints the wheels for pip. Run it with a Python that
build/setup has made: it needs `packaging`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

BUILD = Path(__file__).resolve().parents[1]
WHEELS = BUILD / "nix" / "wheels.json"
PYTHON = (3, 13)
GLIBC = 36  # newest manylinux tag accepted: nixpkgs and machines that run the test are newer
MACOS = (14, 0)
SYSTEMS = {  # of Nix -> sys.platform, platform.system(), platform.machine()
    "x86_64-linux": ("linux", "Linux", "x86_64"),
    "aarch64-linux": ("linux", "Linux", "aarch64"),
    "aarch64-darwin": ("darwin", "Darwin", "arm64"),
}
LOCKS = {"run": "requirements.lock", "build": "bootstrap.lock"}

Wheels = dict[str, dict[str, dict[str, str]]]  # use -> system -> file -> sha256


class Pin(NamedTuple):
    """One line of a lock."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]

    def is_for(self, system: str) -> bool:
        """Tell whether the package is needed there."""
        return not self.marker or Marker(self.marker).evaluate(environment(system))


class Found(NamedTuple):
    """A wheel that the index has."""

    file: str
    sha256: str


def read_lock(name: str) -> list[Pin]:
    """Return the pins of a lock."""
    lines = (BUILD / name).read_text("utf-8").replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        if "==" not in line:
            continue
        requirement, *hashes = line.split("--hash=sha256:")
        pin, _, marker = requirement.partition(";")
        package, _, version = pin.strip().partition("==")
        sums = frozenset(part.strip() for part in hashes)
        found.append(Pin(package, version.strip(), marker.strip(), sums))
    return found


def read_pins() -> dict[str, list[Pin]]:
    """Return what is needed, by use: to run, and to build."""
    return {use: read_lock(lock) for use, lock in LOCKS.items()}


def environment(system: str) -> dict[str, str]:
    """Return the values of markers for an interpreter of nixpkgs there."""
    platform, name, machine = SYSTEMS[system]
    version = ".".join(map(str, PYTHON))
    return {
        "extra": "",
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": name,
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": platform,
    }


def platforms(system: str) -> list[str]:
    """Return the platform tags that fit, best first."""
    machine = SYSTEMS[system][2]
    if system.endswith("darwin"):
        return list(mac_platforms(MACOS, machine))
    legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    oldest = 17 if machine == "aarch64" else 5
    found = []
    for minor in range(GLIBC, oldest - 1, -1):
        found.append(f"manylinux_2_{minor}_{machine}")
        if minor in legacy:
            found.append(f"{legacy[minor]}_{machine}")
    return [*found, f"linux_{machine}"]


def ranks(system: str) -> dict[Tag, int]:
    """Return every tag that fits, and its rank: the lowest is the best."""
    fitting = platforms(system)
    interpreter = f"cp{PYTHON[0]}{PYTHON[1]}"
    tags = [
        *cpython_tags(PYTHON, platforms=fitting),
        *compatible_tags(PYTHON, interpreter=interpreter, platforms=fitting),
    ]
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}


def ask_index(pins: list[Pin]) -> dict[str, list[Found]]:
    """Return the available wheels of each pinned package."""
    requirements = "".join(
        f"  {json.dumps(f'{pin.name}=={pin.version}' + (pin.marker and f' ; {pin.marker}'))},\n"
        for pin in pins
    )
    project = '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.11"\n'
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(f"{project}dependencies = [\n{requirements}]\n")
        subprocess.run(
            [Path(sys.executable).with_name("uv"), "lock", "--quiet", "--python", sys.executable],
            cwd=folder,
            check=True,
            env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        )
        lock = tomllib.loads(Path(folder, "uv.lock").read_text("utf-8"))
    return {
        package["name"]: [
            Found(wheel["url"].rpartition("/")[2], wheel["hash"].removeprefix("sha256:"))
            for wheel in package.get("wheels", [])
        ]
        for package in lock["package"]
    }


def choose(pin: Pin, found: list[Found], order: dict[Tag, int]) -> Found:
    """Return the best wheel of a package. Exits if none fits."""
    fitting = [
        (min(order[tag] for tag in tags if tag in order), wheel)
        for wheel in found
        if wheel.sha256 in pin.hashes and (tags := parse_wheel_filename(wheel.file)[3]) & set(order)
    ]
    if not fitting:
        sys.exit(f"build/nix/wheels.py: no wheel of {pin.name} {pin.version} fits")
    return min(fitting)[1]


def choose_all() -> Wheels:
    """Return every wheel of every system."""
    pins = read_pins()
    index = ask_index([*{pin.name: pin for pin in [*pins["run"], *pins["build"]]}.values()])
    chosen: Wheels = {}
    for use, wanted in pins.items():
        for system in SYSTEMS:
            order = ranks(system)
            wheels = [choose(pin, index[pin.name], order) for pin in wanted if pin.is_for(system)]
            chosen.setdefault(use, {})[system] = {wheel.file: wheel.sha256 for wheel in wheels}
    return chosen


def mistakes(wheels: Wheels) -> list[str]:
    """Return where the file and the locks differ, and what does not fit its system."""
    wrong = []
    for use, wanted in read_pins().items():
        for system in SYSTEMS:
            pins = {canonicalize_name(pin.name): pin for pin in wanted if pin.is_for(system)}
            files = {parse_wheel_filename(file)[0]: file for file in wheels[use][system]}
            for name in sorted(pins.keys() ^ files.keys()):
                wrong.append(f"{use}, {system}: {name} is in one of them only")
            for name in sorted(pins.keys() & files.keys()):
                wrong += misfit(pins[name], files[name], wheels[use][system][files[name]], system)
    return wrong


def misfit(pin: Pin, file: str, sha256: str, system: str) -> list[str]:
    """Return what is wrong with one wheel."""
    _, version, _, tags = parse_wheel_filename(file)
    if str(version) != pin.version or sha256 not in pin.hashes:
        return [f"{system}: {file} is not what the lock pins: {pin.name} {pin.version}"]
    return [] if tags & set(ranks(system)) else [f"{system}: {file} does not fit"]


def requirements(wheels: Wheels, system: str) -> str:
    """Return exactly the wheels of a system, in pip's format; each is needed once."""
    files = {file: sha256 for use in wheels.values() for file, sha256 in use[system].items()}
    pins = ((*file.split("-")[:2], sha256) for file, sha256 in sorted(files.items()))
    return "".join(f"{name}=={version} --hash=sha256:{sha}\n" for name, version, sha in pins)


def main() -> None:
    """Check the file, or write it."""
    match sys.argv[1:]:
        case ["--check"]:
            wrong = mistakes(json.loads(WHEELS.read_text("utf-8")))
            if wrong:
                sys.exit("\n".join([*wrong, "build/nix/wheels.json is stale: build/nix/wheels.py"]))
        case []:
            text = json.dumps(choose_all(), indent=1, sort_keys=True)

            WHEELS.write_text(f"{text}\n", "utf-8")
        case ["--requirements", system]:
            print(requirements(json.loads(WHEELS.read_text("utf-8")), system), end="")  # noqa: T201
        case _:
            sys.exit("usage: build/nix/wheels.py [--check | --requirements SYSTEM]")


if __name__ == "__main__":
    main()
