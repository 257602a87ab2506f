"""build/demo for a user who tries it for the first time.

It reports within a second what is missing, shows what it is doing, and says in one sentence what
failed.

Each test has a clone of its own, whose build/setup is a stub.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.reaches_out, pytest.mark.slow]

TAG = f"py{sys.version_info[0]}{sys.version_info[1]}"
OPENCLAUDE = '#!/bin/sh\necho "openclaude $* with ${OPENCLAUDE_CLAUDE:-no claude named}"\n'
LINUX, MAC = "Linux x86_64", "Darwin arm64"
PINNED = ".work/claude/node_modules/@anthropic-ai/claude-code-linux-x64/claude"


class Clone:
    """A clone of the repository, with what build/demo uses."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.bin = root / "bin"
        for folder in (self.home, self.bin, root / "build/setup.d", root / f".work/{TAG}/bin"):
            folder.mkdir(parents=True)
        for name in ("build/demo", "build/demo.d/steps.py", "build/setup.d/python.sh"):
            (root / name).parent.mkdir(exist_ok=True)
            shutil.copy(REPOSITORY / name, root / name)
        for name in ("bash", "sh", "env", "dirname", "uname", "mkdir", "sleep", "df", "awk", "cat"):
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self.write(f".work/{TAG}/bin/openclaude", OPENCLAUDE)
        self.set_up("")

    def write(self, name: str, text: str) -> Path:
        """Write a program."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def replace(self, name: str, text: str) -> None:
        """Replace one of the tools with another program."""
        (self.bin / name).unlink()
        self.write(f"bin/{name}", text)

    def set_up(self, script: str) -> None:
        """Set what build/setup does, given its arguments and OPENCLAUDE_CLAUDE."""
        self.write("build/setup", f"#!/usr/bin/env bash\n{script}\n")

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """A PATH with a few tools, and without claude, npm and Python."""
        plain = {"HOME": str(self.home), "PATH": str(self.bin), "PYTHON": sys.executable}
        return {**plain, **(more or {})}

    def demo(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run build/demo."""
        return subprocess.run(
            (self.root / "build/demo", *arguments),
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


# -- what is missing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("3.9 CPython venv", "needs Python 3.11 to 3.13, this is 3.9: set PYTHON="),
        ("2.7 CPython none", "needs Python 3.11 to 3.13, this is 2.7: set PYTHON="),
        ("3.14 CPython venv", "needs Python 3.11 to 3.13, this is 3.14: set PYTHON="),
        ("3.12 PyPy venv", "needs CPython, and `{python}` is PyPy: set PYTHON="),
        ("3.12 CPython none", "`{python}` lacks the modules venv and ensurepip: install them"),
    ],
)
def test_a_python_that_will_not_do_is_named_before_anything_happens(
    clone: Clone, answer: str, sentence: str
) -> None:
    clone.set_up("echo 'this must not run' >&2; exit 1")
    python = clone.write("python", f"#!/bin/sh\necho '{answer}'\n")

    done = clone.demo(env={"PYTHON": str(python)})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"build/demo: {sentence.format(python=python)}")
    assert done.stderr.count("\n") == 1
    assert not (clone.root / ".work/demo.log").exists()


def test_a_python_that_would_do_is_offered(clone: Clone) -> None:
    old = clone.write("old", "#!/bin/sh\necho 3.9 CPython venv\n")
    clone.write("bin/python3.12", "#!/bin/sh\n")

    done = clone.demo(env={"PYTHON": str(old)})

    assert done.stderr == (
        "build/demo: needs Python 3.11 to 3.13, this is 3.9: set PYTHON=python3.12\n"
    )


def test_a_python_that_is_not_there_is_named(clone: Clone) -> None:
    done = clone.demo(env={"PYTHON": "/nowhere/python3"})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "build/demo: there is no Python that runs as `/nowhere/python3`: set PYTHON="
    )
    assert done.stderr.count("\n") == 1


def test_a_python_without_venv_is_found_out_by_importing_it(clone: Clone) -> None:
    # like Debian's python3 without python3-venv
    hidden = 'import sys; sys.modules["ensurepip"] = None; exec(sys.argv.pop(1))'
    python = clone.write(
        "python", f'#!/bin/sh\nshift\nexec "{sys.executable}" -c \'{hidden}\' "$@"\n'
    )

    done = clone.demo(env={"PYTHON": str(python)})

    assert done.returncode == 1
    assert "lacks the modules venv and ensurepip" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_clone_that_cannot_be_written_is_named(clone: Clone) -> None:
    shutil.rmtree(clone.root / ".work")
    (clone.root / ".work").touch()  # root ignores the modes

    done = clone.demo()

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"build/demo: cannot write to {clone.root}/.work: ")


