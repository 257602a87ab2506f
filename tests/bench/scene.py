"""The scene of a run: two stand-ins, one house between them, and the helpers of every row.

Knows: how the stack is brought into a state before a measurement. Independent of: rows.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.peers import UPSTREAM_KEY
from tests.bench.stock import Stock, Upstreams, stock
from tests.e2e import raw
from tests.e2e.house import PROFILE, REPOSITORY, House, Ran, login_headers, make_canaries, question
from tests.e2e.internet import around_claude
from tests.e2e.processes import wait_until_none

CLAUDE_MODEL = "claude-opus-5-5"
SLOT = "openclaude-haiku"
SLEEPER = "sleeper"  # the same profile with a short sleep
SLEEP_S = 2
SETTLE_S = 0.5  # after something heavy has ended, before the next measurement
END_TIMEOUT_S = 20.0


class BenchFailed(RuntimeError):
    """Something did not answer correctly, so its time means nothing."""


class Scene(NamedTuple):
    """Everything a row uses to measure."""

    house: House
    upstreams: Upstreams

    # -- openclaude's side ---------------------------------------------------------------------

    def start(self, profile: str = PROFILE) -> None:
        """The stack, ready."""
        must(self.house.command("start", "--wait", profile=profile))

    def restart(self) -> float:
        """Replace the instances, on the same sockets; return seconds until ready."""
        before = set(self.house.pids().values())
        began = time.monotonic()
        must(self.house.command("restart", "--wait"))
        seconds = time.monotonic() - began
        deadline = time.monotonic() + END_TIMEOUT_S
        fresh = set(self.house.pids().values())
        while any(Path(f"/proc/{pid}").exists() for pid in before - fresh):
            if time.monotonic() > deadline:
                raise BenchFailed("the instances before a restart do not end")
            time.sleep(0.02)
        time.sleep(SETTLE_S)
        return seconds

    def stop(self) -> None:
        """Stop the stack, and leave nothing of it running."""
        must(self.house.command("stop", "--all"))
        self.settle()

    def settle(self) -> None:
        """Wait until nothing of what ran in the house can disturb the next measurement."""
        if left := wait_until_none(self.house.root, END_TIMEOUT_S):
            raise BenchFailed(f"still running: {left}")
        time.sleep(SETTLE_S)

    def forget_plans(self) -> None:
        """Pretend that openclaude was never launched here."""
        for path in (self.house.home / ".cache/openclaude/plans").glob("*.json"):
            path.unlink()

    def post(self, model: str, *, port: int | None = None, key: str | None = None) -> raw.RawReply:
        """Send one streamed request like claude's, by default to the stack's main."""
        if port is None or key is None:
            record = self.house.record()
            port, key = record["port"], record["main_key"]
        headers = raw.with_key(login_headers(self.house.canaries.oauth), key)
        return raw.ask(port, headers, question("hi", model=model, stream=True))

    def timed_post(self, model: str) -> float:
        """Return the seconds until the reply is complete. Raises BenchFailed if it is bad."""
        began = time.monotonic()
        reply = self.post(model)
        seconds = time.monotonic() - began
        if reply.status != 200 or not reply.is_whole:
            raise BenchFailed(f"{model}: {reply.status} {reply.body[:500]!r}")
        return seconds

    # -- the other side ------------------------------------------------------------------------

    @contextmanager
    def stock(self) -> Iterator[Stock]:
        """Two stock processes, ready."""
        folder = self.house.root.parent / "stock"
        with stock(folder, self.upstreams, self.house.canaries) as running:
            yield running
        time.sleep(SETTLE_S)


def must(ran: Ran) -> Ran:
    """Return a finished program if it succeeded. Raises BenchFailed."""
    if ran.code:
        raise BenchFailed(f"exit status {ran.code}\n{ran.out}{ran.err}")
    return ran


def timed(run: Any, expected: str) -> float:
    """Return seconds that a program takes which prints `expected`. Raises BenchFailed."""
    began = time.monotonic()
    ran = must(run())
    seconds = time.monotonic() - began
    if expected not in ran.out:
        raise BenchFailed(f"not the answer {expected!r}: {ran}")
    return seconds


@contextmanager
def open_scene() -> Iterator[Scene]:
    """Start the stand-ins and the house; nothing is running when the block ends, in any way."""
    canaries = make_canaries()
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openclaude-bench-")))
        admitted = {"credentials": [canaries.oauth, UPSTREAM_KEY]}
        keys = {"credentials": {canaries.aws_id: {"secret_key": canaries.aws_secret}}}
        upstreams = Upstreams(
            stack.enter_context(standin(root, "anthropic", admitted)),
            stack.enter_context(standin(root, "bedrock", keys)),
        )
        around = stack.enter_context(around_claude(root)).for_claude()
        house = House(root / "house", canaries, **upstreams._asdict(), around=around)
        house.write_profile(
            SLEEPER, **upstreams._asdict(), more=f'[stack]\nidle_sleep = "{SLEEP_S}s"\n'
        )
        stack.callback(leave, house)
        yield Scene(house, upstreams)


def leave(house: House) -> None:
    """End what is still running in the house."""
    house.command("stop", "--all")
    for pid in wait_until_none(house.root, END_TIMEOUT_S):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def standin(root: Path, name: str, setup: dict[str, Any]) -> Iterator[str]:
    """Run a stand-in as its own process, so that it shares no interpreter lock with the clock."""
    path = root / f"{name}.json"
    path.write_text(json.dumps(setup), encoding="utf-8")
    argv = (sys.executable, "-m", "tests.standins", name, "--setup", str(path), "--parent-pipe")
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.stdin.close()  # tells it to end
