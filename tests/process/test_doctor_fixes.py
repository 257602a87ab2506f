"""What doctor says fixes a situation fixes it: done as it is printed, the finding is gone.

A command is run by a shell, which gives the environment for the next look; an edit of a file is
done to the file that is named.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from openclaude.commands import runner
from tests.process.test_doctor_situations import (
    AWS,
    CLAUDE,
    HAIKU,
    LOGIN,
    SETTINGS,
    aws_config,
    dead_url,
    home_of_everybody,
    login,
    openrouter,
    profile,
    settings,
    variables,
)
from tests.process.world import TIMEOUT_S, World
from tests.second_user import second_user

COMMAND = re.compile(r"`([a-z]+ [^`]+)`")
REMOVE = re.compile(r"remove `([\w.]+)` from `([^`]+)`")
SET = re.compile(r"set `([\w.]+)` to (\S+) in `([^`]+)`")
ADD = re.compile(r"add (`.+`) to `(\w+)` in `([^`]+)`")
LOST = "/no/such/company.pem"
USER = 12345
Env = dict[str, str]
Mend = Callable[[World, Env, str], Env]


@pytest.fixture
def method() -> str:
    return "fork"


@pytest.fixture
def sound(empty_world: World, port: int, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with nothing wrong, whose home is the working directory."""
    empty_world.executable("claude", CLAUDE)
    login(**LOGIN)(empty_world)
    (empty_world.home / ".aws" / "config").chmod(0o600)
    empty_world.write_profile(
        "qwen", f'schema = 1\nextends = "base"\n[tiers]\n{HAIKU}[listen]\nport = {port}\n{AWS}'
    )
    monkeypatch.chdir(empty_world.home)
    return empty_world


# What is wrong ------------------------------------------------------------------------------------


def in_settings(**env: str) -> Callable[[World], None]:
    return settings({"env": env, "theme": "dark"})


def dead_proxy_in_settings(world: World) -> None:
    in_settings(HTTPS_PROXY=dead_url())(world)


def dead_proxy(_world: World) -> Env:
    return {"https_proxy": dead_url()}


def dead_base(_world: World) -> Env:
    return {"ANTHROPIC_BASE_URL": dead_url()}


def lost_bundle_of_aws(world: World) -> None:
    aws_config(world, f"ca_bundle = {LOST}\n")


def lost_process(world: World) -> None:
    (world.home / ".aws/config").write_text(
        f"[profile openclaude]\ncredential_process = '{world.root}/a fetcher' --now\n"
    )


def secret_file(world: World) -> Env:
    return openrouter(f"file:{world.root}/my keys/key")(world) or {}


def retries(world: World) -> None:
    aws_config(world, "retry_mode = standard\n")


def wrapper(world: World) -> Env:
    """A script `claude` before the real one, as people make to have openclaude in IDEs."""
    folder = world.root / "real programs"
    folder.mkdir()
    world.claude.rename(folder / "claude")
    world.executable("claude", f'#!/bin/sh\nexec {world.program} "$@"\n')
    return {"PATH": f"{world.bin}:{folder}:/usr/bin:/bin"}


def off_path(world: World) -> None:
    folder = world.home / ".local/bin"
    folder.mkdir(parents=True)
    world.claude.rename(folder / "claude")


def without_claude(world: World) -> None:
    world.claude.unlink()
    world.executable("npm", f"#!/bin/sh\ncp {world.root}/claude.new {world.bin}/claude\n")
    (world.root / "claude.new").write_text(CLAUDE)
    (world.root / "claude.new").chmod(0o755)


def dangling(world: World) -> Env:
    without_claude(world)
    folder = world.root / "my bin"
    folder.mkdir()
    (folder / "claude").symlink_to("nowhere")
    return {"PATH": f"{folder}:{world.bin}:/usr/bin:/bin"}


def not_executable(world: World) -> Env:
    folder = world.root / "my bin"
    folder.mkdir()
    world.claude.rename(folder / "claude").chmod(0o644)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def file_in_the_way(world: World) -> Env:
    (world.root / "my state").write_text("in the way")
    return {"XDG_STATE_HOME": f"{world.root}/my state"}


def link_in_the_way(world: World) -> Env:
    (world.root / "my state").symlink_to("nowhere")
    return {"XDG_STATE_HOME": f"{world.root}/my state"}


def readable_keys(world: World) -> Env:
    path = world.root / "my keys"
    path.write_text("[other]\n")
    path.chmod(0o644)
    return {"AWS_SHARED_CREDENTIALS_FILE": str(path)}


# What is printed, done ----------------------------------------------------------------------------


