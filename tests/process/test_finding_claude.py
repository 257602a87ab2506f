"""Which claude a launch becomes, and the message if there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process.world import TIMEOUT_S, World

INSTALL = (
    "\nhint: install Claude Code (`npm install -g @anthropic-ai/claude-code`), "
    "or set OPENCLAUDE_CLAUDE to its binary\n"
)


NOWHERE_ELSE = "from openclaude.claude import discovery\ndiscovery.SHARED = ()"


def make_missing(world: World) -> dict[str, str]:
    world.claude.unlink()
    return {"PATH": str(world.bin)}


def make_dangling(world: World) -> dict[str, str]:
    world.claude.unlink()
    world.claude.symlink_to(world.root / "versions" / "2.1.1")
    return {"PATH": str(world.bin)}


def make_loop(world: World) -> dict[str, str]:
    world.claude.unlink()
    world.claude.symlink_to(world.claude)
    return {"PATH": str(world.bin)}


def make_named_dangling(world: World) -> dict[str, str]:
    (world.root / "mine").symlink_to(world.root / "gone")
    return {"OPENCLAUDE_CLAUDE": str(world.root / "mine")}


def make_only_a_wrapper(world: World) -> dict[str, str]:
    world.executable("claude", f'#!/bin/sh\nexec {world.program} "$@"\n')
    return {"PATH": f"{world.bin}:/usr/bin:/bin"}


def make_named_missing(world: World) -> dict[str, str]:
    return {"OPENCLAUDE_CLAUDE": f"{world.root}/nowhere/claude"}


REMOVE = INSTALL.replace("hint: install", "hint: remove it (`rm {}`), then install")


def make_folder(world: World) -> dict[str, str]:
    world.claude.unlink()
    world.claude.mkdir()
    return {"PATH": str(world.bin)}


def make_not_executable(world: World) -> dict[str, str]:
    world.claude.chmod(0o644)
    return {"PATH": str(world.bin)}


def make_no_interpreter(world: World) -> dict[str, str]:
    world.claude.write_text("#!/nowhere/node\n")
    return {}


def make_no_program(world: World) -> dict[str, str]:
    world.claude.write_text("neither a script nor a binary\n")
    return {}


def make_only_ourselves(world: World) -> dict[str, str]:
    world.claude.unlink()
    world.claude.symlink_to(world.program)
    return {"PATH": str(world.bin)}


def make_endless_path(world: World) -> dict[str, str]:
    world.claude.unlink()
    return {"PATH": f"/{'x' * 5000}:{world.bin}"}


@pytest.mark.parametrize(
    ("make", "status", "message"),
    [
        (
            make_dangling,
            127,
            "error: `ROOT/bin/claude` is a link that leads nowhere: `ROOT/versions/2.1.1` does not "
            f"exist\n{REMOVE.format('ROOT/bin/claude')}",
        ),
        (
            make_loop,
            127,
            "error: `ROOT/bin/claude` is a link that leads nowhere: `ROOT/bin/claude` does not "
            f"exist\n{REMOVE.format('ROOT/bin/claude')}",
        ),
        (
            make_named_dangling,
            127,
            "error: `ROOT/mine` is a link that leads nowhere: `ROOT/gone` does not exist\n"
            f"{REMOVE.format('ROOT/mine')}",
        ),
        (
            make_only_a_wrapper,
            127,
            "error: `ROOT/bin/claude` starts openclaude again, and there is no other `claude`\n"
            f"{INSTALL}",
        ),
        (make_missing, 127, f"error: there is no `claude` on PATH\n{INSTALL}"),
        (make_endless_path, 127, f"error: there is no `claude` on PATH\n{INSTALL}"),
        (make_folder, 127, f"error: there is no `claude` on PATH\n{INSTALL}"),
        (make_only_ourselves, 127, f"error: there is no `claude` on PATH\n{INSTALL}"),
        (
            make_named_missing,
            127,
            f"error: `ROOT/nowhere/claude` (OPENCLAUDE_CLAUDE) is not a file\n{INSTALL}",
        ),
        (
            make_not_executable,
            126,
            "error: `ROOT/bin/claude` is not executable\n\nhint: run `chmod +x ROOT/bin/claude`\n",
        ),
        (
            make_no_interpreter,
            126,
            "error: cannot run `ROOT/bin/claude`: No such file or directory\n"
            "\nhint: reinstall Claude Code, or name another binary with OPENCLAUDE_CLAUDE\n",
        ),
        (
            make_no_program,
            126,
            "error: cannot run `ROOT/bin/claude`: Exec format error\n"
            "\nhint: reinstall Claude Code, or name another binary with OPENCLAUDE_CLAUDE\n",
        ),
    ],
)
def test_no_claude_to_become(
    world: World, make: Callable[[World], dict[str, str]], status: int, message: str
) -> None:
    changed = make(world)
    world.patch_client(NOWHERE_ELSE)

    done = world.run("-p", env={**world.env, **changed})

    assert done[:3] == (status, "", message)


def test_openclaude_claude_names_another_binary(world: World) -> None:
    other = world.executable("other-claude", "#!/bin/sh\necho other\n")

    assert world.run(env={**world.env, "OPENCLAUDE_CLAUDE": str(other)}).out == "other\n"
    assert world.run(env={**world.env, "OPENCLAUDE_CLAUDE": other.name}).out == "other\n"


def test_a_claude_that_is_a_link_to_openclaude_is_passed_over(world: World) -> None:
    first = world.root / "first"
    first.mkdir()
    (first / "claude").symlink_to(world.program)
    path = f"{first}:{world.env['PATH']}"

    done = world.run("-p", env={**world.env, "PATH": path})

    assert done.status == 0
    assert len(world.heard()) == 1


# A claude that is a script of openclaude's ------------------------------------------------------

WRAPPERS = {
    "execs": '#!/bin/sh\nexec {program} "$@"\n',
    "starts": '#!/bin/sh\n{program} "$@"\n',
    "with its own profile": '#!/bin/sh\nexec {program} --profile qwen "$@"\n',
    "verbatim": '#!/bin/sh\nexec {program} -- "$@"\n',
    "by way of another": '#!/bin/sh\nexec {other} "$@"\n',
    # the kernel names the script to it, as VS Code names its claude
    "through env": "#!/usr/bin/env -S {program}\n",
    # none of these hands on how it was come to
    "without an environment": (
        '#!/bin/sh\nexec env -i HOME="$HOME" PATH="$PATH" LANG=C.UTF-8 {program} "$@"\n'
    ),
    "without our variables": (
        "#!/bin/bash\nfor v in OPENCLAUDE_PROFILE; do unset $v OPENCLAUDE_WAY; done\n"
        '{program} "$@"\n'
    ),
    "without an environment, in a file of its own": (
        '#!/bin/sh\n. {lib}\nstart_with HOME="$HOME" PATH="$PATH" LANG=C.UTF-8 {program} "$@"\n'
    ),
    "without an environment, as its parent": (
        '#!/bin/bash\n. {lib}\nTHEN= start_with HOME="$HOME" PATH="$PATH" LANG=C.UTF-8 '
        '{program} "$@"\nexit $?\n'
    ),
    "in Python": (
        "#!/usr/bin/python3\nimport subprocess, sys\n"
        "sys.exit(subprocess.run(['{program}', *sys.argv[1:]]).returncode)\n"
    ),
}


# passed over before anything is run
SEEN_AT_ONCE = {"without an environment", "without our variables"}


def wrapped(world: World, how: str) -> dict[str, str]:
    """Put a `claude` that starts openclaude in front of the real one; the environment."""
    first = world.root / "first"
    first.mkdir()
    other = world.executable("other", f'#!/bin/bash\nexec -a x {world.program} "$@"\n')
    library = world.root / "library.sh"
    library.write_text('start_with() { ${THEN-exec} env -i "$@"; }\n')
    text = WRAPPERS[how].replace("{program}", str(world.program)).replace("{other}", str(other))
    text = text.replace("{lib}", str(library))
    (first / "claude").write_text(text)
    (first / "claude").chmod(0o755)
    return {**world.env, "PATH": f"{first}:{world.env['PATH']}"}


@pytest.mark.parametrize("how", WRAPPERS)
def test_a_script_named_claude_that_starts_openclaude_is_passed_over(
    world: World, how: str
) -> None:
    env = wrapped(world, how)
    arguments = ["-p", "hi there"]

    by_us = world.run(*arguments, env=env)
    by_name = subprocess.run(
        [world.root / "first" / "claude", *arguments],
        env=env,
        cwd=world.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
    )

    assert (by_us.status, by_us.err) == (0, "")
    assert (by_name.returncode, by_name.stderr) == (0, b"")
    heard = world.heard()
    assert len(heard) == 2
    for one in heard:
        assert one["arguments"][-2:] == arguments
        assert one["settings"]["env"]["OPENCLAUDE_WAY"] == ""


@pytest.mark.parametrize("how", WRAPPERS)
def test_claudes_own_words_reach_the_claude_behind_such_a_script(world: World, how: str) -> None:
    done = world.run("mcp", "list", env=wrapped(world, how))

    assert (done.status, done.err) == (0, "")
    assert [one["arguments"] for one in world.heard()] == [["mcp", "list"]]


# for the others `--version` goes through to claude's own
@pytest.mark.parametrize(
    "how", [how for how in WRAPPERS if how not in SEEN_AT_ONCE | {"verbatim", "through env"}]
)
def test_version_and_doctor_look_behind_such_a_script_and_leave_nothing_running(
    world: World, how: str
) -> None:
    env = wrapped(world, how)
    (world.home / ".claude.json").write_text("{}")  # it was started before
    world.executable(
        "claude",
        '#!/bin/sh\n[ "$1" = auth ] && echo \'{"loggedIn": true, "authMethod": "claude.ai"}\''
        ' || echo "2.2.1 (Claude Code)"\n',
    )

    version = world.json("--version", env=env)
    found = world.json("doctor", env=env)["data"]["diagnostics"]

    assert version["data"]["claude"] == "2.2.1"
    (note,) = (one for one in found if one["code"] == "claude-wrapper")
    assert note["message"].startswith("`ROOT/first/claude` starts openclaude")
    assert "login" in {one["code"] for one in found}
    assert world.processes() == []
    # what it tells to run
    fix = note["fix"].partition("run `export ")[2].rstrip("`")
    name, _, value = fix.replace("ROOT", str(world.root)).partition("=")
    assert not [
        one
        for one in world.json("doctor", env={**env, name: value})["data"]["diagnostics"]
        if one["code"] == "claude-wrapper"
    ]


def test_openclaude_in_a_session_finds_the_same_claude_again(world: World) -> None:
    """A small claude that starts openclaude in turn, as a tool or an MCP server may."""
    world.executable(
        "claude",
        f'#!/bin/sh\necho "$@" >> {world.root}/said\n'
        f'[ -n "$INNER" ] && exit 0\nINNER=1 {world.program} mcp inner\n',
    )

    assert world.run("mcp", "outer").status == 0

    assert (world.root / "said").read_text().splitlines() == ["mcp outer", "mcp inner"]


# A claude that is not on PATH ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", [".local/bin", ".claude/local", ".npm-global/bin", ".bun/bin", "moved/local"]
)
def test_a_claude_in_an_installers_place_is_found_without_path(world: World, place: str) -> None:
    folder = world.home / place
    folder.mkdir(parents=True)
    world.claude.rename(folder / "claude")
    config = {"CLAUDE_CONFIG_DIR": str(world.home / "moved")} if place == "moved/local" else {}
    env = {**world.env, **config, "PATH": "/usr/bin:/bin"}

    done = world.run("-p", env=env)

    assert (done.status, done.err) == (0, "")
    (found,) = (
        one
        for one in world.json("doctor", env=env)["data"]["diagnostics"]
        if one["code"] == "claude-not-on-path"
    )
    fix = found["fix"].partition("run `")[2].rstrip("`").replace("ROOT", str(world.root))
    shell = f"{fix} && command -v claude"
    said = subprocess.check_output(["/bin/sh", "-c", shell], env=env, text=True)
    assert said == f"{folder}/claude\n"


def test_a_claude_on_path_comes_before_an_installers(world: World) -> None:
    folder = world.home / ".local" / "bin"
    folder.mkdir(parents=True)
    (folder / "claude").write_text("#!/bin/sh\nexit 9\n")
    (folder / "claude").chmod(0o755)

    assert world.run("-p").status == 0


def test_a_dangling_claude_does_not_hide_one_behind_it(world: World) -> None:
    first = world.root / "first"
    first.mkdir()
    (first / "claude").symlink_to(world.root / "gone")

    done = world.run("-p", env={**world.env, "PATH": f"{first}:{world.env['PATH']}"})

    assert done.status == 0


# A caller that names the claude to wrap ---------------------------------------------------------


def bundled(world: World, name: str) -> Path:
    """A second claude, as an editor brings it along."""
    folder = world.root / "extension"
    folder.mkdir()
    path = folder / name
    path.write_text(world.claude.read_text())
    path.chmod(0o755)
    return path


def heard_in(path: Path) -> list[list[str]]:
    """The arguments that the stub in that folder was given."""
    return [json.loads(one.read_text())["arguments"] for one in path.parent.glob("claude-*.json")]


@pytest.mark.parametrize("name", ["claude", "claude.exe", "claude-2.2.1"])
def test_the_claude_that_a_caller_names_first_is_the_one_that_runs(world: World, name: str) -> None:
    path = bundled(world, name)

    plain = world.run(path, "auth", "status")
    launch = world.run("--profile", "qwen", path, "--output-format", "stream-json", "doctor")

    assert (plain.status, plain.err, launch.status, launch.err) == (0, "", 0, "")
    assert world.heard() == []
    said = heard_in(path)
    assert ["auth", "status"] in said
    (other,) = (one for one in said if one != ["auth", "status"])
    assert (other[0], other[2:]) == ("--settings", ["--output-format", "stream-json", "doctor"])


def test_a_caller_may_name_an_interpreter_and_its_script(world: World) -> None:
    path = bundled(world, "cli.js")
    world.executable("node", f'#!/bin/sh\nexec {sys.executable} -IS "$@"\n')

    done = world.run(world.bin / "node", path, "-p", "hi")
    by_name = world.run("node", path, "mcp", "list")

    assert (done.status, done.err) == (0, "")
    assert (by_name.status, by_name.err) == (0, "")
    first, second = sorted(heard_in(path), key=len)
    assert first == ["mcp", "list"]
    assert (second[0], second[2:]) == ("--settings", ["-p", "hi"])


def test_the_named_claude_that_is_not_there_is_named_in_the_error(world: World) -> None:
    named = world.root / "extension" / "claude"

    done = world.run(named, "auth", "status")

    assert (done.status, done.out) == (127, "")
    assert done.err == (
        "error: there is no `ROOT/extension/claude`\n\nhint: name a `claude` that exists; "
        "`openclaude -- ROOT/extension/claude` sends it as a prompt\n"
    )


def test_a_named_claude_that_is_openclaude_or_its_wrapper_is_passed_over(world: World) -> None:
    link = world.root / "link"
    link.mkdir()
    (link / "claude").symlink_to(world.program)
    script = world.root / "script"
    script.mkdir()
    (script / "claude").write_text(f'#!/bin/sh\nexec {world.program} "$0" "$@"\n')
    (script / "claude").chmod(0o755)

    for path in (link / "claude", script / "claude"):
        assert world.run(path, "mcp", "list").status == 0

    assert [one["arguments"] for one in world.heard()] == [["mcp", "list"]] * 2


@pytest.mark.parametrize("prompt", ["./claude", "/etc/hostname", "/compact", "~/bin/claude -p"])
def test_a_path_that_names_no_claude_is_a_prompt(world: World, prompt: str) -> None:
    assert world.run(prompt).status == 0

    assert [one["arguments"][2:] for one in world.heard()] == [[prompt]]


def test_two_hyphens_send_the_path_of_a_claude_as_a_prompt(world: World) -> None:
    assert world.run("--", world.claude).status == 0

    assert [one["arguments"][2:] for one in world.heard()] == [[str(world.claude)]]
