"""What people use of several servers together, counted in a real Redis that has bad days."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from openclaude.contracts.team.people import Limits, Person
from openclaude.gateway.team import shared
from openclaude.gateway.team.counts import NANO, Limit, LocalCount, Reached, Use, use_of
from openclaude.gateway.team.shared import (
    LEASE_S,
    PAUSE_S,
    BadAddress,
    SharedCount,
    key_of,
    keys_of,
)
from tests.redis_server import PASSWORD, RedisServer, running_redis

NOON = 1_796_126_400.0  # 2026-12-01 12:00 UTC
ANN = Person("ann", Limits(rpm=3, parallel=2, day=1.0, month=2.0))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_in_it(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "PATIENCE_S", 20.0)  # on a busy machine, too
    if server.process and server.process.poll() is not None:
        server.start()
    server.client.flushall()


class Replica:
    """One server's count."""

    def __init__(self, url: str) -> None:
        self.notes: list[str] = []
        self.ahead = 0.0  # of its monotonic clock
        clock = lambda: 1000.0 + self.ahead  # noqa: E731
        self.count = SharedCount(url, LocalCount(clock), self.notes.append, clock)
        self.number = 0

    def use(self, at: float = NOON) -> Use:
        """A request that has not come before."""
        self.number += 1
        return use_of("ann", f"{id(self)}-{self.number}", at)

    async def enters(self, person: Person = ANN, at: float = NOON) -> Use | Reached:
        use = self.use(at)
        return await self.count.enter(person, use) or use

    async def spends(self, dollars: float, at: float = NOON) -> Use:
        use = self.use(at)
        await self.count.leave(use, round(dollars * NANO))
        return use


def play(server: RedisServer, scene: Callable[[Replica, Replica], Awaitable[None]]) -> None:
    """Two servers with one Redis."""

    async def run() -> None:
        both = Replica(server.url), Replica(server.url)
        try:
            await scene(*both)
        finally:
            for one in both:
                await one.count.close()
        assert not [note for one in both for note in one.notes if PASSWORD in note]

    asyncio.run(run())


def day_sum(server: RedisServer) -> float:
    """What Redis knows of Ann's spending on the day."""
    return int(server.client.get(keys_of(use_of("ann", "", NOON))[2]) or 0) / NANO


def reached(found: Use | Reached) -> Limit | None:
    return found.limit if isinstance(found, Reached) else None


def test_a_limit_of_a_minute_holds_over_servers(server: RedisServer) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        ann = ANN._replace(limits=Limits(rpm=3))
        for replica in (one, other, one):
            assert reached(await replica.enters(ann)) is None

        refused = await other.enters(ann)

        assert isinstance(refused, Reached)
        assert refused.limit is Limit.MINUTE
        assert 50 < refused.wait_s <= 60

    play(server, scene)


def test_requests_at_the_same_time_are_counted_over_servers(server: RedisServer) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        ann = ANN._replace(limits=Limits(parallel=2))
        first, _ = await one.enters(ann), await other.enters(ann)
        assert reached(await one.enters(ann)) is Limit.PARALLEL
        assert reached(await other.enters(ann)) is Limit.PARALLEL

        assert isinstance(first, Use)
        await one.count.leave(first, 0)

        assert reached(await other.enters(ann)) is None

    play(server, scene)


def test_what_is_spent_at_one_server_is_gone_at_the_other(server: RedisServer) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        await one.spends(0.6)
        assert reached(await other.enters()) is None
        await other.spends(0.6)

        refused = await one.enters()

        assert refused == Reached(Limit.DAY, spent=1.2)
        tomorrow = NOON + 86400
        await one.spends(0.9, tomorrow)
        assert reached(await other.enters(at=tomorrow)) is Limit.MONTH
        assert reached(await other.enters(at=NOON + 31 * 86400)) is None

    play(server, scene)


def test_the_requests_of_a_server_that_was_killed_count_for_half_a_minute(
    server: RedisServer,
) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        ann = ANN._replace(limits=Limits(parallel=1))
        hanging = await one.enters(ann)
        assert isinstance(hanging, Use)
        key = key_of("ann", "now")
        ends = server.client.zscore(key, hanging.number)
        assert LEASE_S - 5 < ends - float(server.client.time()[0]) <= LEASE_S + 1

        server.client.zadd(key, {hanging.number: ends - LEASE_S - 1})  # so long ago
        assert reached(await other.enters(ann)) is None

    play(server, scene)


def test_a_request_that_never_ends_is_counted_as_long_as_its_server_lives(
    server: RedisServer,
) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        ann = ANN._replace(limits=Limits(parallel=1))
        hanging = await one.enters(ann)
        assert isinstance(hanging, Use)
        key = key_of("ann", "now")
        server.client.zadd(key, {hanging.number: 5.0})

        await one.count.look()

        assert reached(await other.enters(ann)) is Limit.PARALLEL
        await one.count.leave(hanging, 0)
        await one.count.look()
        assert server.client.exists(key) == 0

    play(server, scene)


