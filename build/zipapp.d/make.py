"""Make the zipapp: the locked packages without what nobody needs, compressed, joined by shiv.

Knows: the steps, the layout of the archive. Independent of: what is left out (removals.toml), how
the archive starts (main.py, openclaude_start.py, openclaude_unpack.py, which it contains).

Shiv opens its archive at every start, as does its bootstrap; with LiteLLM's 14,000 entries that is
0.15 s of CPU. So the archive that shiv makes has a dozen entries: the packages are three compressed
members of it, and the first run unpacks them.
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
sys.path.insert(0, str(HERE.with_name("setup.d")))
import locked  # noqa: E402
import pip_runs  # noqa: E402

SHEBANG = "/usr/bin/env python3"
CARRIED = ("openclaude_start.py", "openclaude_unpack.py")
# reproducible output: the order of sets is in .pyc files, and shiv stores the date
STABLE = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "315532800"}
GLIBC = (2, 28)  # of 2018: Debian 10, RHEL 8
PYTHON = f"cp{sys.version_info[0]}{sys.version_info[1]}"


def main() -> int:
    """Make it; print its path."""
    parser = argparse.ArgumentParser(prog="build/zipapp", allow_abbrev=False)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="(default: dist)")
    parser.add_argument("--fast", action="store_true", help="larger, and made sooner: for tests")
    options = parser.parse_args()
    out: Path = options.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    (ROOT / ".work").mkdir(exist_ok=True)
    with TemporaryDirectory(dir=ROOT / ".work", prefix="zipapp-") as name:
        work = Path(name)
        try:
            stage(work / "tree")
        except (locked.NotAsLocked, pip_runs.PipFailed) as error:
            sys.exit(f"zipapp: {error}")
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
    """Run one step in another program; report its failure."""
    subprocess.run([str(part) for part in command], env=STABLE, cwd=ROOT, check=True)


def stage(tree: Path) -> None:
    """Install the packages as they will be unpacked: locked, reduced, compiled."""
    gather(tree)
    remove(tree, HERE / "removals.toml")
    # unchecked: never compared with the source, whose date is that of the unpacking
    compileall = (sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    run(*compileall, "-s", tree, tree)


def gather(tree: Path) -> None:
    """Install everything that is locked, and our own package."""
    lock = tree.with_name("requirements.lock")
    text = (ROOT / "build/requirements.lock").read_text(encoding="utf-8")
    lock.write_text(for_every_patch_release(text), encoding="utf-8")
    locked.install_into(tree, lock, platforms())
    with TemporaryDirectory(dir=tree.parent) as made:
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made)
        (wheel,) = Path(made).glob("*.whl")
        locked.unpack_wheel(tree, wheel)


def platforms() -> list[str]:
    """Return the tags of wheels for GLIBC and older, the same on every building machine."""
    if platform.system() != "Linux":
        return []
    names = [f"manylinux_2_{minor}" for minor in range(GLIBC[1], 4, -1)]
    names += ["manylinux2014", "manylinux2010", "manylinux1"]
    return [f"--platform={name}_{platform.machine()}" for name in names]


def assemble(work: Path, name: str) -> Path:
    """Build the archive: shiv's, with our own start in it."""
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
    """Return what main.py must find, in the same form."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"CPython {version} on {platform.system()} {platform.machine()}"


def build_id(outer: Path) -> str:
    """Return a name for exactly this content: what is packed, and how it is unpacked."""
    content = hashlib.sha256()
    for path in (*sorted(outer.iterdir()), *(HERE / carried for carried in CARRIED)):
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:32]


def filled(path: Path, words: dict[str, str]) -> str:
    """Return an included file with the values that only the build knows."""
    text = path.read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def put_in_start(plain: Path, made: Path, main_text: str, outer: Path) -> Path:
    """Write shiv's archive with our `__main__`, and the bytecode that shiv leaves out."""
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
    """Add an entry that is the same on every machine."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, content)


if __name__ == "__main__":
    sys.exit(main())
