"""The built wheel on clean machines, from the real index: as documented, and all of it works.

Newer packages on the index are simulated in tests/tomorrow, with small wheels and every pip; here
are the real ones, once with that index as well as the real one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker

from tests.conftest import REPOSITORY
from tests.documented import as_script
from tests.packages.conftest import DIST, PYTHON, TAG, built
from tests.packages.test_zipapp import other_python
from tests.tomorrow.wheels import LOCKS, canonical, make_tomorrow

LOCK = REPOSITORY / "build/requirements.lock"
INSTALL_TIMEOUT_S = 600.0
LIST = (
    "import importlib.metadata as m, json; "
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
)


@pytest.fixture(scope="session")
def tomorrow(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with version 9999 of everything, for pip and uv to find."""
    folder = tmp_path_factory.mktemp("tomorrow") / "wheels"
    make_tomorrow(folder, [(REPOSITORY / "build" / name).read_text() for name in LOCKS])
    (pip,) = folder.glob("pip-*.whl")  # pipx takes the newest for itself, and this one cannot run
    pip.unlink()
    return str(folder)


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """An empty HOME, and a PATH with pipx, uv and this Python."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python3").symlink_to(PYTHON)
    for name in ("pipx", "uv"):
        (tools / name).symlink_to(Path(sys.executable).with_name(name))
    return tmp_path


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user with only this machine's index settings."""
    told = ("PIP_", "UV_", "SSL_", "REQUESTS_CA")
    reached = {name: value for name, value in os.environ.items() if name.startswith(told)}
    return {
        **reached,
        "HOME": str(home),
        "PATH": f"{home}/tools:{home}/.local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHON": str(PYTHON),
        "PIPX_DEFAULT_PYTHON": str(PYTHON),
        "UV_PYTHON": str(PYTHON),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_SYSTEM_CERTS": "1",
        **more,
    }


def run(home: Path, *argv: str | Path, cwd: Path | None = None, **more: str) -> str:
    """Run a command of that user; return what it printed."""
    done = subprocess.run(
        argv,
        env=environment(home, **more),
        cwd=cwd or home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_TIMEOUT_S,
    )
    assert done.returncode == 0, f"{argv}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def locked() -> dict[str, str]:
    """Return the versions in the lock for this Python and machine."""
    found = {}
    for line in LOCK.read_text().splitlines():
        pin, _, marker = line.rstrip("\\ ").partition(" ; ")
        if "==" in pin and (not marker or Marker(marker).evaluate()):
            name, _, version = pin.partition("==")
            found[canonical(name)] = version
    return found


def installed(home: Path, python: Path) -> dict[str, str]:
    """Return the packages that Python finds, without openclaude and pip."""
    found = {
        canonical(name): version
        for name, version in json.loads(run(home, python, "-I", "-c", LIST)).items()
    }
    return {name: version for name, version in found.items() if name not in {"openclaude", "pip"}}


def works(home: Path, command: Path) -> None:
    """Assert that openclaude runs, and finds every package as locked."""
    assert run(home, command, "--version").startswith("openclaude ")
    assert "qwen-coder" in run(home, command, "profiles", "list")
    assert finding(home, command, "lock")["message"] == "all packages have the tested versions"


def finding(home: Path, command: Path, code: str) -> dict[str, str]:
    """Return doctor's diagnostic about it; its exit status also depends on other things."""
    done = subprocess.run(
        (command, "doctor", "--json"),
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    (found,) = (
        row for row in json.loads(done.stdout)["data"]["diagnostics"] if row["code"] == code
    )
    return dict(found)


def break_and_restore(home: Path, python: Path, command: Path, **more: str) -> None:
    """Install another release of a package, then restore it by the command that doctor prints."""
    uv = Path(sys.executable).with_name("uv")
    run(home, uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "idna==3.7")
    fix = finding(home, command, "lock-differs")["fix"]

    run(home, "bash", "-c", fix.removeprefix("run `").removesuffix("`"), cwd=None, **more)

    works(home, command)


def test_pipx_installs_with_the_index_of_tomorrow_beside_the_real_one(
    user: Path, tomorrow: str
) -> None:
    more = {"PIPX_DEFAULT_BACKEND": "pip", "PIP_FIND_LINKS": tomorrow}

    run(user, "bash", "-c", as_script("release-pipx"), cwd=DIST, **more)

    python = user / ".local/share/pipx/venvs/openclaude/bin/python"
    assert installed(user, python) == locked()
    works(user, user / ".local/bin/openclaude")
    break_and_restore(user, python, user / ".local/bin/openclaude", **more)


def test_uv_installs_with_the_index_of_tomorrow_beside_the_real_one(
    user: Path, tomorrow: str
) -> None:
    more = {"UV_FIND_LINKS": tomorrow}

    run(user, "bash", "-c", as_script("release-uv"), cwd=DIST, **more)

    python = user / ".local/share/uv/tools/openclaude/bin/python"
    assert installed(user, python) == locked()
    works(user, user / ".local/bin/openclaude")
    break_and_restore(user, python, user / ".local/bin/openclaude", **more)


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_wheel_runs_with_exactly_what_is_locked(
    version: str, user: Path, tomorrow: str
) -> None:
    (user / "tools/python3").unlink()
    (user / "tools/python3").symlink_to(other_python(version))
    script = as_script("hashes").replace("build/wheel\n", "")  # it is there

    run(user, "bash", "-c", script, cwd=REPOSITORY, PIP_FIND_LINKS=tomorrow)

    venv = user / ".local/share/openclaude-venv"
    run(user, venv / "bin/python", "-m", "pip", "check")
    assert f"Python {version}." in run(user, venv / "bin/openclaude", "--version")
    works(user, venv / "bin/openclaude")
    break_and_restore(user, venv / "bin/python", venv / "bin/openclaude", PIP_FIND_LINKS=tomorrow)


def test_a_release_is_checked_and_its_zipapp_installed(user: Path) -> None:
    script = as_script("release-zipapp").replace("cp311", TAG)

    assert "openclaude-" in run(user, "bash", "-c", as_script("checksums"), cwd=DIST)
    assert "openclaude " in run(user, "bash", "-c", script, cwd=DIST)


def test_the_zipapp_is_built_and_installed_as_the_readme_says(user: Path, tomorrow: str) -> None:
    more = {"OPENCLAUDE_SETUP_DONE": "1", "PIP_FIND_LINKS": tomorrow}
    before = built("openclaude-*-*.pyz").read_bytes()

    run(user, "bash", "-c", as_script("zipapp"), cwd=REPOSITORY, **more)

    assert (user / ".local/bin/openclaude").read_bytes() == before
    works(user, user / ".local/bin/openclaude")


def test_the_sdist_holds_what_builds_and_tests_it() -> None:
    import tarfile

    with tarfile.open(built("openclaude-*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}

    wanted = {"build/requirements.lock", "build/test", "profiles/qwen.toml", "LICENSE", "README.md"}
    assert wanted <= names
