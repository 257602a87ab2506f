"""Secrets: fetched where they are needed, named if they are unavailable, displayed nowhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from openclaude.contracts.worker import SECRETS_VARIABLE
from openclaude.run.stack.secret_environment import secret_environment, variables_needed
from openclaude.run.worker import secrets
from openclaude.run.worker.secrets import SecretUnavailable, fetch_all

SECRET = "sk-do-not-show-me"


def fetched(reference: str, **inherited: str) -> str:
    """Return what an instance finds in its variable, told as the supervisor does."""
    environment = secret_environment({"KEY": reference}, inherited)
    fetch_all(environment)
    assert SECRETS_VARIABLE not in environment
    return environment["KEY"]


def failure(reference: str, **inherited: str) -> str:
    with pytest.raises(SecretUnavailable) as caught:
        fetched(reference, **inherited)
    assert "do-not-show" not in str(caught.value)
    return str(caught.value)


def test_a_variable_is_looked_up_before_the_instance_is_made() -> None:
    assert secret_environment({"KEY": "env:MINE"}, {"MINE": SECRET, "OTHER": "x"}) == {
        "KEY": SECRET
    }
    assert secret_environment({}, {"MINE": SECRET}) == {}


def test_what_is_not_set_is_named() -> None:
    assert failure("env:MINE", MINE="") == (
        "the secret `env:MINE` is not set: set MINE, then start openclaude again"
    )


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"  {SECRET}\r\n\n"])
def test_a_file_is_read_without_the_space_around_its_text(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_bytes(content.encode())

    assert fetched(f"file:{tmp_path}/key") == SECRET
    assert fetched("file:~/key", HOME=str(tmp_path)) == SECRET


def test_a_json_document_is_a_secret_too(tmp_path: Path) -> None:
    document = json.dumps({"type": "service_account"}, indent=2)
    (tmp_path / "key").write_text(document)

    assert fetched(f"file:{tmp_path}/key") == document


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"a\nb", "is not a single line of text"),
     (b"\xff\xfe", "is not UTF-8 text"), (b"sk-do-not-show\x00", "is not a single line of text")],
)  # fmt: skip
def test_a_file_that_holds_no_secret_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "key").write_bytes(content)

    assert failure(f"file:{tmp_path}/key") == f"the secret `file:{tmp_path}/key` {problem}"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    assert failure(f"file:{tmp_path}/none").endswith("cannot be read: No such file or directory")
    assert failure(f"file:{tmp_path}").endswith("cannot be read: Is a directory")
    assert failure(f"file:{tmp_path}/fifo").endswith("is empty")


@pytest.mark.reaches_out
def test_a_command_is_run_without_a_shell_and_with_little_around_it(tmp_path: Path) -> None:
    script = tmp_path / "show it"
    script.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "print(sys.argv[1:], sorted(name for name in os.environ if name != 'LC_CTYPE'))\n"
    )
    script.chmod(0o700)

    out = fetched(f"command:'{script}' 'a b' $HOME", HOME="/h", PATH="/bin", MINE=SECRET)

    assert out == "['a b', '$HOME'] ['HOME', 'PATH']"


@pytest.mark.reaches_out
def test_a_command_that_fails_is_named_and_its_words_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = {"PATH": os.defpath}

    (tmp_path / "talk").write_text(f"echo {SECRET}; echo {SECRET} >&2; exit 3")
    assert failure(f"command:sh {tmp_path}/talk", **around) == (
        f"the secret `command:sh {tmp_path}/talk` cannot be fetched: exit status 3"
    )
    assert failure(f"command:{tmp_path}/x", **around) == (
        f"the secret `command:{tmp_path}/x` cannot be fetched: No such file or directory"
    )
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT_S", 0.1)
    assert failure("command:sleep 600", **around).endswith(
        "cannot be fetched: no answer within 0 s"
    )


def test_only_what_a_command_needs_is_asked_of_the_users_environment() -> None:
    shell = {"A": "1", "B": "2", "C": "3", "SSH_AUTH_SOCK": "/s", "OP_SESSION_me": "4"}

    assert variables_needed(["env:A", "env:B", "env:NONE"], shell) == {"A": "1", "B": "2"}
    assert variables_needed(["command:pass x"], shell) == {
        "SSH_AUTH_SOCK": "/s",
        "OP_SESSION_me": "4",
    }
    assert not variables_needed([], shell)
