"""What people use of several processes together: counted in Redis.

Knows: Redis, its keys, what it may do to us. Independent of: HTTP, what is said to whom is refused.
Each process also counts for itself (`counts`), and that is what holds while Redis is away:

* Redis is down or slow: nobody waits longer than PATIENCE_S for it, and not again for PAUSE_S. Each
  process then holds the limits by itself, from the sums it knew last; what was spent meanwhile is
  added when Redis is back. A request that Redis has counted although its answer was lost is not
  counted twice.
* Redis was flushed or restored: sums only grow, and each process brings along what it knows.
* A process was killed: its requests under way count for LEASE_S more; who lives renews its own.
* Clocks: minutes and leases are by Redis's own; what lies in its future is removed, so that a clock
  that was set back blocks nobody.
* Another program's data under our keys: what is about that key is counted here alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import redis.asyncio
from redis.exceptions import RedisError, ResponseError

from openclaude.contracts.team.people import Person
from openclaude.gateway.team.counts import NANO, WINDOW_S, Limit, LocalCount, Reached, Use

PREFIX = "openclaude:1"
PATIENCE_S = 0.5
LATE_S = 0.1  # by which our own event loop, not Redis, has let that pass
TRIES = 3  # while it is that
PAUSE_S = 5.0  # after a failure
LEASE_S = 30.0
RENEW_S = 5.0
DAY_S, MONTH_S = 3 * 86400, 40 * 86400  # how long sums are kept
PAID_S = 3600  # how long it is known which requests are in the sums
MOST_UNSAID = 100_000  # requests whose cost Redis was not told yet
CONNECTIONS = 32
MOST_REFUSALS = 20  # that are noted, each once
# of an address; others change what answers look like, or are the client's alone
OPTIONS = frozenset({"db", "username", "password", "socket_keepalive", "health_check_interval"})
OPTIONS |= {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"}
LONGEST = 200  # characters of what Redis says

# KEYS: of the minute, of what is under way, of the day, of the month. The sums of the day and the
# month are brought along: what is smaller in Redis was lost there.
HEAL = """
local function heal(key, known, keep)
  local sum = math.max(tonumber(redis.call('GET', key) or '0'), tonumber(known))
  if sum > 0 then redis.call('SET', key, string.format('%.0f', sum), 'EX', keep) end
  return sum
end
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
"""
# ARGV: number, known day, known month, limits: day, month, rpm, parallel (0 is none)
ENTER = f"""{HEAL}
redis.call('ZREM', KEYS[1], ARGV[1])  -- it is asked again where an answer was lost
redis.call('ZREM', KEYS[2], ARGV[1])
local day, month = heal(KEYS[3], ARGV[2], {DAY_S}), heal(KEYS[4], ARGV[3], {MONTH_S})
local function said(what, wait)
  return {{what, string.format('%.0f', day), string.format('%.0f', month), tostring(wait)}}
end
if tonumber(ARGV[4]) > 0 and day >= tonumber(ARGV[4]) then return said('day', 0) end
if tonumber(ARGV[5]) > 0 and month >= tonumber(ARGV[5]) then return said('month', 0) end
local rpm, parallel = tonumber(ARGV[6]), tonumber(ARGV[7])
-- also for who has no limit: a set that is added to again and again never expires
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - {WINDOW_S})
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + 1, '+inf')
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], now + {LEASE_S} + 1, '+inf')
if rpm > 0 then
  if redis.call('ZCARD', KEYS[1]) >= rpm then
    local first = redis.call('ZRANGE', KEYS[1], -rpm, -rpm, 'WITHSCORES')
    return said('minute', tonumber(first[2]) + {WINDOW_S} - now)
  end
