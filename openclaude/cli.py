"""The entry point: runs a command or a launch, and turns errors into exit statuses.

Knows: the exit status of each failure. Independent of: what commands do, whose a command line is.
"""

from __future__ import annotations

from openclaude.interrupt import INTERRUPTED, Catchable  # first: from here on Ctrl-C is quiet

# isort: split

# before anything that a package of the user's could stand in for
import openclaude.own_path  # noqa: F401

# isort: split

import os
import sys
from collections.abc import Mapping, Sequence

from openclaude.commands.split import Split, split_arguments
from openclaude.errors import BUG, LAUNCH_FAILED, OUTPUT_UNREAD, OpenclaudeError, understand

# where a new openclaude comes from, in one line
OWN_UPDATE = (
    "openclaude: this updates claude; docs/install.md says how openclaude itself is updated\n"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the console script. Returns the exit status of our commands."""
    from openclaude.commands.launch import real_environment

    fill_closed_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    env = real_environment()
    is_launch = True
    try:
        split = split_arguments(given)
        is_launch = not split.command
        return run_launch(split, env) if is_launch else run_command_line(split, env)
    except OpenclaudeError as error:
        show_error(error, env)
        return error.launch_exit_code if is_launch else error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one boundary: a bug of ours becomes a report
        if refused := understand(error):
            show_error(refused, env)
            return refused.launch_exit_code if is_launch else refused.exit_code
        from openclaude.crash import report_crash
        from openclaude.output import write_to_stderr

        write_to_stderr(report_crash(error, given, env))
        return LAUNCH_FAILED if is_launch else BUG


def unread() -> int:
    """The reader of our output has closed the pipe, as `head` does; this is not a failure."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what the interpreter still wants to write
    return OUTPUT_UNREAD


def fill_closed_streams() -> None:
    """Open closed standard streams on /dev/null, so that no socket gets their number.

    Only until exec: claude finds closed what its shell has closed.

    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: PTH123, SIM115


def run_launch(split: Split, env: Mapping[str, str]) -> int:
    """Become claude, which returns only by raising; a guided start may end before it."""
    from openclaude.commands.launch import AwsUnusable, launch
    from openclaude.paths import find_places

    if split.updates_claude:
        sys.stderr.write(OWN_UPDATE)
    places = find_places(env)
    try:
        launch(split, places, env)
    except AwsUnusable as error:
        from openclaude.commands.guide.first import is_first_start

        # the default profile needs an AWS profile that a fresh machine does not have; what is wrong
        # with one that is there is said as ever
        if error.code != "aws-profile-missing" or not is_first_start(split, places, env):
            raise
    from openclaude.commands.guide.guide import start_guide

    with Catchable():
        name = start_guide(places, env)
    if name is not None:
        launch(split._replace(profile=name), places, env)
    return 0


def run_command_line(split: Split, env: Mapping[str, str]) -> int:
    """Run one of our commands and print its result."""
    import signal

    from openclaude.commands.runner import run

    # a parent may ignore it, which is inherited; then the system takes away what we wait for
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        with Catchable():
            return run(split.command, split.arguments, env)
    except BrokenPipeError:
        return unread()


def show_error(error: OpenclaudeError, env: Mapping[str, str]) -> None:
    """The failure on stderr."""
    from openclaude.output import error_text, write_to_stderr
    from openclaude.terminal.screen import wants_colour

    write_to_stderr(error_text(error, colour=wants_colour(sys.stderr, env)))
