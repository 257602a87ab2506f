"""Replay records with a stack of its own, and measure it: `check.py PROGRAM OUTPUT RECORD...`

Knows: which program's stack it is. A process of its own, because it must run without a network.
Writes its results as JSON, from which a page is made.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from budgets import measure
from exchanges import load
from replay import Upstreams, digest, replay

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import House, make_canaries


def main() -> int:
    """Run it; return 1 if no stack starts."""
    os.environ.pop("PYTHONPATH", None)  # of ours; a program in another environment has its own
    program, output, *records = map(Path, sys.argv[1:])
    found: dict[str, Any] = {"problems": [], "converse": {}, "replayed": 0, "budgets": {}}
    with stack(program, found) as to:
        if to:
            house, upstreams = to
            found["budgets"] |= measure(house, upstreams)
            for path in records:
                replay_record(path, upstreams, found)
    output.write_text(json.dumps(found))
    return 0 if found["budgets"] else 1


def replay_record(path: Path, to: Upstreams, found: dict[str, Any]) -> None:
    """Replay all requests of one record."""
    record = load(path)
    began = time.monotonic()
    bodies = found["converse"][record.version] = {}
    for one in replay(record.exchanges(), to):
        found["replayed"] += 1
        if one.converse is not None:
            bodies[digest(one.exchange)] = list(one.converse)
        for problem in one.problems:
            about = f"{record.version}: {one.exchange.model}: {problem}"
            found["problems"].append({"about": about, "request": digest(one.exchange)})
    sys.stderr.write(f"replayed {record.version} in {time.monotonic() - began:.1f} s\n")


@contextlib.contextmanager
def stack(program: Path, found: dict[str, Any]) -> Iterator[tuple[House, Upstreams] | None]:
    """Start a stack between two stand-ins; None if it does not start, with the reason recorded."""
    canaries = make_canaries()
    with contextlib.ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="contract-")))
        logins = frozenset({canaries.oauth})
        anthropic = exits.enter_context(AnthropicStandin(credentials=logins))
        keys = {canaries.aws_id: Secret(canaries.aws_secret)}
        bedrock = exits.enter_context(BedrockStandin(credentials=keys, region="us-west-2"))
        house = House(
            folder / "house",
            canaries,
            anthropic_url=anthropic.url,
            bedrock_url=bedrock.url,
            program=program,
        )
        exits.callback(house.command, "stop", "--all")
        began = time.monotonic()
        started = house.command("start", "--wait")
        found["budgets"] = {}
        if started.code != 0:
            said = f"{started.err}\n{house.logs()[-2000:]}"
            found["problems"].append({"about": "the stack does not start", "request": said})
            yield None
            return
        found["budgets"]["start_s"] = round(time.monotonic() - began, 1)
        record = house.record()
        port, key = record["port"], record["main_key"]
        yield house, Upstreams(port, key, canaries.oauth, anthropic, bedrock)


if __name__ == "__main__":
    raise SystemExit(main())
