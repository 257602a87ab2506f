"""Many requests, two profiles at once, and an idle stack: the resources they use."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import variant
from tests.e2e import raw
from tests.e2e.conftest import Build
from tests.e2e.crowd import Crowd, Told
from tests.e2e.house import PROFILE, House, login_headers, question
from tests.e2e.processes import processes_of, wait_until_none
from tests.e2e.raw import Headers
from tests.e2e.session import session

MIB = 1024 * 1024
ROUTES = ("claude-opus-5-5", "openclaude-haiku")
SECOND = "second"
STREAMS = 64
CLIENTS = 8


@pytest.fixture(scope="module")
def neighbours(
    build_house: Build, anthropic_upstream: AnthropicStandin, bedrock_upstream: BedrockStandin
) -> Iterator[House]:
    """A house in which two profiles run side by side."""
    urls = {"anthropic_url": anthropic_upstream.url, "bedrock_url": bedrock_upstream.url}
    with build_house("neighbours") as built:
        built.write_profile(SECOND, **urls, more="[tiers.haiku]\nmax_output_tokens = 77\n")
        for profile in (PROFILE, SECOND):
            started = built.command("start", "--wait", profile=profile)
            assert started.code == 0, f"{started}\n{built.logs()}"
        yield built


def door(house: House, profile: str = PROFILE) -> tuple[int, Headers]:
    """Return the port of a profile's stack, and the headers that admit a client."""
    record = json.loads((house.folder.with_name(profile) / "stack.json").read_bytes())
    return record["port"], raw.with_key(login_headers(house.canaries.oauth), record["main_key"])


def pss_of_units(house: House) -> dict[str, int]:
    """Return the memory of both instances in bytes; shared memory is counted proportionally."""
    return {unit["name"]: unit["pss_bytes"] for unit in house.status()["units"]}


def pss_of_all(status: dict[str, Any]) -> int:
    """Return the memory of the whole stack in bytes."""
    processes = [status["supervisor"], status["preloader"], *status["units"]]
    return sum(process["pss_bytes"] for process in processes if process)


def send_many(house: House, count: int) -> list[Told]:
    """Send this many short requests, on both routes alternately, a few at a time."""
    port, headers = door(house)
    told: list[Told] = []
    for start in range(0, count, CLIENTS):
        size = min(CLIENTS, count - start)
        told += Crowd(
            port, headers, (question("hi", model=ROUTES[i % 2]) for i in range(size))
        ).told()
    return told


def states(house: House) -> set[str]:
    """Return the states of the units."""
    return {unit["state"] for unit in house.status()["units"]}


def ours(house: House) -> list[str]:
    """Return the proxies' processes; a session's claude is not one of them."""
    return [line for line in processes_of(house.root).values() if "openclaude.run" in line]


def until(claim: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def test_two_profiles_run_side_by_side_each_on_its_own_ports(
    neighbours: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    for profile in (PROFILE, SECOND):
        launched = neighbours.openclaude("-p", "hi", "--model", "haiku", profile=profile)
        assert (launched.code, launched.err) == (0, ""), launched

    (one, key), (two, other) = door(neighbours), door(neighbours, SECOND)
    assert abs(one - two) >= 2
    assert key != other
    caps = [request.json()["inferenceConfig"]["maxTokens"] for request in bedrock.requests]
    assert caps[0] > caps[1] == 77
    assert raw.ask(two, key, question("hi")).status == 424  # the neighbour's key is refused


@pytest.mark.parametrize("route", [variant(ROUTES[0]), ROUTES[1]])
def test_many_streams_at_once_through_a_route_all_come_to_their_end(
    neighbours: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, route: str
) -> None:
    port, headers = door(neighbours)
    upstream: Any = anthropic if route == ROUTES[0] else bedrock
    body = question(script.slow(20, 0.1), model=route, stream=True)

    streams = Crowd(port, headers, [body] * STREAMS)
    assert upstream.wait_until(lambda standin: len(standin.requests) == STREAMS)
    told = streams.told()

    assert [each for each in told if not each.is_streamed or each.tries > 1] == []


@pytest.mark.variants
def test_a_thousand_requests_leave_no_more_in_memory_than_a_hundred(
    neighbours: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    assert neighbours.command("restart").code == 0
    told = send_many(neighbours, 100)
    before = pss_of_units(neighbours)
    told += send_many(neighbours, 900)
    after = pss_of_units(neighbours)

    print(f"PSS after 100 requests: {before}, after 1000: {after}")
    assert [each for each in told if not each.is_answered or each.tries > 1] == []
    assert sum(after.values()) < sum(before.values()) * 1.1


@pytest.mark.variants
def test_an_idle_stack_sleeps_wakes_for_its_session_and_ends_after_it(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    empty_house.write_profile(
        PROFILE,
        anthropic_url=anthropic.url,
        bedrock_url=bedrock.url,
        more='[stack]\nidle_sleep = "2s"\nlinger = "3s"\n',
    )

    with session(empty_house, "haiku") as claude:
        claude.ask("hi")
        first = claude.answer()
        until(lambda: states(empty_house) == {"asleep"})
        until(lambda: len(ours(empty_house)) == 1)
        asleep = pss_of_all(empty_house.status())
        claude.ask("hi")
        second = claude.answer()
        assert states(empty_house) <= {"ready", "starting", "waiting"}

    print(f"PSS asleep: {asleep}")
    assert first == second == "bedrock stand-in: qwen.qwen3-next-80b-a3b"
    assert len(bedrock.requests) == 2  # no client had to retry
    assert asleep < 25 * MIB
    assert not wait_until_none(empty_house.root, 15.0)
    assert not (empty_house.folder / "stack.json").exists()
