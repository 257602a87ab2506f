"""Limits of people in front of a server's models, counted in one process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from openclaude.contracts.routing import ModelPrices, RoutingTable
from openclaude.contracts.team.people import Limits, Person
from openclaude.gateway.errors.quotas import quota_in
from openclaude.gateway.team import limited
from openclaude.gateway.team.counts import Limit, LocalCount, Reached, left_of, use_of
from openclaude.gateway.team.kept import KeptCount
from openclaude.gateway.team.limited import LimitedUse, refusal
from openclaude.gateway.team.people import PERSON
from openclaude.gateway.team.served import ASKED, AskedModel

MODEL = "bedrock/m"
PRICES = ModelPrices(provider="bedrock", input=0.001, output=0.01, priced_by="profile")
TABLE = RoutingTable(slots={}, profile="team", models={MODEL: PRICES})
NOON = 1_796_126_400.0  # 2026-12-01 12:00 UTC
USAGE = {"input_tokens": 100, "output_tokens": 10}
Inner = Callable[[Any, Any, Any], Awaitable[None]]


def answering(*, usage: dict[str, int] | None = None, size: int = 400) -> Inner:
    """A model; without `usage`, the reply is cut after three pieces. `size`: tokens asked with."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        scope[ASKED] = AskedModel(MODEL, size)
        head = [(b"content-type", b"application/json" if usage else b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        if usage:
            said = json.dumps({"model": MODEL, "usage": usage}).encode()
            await send({"type": "http.response.body", "body": said})
            return
        start = {"type": "message_start", "message": {"model": MODEL, "usage": {}}}
        frames = [f"event: message_start\ndata: {json.dumps(start)}\n\n".encode()]
        frames += [b"event: content_block_delta\ndata: {}\n\n"] * 3
        for frame in frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})

    return answer


class Team:
    """A server whose models answer at once."""

    def __init__(self, inner: Inner, count: LocalCount | None = None) -> None:
        self.at = NOON
        self.monotonic = 1000.0
        self.lines: list[dict[str, Any]] = []
        self.count = count or LocalCount(lambda: self.monotonic)
        self.app = LimitedUse(
            inner,
            self.count,
            TABLE,
            lambda line: self.lines.append(json.loads(line.removeprefix("request "))),
            now=lambda: self.at,
        )

    async def ask(self, person: Person) -> tuple[int, str, dict[bytes, bytes]]:
        sent: list[Any] = []
        scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app({**scope, PERSON: person, "client": ("10.0.0.7", 1)}, receive, send)
        body = b"".join(one.get("body", b"") for one in sent[1:]).decode()
        return sent[0]["status"], body, dict(sent[0]["headers"])

    def asks(self, person: Person, times: int = 1) -> list[int]:
        return [asyncio.run(self.ask(person))[0] for _ in range(times)]


def test_requests_in_a_minute_are_allowed_as_often_as_the_line_says() -> None:
    team, ann = Team(answering(usage=USAGE)), Person("ann", Limits(rpm=3))

    statuses = team.asks(ann, 4)
    team.monotonic += 20.5
    status, said, headers = asyncio.run(team.ask(ann))
    team.monotonic += 39.5

    assert statuses == [200, 200, 200, 429]
    assert (status, headers[b"retry-after"]) == (429, b"40")
    assert "the next one can go in 40 s" in said
    assert team.asks(ann) == [200]
    assert team.asks(Person("bob", Limits(rpm=3))) == [200]


def test_no_more_than_the_last_minute_is_remembered() -> None:
    team, ann = Team(answering(usage=USAGE)), Person("ann")

    team.asks(ann, 5)
    team.monotonic += 61
    team.asks(ann)

    assert [*team.count.recent("ann")] == [team.monotonic]


