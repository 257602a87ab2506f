"""Where claude and its settings are found."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaude.claude.discovery import find_claude
from openclaude.claude.settings import (
    BrokenSettings,
    find_settings,
    look_at_launch,
    read_own_settings,
    read_settings,
)
from openclaude.errors import ClaudeNotExecutable, ClaudeNotFound, UsageError
from openclaude.litellm_version import (
    LITELLM_VERSION,
    WrongLitellm,
    refuse_litellm,
    require_litellm,
)
from tests.conftest import NOWHERE


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_claude_is_the_first_executable_one_on_path(tmp_path: Path) -> None:
    program(tmp_path / "a" / "claude", 0o644)
    second = program(tmp_path / "b" / "claude")
    program(tmp_path / "c" / "claude")
    path = ":".join(str(tmp_path / name) for name in ("none", "a", "b", "c"))

    assert find_claude({"PATH": path}) == str(second)


def test_another_binary_can_be_named(tmp_path: Path) -> None:
    named = program(tmp_path / "my-claude")

    assert find_claude({"OPENCLAUDE_CLAUDE": str(named), "PATH": ""}) == str(named)
    assert find_claude({"OPENCLAUDE_CLAUDE": "my-claude", "PATH": str(tmp_path)}) == str(named)


def test_a_claude_that_is_openclaude_is_passed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ourselves = program(tmp_path / "openclaude")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "claude").symlink_to(ourselves)
    real = program(tmp_path / "b" / "claude")
    monkeypatch.setattr(sys, "argv", [str(ourselves)])

    assert find_claude({"PATH": f"{tmp_path}/a:{tmp_path}/b"}) == str(real)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"PATH": NOWHERE}, "there is no `claude` on PATH"),
        ({"OPENCLAUDE_CLAUDE": NOWHERE}, f"`{NOWHERE}` (OPENCLAUDE_CLAUDE) is not a file"),
    ],
)
def test_no_claude_is_exit_127(env: dict[str, str], message: str) -> None:
    with pytest.raises(ClaudeNotFound) as caught:
        find_claude(env)

    assert (caught.value.message, caught.value.launch_exit_code) == (message, 127)


def test_a_claude_that_cannot_be_run_is_exit_126(tmp_path: Path) -> None:
    program(tmp_path / "claude", 0o644)

    with pytest.raises(ClaudeNotExecutable) as caught:
        find_claude({"PATH": str(tmp_path)})

    assert caught.value.launch_exit_code == 126
    assert caught.value.hint == f"run `chmod +x {tmp_path}/claude`"


def write(path: Path, text: str = '{"a": 1}') -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_settings_files_are_found_strongest_first(tmp_path: Path) -> None:
    managed = write(tmp_path / "m" / "managed-settings.json")
    dropped = write(tmp_path / "m" / "managed-settings.d" / "1.json")
    local = write(tmp_path / "cwd" / ".claude" / "settings.local.json")
    project = write(tmp_path / "cwd" / ".claude" / "settings.json")
    user = write(tmp_path / "home" / ".claude" / "settings.json")
    env = {"CLAUDE_CODE_MANAGED_SETTINGS_PATH": managed}

    def paths(*arguments: str, **more: str) -> list[str]:
        home, cwd = tmp_path / "home", tmp_path / "cwd"
        return [source.path for source in find_settings(arguments, env | more, home, cwd)]

    assert paths() == [managed, dropped, local, project, user]
    assert paths("--setting-sources", "project,local") == [managed, dropped, local, project]
    elsewhere = write(tmp_path / "other" / "settings.json")
    assert paths(CLAUDE_CONFIG_DIR=str(tmp_path / "other"))[-1] == elsewhere


@pytest.mark.parametrize("text", ["{", "[]", "\x00", " x"])
def test_a_settings_file_that_is_no_object_is_left_to_claude(tmp_path: Path, text: str) -> None:
    write(tmp_path / "home" / ".claude" / "settings.json", text)

    assert list(find_settings((), {}, tmp_path / "home", tmp_path)) == []


def test_the_users_own_settings_and_agents_are_taken_out_of_the_arguments(tmp_path: Path) -> None:
    write(tmp_path / "mine.json", '{"x": 1}')
    arguments = ("--settings", "mine.json", "-p", "--agents={}", "hi")

    facts = look_at_launch(arguments, "claude", {}, tmp_path, tmp_path)

    assert facts.arguments == ("-p", "hi")
    assert (facts.own_settings, facts.own_agents) == ({"x": 1}, "{}")
    inline = look_at_launch(('--settings={"y": 2}',), "claude", {}, tmp_path, tmp_path)
    assert inline.own_settings == {"y": 2}


@pytest.mark.parametrize("value", ["/no/such.json", "{broken", "[]"])
def test_own_settings_that_cannot_be_read_are_a_usage_error(tmp_path: Path, value: str) -> None:
    if value == "[]":
        value = write(tmp_path / "list.json", "[]")

    with pytest.raises(UsageError, match="your `--settings`"):
        look_at_launch(("--settings", value), "claude", {}, tmp_path, tmp_path)


def test_the_installed_litellm_is_the_one_we_are_built_for() -> None:
    assert require_litellm() == LITELLM_VERSION


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8"])
def test_the_malicious_releases_are_refused_by_name(version: str) -> None:
    with pytest.raises(WrongLitellm, match=rf"LiteLLM {version} is malicious"):
        refuse_litellm(version)


@pytest.mark.parametrize("version", ["1.106.3", "1.82.6", "none"])
def test_any_other_version_is_refused_with_the_one_that_is_needed(version: str) -> None:
    with pytest.raises(WrongLitellm, match=f"needs LiteLLM {LITELLM_VERSION} but found {version}"):
        refuse_litellm(version)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
        (os.mkfifo, "it is not a regular file"),
        (lambda path: path.write_text("[" * 200_000), "it is nested too deeply"),
        (lambda path: path.write_text(" " * 9_000_000), "it is longer than 8 MB"),
        (lambda path: path.mkdir(), "Is a directory"),
    ],
)
def test_a_repository_cannot_hold_up_a_launch(
    tmp_path: Path, make: Callable[[Path], object], why: str
) -> None:
    path = tmp_path / "settings.json"
    make(path)

    found = read_settings(path, "project")

    assert isinstance(found, BrokenSettings)
    assert why in found.why


LARGEST_TEXTS = [
    "[" + "0," * 3_900_000 + "0]",
    '{"a": "' + "\\u0000" * 1_300_000 + '"}',
    "{" + ",".join(f'"{number}": {{}}' for number in range(500_000)) + "}",
    "[" + "9" * 7_900_000 + "]",
    "[" + "-1e-9," * 1_300_000 + "1]",
]


@pytest.mark.parametrize(
    "text", LARGEST_TEXTS, ids=["numbers", "escapes", "keys", "digits", "reals"]
)
def test_the_largest_settings_of_a_repository_take_little_time(tmp_path: Path, text: str) -> None:
    """Each takes less than a second; what is not linear in its length would take hours."""
    path = tmp_path / "settings.json"
    path.write_text(text)
    began = time.process_time()

    read_settings(path, "project")

    assert time.process_time() - began < 30


def test_own_settings_may_come_from_a_pipe(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, b'{"model": "opus"}')
    os.close(write)

    assert read_own_settings(f"/dev/fd/{read}", tmp_path) == {"model": "opus"}
    os.close(read)


def test_own_settings_nested_too_deeply_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read your `--settings`"):
        read_own_settings('{"a":' * 100_000, tmp_path)


# -- a repository's own wishes ---------------------------------------------------------------------

WISHES = {
    "env": {
        "ANTHROPIC_CUSTOM_HEADERS": "x-theirs: 1",
        "NO_PROXY": "*",
        "no_proxy": "*",
        "NODE_EXTRA_CA_CERTS": "ca.pem",
        "FOO": "kept",
    },
    "modelPicker": {"options": [{"model": "theirs"}]},
    "theme": "dark",
}
TAKEN = {"env": {"FOO": "kept"}, "theme": "dark"}


@pytest.mark.parametrize("name", ["settings.json", "settings.local.json"])
@pytest.mark.parametrize(
    ("trusted", "arguments", "taken"),
    [
        (None, (), TAKEN),  # claude has yet to ask
        ("", (), TAKEN),
        ("cwd", (), WISHES),
        ("cwd/deeper", (), TAKEN),
        (".", (), WISHES),  # a folder above it
        (None, ("-p", "hi"), WISHES),  # claude does not ask, and takes them
        (None, ("--print",), WISHES),
    ],
)
def test_a_repositorys_wishes_wait_until_claude_has_asked_for_trust(
    tmp_path: Path, name: str, trusted: str | None, arguments: tuple[str, ...], taken: object
) -> None:
    home, cwd = tmp_path / "home", tmp_path / "cwd"
    write(home / ".claude.json", json.dumps(projects(tmp_path, trusted)))
    write(cwd / ".claude" / name, json.dumps(WISHES))

    (found,) = look_at_launch(arguments, "claude", {}, home, cwd).settings

    assert found.values == taken


def projects(root: Path, trusted: str | None) -> dict[str, object]:
    """claude's own file, in which one folder is trusted; of "" it is only known."""
    if trusted is None:
        return {}
    path = os.path.normpath(root / (trusted or "cwd"))
    return {"projects": {path: {"hasTrustDialogAccepted": bool(trusted)}}}


def test_the_users_own_settings_need_no_trust(tmp_path: Path) -> None:
    write(tmp_path / "home" / ".claude" / "settings.json", json.dumps(WISHES))

    (found,) = look_at_launch((), "claude", {}, tmp_path / "home", tmp_path / "cwd").settings

    assert found.values == WISHES
