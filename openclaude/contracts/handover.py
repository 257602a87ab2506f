"""The handover: the launcher's message to the supervisor that it starts, on standard input.

Knows: the message. Independent of: how it is sent, what is done with it. It contains the local
keys, so it is never in arguments, environment or a file.
"""

import json

from openclaude.contracts.control import StartMethod, check_inherited
from openclaude.contracts.decode import encode, read
from openclaude.contracts.record import Record


class Handover(Record):
    """A folder, file descriptors, keys, and environment for the units."""

    folder: str
    port: int
    main: int  # file descriptors of the listening sockets
    providers: int
    control: int
    main_key: str
    providers_key: str
    inherited: dict[str, str]
    method: StartMethod
    sessions: tuple[tuple[int, str], ...]  # pid and start time of each
    delay_s: float  # before the first unit is started
    certificate: str = ""  # path of the key and certificate that the units prove themselves with

    def to_json(self) -> str:
        """Encode the message."""
        return json.dumps(encode(self))


def read_handover(text: str) -> Handover:
    """Decode the message. Raises Malformed."""
    handover = read(Handover, text, "handover")
    check_inherited(handover.inherited, "handover")
    return handover
