"""Rows a to d: the time of a launch, compared with plain claude and with stock.

Knows: how each kind of launch is started and timed. Independent of: instances.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.figures import Measured, difference, interleave, measured, ratio, side
from tests.bench.scene import BenchFailed, Scene, timed
from tests.e2e.house import OPENCLAUDE, PROFILE
from tests.e2e.terminal import Terminal

PROMPT = r"❯\s*\n─"  # claude's empty input box above its lower border
PROMPT_TIMEOUT_S = 60.0
POLL_S = 0.01  # tmux needs 3 ms of CPU to read the screen once
NOTHING = Path("/bin/true")
CPU_RUNS = 5  # of row d in each round: a run takes 0.1 s
FROM_ANTHROPIC = "anthropic stand-in:"
FROM_BEDROCK = "bedrock stand-in:"

COLD_TUI = difference(
    "a", "cold launch to claude's first prompt, over plain claude", "s", reach=0.40, aim=0.10
)
FIRST_TUI = difference("a.first", "the same, the very first launch: no cached plan", "s")
COLD_CLAUDE = ratio(
    "b", "cold `-p` answer of opus / stock started, then `claude -p`", "s", reach=0.70, aim=0.45
)
COLD_SLOT = ratio("b.slot", "the same of the haiku slot", "s")
WARM = ratio("c", "warm `openclaude -p` / `claude -p`", "s", reach=1.20, aim=1.05)
CPU = difference("d", "CPU of a warm launch before it becomes claude", "ms", reach=60, aim=30)
# says on a slow machine, too, whether it became dearer
CPU_RATIO = ratio("d.python", "the same / a start of Python that does nothing", "ms")


def measure_cold_tui(scene: Scene, rounds: int) -> list[Measured]:
    """Row a: from Enter to claude's prompt, with nothing of ours running."""
    house = scene.house

    def plain() -> float:
        seconds = time_prompt(scene, ("claude",), house.plain_environment())
        scene.settle()
        return seconds

    def cold() -> float:
        seconds = time_prompt(scene, (OPENCLAUDE, "--profile", PROFILE), house.environment())
        scene.stop()
        return seconds

    def first() -> float:
        scene.forget_plans()
        return cold()

    scene.stop()
    samples = interleave(rounds, side("plain", plain), side("cold", cold), side("first", first))
    return [
        measured(COLD_TUI, samples, "cold", "plain"),
        measured(FIRST_TUI, samples, "first", "plain"),
    ]


def time_prompt(scene: Scene, argv: Sequence[str | Path], env: Mapping[str, str]) -> float:
    """Seconds from starting a terminal with this command to claude's empty prompt."""
    # a new one each time: a tmux that was told to end may still have the one before
    socket = scene.house.root.parent / f"tmux-{time.monotonic_ns()}"
    began = time.monotonic()
    with Terminal(argv, env, scene.house.project, socket) as terminal:
        while not re.search(PROMPT, terminal.screen()):
            if time.monotonic() > began + PROMPT_TIMEOUT_S:
                raise BenchFailed("claude never drew its prompt")
            time.sleep(POLL_S)
        return time.monotonic() - began


def measure_cold_answer(scene: Scene, rounds: int) -> list[Measured]:
    """Row b: from nothing to the answer of `-p`, once per route."""
    house = scene.house

    def cold(model: str, expected: str) -> float:
        seconds = timed(lambda: house.openclaude("-p", "hi", "--model", model), expected)
        scene.stop()
        return seconds

    def stock() -> dict[str, float]:
        began = time.monotonic()
        with scene.stock() as running:
            ready = time.monotonic() - began
            env = running.claude_variables()
            opus = timed(
                lambda: house.claude("-p", "hi", "--model", "opus", env=env), FROM_ANTHROPIC
            )
            slot = timed(
                lambda: house.claude("-p", "hi", "--model", "haiku", env=env), FROM_BEDROCK
            )
        return {"stock": ready + opus, "stock slot": ready + slot}

    scene.stop()
    samples = interleave(
        rounds,
        side("cold", lambda: cold("opus", FROM_ANTHROPIC)),
        stock,
        side("cold slot", lambda: cold("haiku", FROM_BEDROCK)),
    )
    return [
        measured(COLD_CLAUDE, samples, "cold", "stock"),
        measured(COLD_SLOT, samples, "cold slot", "stock slot"),
    ]


def measure_warm(scene: Scene, rounds: int) -> list[Measured]:
    """Row c: the stack is already running."""
    house = scene.house
    scene.start()

    def ours() -> float:
        return timed(lambda: house.openclaude("-p", "hi"), FROM_ANTHROPIC)

    def plain() -> float:
        return timed(lambda: house.claude("-p", "hi"), FROM_ANTHROPIC)

    ours()
    plain()
    samples = interleave(2 * rounds, side("ours", ours), side("plain", plain))
    return [measured(WARM, samples, "ours", "plain")]


def measure_cpu(scene: Scene, rounds: int) -> list[Measured]:
    """Row d: user and system time of the launch; the program that it becomes does nothing."""
    scene.start()
    env = scene.house.environment({"OPENCLAUDE_CLAUDE": str(NOTHING)})
    launch = (OPENCLAUDE, "--profile", PROFILE, "-p", "hi")

    samples = interleave(
        CPU_RUNS * rounds,
        side("launch", lambda: cpu_ms(launch, env, scene.house.project)),
        side("nothing", lambda: cpu_ms((NOTHING,), env, scene.house.project)),
        side("python", lambda: cpu_ms((sys.executable, "-c", ""), env, scene.house.project)),
    )
    return [
        measured(CPU, samples, "launch", "nothing"),
        measured(CPU_RATIO, samples, "launch", "python"),
    ]


def cpu_ms(argv: Sequence[str | Path], env: Mapping[str, str], folder: Path) -> float:
    """CPU time of a program, milliseconds."""
    process = subprocess.Popen(argv, env=dict(env), cwd=folder, stdin=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchFailed(f"{argv} ended with {process.returncode}")
    return (used.ru_utime + used.ru_stime) * 1000
