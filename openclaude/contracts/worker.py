"""The messages between the supervisor and the processes it starts.

Knows: the messages of the forkserver's channel, of a fork's set-up pipe, of a unit's report pipe
and of the variable that says where its secrets are. Independent of: pipes, processes.
A supervisor may have started before openclaude was updated, and what it starts after that is new:
the forms stay readable.
"""

import json
import re

from openclaude.contracts.decode import Malformed, decode, encode, read, read_json, to_line
from openclaude.contracts.record import Record

# The item of a request's ASGI scope to call once it has shown the local key. Before that it neither
# keeps the stack awake nor has a lasting claim on its connection.
ADMIT = "openclaude.admit"
FATAL = "!"  # begins a line of a unit that cannot start, in place of its numbers
WARNING = "~"  # begins a line of a unit that serves, but worse than it should
SIZE = "="
NO_PORT = "#"  # begins a line of a unit that could not have its further port: which, and why
# The item of the ASGI lifespan scope to call with such a sentence
WARN = "openclaude.warn"


# The forkserver's channel: one message is one packet ----------------------------------------------


class ForkOrder(Record, is_open=True):
    """To the forkserver: fork an instance of this application; its descriptors are attached."""

    application: str  # module:attribute


# On a unit's lifeline: it was replaced, and ends when its requests have ended by themselves.
DRAIN = b"d"


class ForkserverReady(Record, is_open=True):
    """From the forkserver: everything is imported."""

    ready: bool = True


class Forked(Record, is_open=True):
    """From the forkserver: the answer to an order."""

    forked: int  # pid


class ForkEnded(Record, is_open=True):
    """From the forkserver: a fork has ended."""

    exited: int  # pid
    code: int  # exit status, or the signal's number below zero


ForkserverMessage = ForkserverReady | Forked | ForkEnded
KINDS: dict[str, type[ForkserverMessage]] = {
    "ready": ForkserverReady,
    "forked": Forked,
    "exited": ForkEnded,
}


def read_order(packet: bytes) -> ForkOrder:
    """Decode an order. Raises Malformed."""
    return read(ForkOrder, packet, "order to the forkserver")


def read_forkserver_message(packet: bytes) -> ForkserverMessage:
    """Decode a message of the forkserver. Raises Malformed."""
    document = read_json(packet, "message of the forkserver")
    for name, kind in KINDS.items():
        if isinstance(document, dict) and name in document:
            return decode(kind, document, "message of the forkserver")
    raise Malformed(f"message of the forkserver: it must have one of {', '.join(KINDS)}")


# The set-up pipe of a fork: one JSON document -----------------------------------------------------


class UnitSetup(Record, is_open=True):
    """What only the fork may know, not the forkserver: its environment, including keys."""

    environment: dict[str, str]
    folder: str  # to work in

    def to_json(self) -> str:
        """Encode the message."""
        return to_line(encode(self)).decode()


def read_unit_setup(text: str) -> UnitSetup:
    """Decode the message. Raises Malformed."""
    return read(UnitSetup, text, "set-up of a unit")


# A unit's secrets, in its environment: [references by variable, environment of commands] ----------

# The file with a stack's key and certificate, in the environment of its units.
CERTIFICATE_VARIABLE = "OPENCLAUDE_CERTIFICATE"
# SHA-256 digests of main's keys before this one, with commas between: open sessions have them
FORMER_KEYS = "OPENCLAUDE_FORMER_KEYS"
# The file with the digests of the keys that programs of the user's own have
PROGRAM_KEYS = "OPENCLAUDE_PROGRAM_KEYS"
# The file that says which models were exchanged under open sessions
MODEL_CHANGES = "OPENCLAUDE_MODEL_CHANGES"
# whom main meets at the address of providers: the path of a certificate, in PEM
HOP_CERTIFICATE_VARIABLE = "OPENCLAUDE_HOP_CERTIFICATE"
# Of a main whose slots another machine serves: that address, and the file with the certificates to
# trust there, "" for those of the system
SERVER_VARIABLE, SERVER_CA_VARIABLE = "OPENCLAUDE_SERVER", "OPENCLAUDE_SERVER_CA"
# The key for it: it is set where it never changes; else a process beside main fetches it, and this
# is the descriptor on which that one is asked, and where it fetches the key
SERVER_KEY_VARIABLE = "OPENCLAUDE_SERVER_KEY"
KEY_FETCHER_VARIABLE = "OPENCLAUDE_KEY_FETCHER"
KEY_REFERENCE_VARIABLE = "OPENCLAUDE_SERVER_KEY_FROM"
SECRETS_VARIABLE = "OPENCLAUDE_SECRETS"
# the addresses that a unit connects to, between blanks; one that is given it is confined to them
REACHES_VARIABLE = "OPENCLAUDE_REACHES"
# what programs find that a unit starts for credentials, in its environment: the user's variables
PROGRAMS_VARIABLE = "OPENCLAUDE_PROGRAMS"
# a socket that is bound for the requests with which a confined unit warms up: its descriptor
WARM_UP_VARIABLE = "OPENCLAUDE_WARM_UP_LISTENER"
# a port of this machine that the unit serves beside its own, in plain HTTP, and the stack's folder
FURTHER_PORT_VARIABLE = "OPENCLAUDE_FURTHER_PORT"
WRITES_VARIABLE = "OPENCLAUDE_WRITES"  # a folder that the unit may write, besides its own
# Of `openclaude serve`, whose instance other machines ask: the file with its certificate's key,
# where that is another one; the file with people's keys; which model is which group of LiteLLM's
CERTIFICATE_KEY_VARIABLE = "OPENCLAUDE_CERTIFICATE_KEY"
PEOPLE_VARIABLE = "OPENCLAUDE_PEOPLE"
SERVED_VARIABLE = "OPENCLAUDE_SERVED"
# what its models cost: a routing table without slots; where it keeps what people have spent, or the
# address of the Redis in which several of them count together
PRICES_VARIABLE = "OPENCLAUDE_PRICES"
SPENT_VARIABLE = "OPENCLAUDE_SPENT"
REDIS_VARIABLE = "OPENCLAUDE_REDIS"
# and how it ends: how long it takes requests after a SIGTERM, and how long streams then get
ENDING_VARIABLE = "OPENCLAUDE_ENDING"
# The item of the ASGI state of a request that is set once the instance has been told to end
DRAINING = "openclaude.draining"