end
if parallel > 0 then
  if redis.call('ZCARD', KEYS[2]) >= parallel then return said('parallel', 0) end
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('EXPIRE', KEYS[1], {WINDOW_S:.0f})
redis.call('ZADD', KEYS[2], now + {LEASE_S}, ARGV[1])
redis.call('EXPIRE', KEYS[2], {LEASE_S:.0f})
return said('', 0)
"""
# ARGV: number, known day, known month, what it has cost
LEAVE = f"""{HEAL}
redis.call('ZREM', KEYS[2], ARGV[1])
local day, month = heal(KEYS[3], ARGV[2], {DAY_S}), heal(KEYS[4], ARGV[3], {MONTH_S})
local cost = tonumber(ARGV[4])
if cost > 0 and redis.call('SET', KEYS[5], '1', 'NX', 'EX', {PAID_S}) then
  day, month = heal(KEYS[3], day + cost, {DAY_S}), heal(KEYS[4], month + cost, {MONTH_S})
end
return {{string.format('%.0f', day), string.format('%.0f', month)}}
"""
# KEYS: of what is under way. ARGV: number
RENEW = f"""{HEAL}
redis.call('ZADD', KEYS[1], now + {LEASE_S}, ARGV[1])
redis.call('EXPIRE', KEYS[1], {LEASE_S:.0f})
return 1
"""


class BadAddress(ValueError):
    """No address of Redis; the message says why, and has nothing of the address."""


class SharedCount:
    """The count of all processes with the same Redis."""

    def __init__(
        self,
        url: str,
        local: LocalCount,
        note: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`note` is told when Redis cannot be used, and when it can again. Raises BadAddress."""
        self._local = local
        self._note = note
        self._monotonic = monotonic
        self._redis = client_of(url)
        self._enter = self._redis.register_script(ENTER)
        self._leave = self._redis.register_script(LEAVE)
        self._renew = self._redis.register_script(RENEW)
        self._again_at = 0.0  # of the monotonic clock
        self._unsaid: deque[tuple[Use, int]] = deque(maxlen=MOST_UNSAID)
        self._said = ""
        self._refusals: set[str] = set()

    async def enter(self, person: Person, use: Use) -> Reached | None:
        """Count a request, or say which limit keeps it out."""
        limits = person.limits
        found = await self._ask(
            self._enter,
            keys_of(use),
            [
                *(use.number, *self._known(use), nano(limits.day), nano(limits.month)),
                *(limits.rpm, limits.parallel),
            ],
        )
        if found is None:
            return await self._local.enter(person, use)
        which, day, month, wait = (part.decode() for part in found)
        self._local.spent.learn(use, int(day), int(month))
        if which in (Limit.DAY, Limit.MONTH):
            return Reached(Limit(which), spent=int(day if which == Limit.DAY else month) / NANO)
        if which:
            return Reached(Limit(which), wait_s=float(wait))
        self._local.count(use)
        return None

    async def leave(self, use: Use, nanodollars: int) -> None:
        """The request has ended, and has cost so much."""
        self._local.end(use)
        if not await self._tell(use, nanodollars) and nanodollars:
            self._local.owed.add(use, nanodollars)
            self._unsaid.append((use, nanodollars))

    async def keep(self) -> None:
        """Renew what is under way, and tell what could not be told, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(RENEW_S)

    async def look(self) -> None:
        """Do that once."""
        for use in self._local.inside:
            await self._ask(self._renew, [key_of(use.person, "now")], [use.number])
            if use not in self._local.inside:  # it has ended just then
                await self._tell(use, 0)
        refused: set[str] = set()  # people, of whom it need not be asked twice
        for _ in range(len(self._unsaid)):
            entry = use, nanodollars = self._unsaid[0]  # it stays, should this be cancelled
            is_told = use.person not in refused and await self._tell(use, nanodollars)
            if not is_told and self._is_away:
                return
            if self._unsaid[0] is entry:  # it may have been too many meanwhile
                self._unsaid.popleft()
            if is_told:
                self._local.owed.add(use, -nanodollars)
            else:
                self._unsaid.append(entry)
                refused.add(use.person)

    async def close(self) -> None:
        """Tell what is left, and hang up."""
        self._again_at = 0.0
        await self.look()
        if self._unsaid:
            dollars = sum(cost for _, cost in self._unsaid) / NANO
            self._note(f"Redis was never told of ${dollars:.4f} that people have spent")
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    async def _tell(self, use: Use, nanodollars: int) -> bool:
        keys = [*keys_of(use), key_of(use.person, f"paid:{use.number}")]
        found = await self._ask(self._leave, keys, [use.number, *self._known(use), nanodollars])
        if found is None:
            return False
        self._local.spent.learn(use, *map(int, found))
        return True

    def _known(self, use: Use) -> list[int]:
        """The sums that Redis had when it was last asked."""
        return [self._local.spent.of(period, use.person) for period in (use.day, use.month)]

    @property
    def _is_away(self) -> bool:
        """Whether Redis is not to be asked now."""
        return self._monotonic() < self._again_at

    async def _ask(self, script: Any, keys: list[str], arguments: list[Any]) -> Any:
        """What a script says; None if Redis cannot be used now."""
        if self._is_away:
            return None
        try:
            found = await patiently(lambda: script(keys=keys, args=arguments))
        except ResponseError as error:  # it works, and refuses this: another's data, say
            self._note_refusal(str(error))
            return None
        except (RedisError, OSError, ValueError) as error:  # a TimeoutError is an OSError
            self._again_at = self._monotonic() + PAUSE_S
            self._complain(str(error) or type(error).__name__)
            return None
        except Exception as error:  # noqa: BLE001 - of its client: no request fails for it
            self._again_at = self._monotonic() + PAUSE_S
            self._complain(type(error).__name__)
            return None
        if self._said:
            self._said = ""
            self._note("limits are shared with the other processes again")
        return found

    def _note_refusal(self, why: str) -> None:
        if why not in self._refusals and len(self._refusals) < MOST_REFUSALS:
            self._refusals.add(why)
            self._note(f"Redis refuses a request, which is counted here alone: {one_line(why)}")

    def _complain(self, why: str) -> None:
        if not self._said:
            self._said = one_line(why)
            self._note(
                f"Redis cannot be used, and this process counts alone: {self._said}; what is "
                "spent meanwhile is added later"
            )


async def patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """What Redis says in PATIENCE_S. Raises TimeoutError, and what its client raises.

    The time can also pass because this process was busy with something else, such as a request of
    100 MB, while the answer was there. That says nothing of Redis, so it is asked again.
    """
    loop = asyncio.get_running_loop()
    for left in reversed(range(TRIES)):
        until = loop.time() + PATIENCE_S
        try:
            async with asyncio.timeout_at(until):
                return await ask()
        except TimeoutError:
            if not left or loop.time() < until + LATE_S:
                raise
    raise TimeoutError


def client_of(url: str) -> redis.asyncio.Redis:
    """A client; whoever asks with it says how long. Raises BadAddress."""
    try:
        given = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        if not given <= OPTIONS:
            raise BadAddress(f"options of it can be {', '.join(sorted(OPTIONS))}, and no others")
        pool: redis.asyncio.BlockingConnectionPool = redis.asyncio.BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS
        )
        # the first to look at the options; it connects nowhere
        pool.make_connection()  # type: ignore[no-untyped-call]
    except BadAddress:
        raise
    except (ValueError, TypeError, RedisError) as error:
        raise BadAddress("it must be redis://HOST:PORT/NUMBER, rediss:// or unix://") from error
    return redis.asyncio.Redis.from_pool(pool)


def keys_of(use: Use) -> list[str]:
    """Where a person's use is in Redis."""
    names = ("minute", "now", f"day:{use.day}", f"month:{use.month}")
    return [key_of(use.person, name) for name in names]


def key_of(person: str, name: str) -> str:
    """A key; those of one person are in one place of a cluster."""
    return f"{PREFIX}:{{{quote(person, safe='@')}}}:{name}"


def one_line(text: str) -> str:
    """A foreign text for the log."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST]


def nano(dollars: float) -> int:
    """US dollars as nanodollars."""
    return round(dollars * NANO)
