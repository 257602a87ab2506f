"""Record clients: `record.py VERSION CLAUDE OUTPUT [VERSION CLAUDE OUTPUT ...] [--modes NAME ...]`.

Knows: which situations and modes there are. A process of its own, because it must run without a
network. Several clients are recorded one after the other with one stack.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from binary import names_in
from exchanges import Happened, Record, save
from modes import MODES, Mode
from recorder import Recorder, recorder
from situations import SITUATIONS, Situation

TRIES = 2  # a machine that is busy for half a minute must not look like a difference


class Client(NamedTuple):
    """One client, and the file for its record."""

    version: str
    claude: Path
    output: Path


def main() -> int:
    """Record what was requested."""
    os.environ.pop("PYTHONPATH", None)  # of ours; a program in another environment has its own
    parser = argparse.ArgumentParser(prog="build/contract.d/record.py")
    parser.add_argument("clients", nargs="+", metavar="VERSION CLAUDE OUTPUT")
    parser.add_argument("--only", nargs="*", default=(), help="these situations")
    parser.add_argument("--main-job", action="store_true", help="only what every version must do")
    parser.add_argument("--modes", nargs="*", default=[mode.name for mode in MODES])
    parser.add_argument(
        "--program", type=Path, default=Path(sys.executable).with_name("openclaude")
    )
    arguments = parser.parse_args()
    given = iter(arguments.clients)
    clients = [Client(one, Path(next(given)).resolve(), Path(next(given))) for one in given]
    chosen = [
        one
        for one in SITUATIONS
        if (not arguments.only or one.name in arguments.only)
        and (not arguments.main_job or one.is_main_job)
    ]
    records = {
        client: Record(
            version=client.version,
            date=time.strftime("%Y-%m-%d"),
            binary=names_in(client.claude),
        )
        for client in clients
    }
    for mode in MODES:
        if mode.name in arguments.modes:
            wanted = [one for one in chosen if one.is_main_job or not mode.main_job_only]
            record_mode(mode, wanted, records, arguments.program)
    return 0


def record_mode(
    mode: Mode, chosen: list[Situation], records: dict[Client, Record], program: Path
) -> None:
    """Record all situations of one mode, for each client; save each at once."""
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        root = Path(folder) / mode.name
        with recorder(mode, next(iter(records)).claude, root, program) as it:
            for client, record in records.items():
                it.use(client.claude)
                record.modes[mode.name] = {
                    one.name: record_situation(it, one, client) for one in chosen
                }
                save(record, client.output)


def record_situation(it: Recorder, situation: Situation, client: Client) -> Happened:
    """Record one situation; repeat it once if it did not end."""
    for _ in range(TRIES):
        began = time.monotonic()
        found = it.record(situation)
        say(
            f"{client.version}, {it.mode.name}: {situation.name}: {found.exit}, "
            f"{len(found.exchanges)} requests, {time.monotonic() - began:.1f} s"
        )
        if found.exit.isdigit():
            break
    return found


def say(text: str) -> None:
    """Print the progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
