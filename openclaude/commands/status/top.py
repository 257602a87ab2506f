"""`openclaude top`: the open sessions, live on the whole terminal.

Knows: the terminal's alternate screen, keys, signals. Independent of: what a session has used.
"""

from __future__ import annotations

import argparse
import os
import re
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from openclaude.commands.help_page import STATE, HelpPage, add_page, add_profile
from openclaude.commands.running import stack_names
from openclaude.commands.status.command import report_of
from openclaude.commands.status.sessions import SessionLine, session_lines, shown_sessions
from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import profile_name
from openclaude.run.stack.client import StackUnreachable

REFRESH_S = 2.0
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_REST = "\x1b[H", "\x1b[K", "\x1b[J"
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
KEYS = "q quit  a age  r requests  c cost  f failed  p profile"
SMALLEST = 3  # lines
# of an arrow or a function key, whose letters mean nothing here
SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;?]*[@-~]|O.|)")
ENDING = (signal.SIGTERM, signal.SIGHUP)

Sorting = Callable[[SessionLine], tuple[object, ...]]
SORTINGS: dict[str, Sorting] = {
    "a": lambda line: (line.began_at or 0.0,),
    "r": lambda line: (-line.used.requests,),
    "c": lambda line: (-line.used.dollars,),
    "f": lambda line: (-line.used.errors,),
    "p": lambda line: (line.profile, line.folder),
}
PAGE = HelpPage(
    text="""\
Show the open sessions live, as `openclaude status` does, on the whole terminal.
Keys: q quits; a, r, c, f and p sort by age, requests, cost, failed requests and
profile. It needs a terminal; `openclaude status --json` is for programs.""",
    examples=("openclaude top", "openclaude top qwen"),
    variables=STATE,
    docs="docs/usage.md",
)


class View(NamedTuple):
    """What is shown at one moment."""

    lines: Sequence[SessionLine]
    idle: Sequence[Mapping[str, object]]  # the reports of stacks
    problems: Sequence[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser, help_text="show only the sessions of this profile")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Show them until `q`, Ctrl-C or the end of the terminal. Raises UsageError without one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "`top` needs a terminal", hint="`openclaude status` prints the same once, anywhere"
        )
    if env.get("TERM", "") in {"", "dumb"}:
        raise UsageError(
            f"`top` cannot draw on this terminal (TERM is `{env.get('TERM', '')}`)",
            hint="`openclaude status --watch` needs no such terminal",
        )
    named = [profile_name(arguments.profile, env, places)] if arguments.profile else None
    ended = watch(lambda: look(named, places, env), places)
    return Result(exit_code=128 + ended if ended else 0)


def look(names: Sequence[str] | None, places: Places, env: Mapping[str, str]) -> View:
    """The sessions of now; a stack that does not answer is a sentence."""
    reports, problems = [], []
    for name in stack_names(places) if names is None else names:
        try:
            reports += report_of(name, places)
        except StackUnreachable as error:
            problems.append(error.message)
    return View(session_lines(reports, places, env, time.time()), reports, problems)


def watch(look_again: Callable[[], View], places: Places) -> int:
    """Show and sort until the end; the signal that ended it, or 0."""
    sorting, view, due = "a", look_again(), time.monotonic() + REFRESH_S
    with signals() as noted, screen():
        while True:
            draw(view, sorting, places)
            wait_s = max(0.0, due - time.monotonic())
            readable, _, _ = select.select([sys.stdin.fileno(), noted], [], [], wait_s)
            if noted in readable:
                for number in os.read(noted, 64):
                    if number in ENDING:
                        return number
            if sys.stdin.fileno() in readable:
                typed = read_keys()
                if typed is None or "q" in typed:
                    return 0
                sorting = next((key for key in reversed(typed) if key in SORTINGS), sorting)
            if time.monotonic() >= due:
                view, due = look_again(), time.monotonic() + REFRESH_S


def read_keys() -> str | None:
    """What was typed; None if the terminal has gone. Raises KeyboardInterrupt for Ctrl-C."""
    try:
        typed = os.read(sys.stdin.fileno(), 64)
    except OSError:
        return None
    if not typed:
        return None
    if b"\x03" in typed:
        raise KeyboardInterrupt
    return SEQUENCE.sub(b"", typed).decode("ascii", "replace").lower()


@contextmanager
def signals() -> Iterator[int]:
    """A descriptor with the numbers of signals as they come: a new size of the terminal, an end."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    os.set_blocking(read, False)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    watched = (signal.SIGWINCH, *ENDING)
    kept = {number: signal.signal(number, lambda _number, _frame: None) for number in watched}
    try:
        yield read
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(read)
        os.close(write)


@contextmanager
def screen() -> Iterator[None]:
    """The alternate screen, without echo; the terminal is as it was afterwards."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        put(ENTER)
        yield
    finally:
        put(LEAVE)
        with suppress(termios.error):  # it has gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def put(text: str) -> None:
    """Write to the terminal; nothing happens where it has gone: the next key tells."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def draw(view: View, sorting: str, places: Places) -> None:
    """Draw all lines that fit."""
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        columns, rows = 0, 0
    columns, rows = columns or 80, rows or 24  # one whose size nobody has set says 0
    picture = "".join(
        f"{line}{CLEAR_LINE}\r\n" for line in picture_of(view, sorting, places, columns, rows)
    )
    put(HOME + picture.removesuffix("\r\n") + CLEAR_REST)


def picture_of(view: View, sorting: str, places: Places, columns: int, rows: int) -> list[str]:
    """The lines of the screen, none longer and not more than it has."""
    now = time.time()
    cost = sum(line.used.dollars for line in view.lines)
    title = f"sessions: {len(view.lines)}, ${cost:.2f} on slots, {time.strftime('%H:%M:%S')}"
    ordered = sorted(view.lines, key=SORTINGS[sorting])
    text = shown_sessions(ordered, view.idle, places.home, now) or "nothing is running\n"
    body = [*text.splitlines(), *view.problems]
    room = max(SMALLEST, rows) - 2
    if len(body) > room:
        body = [*body[: room - 1], f"... {len(body) - room + 1} more lines"]
    lines = [title, *body, *[""] * (room - len(body)), KEYS]
    cut = [fitting(line, columns) for line in lines]
    return [f"{BOLD}{cut[0]}{PLAIN}", *cut[1:]]


def fitting(line: str, columns: int) -> str:
    """As much of a line as fits; a wide character takes two columns, a combining one none."""
    import unicodedata

    width, fitted = 0, ""
    for sign in line:
        wide = unicodedata.east_asian_width(sign) in "WF"
        width += 0 if unicodedata.combining(sign) else 2 if wide else 1
        if width > columns:
            break
        fitted += sign
    return fitted
