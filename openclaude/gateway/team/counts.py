"""What people use of a server: counted in this process, and asked before a request goes on.

Knows: the four limits, and when one that is reached has room again. Independent of: HTTP, other
processes (`shared`), what is said to whom is refused. Minutes are those of the monotonic clock: a
clock that jumps gives nobody more and blocks nobody. Days and months are of UTC; each has a sum of
its own, so that one that a wrong clock has begun does not matter when the clock is right again.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from openclaude.contracts.team.people import Person

WINDOW_S = 60.0
NANO = 1_000_000_000  # sums are whole numbers: nanodollars
MOST_PERIODS = 100  # days and months whose sums are kept; two months have 64
LATEST = 2.5e11  # seconds since 1970: the year 9892


class Limit(StrEnum):
    """Which limit is reached."""

    DAY = "day"
    MONTH = "month"
    MINUTE = "minute"
    PARALLEL = "parallel"


class Reached(NamedTuple):
    """That a limit is reached."""

    limit: Limit
    wait_s: float = 0.0  # until there is room, where that is known
    spent: float = 0.0  # US dollars, of a day or a month


class Use(NamedTuple):
    """One request of a person."""

    person: str
    number: str  # of the request; another process has others
    day: str  # when it came: "2026-12-01"
    month: str  # "2026-12"


class Count(Protocol):
    """Who counts."""

    async def enter(self, person: Person, use: Use) -> Reached | None:
        """Count a request, or say which limit keeps it out."""

    async def leave(self, use: Use, nanodollars: int) -> None:
        """The request has ended, and has cost so much."""

    async def keep(self) -> None:
        """Do what is due now and then, until cancelled."""

    async def close(self) -> None:
        """The instance ends."""


def use_of(person: str, number: str, at: float) -> Use:
    """A request that comes at this time, in seconds since 1970."""
    day = utc(at).date().isoformat()
    return Use(person, number, day, day[: len("2026-12")])


def utc(at: float) -> datetime:
    """A time; one that no calendar has is the nearest that it has."""
    return datetime.fromtimestamp(min(max(at, 0.0), LATEST), tz=UTC)


def left_of(limit: Limit, at: float) -> float:
    """Seconds until the next day or month of UTC begins."""
    now = utc(at)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if limit is Limit.DAY:
        begins = midnight + timedelta(days=1)
    else:
        begins = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return (begins - now).total_seconds()


class SpentSums:
    """What people have spent in days and months, in nanodollars."""

    def __init__(self) -> None:
        self.periods: dict[str, dict[str, int]] = {}  # period -> person -> sum

    def of(self, period: str, person: str) -> int:
        """What a person has spent in a day or a month."""
        return self.periods.get(period, {}).get(person, 0)

    def add(self, use: Use, nanodollars: int) -> None:
        """Add what a request has cost; less than nothing is taken away."""
        for period in (use.day, use.month):
            people = self.periods.setdefault(period, {})
            people[use.person] = people.get(use.person, 0) + nanodollars
        while len(self.periods) > MOST_PERIODS:
            del self.periods[next(iter(self.periods))]

    def learn(self, use: Use, day: int, month: int) -> None:
        """Know of sums that others have counted, too; they only grow."""
        self.add(use, 0)
        for period, known in ((use.day, day), (use.month, month)):
            people = self.periods[period]
            people[use.person] = max(people[use.person], known)


class LocalCount:
    """The count of one process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._came: defaultdict[str, deque[float]] = defaultdict(deque)
        self._inside: defaultdict[str, dict[str, Use]] = defaultdict(dict)
        self.spent = SpentSums()
        self.owed = SpentSums()  # what has been spent, too, and is told to nobody yet

    async def enter(self, person: Person, use: Use) -> Reached | None:
        """Count a request, or say which limit keeps it out."""
        reached = self.judge(person, use)
        if reached is None:
            self.count(use)
        return reached

    async def leave(self, use: Use, nanodollars: int) -> None:
        """The request has ended, and has cost so much."""
        self.end(use)
        self.spent.add(use, nanodollars)

    async def keep(self) -> None:
        """Nothing is due."""

    async def close(self) -> None:
        """Nothing is left to do."""

    def judge(self, person: Person, use: Use) -> Reached | None:
        """Which limit keeps a request out. Money first: waiting does not help with it."""
        name, limits = person
        for limit, period, dollars in (
            (Limit.DAY, use.day, limits.day),
            (Limit.MONTH, use.month, limits.month),
        ):
            spent = self.spent.of(period, name) + self.owed.of(period, name)
            if dollars and spent >= round(dollars * NANO):
                return Reached(limit, spent=spent / NANO)
        if limits.rpm and (wait_s := self._until_room(name, limits.rpm)) > 0:
            return Reached(Limit.MINUTE, wait_s)
        if limits.parallel and len(self._inside[name]) >= limits.parallel:
            return Reached(Limit.PARALLEL)
        return None

    def count(self, use: Use) -> None:
        """Count a request that goes on."""
        self.recent(use.person).append(self._monotonic())
        self._inside[use.person][use.number] = use

    def end(self, use: Use) -> None:
        """Count a request no more among those under way."""
        self._inside[use.person].pop(use.number, None)

    @property
    def inside(self) -> list[Use]:
        """The requests under way."""
        return [use for uses in self._inside.values() for use in uses.values()]

    def _until_room(self, name: str, rpm: int) -> float:
        """Seconds until the next request may come."""
        came = self.recent(name)
        return came[-rpm] + WINDOW_S - self._monotonic() if len(came) >= rpm else 0.0

    def recent(self, name: str) -> deque[float]:
        """When the requests of the last minute came."""
        came, now = self._came[name], self._monotonic()
        while came and came[0] <= now - WINDOW_S:
            came.popleft()
        return came
