"""Make the zipapp: the locked packages without what nobody needs, packed small, joined by shiv.

Knows: the steps, what goes where in the archive. Refuses to know: what is left out (removals.toml),
how the archive starts (main.py, openclaude_start.py, openclaude_unpack.py, which it carries).

Shiv opens its archive at every start, and its bootstrap with it; with LiteLLM's 14,000 entries that
is 0.15 s of CPU. So the archive that shiv makes has a dozen entries: the packages are three
compressed members of it, and the first run unpacks them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from lock import for_every_patch_release
from pack import pack_tree
from removals import remove

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHEBANG = "/usr/bin/env python3"
CARRIED = ("openclaude_start.py", "openclaude_unpack.py")
# the same output from the same input: set order is in .pyc files, and shiv asks for the date
STABLE = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "315532800"}
GLIBC = (2, 28)  # of 2018: Debian 10, RHEL 8
PYTHON = f"cp{sys.version_info[0]}{sys.version_info[1]}"


def main() -> int:
    """Make it; print where it is."""
    parser = argparse.ArgumentParser(prog="build/zipapp", allow_abbrev=False)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="(default: dist)")
    parser.add_argument("--fast", action="store_true", help="larger, and made sooner: for tests")
    options = parser.parse_args()
    out: Path = options.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    (ROOT / ".work").mkdir(exist_ok=True)
    with TemporaryDirectory(dir=ROOT / ".work", prefix="zipapp-") as name:
        work = Path(name)
        stage(work / "tree")
        pack_tree(work / "tree", work / "outer", preset=0 if options.fast else 6)
        made = assemble(work, archive_name())
        made.replace(out / made.name)
    shutil.copyfile(out / made.name, out / "openclaude.pyz")
    (out / "openclaude.pyz").chmod(0o755)
    size = (out / made.name).stat().st_size / 1e6
    sys.stdout.write(f"zipapp: {out / made.name}: {size:.1f} MB\n")
    return 0


def archive_name() -> str:
    """The file's name: version, Python, platform."""
    text = (ROOT / "openclaude/__init__.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'__version__ = "(.+)"', text)
    system, machine = platform.system().lower(), platform.machine()
    return f"openclaude-{version}-{PYTHON}-{system}_{machine}.pyz"


def run(*command: str | Path) -> None:
    """One step by another program, which says what is wrong."""
    subprocess.run([str(part) for part in command], env=STABLE, cwd=ROOT, check=True)


def stage(tree: Path) -> None:
    """The packages as they will be unpacked: locked, without what nobody needs, compiled."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    target = ("--no-compile", "--target", tree)
    lock = tree.with_name("requirements.lock")
    text = (ROOT / "build/requirements.lock").read_text(encoding="utf-8")
    lock.write_text(for_every_patch_release(text), encoding="utf-8")
    locked = ("--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", lock)
    run(*pip, *target, *platforms(), *locked)
    with TemporaryDirectory(dir=tree.parent) as wheel:
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheel)
        run(*pip, *target, "--no-deps", *Path(wheel).glob("*.whl"))
    remove(tree, HERE / "removals.toml")
    # unchecked: never compared with the source, whose date is that of the unpacking
    compileall = (sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    run(*compileall, "-s", tree, tree)


def platforms() -> list[str]:
    """Wheels for GLIBC and older, whatever the building machine has: the same ones everywhere."""
    if platform.system() != "Linux":
        return []
    names = [f"manylinux_2_{minor}" for minor in range(GLIBC[1], 4, -1)]
    names += ["manylinux2014", "manylinux2010", "manylinux1"]
    return [f"--platform={name}_{platform.machine()}" for name in names]


def assemble(work: Path, name: str) -> Path:
    """The archive: shiv's, with our own start in it."""
    outer = work / "outer"
    words = {
        "@BUILT_FOR@": built_for(),
        "@NAME@": name,
        "@BUILD_ID@": build_id(outer),
        "@LIBC@": f"{GLIBC[0]}.{GLIBC[1]}" if platform.system() == "Linux" else "",
    }
    for carried in CARRIED:
        (outer / carried).write_text(filled(HERE / carried, words), encoding="utf-8")
    shiv = (sys.executable, "-m", "shiv", "--reproducible", "--compile-pyc", "--uncompressed")
    plain = work / "plain.pyz"
    run(*shiv, "-p", SHEBANG, "-e", "openclaude.cli:main", "--site-packages", outer, "-o", plain)
    return put_in_start(plain, work / name, filled(HERE / "main.py", words), outer)


def built_for() -> str:
    """What main.py must find, in its own words."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"CPython {version} on {platform.system()} {platform.machine()}"


def build_id(outer: Path) -> str:
    """A name for exactly this content: what is packed, and how it is unpacked."""
    content = hashlib.sha256()
    for path in (*sorted(outer.iterdir()), *(HERE / carried for carried in CARRIED)):
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:32]


def filled(path: Path, words: dict[str, str]) -> str:
    """A carried file with what only the build knows."""
    text = path.read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def put_in_start(plain: Path, made: Path, main_text: str, outer: Path) -> Path:
    """Shiv's archive with our `__main__`, and the bytecode of what it imports, which shiv skips."""
    compiled = outer / "openclaude_start.pyc"
    py_compile.compile(
        str(outer / "openclaude_start.py"),
        cfile=str(compiled),
        dfile="openclaude_start.py",
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    with zipfile.ZipFile(plain) as before, made.open("wb") as file:
        file.write(f"#!{SHEBANG}\n".encode())
        with zipfile.ZipFile(file, "w") as archive:
            for entry in before.infolist():
                content = before.read(entry)
                if entry.filename == "__main__.py":
                    content = main_text.encode()
                add(archive, entry.filename, content)
            add(archive, f"site-packages/{compiled.name}", compiled.read_bytes())
    made.chmod(0o755)
    return made


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """An entry that is the same whoever builds it."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, content)


if __name__ == "__main__":
    sys.exit(main())
