"""The control protocol: the requests to a supervisor, and its answers.

Knows: the messages as they go over the wire, one JSON object a line. Independent of: sockets, how
anything is answered. Annotations are not postponed here: `decode` reads them. Other versions speak
it too: a launch can take over the stack of an older or newer openclaude. So a field is never
renamed and never changes its kind, a new one has a default, and readers ignore those they do not
know.
"""

from enum import StrEnum

from openclaude.contracts.decode import Malformed, decode, encode, read_json, to_line
from openclaude.contracts.record import Record

LONGEST_DELAY_S = 60.0  # of a start
HIGHEST_PID = 2**31 - 1


class StartMethod(StrEnum):
    """How instances are made."""

    FORK = "fork"  # of the forkserver, which has imported everything once
    SPAWN = "spawn"  # a fresh process each


# What is asked ------------------------------------------------------------------------------------


class Join(Record, is_open=True):
    """A launch will use the stack; one with a `session` (pid, start time) will become claude."""

    session: tuple[int, str] | None = None
    delay_s: float = 0.0  # before anything is started for it
    inherited: dict[str, str] = {}  # of the user's environment, for the units  # noqa: RUF012
    is_ephemeral: bool = False  # the stack ends with the launch, unless others join


class AskStatus(Record, is_open=True):
    """Ask for the status of the stack; with `inherited`, what a launch with it would change."""

    inherited: dict[str, str] = {}  # noqa: RUF012


class Reload(Record, is_open=True):
    """Read the plan in the stack's directory again, and apply it."""

    inherited: dict[str, str]


class Restart(Record, is_open=True):
    """Replace every unit."""

    inherited: dict[str, str]


class Lock(Record, is_open=True):
    """Revoke the local keys at once: new ones, and whatever is in flight ends."""


class GiveAway(Record, is_open=True):
    """Hand the listening sockets over (SCM_RIGHTS, with the answer), then end."""


class Stop(Record, is_open=True):
    """Stop; answered when everything has stopped."""


Question = Join | AskStatus | Reload | Restart | Lock | GiveAway | Stop
QUESTIONS: dict[str, type[Question]] = {
    "join": Join,
    "status": AskStatus,
    "reload": Reload,
    "restart": Restart,
    "lock": Lock,
    "handover": GiveAway,
    "stop": Stop,
}


def question_line(question: Question, where: str = "") -> bytes:
    """Encode a request; `where` it is asked, as `environment.here` has it."""
    (name,) = (name for name, kind in QUESTIONS.items() if kind is type(question))
    return to_line({"do": name, **({"where": where} if where else {}), **encode(question)})


def asked_where(line: bytes) -> str:
    """Where a request is asked; "" for one of an older openclaude. Raises Malformed."""
    document = read_json(line, "control request")
    where = document.get("where", "") if isinstance(document, dict) else ""
    if not isinstance(where, str):
        raise Malformed("control request: `where` must be text")
    return where


def read_question(line: bytes) -> Question:
    """Decode a request. Raises Malformed."""
    document = read_json(line, "control request")
    name = document.pop("do", None) if isinstance(document, dict) else None
    kind = QUESTIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Malformed(f"control request: `do` must be one of {', '.join(QUESTIONS)}")
    question = decode(kind, document, f"control request `{name}`")
    if isinstance(question, Join):
        check_join(question)
    if isinstance(question, AskStatus | Join | Reload | Restart):
        check_inherited(question.inherited, f"control request `{name}`")
    return question


def check_join(question: Join) -> None:
    """Raise Malformed for numbers out of range."""
    if question.session and not 0 < question.session[0] <= HIGHEST_PID:
        raise Malformed("control request `join`: `session[0]` must be a process id")
    if not 0 <= question.delay_s <= LONGEST_DELAY_S:
        raise Malformed(
            f"control request `join`: `delay_s` must be between 0 and {LONGEST_DELAY_S:.0f}"
        )


def check_inherited(inherited: dict[str, str], what: str) -> None:
    """Raise Malformed for an invalid environment."""
    for name, value in inherited.items():
        if not name or "=" in name or "\0" in name + value:
            raise Malformed(f"{what}: `inherited` has an invalid variable")


# What is answered ---------------------------------------------------------------------------------


class Session(Record, is_open=True):
    """A process that is claude, or about to become it."""

    pid: int
    started: str  # its start time, `processes.start_time`


class Joinable(Record, is_open=True):
    """What a launch must know of the stack that it found; part of a Report."""

    version: str  # of openclaude
    is_stopping: bool
    digest: str  # of the plan
    port: int  # main's; providers on the next
    main_key: str
    sessions: tuple[Session, ...] = ()
    certificate: str = ""  # path of what main proves itself with; "" where it speaks HTTP only
    renewed: tuple[str, ...] = ()  # variables whose values this launch has changed
    former: tuple[str, ...] = ()  # digests of main's keys before this one


class Stopped(Record, is_open=True):
    """The stack has ended; its supervisor (pid, started) ends now."""

    pid: int
    started: str | None = None
    stopped: bool = True


class QuestionRefused(Record, is_open=True):
    """The request failed."""

    error: str
    is_elsewhere: bool = False  # it was asked in another container or namespace
