"""The count in Redis where Redis, or its client, or this process itself is in a bad mood."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import ResponseError

from openclaude.contracts.team.people import Limits, Person
from openclaude.gateway.team import shared
from openclaude.gateway.team.counts import LocalCount, Use, use_of
from openclaude.gateway.team.shared import PAUSE_S, BadAddress, SharedCount

ADDRESS = "redis://127.0.0.1:1/0"
ANN = Person("ann", Limits(rpm=1))
COUNTED = [b"", b"5", b"5", b"0"]


class Fixture:
    """A count whose scripts are this test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.notes: list[str] = []
        self.asked: list[str] = []  # the numbers of requests
        self.now = 1000.0
        self.count = SharedCount(ADDRESS, LocalCount(), self.notes.append, lambda: self.now)
        for name in ("_enter", "_leave", "_renew"):
            monkeypatch.setattr(self.count, name, self.script)

    async def script(self, *, keys: list[str], args: list[Any]) -> Any:
        self.asked.append(str(args[0]))
        return await self.answer(keys, args)

    async def answer(self, _keys: list[str], _args: list[Any]) -> Any:
        return COUNTED


def use(number: int, person: str = "ann") -> Use:
    return use_of(person, str(number), 0.0)


class Hanging(Fixture):
    """It answers the last of `times` questions only."""

    times = 2

    async def answer(self, _keys: list[str], _args: list[Any]) -> Any:
        if len(self.asked) < self.times:
            await asyncio.Event().wait()
        return COUNTED


def test_a_redis_that_answers_while_this_process_is_busy_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared, "LATE_S", 0.0)  # any loop is late
    monkeypatch.setattr(shared, "PATIENCE_S", 0.01)
    scene = Hanging(monkeypatch)

    assert asyncio.run(scene.count.enter(ANN, use(1))) is None

    assert scene.asked == ["1", "1"]
    assert scene.notes == []


@pytest.mark.parametrize(("late_s", "asked"), [(0.0, 3), (1e6, 1)])
def test_a_redis_that_answers_nothing_is_left_alone_after_a_while(
    monkeypatch: pytest.MonkeyPatch, late_s: float, asked: int
) -> None:
    monkeypatch.setattr(shared, "LATE_S", late_s)
    monkeypatch.setattr(shared, "PATIENCE_S", 0.01)
    scene = Hanging(monkeypatch)
    scene.times = 100

    for _ in range(2):
        asyncio.run(scene.count.enter(ANN, use(1)))

    assert scene.asked == ["1"] * asked
    assert len(scene.notes) == 1
    assert "Redis cannot be used" in scene.notes[0]


def test_whatever_its_client_raises_fails_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Fixture):
        async def answer(self, _keys: list[str], _args: list[Any]) -> Any:
            raise AttributeError("CANARY of an address")

    scene = Broken(monkeypatch)

    assert asyncio.run(scene.count.enter(ANN, use(1))) is None

    assert "Redis cannot be used" in scene.notes[0]
    assert "CANARY" not in scene.notes[0]


@pytest.mark.parametrize(
    "options",
    [
        *("decode_responses=true", "foo=CANARY", "max_connections=1", "timeout=1", "foo"),
        *("ssl_ca_certs=CANARY", "db=CANARY"),
    ],
)
def test_an_option_that_cannot_work_is_refused_at_the_start(options: str) -> None:
    with pytest.raises(BadAddress) as refused:
        shared.client_of(f"{ADDRESS}?{options}")
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        *(ADDRESS, f"{ADDRESS}?health_check_interval=30", "unix:///run/redis?db=2"),
        "rediss://h/0?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=true",
    ],
)
def test_an_address_with_options_of_ours_is_taken(url: str) -> None:
    assert shared.client_of(url) is not None


class Refusing(Fixture):
    """Another program's data is under Ann's keys; at first Redis is away."""

    is_away = True

    async def answer(self, keys: list[str], _args: list[Any]) -> Any:
        if self.is_away:
            raise ConnectionError("away")
        if "{ann}" in keys[0]:
            raise ResponseError("WRONGTYPE")
        return [b"7", b"7"]


def test_one_persons_trouble_keeps_nobody_elses_sums_from_redis(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Refusing(monkeypatch)

    async def play() -> None:
        for number, person in enumerate(["ann", "bob", "ann", "eve"]):
            await scene.count.leave(use(number, person), 7)
        scene.is_away = False
        scene.now += PAUSE_S
        scene.asked.clear()
        await scene.count.look()
        assert scene.asked == ["0", "1", "3"]
        scene.asked.clear()
        await scene.count.look()
        assert scene.asked == ["0"]
        await scene.count.close()

    asyncio.run(play())

    assert scene.notes[-1].startswith("Redis was never told of $0.0000")


def test_a_sum_is_not_lost_where_the_server_ends_while_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(Refusing):
        is_held = False

        async def answer(self, keys: list[str], args: list[Any]) -> Any:
            if self.is_held:
                await asyncio.Event().wait()
            return await super().answer(keys, args)

    scene = Slow(monkeypatch)

    async def play() -> None:
        await scene.count.leave(use(1, "bob"), 7)
        scene.is_away, scene.is_held = False, True
        scene.now += PAUSE_S
        scene.asked.clear()
        keeping = asyncio.create_task(scene.count.keep())
        while not scene.asked:
            await asyncio.sleep(0)
        keeping.cancel()
        await asyncio.wait({keeping})
        scene.is_held = False
        await scene.count.close()

    asyncio.run(play())

    assert scene.asked == ["1", "1"]
    assert not [note for note in scene.notes if "never told" in note]
