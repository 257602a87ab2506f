"""The handover: the launcher's message to the supervisor that it starts, on standard input.

Knows: the message, and those about the ports of a stopped stack. Independent of: how they are sent,
what is done with them. The handover contains the local keys, so it is never in arguments,
environment or a file.
"""

import json

from openclaude.contracts.control import StartMethod, check_inherited
from openclaude.contracts.decode import decode, encode, read, read_json
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
    former: tuple[str, ...] = ()  # digests of main's keys before this one, for sessions of then
    is_ephemeral: bool = False  # ends with its last session, unless another launch or command joins

    def to_json(self) -> str:
        """Encode the message."""
        return json.dumps(encode(self))


def read_handover(text: str) -> Handover:
    """Decode the message. Raises Malformed."""
    handover = read(Handover, text, "handover")
    check_inherited(handover.inherited, "handover")
    return handover


class Holding(Record):
    """What a supervisor that ends leaves to the holder of its ports, on standard input.

    No key is among it, only digests: the sessions it is for are told how to go on, and the next
    stack knows them by their keys.
    """

    folder: str
    profile: str
    port: int
    main: int  # file descriptors of the listening sockets
    providers: int
    control: int  # and of the socket on which the others are given away
    sessions: tuple[tuple[int, str], ...]  # pid and start time of each
    former: tuple[str, ...] = ()  # digests of the keys that these sessions have


class Held(Record, is_open=True):
    """What a holder says to the next stack, which gets the sockets with it."""

    port: int
    sessions: tuple[tuple[int, str], ...]
    former: tuple[str, ...] = ()


def read_holding(text: str) -> Holding:
    """Decode a holder's orders. Raises Malformed."""
    return read(Holding, text, "holding")


def read_held(line: bytes) -> Held:
    """Decode a holder's answer. Raises Malformed."""
    return decode(Held, read_json(line, "held"), "held")
