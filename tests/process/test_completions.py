"""The completions in their shells, and the man page in man."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaude.commands.registry import NAMES
from tests.conftest import NOWHERE, REPOSITORY, need

pytestmark = pytest.mark.shells

SHARE = REPOSITORY / "share"
OURS = {*NAMES} | {"--profile", "--help", "--version"}
SHIPPED = {path.stem for path in (REPOSITORY / "profiles").glob("*.toml")}

Complete = Callable[[str], set[str]]

BASH = """
source "$1"
COMP_WORDS=($2) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
[[ $2 == *' ' ]] && COMP_WORDS+=('') COMP_CWORD=$((COMP_CWORD + 1))
compopt() { COMPREPLY+=("files"); }
_openclaude
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
"""
# a stub for compadd prints what would be offered, as the completion's own functions call it
ZSH = """
PS1='' PS2='' RPS1=''
fpath=({folder} $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {{
  local -a offered
  [[ ${{@[1,(i)(-|--)]}} == *-(O|A|D)\\ * ]] && {{ builtin compadd "$@"; return }}
  builtin compadd -A offered "$@"
  print -rl -- $offered >> {answer}
  builtin compadd "$@"
}}
_files() {{ print files >> {answer} }}
_default() {{ print files >> {answer} }}
over() {{ BUFFER='' && zle -I && print OVER }}
zle -N over
bindkey '^X' over
print READY
"""
FISH = """
source $argv[1]
function __fish_complete_path; echo $argv[1]:files; end
complete -C $argv[2]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user with two profiles, one of them named like a built-in one."""
    folder = tmp_path / ".config" / "openclaude" / "profiles"
    folder.mkdir(parents=True)
    for name in ("mine.toml", "qwen.toml", ".mine.1.ab.draft.toml", ".lock", "notes.txt"):
        (folder / name).touch()
    return tmp_path


def in_bash(home: Path, **more: str) -> Iterator[Complete]:
    program = shutil.which("bash") or ""
    need(program, "bash")
    script = SHARE / "bash-completion/completions/openclaude"

    def complete(line: str) -> set[str]:
        # readline breaks words at `=`
        said = subprocess.run(
            [program, "--norc", "-c", BASH, "bash", script, line.replace("=", " = ")],
            env={"HOME": str(home), "PATH": NOWHERE, **more},
            capture_output=True,
            text=True,
        )
        assert not said.stderr
        return set(said.stdout.split())

    yield complete


def in_fish(home: Path, **more: str) -> Iterator[Complete]:
    program = shutil.which("fish") or ""
    need(program, "fish")
    script = SHARE / "fish/vendor_completions.d/openclaude.fish"

    def complete(line: str) -> set[str]:
        said = subprocess.run(
            [program, "--no-config", "-c", FISH, script, line],
            env={"HOME": str(home), "PATH": NOWHERE, **more},
            capture_output=True,
            text=True,
        )
        assert not said.stderr
        return {row.partition("\t")[0] for row in said.stdout.splitlines()}

    yield complete


def in_zsh(home: Path, **more: str) -> Iterator[Complete]:
    program = shutil.which("zsh") or ""
    need(program, "zsh")
    answer, setup = home / "answer", home / "setup"
    setup.write_text(ZSH.format(folder=SHARE / "zsh/site-functions", answer=answer))
    master, slave = pty.openpty()
    shell = subprocess.Popen(
        [program, "-f", "-i"],
        env={"HOME": str(home), "PATH": NOWHERE, **more, "TERM": "dumb"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)

    def complete(line: str) -> set[str]:
        answer.write_text("")
        os.write(master, f"{line}\t\x18".encode())
        read_until(master, b"OVER\r\n")
        return set(answer.read_text().split())

    try:
        os.write(master, f"source {setup}\n".encode())
        read_until(master, b"READY\r\n")
        yield complete
    finally:
        shell.kill()
        shell.wait()
        os.close(master)


def read_until(master: int, mark: bytes) -> None:
    """Read what the terminal shows, up to a marker."""
    seen = b""
    while mark not in seen:
        assert select.select([master], [], [], 20.0)[0], seen
        seen += os.read(master, 4096)


@pytest.fixture(params=[in_bash, in_zsh, in_fish], ids=["bash", "zsh", "fish"])
def complete(request: pytest.FixtureRequest, home: Path) -> Iterator[Complete]:
    """Return what a shell offers for a line."""
    yield from request.param(home)


def offered(complete: Complete, line: str) -> set[str]:
    """Return what is offered that begins like the last word, as a user sees it."""
    typed = line.rpartition(" ")[2].rpartition("=")[2]
    found = {word.rpartition("=")[2].rpartition(":")[2] for word in complete(line)}
    return {word for word in found if word.startswith(typed) or word == "files"}


def test_the_first_word_is_one_of_ours(complete: Complete) -> None:
    assert offered(complete, "openclaude ") >= OURS - {"--profile", "--help", "--version"}
    assert offered(complete, "openclaude st") == {"start", "stop", "status", "statusline"}
    assert offered(complete, "openclaude --p") == {"--profile"}


def test_profiles_are_those_of_openclaude_and_of_the_user(complete: Complete) -> None:
    assert offered(complete, "openclaude --profile ") == SHIPPED | {"mine"}
    assert offered(complete, "openclaude --profile mi") == {"mine", "minimax"}


def test_a_profile_may_follow_an_equals_sign(complete: Complete) -> None:
    assert offered(complete, "openclaude --profile=mi") == {"mine", "minimax"}


def test_after_the_profile_the_line_is_claudes(complete: Complete) -> None:
    assert offered(complete, "openclaude --profile qwen d") == {"files"}
    assert offered(complete, "openclaude -p d") == {"files"}


def test_actions_and_options_are_those_of_the_word(complete: Complete) -> None:
    assert offered(complete, "openclaude profiles re") == {"rename", "remove"}
    assert offered(complete, "openclaude profiles new --t") == {"--tier"}
    of_stop = {"--profile", "--json", "--all", "--yes", "--help"}
    assert offered(complete, "openclaude stop --") == of_stop
    assert offered(complete, "openclaude stop d") == {"deepseek"}
    assert offered(complete, "openclaude setup d") == {"deepseek"}
    assert offered(complete, "openclaude demo d") == set()


def test_a_value_is_what_the_option_or_the_position_takes(complete: Complete) -> None:
    assert offered(complete, "openclaude stop --profile mi") == {"mine", "minimax"}
    assert offered(complete, "openclaude profiles show mi") == {"mine", "minimax"}
    assert offered(complete, "openclaude profiles --json diff qwen mi") == {"mine", "minimax"}
    assert offered(complete, "openclaude profiles new mi") == set()
    assert offered(complete, "openclaude profiles new x --from ba") == {"base"}
    assert offered(complete, "openclaude logs mi") == {"mine", "minimax"}
    assert offered(complete, "openclaude logs qwen ") == {"supervisor", "main", "providers"}
    assert offered(complete, "openclaude profiles set mi") == {"mine", "minimax"}
    assert offered(complete, "openclaude completion ") == {"bash", "zsh", "fish"}
    assert offered(complete, "openclaude aws policy --format j") == {"json"}
    assert offered(complete, "openclaude profiles import m") == {"files"}


@pytest.mark.parametrize("shell", [in_bash, in_zsh, in_fish])
def test_xdg_names_the_folder_unless_it_is_relative(
    shell: Callable[..., Iterator[Complete]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".config").rename(home / "elsewhere")
    (home / "here").mkdir()
    monkeypatch.chdir(home / "here")  # fish makes a relative folder where it is

    for folder, found in (
        (str(home / "elsewhere"), {"mine", "minimax"}),
        ("elsewhere", {"minimax"}),
    ):
        for complete in shell(home, XDG_CONFIG_HOME=folder):
            assert offered(complete, "openclaude --profile mi") == found


def test_man_renders_the_page_without_a_warning() -> None:
    need(shutil.which("man") and shutil.which("groff"), "man and groff")
    page = SHARE / "man/man1/openclaude.1"

    said = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
        env={**os.environ, "MANROFFSEQ": "", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
    )

    assert (said.returncode, said.stderr) == (0, "")
