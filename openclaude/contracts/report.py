"""The report: a supervisor's status of its stack, on its control socket.

Knows: the report's fields. Independent of: how it is asked for, how it is shown. A launch needs
less (`control.Joinable`) and does not import this. Annotations are not postponed here: `decode`
reads them. The rules for changes are `control`'s.
"""

from enum import StrEnum

from openclaude.contracts.control import Session
from openclaude.contracts.decode import decode
from openclaude.contracts.record import Record


class UnitState(StrEnum):
    """The state of a unit."""

    WAITING = "waiting"  # will be started
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"  # was told to end, and finishes the requests it has
    STOPPED = "stopped"
    ASLEEP = "asleep"  # started again by the next connection
    FAILED = "failed"  # will not be started again by itself


class ForkserverState(StrEnum):
    """The state of the forkserver."""

    STARTING = "starting"
    READY = "ready"
    UNKNOWN = "unknown"  # of a supervisor that does not say


class UnitReport(Record, is_open=True):
    """The status of a unit."""

    name: str
    state: UnitState
    pid: int | None
    port: int
    state_s: float  # for how long it has been in this state
    in_flight: int  # requests
    served: int
    restarts: int
    last_error: str
    cause: str = ""  # why it is in this state
    pss_bytes: int = 0  # as it measured itself


class DrainingReport(Record, is_open=True):
    """A draining process, whose unit was replaced, put to sleep or removed."""

    name: str  # of the unit
    pid: int
    state_s: float  # since it was told to end
    in_flight: int
    served: int
    kill_in_s: float  # until it is killed, if it says nothing until then
    cause: str
    pss_bytes: int = 0  # as it measured itself
    is_patient: bool = False  # its requests take as long as they need


class ForkserverReport(Record, is_open=True):
    """The process that instances are forked from."""

    pid: int
    state: ForkserverState = ForkserverState.UNKNOWN


class Degradation(Record, is_open=True):
    """Something that works, but worse than it should."""

    code: str  # a diagnostic's
    message: str
    cost: str
    fix: str


class TierReport(Record, is_open=True):
    """The model behind one tier."""

    tier: str
    model: str
    label: str


class Report(Record, is_open=True):
    """The status of a stack."""

    version: str
    profile: str
    folder: str
    digest: str
    is_stopping: bool
    main_key: str  # to who may read the stack's folder anyway
    pid: int
    port: int
    uptime_s: float
    start_method: str
    sessions: tuple[Session, ...]
    tiers: tuple[TierReport, ...]
    units: tuple[UnitReport, ...]
    draining: tuple[DrainingReport, ...] = ()
    forkserver: ForkserverReport | None = None
    preloader: int | None = None  # the forkserver's pid: what the version before reads
    certificate: str = ""  # path of what main proves itself with; "" where it speaks HTTP only
    degraded: tuple[Degradation, ...] = ()
    renewed: tuple[str, ...] = ()  # variables whose values the last launch has changed
    former: tuple[str, ...] = ()  # digests of main's keys before this one


def read_report(document: object) -> Report:
    """A supervisor's report, also one of the version before. Raises Malformed."""
    report = decode(Report, document, "report")
    if report.forkserver is None and report.preloader is not None:
        return report._replace(forkserver=ForkserverReport(pid=report.preloader))
    return report
