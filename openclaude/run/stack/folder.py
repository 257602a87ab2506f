"""A stack's directory: its record, its control socket, and what is removed at its end.

Knows: where a stack's files are. Independent of: what runs, profiles, claude.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from openclaude.contracts.decode import Malformed
from openclaude.contracts.plan import Plan, read_plan
from openclaude.contracts.stack_record import StackRecord, read_stack_record
from openclaude.files import NotTrusted, read_trusted, untrusted, write_private
from openclaude.run.os.environment import Relation, here, relation
from openclaude.run.os.processes import is_alive

PLAN = "plan.json"
# what `openclaude switch` changes of the profile for as long as the stack lives, in TOML
SWITCH = "switch.toml"
# which models were exchanged under open sessions, for main to say
CHANGES = "changes.json"
LAUNCHES = "launches"
# where instances work; settings of launches, of an openclaude before this one
FOLDERS = frozenset({LAUNCHES, "empty"})
# Beside our own folder, and named after neither us nor a profile: claude tells Anthropic in which
# folder the file of `--settings` is, in each request in auto mode (measured with 2.1.330).
SETTINGS = "claude-settings"


def record_path(folder: Path) -> Path:
    """The record's file."""
    return folder / "stack.json"


def control_path(folder: Path) -> Path:
    """The control socket."""
    return folder / "control.sock"


def held_path(folder: Path) -> Path:
    """The socket on which a holder gives the ports away; it outlives its stack.

    The ports of one place are of no use in another.
    """
    return folder / f"held@{here()}.sock"


def holders(folder: Path) -> list[str]:
    """Where holders of the stack's ports are, each as `environment.here` has it."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - no Path for each
    except OSError:  # nobody's yet, or closed, which is said of it elsewhere
        return []
    found = [name for name in names if name.startswith("held@") and name.endswith(".sock")]
    return [name.removeprefix("held@").removesuffix(".sock") for name in found]


def server_certificate(folder: Path) -> Path:
    """The key and the certificate by which a stack's instances prove themselves."""
    return folder / "tls.pem"


def client_certificate(folder: Path) -> Path:
    """The same certificate without the key: what claude expects of main."""
    return folder / "ca.pem"


def settings_folder(folder: Path) -> Path:
    """Where the settings files of launches are, those of all stacks together."""
    return folder.parents[2] / SETTINGS


def settings_path(folder: Path, pid: int, started: str) -> Path:
    """The settings file of one launch, which ends as its stack or its process ends."""
    return settings_folder(folder) / f"{pid}-{started}-{folder.name}@{here()}.json"


class Owner(NamedTuple):
    """The launch that a settings file is of."""

    pid: int
    started: str
    stack: str
    where: str = ""  # `environment.here`; "" from an older openclaude

    @property
    def is_gone(self) -> bool:
        """Whether it has certainly ended; one in another container or machine may not have."""
        there = relation(self.where)
        return there is Relation.ENDED or (
            there is Relation.HERE and not is_alive(self.pid, self.started)
        )


def settings_of(path: Path) -> Owner | None:
    """The owner of a settings file; None if it is not one of ours."""
    parts = path.name.removesuffix(".json").split("-", 2)
    if len(parts) < 3 or not parts[0].isdigit() or path.suffix != ".json":
        return None
    stack, _, where = parts[2].partition("@")
    return Owner(int(parts[0]), parts[1], stack, where)


def write_record(folder: Path, record: StackRecord) -> None:
    """Write the record, 0600. Raises FolderUnusable."""
    write_private(record_path(folder), record.to_json())


def read_record(folder: Path) -> StackRecord | None:
    """The record, or None when there is none or it is torn: then there is no stack to trust.

    Raises FolderUnusable for one that another user could have written.
    """
    try:
        return read_stack_record(read_trusted(record_path(folder)))
    except NotTrusted as error:
        raise untrusted(folder, error) from error
    except (OSError, UnicodeDecodeError, Malformed):
        return None


def is_live(record: StackRecord) -> bool:
    """Whether the supervisor that wrote the record still runs, here."""
    is_here = relation(record.where) is Relation.HERE
    return is_here and is_alive(record.pid, record.started)


def write_files(folder: Path, plan: Plan) -> None:
    """Write what the supervisor and the instances read. Raises FolderUnusable."""
    for name, text in plan.files.items():
        write_private(folder / name, text)
    write_private(folder / PLAN, plan.to_json())


def read_folder_plan(folder: Path) -> Plan:
    """The plan in a stack's directory. Raises OSError or Malformed."""
    return read_plan(read_trusted(folder / PLAN))


def switch_in(folder: Path) -> str:
    """What `openclaude switch` has changed of the profile; "" for nothing. Raises FolderUnusable.

    It ends with its stack: what one that was killed has left is removed here.
    """
    try:
        text = read_trusted(folder / SWITCH)
    except (OSError, UnicodeDecodeError):
        return ""
    record = read_record(folder)
    if record and is_live(record):
        return text
    if record is None or relation(record.where) in {Relation.HERE, Relation.ENDED}:
        (folder / SWITCH).unlink(missing_ok=True)
    return ""