def test_a_redis_that_is_down_stops_nobody_and_learns_later_what_was_spent(
    server: RedisServer,
) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        await one.spends(0.5)
        assert reached(await other.enters()) is None
        server.stop()

        assert reached(await other.enters()) is None
        with socket.create_server(("127.0.0.1", server.port)) as asked:
            await other.spends(0.3)
            await other.spends(0.1)
            limited = ANN._replace(limits=Limits(day=0.8))
            assert reached(await other.enters(limited)) is Limit.DAY
            asked.setblocking(False)
            with pytest.raises(BlockingIOError):  # it is not asked again each time
                asked.accept()
        assert [note[:20] for note in other.notes] == ["Redis cannot be used"]

        server.start()  # and has forgotten everything
        other.ahead = PAUSE_S
        await other.count.look()

        assert day_sum(server) == pytest.approx(0.9)
        assert other.notes[1:] == ["limits are shared with the other processes again"]
        server.stop()
        assert reached(await other.enters(ANN._replace(limits=Limits(day=0.91)))) is None

    play(server, scene)


def test_what_was_told_while_the_answer_was_lost_is_counted_once(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        await one.spends(0.2)
        with server.held_up(), monkeypatch.context() as hurried:
            hurried.setattr(shared, "PATIENCE_S", 0.3)
            await one.spends(0.3)  # Redis gets this, and says so to nobody
        one.ahead = PAUSE_S

        await one.count.look()
        await one.count.look()
        assert reached(await other.enters()) is None

        assert day_sum(server) == pytest.approx(0.5)
        limits = Limits(day=0.51)
        assert reached(await one.enters(ANN._replace(limits=limits))) is None

    play(server, scene)


def test_a_redis_that_was_flushed_is_told_what_the_servers_know(server: RedisServer) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        await one.spends(1.1)
        server.client.flushall()

        assert reached(await one.enters()) is Limit.DAY
        assert reached(await other.enters()) is Limit.DAY
        assert day_sum(server) == pytest.approx(1.1)

    play(server, scene)


@pytest.mark.parametrize("place", range(4))
def test_data_of_another_program_is_let_alone_and_hinders_nobody_else(
    server: RedisServer, place: int
) -> None:
    async def scene(one: Replica, _other: Replica) -> None:
        key = keys_of(use_of("ann", "", NOON))[place]
        server.client.rpush(key, "another's")
        assert [reached(await one.enters()) for _ in range(3)] == [None, None, Limit.PARALLEL]
        bob = Person("bob", Limits(day=1.0))
        assert await one.count.enter(bob, use_of("bob", "1", NOON)) is None

        assert server.client.lrange(key, 0, -1) == ["another's"]
        assert len(one.notes) == 1
        assert "counted here alone" in one.notes[0]

    play(server, scene)


def test_a_clock_of_redis_that_was_set_back_blocks_nobody(server: RedisServer) -> None:
    async def scene(one: Replica, _other: Replica) -> None:
        minute, now, *_ = keys_of(use_of("ann", "", NOON))
        later = float(server.client.time()[0]) + 3600
        server.client.zadd(minute, {f"m{n}": later for n in range(9)})
        server.client.zadd(now, {f"n{n}": later for n in range(9)})

        assert reached(await one.enters()) is None

    play(server, scene)


def test_no_more_is_kept_of_who_has_no_limit_than_of_others(server: RedisServer) -> None:
    async def scene(one: Replica, _other: Replica) -> None:
        minute, now, *_ = keys_of(use_of("ann", "", NOON))
        long_ago = float(server.client.time()[0]) - 3600
        for key in (minute, now):
            server.client.zadd(key, {f"old{n}": long_ago for n in range(9)})

        await one.enters(Person("ann"))

        assert [server.client.zcard(key) for key in (minute, now)] == [1, 1]

    play(server, scene)


def test_a_request_that_is_asked_about_again_is_counted_once(server: RedisServer) -> None:
    async def scene(one: Replica, other: Replica) -> None:
        ann = ANN._replace(limits=Limits(rpm=1, parallel=1))
        use = one.use()

        assert [await one.count.enter(ann, use) for _ in range(2)] == [None, None]
        assert reached(await other.enters(ann)) is Limit.MINUTE

    play(server, scene)


def test_what_redis_keeps_goes_by_itself(server: RedisServer) -> None:
    async def scene(one: Replica, _other: Replica) -> None:
        await one.enters()
        await one.spends(0.1)

        keys = server.client.keys()
        assert len(keys) == 5
        assert all(0 < server.client.ttl(key) <= 40 * 86400 for key in keys)

    play(server, scene)


def test_a_wrong_password_and_another_server_are_noted_without_the_password(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scene(_one: Replica, _other: Replica) -> None:
        wrong = Replica(server.url.replace(PASSWORD, "CANARY-wrong"))
        assert reached(await wrong.enters()) is None
        assert len(wrong.notes) == 1
        assert "CANARY" not in wrong.notes[0]
        await wrong.count.close()

        async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        web = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = web.sockets[0].getsockname()[1]
        strange = Replica(f"redis://127.0.0.1:{port}/0")
        assert reached(await strange.enters()) is None
        assert len(strange.notes) == 1
        await strange.count.close()
        web.close()

    play(server, scene)


@pytest.mark.parametrize("url", ["http://h", "redis://h:port", "", "h:6379"])
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(BadAddress, match="it must be redis://HOST"):
        Replica(url)
