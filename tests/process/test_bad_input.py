"""Bad input: one clear message with the fix, the right exit status, and nothing changed."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.process.world import World

LIST = "\nhint: list the profiles with `openclaude profiles list`\n"
NAME_RULE = (
    "\nhint: a name has a-z, 0-9, `.`, `_` and `-`, begins with a letter or a digit, "
    "and is at most 64 characters long\n"
)
PROFILES = "ROOT/home/.config/openclaude/profiles"
TEN = """\
schema = 2
name = "x"
description = 3
extends = "nope"
[tiers]
hiaku = "x"
opus = 4
[aws]
regoin = "x"
region = "us-wets-2"
[listen]
port = 99999
strict = "yes"
"""
# the command line of a launch, the whole of stderr
COMMAND_LINES = [
    (("--profile",), f"error: `--profile` needs a name\n{LIST}"),
    (("--profile=",), f"error: `--profile` needs a name\n{LIST}"),
    (("--profile", ""), f"error: `--profile` needs a name\n{LIST}"),
    (("--profile", "-p"), f"error: `--profile` needs a name\n{LIST}"),
    (("--profile", "../x"), f"error: `../x` cannot be a profile name\n{NAME_RULE}"),
    (("--profile", "a/b"), f"error: `a/b` cannot be a profile name\n{NAME_RULE}"),
    (("--profile", "Qwen"), f"error: `Qwen` cannot be a profile name\n{NAME_RULE}"),
    (("--profile", "a\nb"), f"error: `a\\nb` cannot be a profile name\n{NAME_RULE}"),
    (
        ("--profile", "qwem"),
        "error: no profile named `qwem`\n\nhint: did you mean `qwen`?\n",
    ),
    (
        ("--profile", "zzz"),
        "error: no profile named `zzz`\n\nhint: list them with `openclaude profiles list`\n",
    ),
    (
        ("--profile", "broken", "-p"),
        f"error: {PROFILES}/broken.toml:2:7: not TOML: unexpected character: '\\n'\n"
        '\nhint: a line is `key = value`, with text in quotes: `model = "claude"`\n',
    ),
    (
        ("--profile", "model", "-p"),
        f"error: {PROFILES}/model.toml:4: tiers.haiku.model: no chat model named "
        '"bedrock/qwen.qwen3-next-80b-a4b" in LiteLLM\'s map\n',
    ),
    (("--profile", "ten", "-p"), "error: the profile has 10 mistakes\n"),
    (
        ("--settings", "/nowhere.json"),
        "error: cannot read your `--settings`: [Errno 2] No such file or directory: "
        "'/nowhere.json'\n\nhint: give the path of a JSON file, or a JSON object\n",
    ),
    (("--settings={oops", "-p"), "error: cannot read your `--settings`: Expecting property name"),
]


@pytest.fixture
def warned(world: World) -> World:
    """A world with profiles that are wrong."""
    world.write_profile("broken", "schema = 1\n[tiers\nx\n")
    world.write_profile(
        "model",
        'schema = 1\nextends = "qwen"\n[tiers]\nhaiku = "bedrock/qwen.qwen3-next-80b-a4b"\n',
    )
    world.write_profile("ten", TEN)
    return world


@pytest.mark.parametrize(("arguments", "message"), COMMAND_LINES)
def test_a_launch_that_cannot_be_says_so_and_changes_nothing(
    warned: World, arguments: tuple[str, ...], message: str
) -> None:
    before = warned.files()

    done = warned.run(*arguments)

    assert (done.status, done.out) == (125, "")
    assert done.err.startswith(message)
    assert warned.files() == before
    assert warned.heard() == []


def test_every_mistake_is_told_with_its_place(warned: World) -> None:
    told = warned.run("--profile", "ten").err.splitlines()[2:]

    assert [int(line.split(":")[1]) for line in told] == [1, 2, 3, 4, 6, 7, 9, 10, 12, 13]
    assert all(line.startswith(f"{PROFILES}/ten.toml:") for line in told)


MANAGED = json.dumps({"env": {"ANTHROPIC_BASE_URL": "https://gateway.corp"}})
NO_AWS = (
    "error: AWS profile `{name}` does not exist on this machine\n\n"
    "hint: run `openclaude aws setup --name {name}`\n"
)
NO_PORT = "is not a port\n"
PORT_RULE = "must be a port from 1024 to 65534, not"
VARIABLES = [
    ("OPENCLAUDE_LITELLM_PORT", "x", f'error: OPENCLAUDE_LITELLM_PORT: "x" {NO_PORT}'),
    ("OPENCLAUDE_LITELLM_PORT", "4e3", f'error: OPENCLAUDE_LITELLM_PORT: "4e3" {NO_PORT}'),
    ("OPENCLAUDE_LITELLM_PORT", "80", f"error: OPENCLAUDE_LITELLM_PORT: {PORT_RULE} 80\n"),
    ("OPENCLAUDE_LITELLM_PORT", "65535", f"error: OPENCLAUDE_LITELLM_PORT: {PORT_RULE} 65535\n"),
    ("OPENCLAUDE_AWS_REGION", "us-wets-2", "error: OPENCLAUDE_AWS_REGION: no AWS region named "),
    ("OPENCLAUDE_AWS_PROFILE", "nope", NO_AWS.format(name="nope")),
    (
        "OPENCLAUDE_PROFILE",
        "../x",
        f"error: OPENCLAUDE_PROFILE: `../x` cannot be a profile name\n{NAME_RULE}",
    ),
    (
        "CLAUDE_CODE_MANAGED_SETTINGS_PATH",
        "ROOT/managed.json",
        "error: `env.ANTHROPIC_BASE_URL` in the managed settings `ROOT/managed.json` cannot be "
        "overridden\n\nhint: ask the administrator of this machine, or start plain `claude`\n",
    ),
    (
        "ANTHROPIC_CUSTOM_HEADERS",
        "X: y\nAuthorization: Bearer x",
        "error: your ANTHROPIC_CUSTOM_HEADERS set `authorization`, which replaces your Claude "
        "login\n\nhint: remove that line from ANTHROPIC_CUSTOM_HEADERS, or start plain `claude`\n",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), VARIABLES)
def test_a_variable_that_cannot_be_is_named_and_nothing_changed(
    world: World, name: str, value: str, message: str
) -> None:
    (world.root / "managed.json").write_text(MANAGED)
    variable = {name: value.replace("ROOT", str(world.root))}
    # a plan of other overrides may be compiled and cached: that changes nothing of the user's
    before = world.files(world.home / ".aws")

    done = world.run("-p", env={**world.env, **variable})

    assert (done.status, done.out) == (125, "")
    assert done.err.startswith(message)
    assert world.files(world.home / ".aws") == before
    assert not world.state.exists()
    assert world.heard() == []


def test_an_aws_profile_that_is_missing_is_named(world: World) -> None:
    (world.home / ".aws" / "config").write_text("[default]\n")
    before = world.files()

    launched, started = world.run("-p"), world.run("start")

    assert launched[:3] == (125, "", NO_AWS.format(name="openclaude"))
    assert started[:3] == (1, "", NO_AWS.format(name="openclaude"))
    assert world.files() == before


def test_a_setting_of_the_users_that_hides_the_login_is_named(world: World) -> None:
    (world.home / ".claude").mkdir()
    (world.home / ".claude" / "settings.json").write_text(
        '{"env": {"ANTHROPIC_UNIX_SOCKET": "/x"}}'
    )
    before = world.files()

    done = world.run("-p")

    assert done[:2] == (125, "")
    assert done.err.startswith("error: `env.ANTHROPIC_UNIX_SOCKET` in `ROOT/home/.claude/settings")
    assert world.files() == before


def test_a_working_directory_that_was_removed_is_named(world: World) -> None:
    gone = world.root / "gone"
    gone.mkdir()
    command = ["sh", "-c", 'rmdir "$PWD"; exec "$0" -p', str(world.program)]

    done = subprocess.run(command, cwd=gone, env=world.env, capture_output=True, text=True)

    assert done.returncode == 125
    assert done.stderr == (
        "error: the working directory cannot be used: No such file or directory\n"
        "\nhint: `cd` into a directory that exists\n"
    )
