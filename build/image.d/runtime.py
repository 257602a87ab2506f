"""The Python of an image: this one, its standard library, and the system's libraries they need.

Knows: where a Python has its parts, how `ldd` names libraries. Independent of: packages, OCI.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from layout import Entry

NAME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
PREFIX = "usr/local"
LIBRARY = f"{PREFIX}/lib/{NAME}"
# nobody runs tests, editors, windows or installers in a container
LEFT_OUT = {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter"}
LEFT_OUT |= {"turtledemo", "lib2to3", "ensurepip", "pydoc_data"}
NO_MODULE = re.compile(r"_tkinter\.|_test|_ctypes_test\.|xxlimited|_xx|turtle\.py")
DEFAULT_FOLDERS = ("/lib", "/usr/lib")  # where the loader looks by itself
FOUND = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x", re.M)
# loaded by name when they are needed: threads of Python end with the first; a C library before
# glibc 2.34 finds the addresses of hosts by the others, a later one has them within
BY_NAME = ("libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
USER = 65532


def copy_library(folder: Path) -> None:
    """Copy the standard library, and compile it as the packages are."""
    source = Path(os.__file__).parent
    shutil.copytree(
        source,
        folder,
        ignore=lambda _, names: [
            name
            for name in names
            if name in LEFT_OUT or name.startswith("config-") or NO_MODULE.match(name)
        ],
    )
    for path in folder.glob("_sysconfigdata*.py"):  # it says where this Python is here
        path.write_text(path.read_text().replace(sys.base_prefix, f"/{PREFIX}"))


def site_folder() -> str:
    """Where this Python looks for packages once it is in the image: Debian's own has other names.

    The Python itself is asked, because within a virtual environment it answers otherwise.
    """
    asked = f"import site; print(site.getsitepackages(['/{PREFIX}'])[-1])"
    program = os.path.realpath(sys.executable)
    ran = subprocess.run([program, "-I", "-c", asked], capture_output=True, text=True, check=True)
    return ran.stdout.strip().lstrip("/")


def entries(library: Path, compiled: Iterable[Path]) -> Iterator[Entry]:
    """Python and all that it needs to run; `compiled` are the compiled modules of packages."""
    program = Path(os.path.realpath(sys.executable))
    yield Entry(f"{PREFIX}/bin/{NAME}", program, mode=0o755)
    yield from tree(library, LIBRARY)
    own = [program, *library.rglob("*.so")]
    for path in sorted(shared_libraries([*own, *compiled], library.parent)):
        yield Entry(place_of(path), Path(os.path.realpath(path)), mode=0o755)
    yield from system()


def tree(folder: Path, place: str) -> Iterator[Entry]:
    """Every file of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield Entry(f"{place}/{path.relative_to(folder)}", path)


def shared_libraries(programs: list[Path], work: Path) -> set[str]:
    """The system's libraries that programs load, as the loader finds them."""
    found: set[str] = set()
    for path in programs:
        ran = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
        found.update(FOUND.findall(ran.stdout))
    # what a wheel brings along is in the packages already
    found = {one for one in found if not Path(one).is_relative_to(work)}
    loader = {str(Path(one).parent) for one in found if "/libc.so" in one}
    named = (f"{folder}/{name}" for folder in loader for name in BY_NAME)
    found.update(one for one in named if Path(one).exists())
    return found


def place_of(path: str) -> str:
    """Where a library is in the image: where it was, if the loader looks there by itself."""
    is_found = path.startswith(("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"))
    return path[1:] if is_found else f"usr/lib/{Path(path).name}"


def system() -> Iterator[Entry]:
    """The few files that a C library and TLS read."""
    found = next((one for one in map(Path, AUTHORITIES) if one.exists()), None)
    if found is None:
        sys.exit("image: this machine has no certificates of authorities (ca-certificates)")
    yield Entry("etc/ssl/certs/ca-certificates.crt", Path(os.path.realpath(found)))
    yield Entry("etc/nsswitch.conf", text="passwd: files\ngroup: files\nhosts: files dns\n")
    yield Entry("etc/group", text=f"root:x:0:\nopenclaude:x:{USER}:\n")
    nobody = f"openclaude:x:{USER}:{USER}::/home/openclaude:/nologin\n"
    yield Entry("etc/passwd", text=f"root:x:0:0::/root:/nologin\n{nobody}")
    yield Entry("etc/openclaude", mode=0o755)
    yield Entry("tmp", mode=0o1777)