def test_a_clock_that_jumps_gives_nobody_more_requests_and_blocks_nobody() -> None:
    team, ann = Team(answering(usage=USAGE)), Person("ann", Limits(rpm=1, day=1000.0))

    team.asks(ann)
    team.at += 400 * 86400
    assert team.asks(ann) == [429]
    team.at = 0.0
    team.monotonic += 61
    assert team.asks(ann) == [200]


def test_a_budget_is_used_up_for_the_day_of_utc_and_waiting_does_not_help() -> None:
    team, ann = Team(answering(usage=USAGE)), Person("ann", Limits(day=0.35))

    statuses = team.asks(ann, 2)  # $0.20 each
    status, said, headers = asyncio.run(team.ask(ann))
    team.at += 12 * 3600 - 1
    late = team.asks(ann)
    team.at += 1

    assert statuses == [200, 200]
    assert status == 424
    assert b"retry-after" not in headers
    assert "your requests have cost $0.40 today. It begins anew at 00:00 UTC, in 12 h 0 min" in said
    assert late == [424]
    assert team.asks(ann) == [200]


def test_a_months_budget_lasts_over_days_and_ends_with_the_month() -> None:
    team, ann = Team(answering(usage=USAGE)), Person("ann", Limits(day=0.35, month=0.75))

    statuses = team.asks(ann, 2)
    team.at += 86400
    statuses += team.asks(ann, 3)
    team.at += 30 * 86400

    assert statuses == [200, 200, 200, 200, 424]
    assert team.asks(ann) == [200]


def test_a_clock_that_was_ahead_for_a_moment_loses_no_sum() -> None:
    team, ann = Team(answering(usage=USAGE)), Person("ann", Limits(day=0.35))

    team.asks(ann, 2)
    team.at += 86400
    ahead = team.asks(ann)
    team.at -= 86400

    assert ahead == [200]
    assert team.asks(ann) == [424]


def test_requests_at_the_same_time_wait_for_a_turn_and_then_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limited, "LOOK_S", 0.0)
    ann = Person("ann", Limits(parallel=2))
    inside = asyncio.Event()
    entered: list[int] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        entered.append(1)
        await inside.wait()
        await answering(usage=USAGE)(scope, receive, send)

    async def play() -> tuple[list[int], list[int]]:
        team = Team(slow)
        under_way = [asyncio.create_task(team.ask(ann)) for _ in range(2)]
        while len(entered) < 2:
            await asyncio.sleep(0)
        monkeypatch.setattr(limited, "TURN_S", 0.0)
        refused = await team.ask(ann)
        monkeypatch.setattr(limited, "TURN_S", 1000.0)
        waiting = asyncio.create_task(team.ask(ann))
        await asyncio.sleep(0)
        inside.set()
        ended = [(await one)[0] for one in (*under_way, waiting)]
        assert refused[2][b"retry-after"] == b"5"
        assert "2 requests at the same time are allowed" in refused[1]
        return [refused[0]], ended

    assert asyncio.run(play()) == ([429], [200, 200, 200])


def test_one_who_leaves_and_one_who_is_cut_off_give_their_turn_back() -> None:
    ann = Person("ann", Limits(parallel=1))

    async def hanging(scope: Any, _receive: Any, _send: Any) -> None:
        scope[ASKED] = AskedModel(MODEL, 400)
        await asyncio.Event().wait()

    async def play() -> list[Any]:
        team = Team(hanging)
        asking = asyncio.create_task(team.ask(ann))
        while not team.count.inside:
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking})
        return team.count.inside

    assert asyncio.run(play()) == []


def test_who_waits_in_a_crowd_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def waits(_seconds: float) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr(limited, "MOST_WAITING", 0)
    monkeypatch.setattr(asyncio, "sleep", waits)
    team, ann = Team(answering(usage=USAGE)), Person("ann", Limits(parallel=1))
    team.count.count(use_of("ann", "other", NOON))

    assert team.asks(ann) == [429]


