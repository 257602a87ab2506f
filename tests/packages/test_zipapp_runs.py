"""The zipapp does everything: the demo, and a stack that is started, used and stopped."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import need
from tests.e2e.house import CLAUDE
from tests.e2e.processes import wait_until_none
from tests.packages.conftest import User


def test_the_demo_passes_with_the_real_claude(user: User) -> None:
    need(CLAUDE.exists(), "the pinned claude (build/setup fetches it with npm)")

    done = user.run("demo", env={"PATH": f"{CLAUDE.parent}:/usr/bin:/bin"})

    steps = [line for line in done.stderr.splitlines() if line.startswith("demo: ")]
    assert (done.returncode, done.stderr.splitlines()) == (0, steps)
    assert "through your `claude`" in done.stdout
    assert "isolation: each credential stayed on its own side" in done.stdout


def test_a_stack_starts_serves_a_launch_and_stops(user: User, tmp_path: Path) -> None:
    aws = user.home / ".aws/credentials"
    aws.parent.mkdir(exist_ok=True)
    aws.write_text("[openclaude]\naws_access_key_id = AKIAX\naws_secret_access_key = x\n")
    claude = tmp_path / "claude"
    claude.write_text('#!/bin/sh\necho "claude $3 $4 $(grep -o https://127.0.0.1:4000 "$2")"\n')
    claude.chmod(0o755)
    inside = (
        '"$@" start --profile qwen --wait && "$@" status --profile qwen --json >status.json'
        ' && OPENCLAUDE_CLAUDE="$CLAUDE" "$@" --profile qwen -p hi'
        ' && "$@" stop --profile qwen'
    )

    # one namespace for all four, because each has its own loopback network
    done = user.shell(inside, {"CLAUDE": str(claude)})

    assert (done.returncode, done.stderr) == (0, "")
    assert "claude -p hi https://127.0.0.1:4000\n" in done.stdout
    (stack,) = json.loads((user.home / "status.json").read_bytes())["data"]["stacks"]
    assert {unit["state"] for unit in stack["units"]} == {"ready"}
    assert wait_until_none(user.home, 5.0) == {}
