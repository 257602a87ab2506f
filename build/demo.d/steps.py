"""Run build/setup for a person: its steps as they happen, and one sentence when it fails.

    steps.py LOG COMMAND...    everything else that the command says goes into the log

Knows: that a step of build/setup is a line that begins with `setup: `, and that the last such line
of one that failed says why. Standard library only. Does not know what the steps do.

On a terminal a step is one line with the seconds it has taken; the line stays where it took two or
more. Elsewhere it is a line as it begins, and one every half minute while it goes on.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

STEP = re.compile(r"setup: (.+)")
LAST_WORDS = re.compile(r"(?:build/)?setup: (.+)")
TICK_S = 0.25
LONG_S = 2.0  # a shorter step leaves no line
AGAIN_S = 30.0
MB = 1_000_000


class Display:
    """The current step, on stderr."""

    def __init__(self, *, is_live: bool, width: int) -> None:
        self.is_live = is_live
        self.width = width
        self.what = ""
        self.began = 0.0
        self.told = 0.0
        self.shown = ""

    def begin(self, what: str) -> None:
        """End the step before, and begin another."""
        self.end()
        self.what = what
        self.began = time.monotonic()
        self.told = 0.0  # not before it continues: the last line of a failing set-up is not a step

    def tick(self) -> None:
        """Show how long it has taken so far."""
        now = time.monotonic()
        passed = f"{now - self.began:.0f} s"
        if self.what and self.is_live:
            room = self.width - len(passed) - len("demo:  ()") - 1  # a line that wraps stays
            line = f"demo: {self.what[:room]} ({passed})"
            if line != self.shown:
                self.shown = line
                write(f"\r\033[K{line}")
        elif self.what and not self.told:
            if now - self.began >= TICK_S:
                self.tell()
        elif self.what and now - self.told >= AGAIN_S:
            self.told = now
            write(f"demo: still {self.what} ({passed})\n")

    def tell(self) -> None:
        """Print a line for the step, if lines are not replaced."""
        self.told = time.monotonic()
        write(f"demo: {self.what}\n")

    def end(self) -> None:
        """End it: keep its line if it was long."""
        passed = time.monotonic() - self.began
        if self.what and self.is_live:
            kept = passed >= LONG_S
            write(f"\r\033[K{f'demo: {self.what}: {passed:.0f} s{chr(10)}' if kept else ''}")
        elif self.what and not self.told:
            self.tell()
        self.what = ""

    def drop(self) -> None:
        """Drop it: it was not a step, or nobody waits for it any more."""
        if self.what and self.is_live:
            write("\r\033[K")
        self.what = ""


def write(text: str) -> None:
    """Write to stderr; a closed terminal must not stop the set-up halfway."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    log, *command = arguments
    display = Display(
        is_live=sys.stderr.isatty() and os.environ.get("TERM") != "dumb", width=terminal_width()
    )
    began = time.time()
    try:
        with Path(log).open("wb") as file:
            status, steps, last = run(command, file, display)
    except OSError as error:
        write(f"build/demo: cannot write to {Path(log).parent}/: {error.strerror}\n")
        return 1
    if status == 0:
        display.end()
        if steps:
            write(report(began))
    elif status == 130:  # Ctrl-C; the user knows
        display.drop()
    else:
        display.drop()
        write(f"build/demo: {sentence(steps, last, status)} (details: {log})\n")
    return status


def run(command: Sequence[str], log: BinaryIO, display: Display) -> tuple[int, list[str], str]:
    """Run it to its end; return its exit status, its steps, and its last line."""
    steps: list[str] = []
    last = ""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            for line in lines(process, log, display):
                last = line or last
                if step := STEP.fullmatch(line):
                    steps.append(step[1])
                    display.begin(step[1])
            return process.wait(), steps, last
        except KeyboardInterrupt:  # it has got the same signal
            process.wait()
            return 130, steps, last


def lines(process: subprocess.Popen[bytes], log: BinaryIO, display: Display) -> Iterator[str]:
    """Yield its output line by line, also written to the log; the display is updated meanwhile."""
    output = process.stdout
    if output is None:
        return
    begun = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if selector.select(TICK_S):
                part = os.read(output.fileno(), 65536)
                log.write(part)
                log.flush()
                *whole, begun = (begun + part).split(b"\n")
                yield from (line.decode(errors="replace").rstrip() for line in whole)
                if not part:
                    yield begun.decode(errors="replace").rstrip()
                    return
            display.tick()


def sentence(steps: Sequence[str], last: str, status: int) -> str:
    """Return why it failed and what to do, from its last lines."""
    if said := LAST_WORDS.fullmatch(last):
        return said[1].replace(", see above", "")
    at = f" while {steps[-1]}" if steps else ""
    if re.search(r"No space left on device|Disk quota exceeded", last):
        return f"the disk is full{at}: free some space, then run it again"
    how = f"was ended by signal {-status}" if status < 0 else "failed"
    return f"the set-up {how}{at}: run it again"


def report(began: float) -> str:
    """Return what was written where; `began` is when, by the clock of files."""
    work = sum(size_of(path) for path in Path(".work").rglob("*"))
    kept = ""
    for name, folder in caches(os.environ).items():
        new = sum(size_of(path, began) for path in folder.rglob("*"))
        kept += f"; {name} keeps {new / MB:.0f} MB for later in {folder}" if new >= MB else ""
    return f"demo: set up; .work/ takes {work / MB:.0f} MB{kept}\n"


def caches(env: Mapping[str, str]) -> dict[str, Path]:
    """Return the caches of pip and npm, unless their settings files name others."""
    home = Path(env.get("HOME") or Path.home())
    usual = env.get("XDG_CACHE_HOME") or home / ".cache"
    pip = home / "Library/Caches" if sys.platform == "darwin" else Path(usual)
    npm = env.get("npm_config_cache") or env.get("NPM_CONFIG_CACHE") or home / ".npm"
    return {"pip": Path(env.get("PIP_CACHE_DIR") or pip / "pip"), "npm": Path(npm)}


def size_of(path: Path, since: float = 0.0) -> int:
    """Return a file's size on disk if it was written since then; 0 if it has gone."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_blocks * 512 if found.st_ctime >= since else 0


def terminal_width() -> int:
    """Return the width of the terminal on stderr; 80 if unknown."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
