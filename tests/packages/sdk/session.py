"""A house in which a program of another author is used; prints its output, as JSON.

Run in a network namespace of its own by `test_agent_sdks.py`: with the command line of a program
of the Agent SDK, which the claude to use and a model follow, or with a status line's.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import CLAUDE, PROFILE, House, make_canaries
from tests.e2e.processes import wait_until_none
from tests.e2e.terminal import Terminal
from tests.e2e.test_e2e_panes import PROMPT

LEFT_S = 30.0


@contextlib.contextmanager
def furnished() -> Iterator[tuple[House, AnthropicStandin, BedrockStandin]]:
    """A house between two stand-ins; nothing runs in it at the end."""
    canaries = make_canaries()
    keys = {canaries.aws_id: Secret(canaries.aws_secret)}
    with (
        AnthropicStandin(credentials=frozenset({canaries.oauth})) as anthropic,
        BedrockStandin(credentials=keys, region="us-west-2") as bedrock,
        tempfile.TemporaryDirectory(prefix="oc-") as root,
    ):
        house = House(Path(root), canaries, anthropic_url=anthropic.url, bedrock_url=bedrock.url)
        try:
            yield house, anthropic, bedrock
        finally:
            house.command("stop", "--all")
            left = wait_until_none(house.root, LEFT_S)
        assert not left, left


def path() -> dict[str, str]:
    """Where both node and the pinned claude are found."""
    node = Path(shutil.which("node") or "/usr/bin/node").parent
    return {"PATH": f"{CLAUDE.parent}:{node}:/usr/bin:/bin"}


def ask_by_sdk(*program: str) -> dict[str, Any]:
    """Run the program in each way; its output and what the stand-ins were asked."""
    with furnished() as (house, anthropic, bedrock):
        given: dict[str, Any] = house.command("env", "--for", "sdk", "--json").json()["data"]
        found: dict[str, tuple[int, str, str]] = {}
        for way, claude, env in (
            ("by its variables", CLAUDE, given["variables"]),
            ("as its claude", house.program, {"OPENCLAUDE_PROFILE": PROFILE}),
        ):
            for model in ("opus", "haiku"):
                argv = (*program, str(claude), model)
                ran = house.run(argv, house.environment({**path(), **env}))
                found[f"{way}, {model}"] = (ran.code, ran.out.strip(), ran.err)
        requests = {"anthropic": len(anthropic.requests), "bedrock": len(bedrock.requests)}
        return {"found": found, "requests": requests, "scheme": urlsplit(given["url"]).scheme}


def show_status_line(*program: str) -> dict[str, Any]:
    """Let claude show a status line of the user's; the screen after an answer of a slot."""
    with furnished() as (house, _, bedrock):
        line = {"type": "command", "command": shlex.join(program)}
        house.write(".claude/settings.json", json.dumps({"statusLine": line}))
        argv = (house.program, "--profile", PROFILE, "--model", "haiku")
        folder = house.root / "terminal"
        with Terminal(argv, house.environment(path()), house.project, folder) as terminal:
            terminal.wait_for(PROMPT)
            terminal.type("hi")
            terminal.wait_for("bedrock stand-in")
            screen = terminal.wait_for(r"Model:\s")  # a blank that does not break
        return {"screen": screen or "", "requests": len(bedrock.requests)}


if __name__ == "__main__":
    job = {"sdk": ask_by_sdk, "status-line": show_status_line}[sys.argv[1]]
    sys.stdout.write(json.dumps(job(*sys.argv[2:])))