class FetchedKey(Record):
    """What the process beside main answers: the key, or why there is none."""

    key: str = ""
    error: str = ""
    number: int = 0  # of the question that it answers


class FurtherPort(Record):
    """A port that a unit serves beside its own."""

    port: int
    owner: str  # of which stack it is; says nothing of where that is


def further_port_in(text: str) -> FurtherPort | None:
    """The port that a unit's variable names; None for "". Raises Malformed."""
    if not text:
        return None
    import hashlib

    port, _, folder = text.partition(" ")
    if not port.isdigit() or not folder:
        raise Malformed(f"{FURTHER_PORT_VARIABLE}: it must be a port and a folder")
    owner = hashlib.sha256(folder.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return FurtherPort(port=int(port), owner=owner)


def secrets_text(references: dict[str, str], environment: dict[str, str]) -> str:
    """Encode where a unit's secrets are."""
    return json.dumps([references, environment])


def read_fetched(line: bytes) -> FetchedKey:
    """The answer about a key. Raises Malformed."""
    return read(FetchedKey, line, "answer about a key")


class ServiceEnd(Record):
    """How an instance ends that other machines ask."""

    drain_s: int  # it still takes requests for so long, and says that it is not ready
    grace_s: int  # then streams under way get this long


def ending_text(ending: ServiceEnd) -> str:
    """Encode how an instance ends."""
    return to_line(encode(ending)).decode()


def read_ending(text: str) -> ServiceEnd:
    """How an instance ends. Raises Malformed."""
    return read(ServiceEnd, text, ENDING_VARIABLE)


def served_text(groups: dict[str, str]) -> str:
    """Encode which model is which group."""
    return json.dumps(groups)


def read_served(text: str) -> dict[str, str]:
    """Which model is which group. Raises Malformed."""
    return read(dict[str, str], text, SERVED_VARIABLE)


def programs_text(environment: dict[str, str]) -> str:
    """Encode the user's variables for programs that a unit starts."""
    return json.dumps(environment)


def read_programs(text: str) -> dict[str, str]:
    """The user's variables for programs that a unit starts. Raises Malformed."""
    return read(dict[str, str], text, PROGRAMS_VARIABLE)


def read_secrets(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Where a unit's secrets are, and the environment of commands. Raises Malformed."""
    return read(tuple[dict[str, str], dict[str, str]], text, SECRETS_VARIABLE)


# The report pipe of a unit: short lines of text, for a busy unit writes many ----------------------


class UnitLoad(Record):
    """A unit's load, which is also its heartbeat."""

    in_flight: int  # requests
    served: int


class UnitFatal(Record):
    """Why a unit cannot start until the user fixes something."""

    sentence: str


class UnitWarning(Record):
    """What a unit serves worse for."""

    sentence: str


class UnitLacksPort(Record):
    """A further port that a unit does not serve, because something else has it."""

    port: int
    reason: str


class UnitSize(Record):
    """What a unit has measured of itself: no other process of its user can."""

    pss_bytes: int  # its share of the memory


def size_line(pss_bytes: int) -> bytes:
    """Encode a unit's size."""
    return b"%s%d\n" % (SIZE.encode(), pss_bytes)


def load_line(in_flight: int, served: int) -> bytes:
    """Encode a unit's load."""
    return b"%d %d\n" % (in_flight, served)


def fatal_line(sentence: str) -> bytes:
    """Encode a fatal error."""
    return f"{FATAL}{' '.join(sentence.split())}\n".encode()


def warning_line(sentence: str) -> bytes:
    """A unit's warning as it is sent; a version that does not know it logs it, and goes on."""
    return f"{WARNING}{' '.join(sentence.split())}\n".encode()


def no_port_line(port: int, reason: str) -> bytes:
    """Encode which port a unit does not serve; a version that does not know it logs it."""
    return f"{NO_PORT}{port} {' '.join(reason.split())}\n".encode()


def read_unit_line(
    line: bytes,
) -> UnitLoad | UnitFatal | UnitWarning | UnitLacksPort | UnitSize:
    """One line of a unit's report, without its end. Raises Malformed."""
    text = line.decode("utf-8", "replace")
    if found := re.fullmatch(f"{NO_PORT}([0-9]{{1,5}}) (.+)", text):
        return UnitLacksPort(port=int(found[1]), reason=found[2])
    if text.startswith(FATAL):
        return UnitFatal(sentence=text.removeprefix(FATAL).strip())
    if text.startswith(WARNING):
        return UnitWarning(sentence=text.removeprefix(WARNING).strip())
    if re.fullmatch(f"{SIZE}[0-9]{{1,15}}", text):
        return UnitSize(pss_bytes=int(text.removeprefix(SIZE)))
    numbers = text.split(" ")
    if len(numbers) != 2 or not all(re.fullmatch("[0-9]{1,15}", part) for part in numbers):
        raise Malformed("report of a unit: a line must be two whole numbers")
    return UnitLoad(in_flight=int(numbers[0]), served=int(numbers[1]))
