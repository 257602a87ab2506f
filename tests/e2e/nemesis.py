"""A nemesis: what it does to a stack is drawn from a seed, written down, and can be done again.

Knows: the faults, when each comes, how each is done. Independent of: who works on the stack
meanwhile, and what is asked of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.exchange import Chunk, Recorded, Reply
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import PROFILE, House, Ran

Upstream = AnthropicStandin | BedrockStandin

# Six ends of a unit within a minute each are a unit that has failed, three of the forkserver are
# none any more: that is meant, and would end the fun.
MOST_DEATHS = {"main": 4, "providers": 4, "preloader": 2}
MOODS = ("reset", "stall", "drip", "cut", "busy", "broken")
# How often each is drawn, and what it is done to
FAULTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "kill": (6, ("main", "providers", "preloader", "supervisor", "claude")),
    "pause": (3, ("main", "providers", "preloader", "supervisor", "claude")),
    "mood": (6, ("anthropic", "bedrock")),
    # a provider on this machine that does not listen is an error for the user: it was not started
    "refuse": (1, ("anthropic",)),
    "remove": (
        2,
        (
            "stack.json",
            "providers.yaml",
            "plan.json",
            "main.yaml",
            "supervisor.log",
            "control.sock",
        ),
    ),
    "edit": (2, ("profile",)),
    "command": (2, ("restart", "start", "status")),
    "launch": (2, ("opus", "haiku")),
}
FELT_S = 6.0  # after a fault, until units are ready again


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One fault: after a pause, something is done to something, for some time, in some way."""

    after_s: float
    do: str
    what: str
    seconds: float = 0.0
    how: str = ""

    @property
    def may_double(self) -> bool:
        """Whether a request in hand may be sent once more without claude's asking.

        Its instance ended, or its upstream closed the connection, before anything was answered.
        """
        return (
            self.do in {"refuse", "edit"}
            or self.how in {"reset", "cut"}
            or (self.do == "kill" and self.what in {"main", "providers", "supervisor"})
            or (self.do == "command" and self.what in {"restart", "start"})
        )

    def __str__(self) -> str:
        how = f" ({self.how})" if self.how else ""
        return f"{self.do} {self.what}{how} for {self.seconds:.1f} s"


def steps(seed: int) -> Iterator[Step]:
    """Draw faults without end; the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - it must be the same every time
    deaths = dict.fromkeys(MOST_DEATHS, 0)
    names = list(FAULTS)
    weights = [FAULTS[name][0] for name in names]
    while True:
        (do,) = chance.choices(names, weights)
        what = chance.choice(FAULTS[do][1])
        step = Step(
            after_s=round(chance.uniform(0.5, 4.0), 2),
            do=do,
            what=what,
            seconds=round(chance.uniform(0.5, 3.0), 2),
            how=chance.choice(MOODS) if do == "mood" else "",
        )
        if do == "kill" and what in deaths:
            deaths[what] += 1
            if deaths[what] > MOST_DEATHS[what]:
                step = replace(step, do="command", what="restart")
        if (step.do, step.what) in {("command", "restart"), ("kill", "supervisor")}:
            deaths = dict.fromkeys(MOST_DEATHS, 0)
        yield step


def recorded_steps(path: Path) -> Iterator[Step]:
    """Read the faults of an earlier run."""
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if "step" in entry:
            yield Step(**entry["step"])


def recorded_seconds(path: Path) -> float:
    """How long an earlier run's faults went on, and a little longer, seconds."""
    steps_at = [
        entry["at"] + entry["step"]["seconds"]
        for entry in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if "step" in entry
    ]
    return max(steps_at, default=0.0) + FELT_S


