"""The stack record: `stack.json` in a stack's directory.

Knows: the record's fields. Independent of: its path, whether it is still true.
"""

from openclaude.contracts.control import HIGHEST_PID
from openclaude.contracts.decode import Malformed, encode, read, to_line
from openclaude.contracts.plan import HIGHEST_PORT
from openclaude.contracts.record import Record


class StackRecord(Record, is_open=True):
    """Valid only while the process (pid, started) runs."""

    version: str  # of openclaude
    profile: str
    pid: int  # the supervisor's
    started: str  # its start time, `processes.start_time`
    port: int  # main's; providers on the next
    main_key: str  # main's local key, for launches that join
    former: tuple[str, ...] = ()  # digests of its keys before, which open sessions still have
    where: str = ""  # `environment.here`: pid and port mean nothing anywhere else

    def to_json(self) -> str:
        """Encode the record."""
        return to_line(encode(self)).decode()


def read_stack_record(text: str) -> StackRecord:
    """Decode the record. Raises Malformed."""
    record = read(StackRecord, text, "stack record")
    for name, number, limit in (
        ("pid", record.pid, HIGHEST_PID + 1),
        ("port", record.port, HIGHEST_PORT),
    ):
        if not 0 < number < limit:
            raise Malformed(f"stack record: `{name}` cannot be {number}")
    return record
