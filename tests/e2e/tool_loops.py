"""Users at work: each lets claude use tools in a loop, again and again, and checks what came of it.

Knows: when a turn is lost, and when one was asked for twice. Independent of: what happens to the
stack meanwhile.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from tests.e2e.house import OPENCLAUDE, PROFILE, House
from tests.e2e.nemesis import results_in, with_id

TURNS = 4  # that use a tool, and one more
STREAM = ("--output-format", "stream-json", "--verbose")
SESSION_S = 400.0  # claude gives up after ten tries, which takes about three minutes
NAMES = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """One session, from its launch to its end."""

    name: str
    model: str
    pid: int
    began: float
    ended: float
    code: int | None
    out: str
    err: str

    @property
    def said(self) -> list[dict[str, Any]]:
        """What claude printed."""
        lines = (line for line in self.out.splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]

    @property
    def result(self) -> str:
        """The last answer."""
        return next((str(one.get("result")) for one in self.said if one["type"] == "result"), "")

    @property
    def retries(self) -> int:
        """How often claude says that it asked again."""
        return sum(one.get("subtype") == "api_retry" for one in self.said)

    def lost(self) -> str:
        """Why this session is not as it should be, or ""."""
        if self.code != 0 or self.result != f"done {self.name}.":
            return (
                f"{self.name} ({self.model}) lost a turn: exit status {self.code}, "
                f"{self.result[-500:]!r} {self.err[-1000:]!r}"
            )
        return ""

    def asked(self, requests: tuple[Recorded, ...]) -> Counter[int]:
        """How often each turn arrived at its upstream, by the number of tool results in it."""
        return Counter(results_in(one) for one in with_id(requests, self.name))


def job(name: str) -> str:
    """A prompt that makes a model use a tool several times, and then say that it is done."""
    work = [
        script.slow(5, 0.1) + script.tool("Bash", {"command": f"echo {name} {turn}"})
        for turn in range(TURNS)
    ]
    later = "".join(script.then(turn) for turn in (*work[1:], script.say(f"done {name}.")))
    return f"{name}. {work[0]}{later}"


class Worker:
    """A user who starts the next session when one has ended."""

    def __init__(self, house: House, models: Iterator[str], until: float) -> None:
        self.house = house
        self.models = models
        self.until = until
        self.worked: list[Worked] = []
        self.running: subprocess.Popen[str] | None = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        """Work until the time is up."""
        while time.monotonic() < self.until:
            self.worked.append(self.work(f"nemesis-{next(NAMES)}", next(self.models)))

    def work(self, name: str, model: str) -> Worked:
        """One session."""
        argv = (OPENCLAUDE, "--profile", PROFILE, "-p", job(name), "--model", model, *STREAM)
        began = time.monotonic()
        allowed = ("--allowedTools", "Bash(echo:*)")
        with self.house.start((*argv, *allowed), self.house.environment()) as process:
            self.running = process
            try:
                out, err = process.communicate(timeout=SESSION_S)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
            self.running = None
        return Worked(
            name=name,
            model=model,
            pid=process.pid,
            began=began,
            ended=time.monotonic(),
            code=process.returncode,
            out=out,
            err=err,
        )


def launch_together(house: House, model: str, size: int = 3) -> None:
    """Several launches at once, each of which must be answered."""
    argv = (OPENCLAUDE, "--profile", PROFILE, "-p", "hi", "--model", model)
    running = [house.start(argv, house.environment()) for _ in range(size)]
    ended = [(one.communicate(timeout=SESSION_S), one.returncode) for one in running]
    wrong = [one for one in ended if one[1] != 0 or "stand-in: " not in one[0][0]]
    assert wrong == [], wrong
