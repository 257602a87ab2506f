"""The zipapp on a user's machine: the first run, ten at once, other Pythons, older versions."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import need
from tests.packages.conftest import PYTHON, User

MOST_ENTRIES = 16
MOST_MB = 0.55 * 178  # of the plain `shiv litellm[proxy]`; tests/bench measures both
OTHER_PYTHONS = ("3.8", "3.12", "3.13")
IMPORTS = "import litellm, openclaude.cli, psutil; print(litellm.__file__)"
WAIT = "import sys; print('runs', flush=True); sys.stdin.read()"


def other_python(version: str) -> Path:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/{version}.*/bin/python"))
    need(found, f"Python {version}")
    return found[0]


def as_version(archive: Path, build_id: str, folder: Path) -> Path:
    """Return the same zipapp as if it had another version."""
    changed = folder / f"{build_id}.pyz"
    with zipfile.ZipFile(archive) as before, zipfile.ZipFile(changed, "w") as after:
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename.endswith("openclaude_start.py"):
                line = rf'BUILD_ID = "{build_id}"'
                content = re.sub(r'BUILD_ID = "\w+"', line, content.decode()).encode()
            if not entry.filename.endswith(".pyc"):
                after.writestr(entry, content)
    return changed


@pytest.fixture
def older(tmp_path: Path, newcomer: User) -> User:
    """A user with an older version, which has run once."""
    user = User(newcomer.home, as_version(newcomer.archive, "older", tmp_path))
    assert user.run("--version").returncode == 0
    assert user.versions() == ["older"]
    return user


def test_the_archive_is_small_and_quick_to_open(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()

    assert len(names) <= MOST_ENTRIES
    assert archive.stat().st_size / 1e6 <= MOST_MB
    assert "environment.json" in names  # made by shiv


def test_nothing_is_carried_that_is_not_needed(user: User) -> None:
    (version,) = user.versions()
    tree = user.app / version / "site-packages"
    names = {path.name.partition("-")[0] for path in tree.iterdir()}

    assert not names & {"pip", "polars", "shiv", "litellm_enterprise", "hf_xet", "setuptools"}
    assert not [path for path in tree.rglob("tests") if path.is_dir()]


def test_licences_are_carried_with_the_packages(user: User) -> None:
    (version,) = user.versions()
    tree = user.app / version / "site-packages"

    assert len(list(tree.glob("*.dist-info/METADATA"))) > 80
    assert len(list(tree.glob("*.dist-info/**/*LICEN*"))) > 60


def test_the_unpacked_tree_is_the_users_alone(user: User) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in user.app.rglob("*") if path.is_file()}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in user.app.rglob("*") if path.is_dir()}

    assert (modes, folders) == ({0o600}, {0o700})


def test_ten_first_runs_at_once_unpack_one_tree(newcomer: User) -> None:
    ten = [newcomer.start("--version") for _ in range(10)]
    ended = [(*process.communicate(timeout=300), process.returncode) for process in ten]

    out, err, code = ended[0]
    assert ended == [(out, "", 0)] * 10, ended
    assert out.startswith("openclaude ")
    assert (err, code) == ("", 0)
    assert len(newcomer.versions()) == 1


def test_a_first_run_shows_one_line_on_a_terminal_and_clears_it(newcomer: User) -> None:
    ours, theirs = pty.openpty()
    with newcomer.start("--version", stderr=theirs):
        os.close(theirs)
        shown = bytearray()
        with contextlib.suppress(OSError):  # Linux reports EIO when the other side has closed
            while part := os.read(ours, 4096):
                shown += part
    os.close(ours)

    assert shown == b"openclaude: unpacking itself, once for this version\r\x1b[K"


@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_another_python_gets_one_sentence(version: str, newcomer: User) -> None:
    done = subprocess.run(
        (other_python(version), newcomer.archive, "--version"),
        env=newcomer.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    system, machine = os.uname().sysname, os.uname().machine
    assert done.stderr == (
        f"error: this openclaude was built for CPython {ours} on {system} {machine}, "
        f"and this is CPython {version} on {system} {machine}\n\n"
        f"hint: run it with `python{ours}`, or get the `openclaude-*.pyz` for your Python "
        f"where you got this one ({newcomer.archive.name})\n"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert list(newcomer.home.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(newcomer: User) -> None:
    (newcomer.home / "file").touch()

    done = newcomer.run("--version", env={"XDG_CACHE_HOME": f"{newcomer.home}/file"})

    assert done.stderr == (
        f"error: cannot unpack openclaude to `{newcomer.home}/file/openclaude/app`: "
        "Not a directory\n\nhint: it needs 400 MB there; `XDG_CACHE_HOME` names another place\n"
    )
    assert (done.returncode, done.stdout) == (125, "")


def test_another_users_tree_is_not_run(newcomer: User) -> None:
    need(os.geteuid() == 0, "root, to give files away")
    newcomer.run("--version")
    (version,) = newcomer.versions()
    os.chown(newcomer.app / version, 12345, 12345)

    done = newcomer.run("--version")

    assert done.returncode == 125
    assert done.stderr.startswith(f"error: `{newcomer.app}` is not this user's")


def test_a_new_version_removes_the_older_one_and_leftovers(older: User, newcomer: User) -> None:
    (older.app / ".new-1").mkdir()  # of a first run that was killed

    assert newcomer.run("--version").returncode == 0

    (left,) = newcomer.versions()
    assert left != "older"


def hold_by_a_start(older: User) -> subprocess.Popen[str]:
    return older.start("-c", WAIT, env={"SHIV_INTERPRETER": "1"}, stdin=subprocess.PIPE)


def hold_by_a_child(older: User) -> subprocess.Popen[str]:
    """Run a child as a supervisor is started: by PYTHONPATH, when the start is over."""
    env = older.environment({"PYTHONPATH": str(older.app / "older/site-packages")})
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen((PYTHON, "-c", WAIT), env=env, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("hold", [hold_by_a_start, hold_by_a_child])
def test_a_version_that_runs_stays(
    hold: Callable[[User], subprocess.Popen[str]], older: User, newcomer: User
) -> None:
    with hold(older) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"

        assert newcomer.run("--version").returncode == 0
        assert "older" in newcomer.versions()

        process.communicate(timeout=30)
    os.utime(newcomer.app / "lock", (0, 0))  # the last check was long ago
    assert newcomer.run("--version").returncode == 0
    assert "older" not in newcomer.versions()


def test_bytecode_is_shipped_and_used(user: User) -> None:
    code = (
        "import importlib._bootstrap_external as loaders\n"
        "def refuse(*_, **__): raise SystemExit('compiled ' + str(_))\n"
        "loaders.SourceLoader.source_to_code = refuse\n"
        "import openclaude.cli, litellm.proxy.proxy_server\n"
        "print('used')"
    )

    flags = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONDONTWRITEBYTECODE": "1"}
    assert user.python(code, flags).splitlines()[-1] == "used"


def test_no_package_of_the_users_is_mixed_in(user: User, tmp_path: Path) -> None:
    for name in ("litellm", "openclaude", "psutil"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not ours')")
    env = {"PYTHONPATH": str(tmp_path), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    assert user.python(IMPORTS, env).startswith(str(user.app))
