"""`openclaude requests record`: asks the proxies to keep the bodies of slots' requests for a while.

Knows: how long, how it is ended and removed, what it means for who has typed it. Independent of:
who keeps them.
"""

from __future__ import annotations

import argparse
import time

from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import private_folder
from openclaude.ledger.recording import (
    FOLDER,
    LONGEST_S,
    MOST_BYTES,
    RecordingSwitch,
    count_recorded,
    end_recording,
    read_switch,
    recording_folder,
    remove_recorded,
    write_switch,
)
from openclaude.output import Result
from openclaude.paths import Places

MINUTES = 10.0
MB = 1024 * 1024
REMOVE = "`openclaude requests record --remove` deletes them"
WARNING = """\
warning: for {minutes:g} minutes, until {until}, the proxies keep what is sent to slots and
what they answer: your prompts, your files and the answers are in it.
  where:   {folder} (only you can read it; at most {most} MB)
  removed: keys and tokens that are recognised; nothing else is
  never:   what goes to Anthropic, headers, and profiles with `[ledger] keep = "0s"`
It begins within two seconds and ends automatically. `--stop` ends it now, and `--remove`
also deletes what was kept.
"""


class NotRecorded(OpenclaudeError):
    """The request for a recording cannot be written, or its files not removed."""

    code = "not-recorded"


def record(arguments: argparse.Namespace, places: Places, now: float) -> Result:
    """Begin, end or remove a recording. Raises UsageError, FolderUnusable or NotRecorded."""
    folder = recording_folder(places.state)
    try:
        if arguments.remove or arguments.stop:
            was_on = read_switch(folder, now) is not None
            end_recording(folder)
            removed = remove_recorded(folder) if arguments.remove else 0
            return ended(arguments, was_on=was_on, removed=removed)
        minutes = MINUTES if arguments.minutes is None else arguments.minutes
        if not 0 < minutes <= LONGEST_S / 60:
            raise UsageError(
                f"`--minutes` takes more than 0 and at most {LONGEST_S / 60:.0f}, "
                f"not `{minutes:g}`",
                hint="for example `openclaude requests record --minutes 10`",
            )
        private_folder(folder)
        until = now + 60 * minutes
        write_switch(folder, RecordingSwitch(now, until))
    except OSError as error:
        raise NotRecorded(
            f"cannot write in `{folder}`: {error.strerror or error}",
            hint="make it writable, or remove what is in its place",
        ) from error
    text = WARNING.format(
        minutes=minutes,
        until=clock_of(until),
        folder=folder / FOLDER,
        most=MOST_BYTES // MB,
    )
    return Result(text=text, data={"until": until, "folder": str(folder / FOLDER)})


def ended(arguments: argparse.Namespace, *, was_on: bool, removed: int) -> Result:
    """What `--stop` and `--remove` have done."""
    text = "the recording has ended\n" if was_on else "nothing was recorded at the moment\n"
    if arguments.remove:
        text += f"{removed} recorded requests removed\n"
    return Result(text=text, data={"was_on": was_on, "removed": removed})


def recording_text(places: Places, now: float) -> str:
    """What `status` says of recordings; "" if there are none."""
    folder = recording_folder(places.state)
    switch, found = read_switch(folder, now), count_recorded(folder)
    text = ""
    if switch:
        text = (
            f"recording: prompts and answers of slots are kept until {clock_of(switch.until)}; "
            "`openclaude requests record --stop` ends it\n"
        )
    if found.files:
        text += (
            f"recorded: {found.files} requests ({found.size / MB:.1f} MB) in {folder / FOLDER}; "
            f"{REMOVE}\n"
        )
    return text


def recording_data(places: Places, now: float) -> dict[str, object]:
    """The same for `--json`."""
    folder = recording_folder(places.state)
    switch, found = read_switch(folder, now), count_recorded(folder)
    return {
        "until": switch.until if switch else None,
        "files": found.files,
        "bytes": found.size,
        "folder": str(folder / FOLDER),
    }


def clock_of(at: float) -> str:
    """A time of day."""
    return time.strftime("%H:%M", time.localtime(at))