class Moody:
    """An upstream that for some time behaves badly."""

    def __init__(self) -> None:
        self.mood = ""
        self.upstream: Upstream | None = None

    def __call__(self, request: Any) -> Reply | None:
        """Answer a request in the present mood; None: as usual."""
        mood = self.mood
        if not mood or self.upstream is None:
            return None
        if mood == "reset":
            return Reply(cut=True)
        if mood in {"busy", "broken"}:
            return unable(529 if mood == "busy" else 500)
        reply = self.upstream._reply(request)
        if mood == "stall":
            return replace(reply, wait_s=reply.wait_s + 4.0)
        if not isinstance(reply.body, tuple):
            return reply
        if mood == "drip":
            dripping = [Chunk(content=one.content, pause_s=0.3) for one in reply.body]
            return replace(reply, body=tuple(dripping))
        return replace(reply, body=reply.body[: len(reply.body) // 2], cut=True)


def unable(status: int) -> Reply:
    """An error that passes, as both clouds may say it."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "it will pass"}}
    return Reply(
        status=status,
        headers=(("content-type", "application/json"),),
        body=json.dumps({**error, "message": "it will pass"}).encode(),
    )


class Record:
    """What was done and seen, as a line of JSON each."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("w", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def __call__(self, **entry: Any) -> None:
        """Write a line."""
        with self._lock:
            at = round(time.monotonic() - self._began, 2)
            self._file.write(json.dumps({"at": at, **entry}) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Nemesis:
    """Does one fault after the other to a house, and remembers when."""

    def __init__(
        self,
        house: House,
        upstreams: dict[str, tuple[Upstream, Moody]],
        record: Record,
        *,
        claudes: Callable[[], list[int]],
        launch: Callable[[str], None],
    ) -> None:
        self.house = house
        self.upstreams = upstreams
        self.record = record
        self.claudes = claudes  # the pids of sessions
        self.launch = launch  # several at once, with a model
        self.spans: list[tuple[float, float, Step]] = []  # when something was wrong
        self.failures: list[str] = []
        self.killed: set[int] = set()  # sessions
        self.edits = 0

    def run(self, plan: Iterator[Step], until: float) -> None:
        """Do what is drawn, or was recorded, until that time."""
        for step in plan:
            if time.monotonic() + step.after_s >= until:
                return
            time.sleep(step.after_s)
            self.record(step=asdict(step))
            began = time.monotonic()
            try:
                getattr(self, f"do_{step.do}")(step)
            except AssertionError as error:
                self.failures.append(f"{step}: {error}")
                self.record(failed=str(step), why=str(error))
            self.spans.append((began, time.monotonic(), step))

    # Each fault ---------------------------------------------------------------------------------

    def do_kill(self, step: Step) -> None:
        """SIGKILL, which no process can catch."""
        if pid := self.victim(step.what):
            self.send(pid, signal.SIGKILL)
            if step.what == "supervisor":  # claude tries again until there is one
                time.sleep(step.seconds)
                self.command("start")

    def do_pause(self, step: Step) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        if pid := self.victim(step.what, is_killed=False):
            self.send(pid, signal.SIGSTOP)
            time.sleep(step.seconds)
            self.send(pid, signal.SIGCONT)

    def do_mood(self, step: Step) -> None:
        """An upstream answers, but how."""
        _, moody = self.upstreams[step.what]
        moody.mood = step.how
        time.sleep(step.seconds)
        moody.mood = ""

    def do_refuse(self, step: Step) -> None:
        """An upstream listens no more: what is open is cut, what is new is refused."""
        upstream, _ = self.upstreams[step.what]
        upstream.stop()
        time.sleep(step.seconds)
        upstream.start()

    def do_remove(self, step: Step) -> None:
        """Another program removes one of our files."""
        (self.house.folder / step.what).unlink(missing_ok=True)
        # the socket alone leads to a stack without its record: without both, a launch in this very
        # second starts a stack of its own, as nothing says there is one
        if step.what == "stack.json":
            time.sleep(step.seconds)

    def do_edit(self, _step: Step) -> None:
        """The user edits the profile; the next launch applies it."""
        self.edits += 1
        self.house.write_profile(
            PROFILE,
            anthropic_url=self.house.anthropic_url,
            bedrock_url=self.house.bedrock_url,
            more=f"[tiers.haiku]\nmax_output_tokens = {3000 + self.edits}\n",
        )
        self.command("start")

    def do_command(self, step: Step) -> None:
        """One of the user's commands."""
        self.command(step.what)

    def do_launch(self, step: Step) -> None:
        """Several launches at once."""
        self.launch(step.what)

    # Helpers ------------------------------------------------------------------------------------

    def command(self, word: str) -> None:
        """Run a command, which must succeed."""
        ran = self.house.command(word)
        assert ran.code == 0, describe(ran)

    def victim(self, name: str, *, is_killed: bool = True) -> int | None:
        """The process of that name, if there is one now."""
        if name == "claude":
            found = sorted(self.claudes())
            if found and is_killed:
                self.killed.add(found[0])
            return found[0] if found else None
        if name == "supervisor":
            with contextlib.suppress(OSError, ValueError, KeyError):
                return int(self.house.record()["pid"])
            return None
        with contextlib.suppress(ValueError, KeyError, IndexError, TypeError):
            status = self.house.status()
            if name == "preloader":
                return int(status["preloader"]["pid"])
            (pid,) = (unit["pid"] for unit in status["units"] if unit["name"] == name)
            return int(pid) if pid else None
        return None

    def send(self, pid: int, number: signal.Signals) -> None:
        """Send a signal; who has ended by itself meanwhile is lucky."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def disturbed(self, began: float, ended: float) -> list[str]:
        """What was done within a time, or shortly before, after which a call may be doubled."""
        return [
            str(step)
            for first, last, step in self.spans
            if step.may_double and last + FELT_S > began and first < ended
        ]


def describe(ran: Ran) -> str:
    """What a program has said, for a report."""
    return f"exit status {ran.code}: {ran.out[-1000:]!r} {ran.err[-1000:]!r}"


def with_id(requests: tuple[Recorded, ...], name: str) -> list[Recorded]:
    """The turns of one session: requests with tools that hold its name."""
    wanted = f"{name}.".encode()
    return [one for one in requests if wanted in one.body and has_tools(one)]


def has_tools(request: Recorded) -> bool:
    """Whether it is a turn of a conversation: no other request of claude's has tools."""
    try:
        body = request.json()
    except ValueError:
        return False
    return bool(body.get("tools") or body.get("toolConfig"))


def results_in(request: Recorded) -> int:
    """How many tools have been used in the conversation so far."""
    return request.body.count(b'"type":"tool_result"') + request.body.count(b'"toolResult":')