@pytest.mark.parametrize(
    ("claude", "free", "fetched", "needed"),
    [
        ("/my/claude", 601, 105, 0),
        ("/my/claude", 599, 0, 600),
        ("", 1001, 280, 0),
        ("", 999, 0, 1000),
    ],
)
def test_the_first_time_it_says_what_it_fetches_or_what_room_it_lacks(
    clone: Clone, claude: str, free: int, fetched: int, needed: int
) -> None:
    program = clone.root / f".work/{TAG}/bin/openclaude"
    program.rename(clone.root / "built")
    clone.set_up(f"mv {clone.root}/built {program}")
    clone.replace("uname", f"#!/bin/sh\necho {LINUX}\n")
    clone.replace("df", f"#!/bin/sh\necho head\necho /dev/x 9000000 1 {free}000 90% /\n")
    for name in ("mv", "npm"):
        (clone.bin / name).symlink_to(str(shutil.which("mv")))

    done = clone.demo(env={"OPENCLAUDE_CLAUDE": claude})

    if fetched:
        said = f"demo: the first time this fetches {fetched} MB into .work/ and takes a minute or"
        assert done.stderr.startswith(said)
        assert done.returncode == 0
    else:
        assert done.stderr == (
            f"build/demo: needs {needed} MB in {clone.root}/.work, and {free} MB are free there: "
            "free some space, then run it again\n"
        )
        assert done.returncode == 1


# -- which claude ----------------------------------------------------------------------------------

# build/setup prints its arguments
ECHO = 'echo "setup: told $* and ${OPENCLAUDE_CLAUDE:-to look}" >&2'
NO_NPM = "no claude on PATH and no npm to fetch it with: this runs without it"
NO_MAC = "no claude on PATH, and the pinned one is for Linux on x86-64: this runs without it"


@pytest.mark.parametrize(
    ("programs", "system", "arguments", "notice", "told", "used"),
    [
        ("claude npm", LINUX, (), "", "BIN/claude", "no claude named"),
        ("npm", LINUX, (), "", "to look", PINNED),
        ("npm", LINUX, ("--direct",), "", "none", "no claude named"),
        ("npm", MAC, (), NO_MAC, "none", "no claude named"),
        ("", LINUX, (), NO_NPM, "none", "no claude named"),
        (PINNED, LINUX, (), "", "to look", PINNED),
    ],
)
def test_claude_is_yours_or_the_pinned_one_or_none_and_which_is_known_at_once(
    clone: Clone,
    programs: str,
    system: str,
    arguments: tuple[str, ...],
    notice: str,
    told: str,
    used: str,
) -> None:
    clone.set_up(ECHO)
    clone.replace("uname", f"#!/bin/sh\necho {system}\n")
    for program in programs.split():
        clone.write(program if "/" in program else f"bin/{program}", "#!/bin/sh\n")

    done = clone.demo(*arguments)

    named = used.replace(PINNED, f"{clone.root}/{PINNED}")
    words = " ".join(("openclaude demo", *arguments))
    assert (done.returncode, done.stdout) == (0, f"{words} with {named}\n")
    first, *rest = done.stderr.splitlines()
    if notice:
        assert first.startswith(f"demo: {notice}; install ")
        first, *rest = rest
    told = told.replace("BIN", str(clone.bin))
    assert first == f"demo: told --for demo {sys.executable} and {told}"


def test_a_claude_that_was_named_is_used(clone: Clone) -> None:
    clone.set_up(ECHO)

    done = clone.demo("--json", env={"OPENCLAUDE_CLAUDE": "/my/claude"})

    assert done.stdout == "openclaude demo --json with /my/claude\n"
    assert done.stderr.startswith(f"demo: told --for demo {sys.executable} and /my/claude\n")


# -- what is being done ----------------------------------------------------------------------------


def test_steps_are_lines_where_nobody_watches_and_the_rest_is_in_the_log(clone: Clone) -> None:
    clone.set_up(
        "echo 'Collecting litellm'; echo 'setup: making .work/py' >&2; printf 'no newline'"
    )

    done = clone.demo("--direct")

    assert (done.returncode, done.stdout) == (
        0,
        "openclaude demo --direct with no claude named\n",
    )
    assert done.stderr.splitlines()[0] == "demo: making .work/py"
    log = (clone.root / ".work/demo.log").read_text()
    assert log == "Collecting litellm\nsetup: making .work/py\nno newline"


