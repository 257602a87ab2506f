"""Which claude a launch becomes, and the message if there is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.process.world import World

INSTALL = (
    "\nhint: install Claude Code (`npm install -g @anthropic-ai/claude-code`), "
    "or set OPENCLAUDE_CLAUDE to its binary\n"
)


def make_missing(world: World) -> dict[str, str]:
    world.claude.unlink()
    return {"PATH": str(world.bin)}


def make_named_missing(world: World) -> dict[str, str]:
    return {"OPENCLAUDE_CLAUDE": f"{world.root}/nowhere/claude"}


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