def typed(world: World, env: Env, fix: str, *, user: int | None = None) -> Env:
    """Type each command of a fix, in one shell; return the environment that it leaves."""
    commands = [one.replace("HOST:PORT", "proxy.corp:3128") for one in COMMAND.findall(fix)]
    script = [one.replace("https://HOST", "https://bedrock.corp") for one in commands]
    assert script, fix
    done = subprocess.run(
        ["/bin/bash", "-c", "\n".join(["set -e", *script, "exec 1>&3; /usr/bin/env -0"])],
        **into_pipe(),
        env=env,
        cwd=world.home,
        user=user,
    )
    assert done.returncode == 0, (script, done.stderr)
    pairs = (one.partition("=") for one in done.stdout.decode().split("\0") if one)
    return {name: value for name, _, value in pairs}


def into_pipe() -> dict[str, Any]:
    """Options of a process whose descriptor 3 is what we read: 1 is that of the commands."""
    return {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "stdin": subprocess.DEVNULL,
        "timeout": TIMEOUT_S,
        "preexec_fn": lambda: (os.dup2(1, 3), os.dup2(2, 1)),
        "pass_fds": (3,),
    }


def edited(_world: World, env: Env, fix: str) -> Env:
    """Edit the settings file that a fix names, as it says."""
    if removed := REMOVE.search(fix):
        return change(removed[2], removed[1], env, lambda inner, key: inner.pop(key))
    if changed := SET.search(fix):
        value = changed[2].replace("HOST:PORT", "proxy.corp:3128")
        return change(changed[3], changed[1], env, lambda inner, key: inner.update({key: value}))
    added = ADD.search(fix)
    assert added, fix
    more = re.findall(r"`(\w+)`", added[1])
    return change(added[3], added[2], env, lambda inner, key: inner[key].extend(more))


def change(path: str, key: str, env: Env, how: Callable[[Any, str], object]) -> Env:
    """Change what a dotted key names in a JSON file."""
    document = json.loads(Path(path).read_text())
    *folders, last = key.split(".")
    inner = document
    for folder in folders:
        inner = inner[folder]
    how(inner, last)
    Path(path).write_text(json.dumps(document))
    return env


def without_line(_world: World, env: Env, fix: str) -> Env:
    """Take a key out of the AWS file that a fix names."""
    found = re.search(r"remove `(\w+)` from the AWS profile in `([^`]+)`", fix)
    assert found, fix
    path = Path(found[2])
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(one for one in lines if not one.startswith(found[1])))
    return env


def unset(world: World, env: Env, fix: str) -> Env:
    """Type the first command of a fix; the second is for who keeps the variable."""
    return typed(world, env, fix.partition("; or ")[0])


def given(world: World, env: Env, fix: str) -> Env:
    """Type a command that takes a secret on stdin."""
    (world.root / "my keys").mkdir()
    return typed(world, env, fix.replace("/dev/stdin", "/etc/hostname"))


def put_there(world: World, env: Env, fix: str) -> Env:
    """Put the certificate where it is looked for."""
    assert "put the certificate there" in fix
    (world.home / "company.pem").write_text("certificate")
    return env


def made_an_object(world: World, env: Env, fix: str) -> Env:
    assert "it must be one JSON object" in fix
    (world.home / SETTINGS).write_text("{}")
    return env


def installed(world: World, env: Env, fix: str) -> Env:
    assert fix.startswith("install it")
    path = world.root / "a fetcher"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return env


class Mended(NamedTuple):
    """A situation, what doctor calls it, and how its fix is carried out."""

    code: str
    how: Callable[[World], Mapping[str, str] | None]
    mend: Mend


TABLE = [
    Mended("model-of-openclaude", settings({"model": "openclaude-haiku"}), edited),
    Mended("base-url-in-environment", variables(ANTHROPIC_BASE_URL="https://x.corp"), typed),
    Mended("environment-dead-address", dead_base, typed),
    Mended("model-pinned", variables(ANTHROPIC_MODEL="eu.anthropic.claude-x-v1:0"), typed),
    Mended("model-pinned", in_settings(CLAUDE_CODE_SUBAGENT_MODEL="gpt-5"), edited),
    Mended("model-pinned", settings({"model": "gpt-5"}), edited),
    Mended(
        "resume-forgets-model", variables(ANTHROPIC_DEFAULT_OPUS_MODEL="claude-opus-5-5"), unset
    ),
    Mended(
        "resume-forgets-model",
        in_settings(ANTHROPIC_DEFAULT_SONNET_MODEL="claude-sonnet-5-5"),
        edited,
    ),
    Mended("secret-missing", secret_file, given),
    Mended("models-limited", settings({"availableModels": ["sonnet"]}), edited),
    Mended("settings-api-key-helper", settings({"apiKeyHelper": "echo x"}), edited),
    Mended("key-in-environment", variables(ANTHROPIC_API_KEY="x"), typed),
    Mended("authority-missing", variables(SSL_CERT_FILE=LOST), typed),
    Mended("authority-missing", in_settings(NODE_EXTRA_CA_CERTS=LOST), edited),
    Mended("authority-missing", lost_bundle_of_aws, without_line),
    Mended(
        "authority-missing",
        lambda world: {"NODE_EXTRA_CA_CERTS": f"{world.home}/company.pem"},
        put_there,
    ),
    Mended("proxy-dead", dead_proxy, typed),
    Mended("proxy-of-settings-dead", dead_proxy_in_settings, edited),
    Mended("proxy-unusable", variables(ALL_PROXY="socks5://proxy.corp:1080"), typed),
    Mended("proxy-unusable", variables(https_proxy="socks5://proxy.corp:1080"), typed),
    Mended("proxy-unusable", in_settings(ALL_PROXY="socks5://proxy.corp:1080"), edited),
    Mended("claude-wrapper", wrapper, typed),
    Mended("claude-not-on-path", off_path, typed),
    Mended("claude-not-found", without_claude, typed),
    Mended("claude-not-found", dangling, typed),
    Mended("claude-not-executable", not_executable, typed),
    Mended("folder-unusable", file_in_the_way, typed),
    Mended("folder-unusable", link_in_the_way, typed),
    Mended("folder-exposed", home_of_everybody, typed),
    Mended("readable-by-others", readable_keys, typed),
    Mended("profile-writable-by-others", profile('schema = 1\nextends = "qwen"\n', 0o666), typed),
    Mended("aws-credential-process", lost_process, installed),
    Mended("aws-endpoint", variables(AWS_USE_FIPS_ENDPOINT="true"), typed),
    Mended("aws-endpoint-plain", variables(AWS_ENDPOINT_URL="http://bedrock.corp"), typed),
    Mended("settings-broken", settings("{oops"), made_an_object),
    Mended("environment-invalid", variables(OPENCLAUDE_LITELLM_PORT="80"), typed),
    Mended("start-method", variables(OPENCLAUDE_START_METHOD="clone"), typed),
]


