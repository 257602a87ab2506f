"""Each example of a help page is run: in this process, or by the test that is named here.

Knows: what each needs. Independent of: what it prints; its own tests look at that.
"""

from __future__ import annotations

import ast
import io
import os
import re
import shlex
import signal
import sys
from contextlib import closing
from pathlib import Path

import pytest

from openclaude import cli
from openclaude.files import private_folder
from openclaude.ledger.store import add, ledger_file, open_to_write
from tests.conftest import REPOSITORY
from tests.pinned import CLAUDE_VERSION
from tests.process.world import TIMEOUT_S, World, in_foreground
from tests.unit.commands.test_help_pages import PARSERS, sections
from tests.unit.ledger.entries import entry

MINE = """\
schema = 1
extends = "qwen"
[tiers]
haiku = "bedrock/zai.glm-5"
[aws]
region = "us-west-2"
[listen]
port = 4200
"""
REPORTS = "tests/process/test_words.py::test_every_report_is_the_same_envelope"
SWITCH = "tests/long/test_switch.py::"
# what needs proxies, a terminal, claude, AWS or a network: by its beginning, the test that has it
ELSEWHERE = {
    **dict.fromkeys(("start", "stop", "lock", "restart", "status"), REPORTS),
    "top": "tests/process/test_words.py::"
    "test_top_shows_sessions_on_a_terminal_of_its_own_and_leaves_it_as_it_was",
    "switch": f"{SWITCH}test_a_session_goes_on_with_another_model_is_told_once_and_goes_back",
    "logs -n": "tests/process/test_logs.py::test_as_many_last_lines_as_were_asked_for",
    "logs qwen": "tests/process/test_logs.py::test_following_tells_what_comes_until_interrupted",
    "requests -f": "tests/process/test_help_examples.py::"
    "test_requests_are_followed_as_they_come_until_interrupted",
    "env": "tests/process/test_program_keys.py::"
    "test_each_program_has_a_key_of_its_own_that_is_kept_as_a_digest",
    "serve team": "tests/e2e/test_e2e_team.py::"
    "test_a_session_is_answered_by_the_server_with_nothing_but_main_on_the_laptop",
    "doctor qwen --online": "tests/process/test_doctor_online.py::"
    "test_aws_says_who_we_are_and_each_model_is_asked_once",
    "setup": "tests/process/test_setup.py::test_a_person_with_nothing_gets_everything_by_answering",
    "setup openai": "tests/process/test_setup.py::test_steps_can_be_left_out",
    "aws setup": "tests/process/test_aws_setup_terminal.py::"
    "test_a_person_makes_a_profile_with_keys_that_are_never_shown",
    "demo": "tests/e2e/test_demo.py::test_the_demo_shows_the_main_job_and_leaves_nothing",
    "uninstall": "tests/process/test_uninstall.py::test_a_person_says_no_or_yes",
    "profiles import https": "tests/process/test_profiles_fetch.py::"
    "test_a_profile_is_fetched_over_tls_that_is_verified",
    "profiles import git": "tests/process/test_profiles_fetch.py::"
    "test_one_regular_file_of_a_repository_is_taken",
    "profiles import colleague": "tests/process/test_profiles_authoring.py::"
    "test_a_profile_from_elsewhere_is_kept_after_a_yes",
    "profiles remove mine": "tests/process/test_profiles_authoring.py::"
    "test_a_profile_is_removed_after_a_yes",
}
# in spite of what is above
HERE = ("aws setup --method process", "profiles remove mine --yes", "uninstall --purge --yes")
# they make it
WITHOUT_MINE = ("profiles new mine", "profiles copy qwen mine", "profiles import - mine")
DIFFERS = 1  # the exit status of `profiles diff`


def examples() -> list[str]:
    """Return every example, without `openclaude` and what a shell does with it."""
    lines = [line for path in PARSERS for line in sections(path)["examples"].splitlines()]
    found = (re.split(r" [<>|] ", line.strip())[0] for line in lines)
    return list(dict.fromkeys(one.removeprefix("openclaude ") for one in found))


def elsewhere(example: str) -> str:
    """Return the test that runs an example, or "" for this one."""
    begins = [one for one in ELSEWHERE if f"{example} ".startswith((f"{one} ", one))]
    return "" if example.startswith(HERE) or not begins else ELSEWHERE[max(begins, key=len)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a ledger, a claude and what a colleague has sent."""
    state = private_folder(tmp_path / ".local/state/openclaude")
    with closing(open_to_write(ledger_file(state))) as connection:
        add(connection, [entry()] * 42)
    (tmp_path / "bin").mkdir()
    for name in ("claude", "openclaude", "my-credentials"):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\necho '{CLAUDE_VERSION} (Claude Code)'\n")
        program.chmod(0o755)
    (tmp_path / "colleague.toml").write_text(MINE)
    (tmp_path / "serve.log").write_text("")
    (tmp_path / ".openai-key").write_text("sk-of-nobody\n")
    (tmp_path / ".openai-key").chmod(0o600)
    for name in [name for name in os.environ if name.startswith(("OPENCLAUDE_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_profiles(home: Path, example: str) -> None:
    """Have the profiles that an example begins with; `mine` is the default."""
    folder = home / ".config/openclaude/profiles"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.toml"):
        path.unlink()
    (folder.parent / "default").unlink(missing_ok=True)
    if not example.startswith(WITHOUT_MINE):
        (folder / "mine.toml").write_text(MINE)
        (folder.parent / "default").write_text("mine\n")


def test_every_example_of_a_help_page_works(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = [one for one in examples() if not elsewhere(one)]
    assert len(here) > 45
    for example in here:
        write_profiles(home, example)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MINE.encode())))

        status = cli.main(shlex.split(example))

        said = capsys.readouterr()
        is_diff = example.startswith("profiles diff qwen")
        may_find = example.startswith("doctor")  # it is not a sound machine
        assert (example, status) == (example, DIFFERS * is_diff) or may_find, said
        assert "error:" not in said.err, said
        assert said.out or example.startswith("profiles export mine --out"), example


def test_requests_are_followed_as_they_come_until_interrupted(empty_world: World) -> None:
    path = ledger_file(private_folder(empty_world.state))
    with closing(open_to_write(path)) as connection:
        add(connection, [entry(answered="bedrock/first")])
        with empty_world.start("requests", "-f", preexec_fn=in_foreground) as process:
            assert process.stdout
            first = process.stdout.readline()
            add(connection, [entry(answered="bedrock/second")])
            second = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=TIMEOUT_S)

    assert ("bedrock/first" in first, "bedrock/second" in second) == (True, True)
    assert (process.returncode, err) == (130, "")


def test_an_example_that_needs_more_has_a_test_that_is_there() -> None:
    needed = {elsewhere(one) for one in examples()} - {""}

    assert needed == {*ELSEWHERE.values()}
    for test in needed:
        path, _, name = test.partition("::")
        tree = ast.parse((REPOSITORY / path).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, test