def test_a_second_run_that_finds_everything_says_nothing(clone: Clone) -> None:
    done = clone.demo("--direct")

    assert (done.returncode, done.stderr) == (0, "")


def test_how_much_was_written_where_is_said(clone: Clone) -> None:
    fill = "mkdir -p $1 && dd if=/dev/zero of=$1/file bs=1000000 count=$2 2>/dev/null"
    (clone.bin / "dd").symlink_to(str(shutil.which("dd")))
    clone.set_up(
        f"fill() {{ {fill}; }}; echo 'setup: fetching' >&2\n"
        "fill $HOME/.cache/pip/http 3; fill $HOME/.npm/_cacache 5; fill .work/claude 7"
    )
    old = clone.write("home/.cache/pip/http/old", "x" * 4_000_000)
    os.utime(old, (0, 0))

    done = clone.demo("--direct", env={"NPM_CONFIG_CACHE": str(clone.home / ".npm")})

    assert done.stderr.splitlines()[1:] == [
        f"demo: set up; .work/ takes 7 MB; pip keeps 3 MB for later in {clone.home}/.cache/pip; "
        f"npm keeps 5 MB for later in {clone.home}/.npm"
    ]


@pytest.mark.slow  # a long step takes two seconds
def test_on_a_terminal_a_step_is_one_line_that_counts_and_stays_when_it_was_long(
    clone: Clone,
) -> None:
    clone.set_up("echo 'setup: short' >&2; echo 'setup: long' >&2; sleep 2.2")
    ours, theirs = os.openpty()
    env = clone.environment({"TERM": "xterm"})
    with subprocess.Popen(
        (clone.root / "build/demo", "--direct"), env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        shown = bytearray()
        with contextlib.suppress(OSError):  # Linux reports EIO when the other side has closed
            while part := os.read(ours, 4096):
                shown += part
    os.close(ours)

    text = shown.decode()
    assert "\r\x1b[Kdemo: long (1 s)" in text
    assert "\r\x1b[Kdemo: long: 2 s\r\n" in text
    assert "short:" not in text
    assert text.endswith("openclaude demo --direct with no claude named\r\n")


# -- what failed -----------------------------------------------------------------------------------

PIP = 'for n in 1 2 3 4 5 6 7 8 9; do echo "  Retrying $n: NewConnectionError" >&2; done'


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            f"echo 'setup: installing 9 packages' >&2; {PIP}\n"
            "echo 'setup: could not install: the index cannot be reached; check the network' >&2",
            "could not install: the index cannot be reached; check the network",
        ),
        (
            "echo 'setup: fetching claude from npm' >&2; echo 'npm error network' >&2\n"
            "echo 'build/setup: npm could not fetch it, see above: check the network' >&2",
            "npm could not fetch it: check the network",
        ),
        (
            "echo 'setup: fetching' >&2\necho 'cp: writing x: No space left on device' >&2",
            "the disk is full while fetching: free some space, then run it again",
        ),
        (
            "echo 'setup: fetching' >&2; echo 'what is this' >&2",
            "the set-up failed while fetching: run it again",
        ),
        ("exit 3", "the set-up failed: run it again"),
        (
            "echo 'setup: fetching' >&2; echo x; kill -9 $$",
            "the set-up was ended by signal 9 while fetching: run it again",
        ),
    ],
)
def test_what_failed_is_one_sentence_and_the_log_has_the_rest(
    clone: Clone, script: str, sentence: str
) -> None:
    clone.set_up(f"{script}\nexit 1")

    done = clone.demo("--direct")

    assert done.returncode not in {0, 130}
    assert done.stdout == ""
    *steps, last = done.stderr.splitlines()
    assert last == f"build/demo: {sentence} (details: .work/demo.log)"
    # on a slow machine its last output may be displayed as a step first
    known = {"installing 9 packages", "fetching claude from npm", "fetching", sentence}
    assert {line.removeprefix("demo: ") for line in steps} <= known


def test_ctrl_c_ends_it_without_a_word(clone: Clone) -> None:
    clone.set_up("echo 'setup: fetching' >&2; trap 'exit 130' INT; sleep 60 & wait")
    with subprocess.Popen(
        (clone.root / "build/demo", "--direct"),
        env=clone.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stderr
        assert process.stderr.readline() == "demo: fetching\n"

        os.killpg(process.pid, signal.SIGINT)

        out, err = process.communicate(timeout=20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the stub's sleep
    assert (process.returncode, out, err) == (130, "", "")
