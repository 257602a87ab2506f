"""Machines with nothing installed: a bare Debian with the zipapp, a clone with its README."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, need
from tests.packages.conftest import PYTHON, TAG

MACHINE = REPOSITORY / ".work/fresh"
SUITES = {"cp311": "bookworm", "cp313": "trixie"}  # the Debian with that Python
GUEST = 1234
# processes, mounts and network of its own, like a machine; all of it ends with the command
INSIDE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c")
BOOT = 'ip link set lo up && mount -t proc proc "$0/proc" && exec chroot "$@"'


@pytest.fixture(scope="module")
def debian() -> Path:
    """A bare Debian with python3 and nothing else, made once by debootstrap."""
    need(os.geteuid() == 0, "root, for debootstrap and chroot")
    need(TAG in SUITES, "a Debian with this Python")
    need(shutil.which("debootstrap", path="/usr/sbin:/usr/bin"), "debootstrap (build/setup)")
    made = MACHINE / SUITES[TAG]
    if not made.exists():
        unfinished = MACHINE / f"{SUITES[TAG]}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        subprocess.run(
            (
                "debootstrap",
                "--variant=minbase",
                "--include=python3",
                made.name,
                unfinished,
                mirror(),
            ),
            check=True,
            stdout=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        unfinished.rename(made)
    return made


def mirror() -> str:
    """Return the source of this machine's own Debian packages."""
    told = subprocess.run(
        ("apt-get", "indextargets", "--format", "$(ORIGIN) $(SITE)", "Created-By: Packages"),
        check=True,
        capture_output=True,
        text=True,
    )
    sites = [line.split()[1] for line in told.stdout.splitlines() if line.startswith("Debian ")]
    need(sites, "a Debian mirror in apt's configuration")
    return sites[0]


@pytest.fixture(scope="module")
def guest(debian: Path, archive: Path) -> Iterator[Path]:
    """An ordinary user's home in it, with nothing in it but the zipapp."""
    home = debian / "home/guest"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.copy(archive, home / "openclaude.pyz")
    for path in (home, home / "openclaude.pyz"):
        os.chown(path, GUEST, GUEST)
    yield home
    shutil.rmtree(home)


def on_the_machine(debian: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the zipapp as that user, without network."""
    user = (debian, f"--userspec={GUEST}:{GUEST}", debian)
    env = ("/usr/bin/env", "-i", "HOME=/home/guest", "PATH=/usr/bin:/bin", "LANG=C.UTF-8")
    return subprocess.run(
        (*INSIDE, BOOT, *user, *env, "/home/guest/openclaude.pyz", *arguments),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--version",), "openclaude "),
        (("profiles", "list"), "qwen-coder"),
        (("demo",), "isolation: each credential stayed on its own side"),
    ],
)
def test_a_bare_debian_needs_only_the_zipapp(
    words: tuple[str, ...], said: str, debian: Path, guest: Path
) -> None:
    done = on_the_machine(debian, *words)

    steps = [line for line in done.stderr.splitlines() if line.startswith("demo: ")]
    assert (done.returncode, done.stderr.splitlines()) == (0, steps)
    assert said in done.stdout
    assert {path.name for path in guest.iterdir()} == {"openclaude.pyz", ".cache"}


def test_a_clean_clone_does_what_the_readme_says(tmp_path: Path) -> None:
    need(shutil.which("npm"), "npm")
    clone = tmp_path / "clone"
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(("git", "clone", "-q", REPOSITORY, clone), check=True)
    npm = Path(str(shutil.which("npm"))).parent
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    env = {"HOME": str(home), "PATH": f"{PYTHON.parent}:{npm}:/usr/bin:/bin", **pip}

    # a part of the second command: all of it is what runs this test
    for command in (("build/demo",), ("build/test", "unit", "-q")):
        done = subprocess.run(
            command, cwd=clone, env=env, capture_output=True, text=True, check=False, timeout=900
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