class Doctor:
    """A doctor in this process: a look takes a tenth of what it takes to start one."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, env: Env, *arguments: str) -> dict[str, dict[str, Any]]:
        """What is wrong, by code."""
        self.capsys.readouterr()
        runner.run("doctor", ["--json", *arguments], env)
        said = self.capsys.readouterr().out
        envelope = json.loads(said)
        assert envelope["errors"] == []
        found = envelope["data"]["diagnostics"]
        return {one["code"]: one for one in found if one["severity"] != "ok"}


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(capsys)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.code)
def test_what_a_fix_says_takes_the_finding_away(sound: World, doctor: Doctor, row: Mended) -> None:
    env = {**sound.env, **(row.how(sound) or {})}
    before = doctor(env)
    assert row.code in before, before

    after = doctor(row.mend(sound, env, before[row.code]["fix"]))

    assert row.code not in after, (before[row.code], after.get(row.code))
    worse = {code for code in {*after} - {*before} if after[code]["severity"] != "note"}
    assert not worse, after


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("aws-retries", retries),
        ("proxy", variables(HTTPS_PROXY="http://proxy.corp:3128")),
        ("proxy-of-settings", in_settings(HTTPS_PROXY="http://proxy.corp:3128")),
    ],
)
def test_where_nothing_is_to_be_done_nothing_else_is_wrong(
    sound: World, doctor: Doctor, code: str, how: Callable[[World], Env | None]
) -> None:
    found = doctor({**sound.env, **(how(sound) or {})})

    assert [*found] == [code]
    assert found[code]["severity"] == "note"
    assert found[code]["fix"].startswith("nothing to do")


def test_pythonpath_is_unset_as_it_is_said(sound: World) -> None:
    def found(env: Env) -> dict[str, str]:
        rows = sound.json("doctor", env=env)["data"]["diagnostics"]
        return {one["code"]: one["fix"] for one in rows}

    env = {**sound.env, "PYTHONPATH": "/opt/ros/lib"}

    assert "python-path" not in found(typed(sound, env, found(env)["python-path"]))


# Folders of another user's, or closed -------------------------------------------------------------


@pytest.mark.parametrize("whose", ["root's", "closed"])
def test_a_folder_that_may_not_be_entered_is_opened(
    sound: World, doctor: Doctor, whose: str
) -> None:
    doctor(sound.env)  # imports everything, which that user may be unable to read
    folder = sound.home / "my files"
    folder.mkdir()
    for path in (sound.root, *sound.root.rglob("*")):
        os.chown(path, USER, USER, follow_symlinks=False)
    if whose == "root's":
        os.chown(folder, 0, 0)
        folder.chmod(0o700)
    else:
        folder.chmod(0o500)
    # root by `sudo`, as this test is
    sound.executable("sudo", '#!/bin/sh\nexec "$@"\n')
    sound.executable("id", f"#!/bin/sh\necho {USER}\n")
    env = {**sound.env, "XDG_STATE_HOME": f"{folder}/state"}
    with second_user(USER):
        before = doctor(env)["folder-unusable"]
    assert ("sudo" in before["fix"]) == (whose == "root's")

    typed(sound, env, before["fix"], user=None if whose == "root's" else USER)

    with second_user(USER):
        assert "folder-unusable" not in doctor(env)