def test_leaving_before_the_end_is_not_for_free() -> None:
    team, ann = Team(answering(size=1000)), Person("ann", Limits(day=1.0))

    statuses = team.asks(ann, 2)

    assert statuses == [200, 424]
    assert (team.lines[0]["is_cut"], team.lines[0]["usd"]) == (True, 1000 * 0.001 + 3 * 0.01)


def test_each_request_has_a_line_with_its_use_and_nothing_of_its_text() -> None:
    team, ann = Team(answering(usage=USAGE)), Person("ann", Limits(rpm=1))

    team.asks(ann, 2)

    first, second = team.lines
    assert first["ms"] >= 0
    assert {k: v for k, v in first.items() if k not in ("ms", "at")} == {
        "person": "ann",
        "peer": "10.0.0.7",
        "route": "POST /v1/messages",
        "model": MODEL,
        "status": 200,
        "tokens_in": 100,
        "tokens_out": 10,
        "cache_read": None,
        "cache_write": None,
        "usd": 0.2,
        "is_cut": False,
        "limit": None,
    }
    assert (second["status"], second["limit"], second["usd"]) == (429, "minute", None)


@pytest.mark.parametrize("limit", [Limit.MINUTE, Limit.PARALLEL])
def test_no_main_takes_what_waiting_helps_with_for_a_quota_of_a_provider(limit: Limit) -> None:
    error = refusal(Person("ann", Limits(1000, 1000, 5.0, 60.0)), Reached(limit, 12.0), NOON)

    assert error.status == 429
    assert quota_in(429, error.message, frozenset()) is None


@pytest.mark.parametrize(
    ("limit", "at", "left"),
    [
        (Limit.DAY, NOON, 43200.0),
        (Limit.MONTH, NOON, 30.5 * 86400),
        (Limit.MONTH, NOON + 30 * 86400, 43200.0),
        (Limit.DAY, -5.0, 86400.0),
    ],
)
def test_a_day_and_a_month_end_by_utc_whatever_the_clock_says(
    limit: Limit, at: float, left: float
) -> None:
    assert left_of(limit, at) == left
    assert 0 < left_of(Limit.DAY, 1e30) <= 86400


def test_sums_outlive_a_restart_of_a_server_that_is_one_process(tmp_path: Path) -> None:
    path, notes = tmp_path / "spent.json", list[str]()
    ann = Person("ann", Limits(day=0.35))
    count = KeptCount(path, notes.append)
    Team(answering(usage=USAGE), count).asks(ann, 2)
    asyncio.run(count.close())

    again = Team(answering(usage=USAGE), KeptCount(path, notes.append))

    assert again.asks(ann) == [424]
    assert path.stat().st_mode & 0o777 == 0o600
    assert notes == []


@pytest.mark.parametrize("said", ["{", "[]", '{"2026-12-01": 5}', '{"2026-12-01": {"ann": "x"}}'])
def test_sums_that_cannot_be_read_stop_nobody_and_are_noted(tmp_path: Path, said: str) -> None:
    path, notes = tmp_path / "spent.json", list[str]()
    path.write_text(said)

    count = KeptCount(path, notes.append)

    assert Team(answering(usage=USAGE), count).asks(Person("ann", Limits(day=1.0))) == [200]
    assert len(notes) == 1
    assert "is not kept over a restart" in notes[0]


def test_a_full_disk_is_noted_once_and_the_old_sums_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, notes = tmp_path / "spent.json", list[str]()
    path.write_text('{"2026-12-01": {"ann": 1}}')
    count = KeptCount(path, notes.append)
    monkeypatch.setattr(Path, "replace", no_space)
    for _ in range(2):
        Team(answering(usage=USAGE), count).asks(Person("ann"))
        asyncio.run(count.close())

    assert [*tmp_path.iterdir()] == [path]
    assert len(notes) == 1
    assert "No space left" in notes[0]


def no_space(_path: Path, _target: Path) -> None:
    raise OSError(28, "No space left on device")
