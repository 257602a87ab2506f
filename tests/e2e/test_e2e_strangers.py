"""Strangers at the doors of a real stack: nothing restarts, nothing grows, nothing is told.

Half a minute in every run; `build/test --all` lets them knock for OPENCLAUDE_SOAK_S seconds.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.canaries import holds, requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import House, login_headers, question
from tests.e2e.strangers import Stranger

SECONDS = float(os.environ.get("OPENCLAUDE_SOAK_S", "25"))
# Of each stranger, unless it is a soak: the same ones in every run, however fast the machine is
KNOCKS = 10**9 if "OPENCLAUDE_SOAK_S" in os.environ else 1200
STRANGERS = 3
ROUTES = ("claude-opus-5-5", "openclaude-haiku")
MIB = 1024 * 1024
# What a process may have more at the end than after the first third, when all that is loaded late
# is there: pooled connections come and go
MORE_MB, MORE_SHARE, MORE_DESCRIPTORS = 25, 1.1, 24


class Size(NamedTuple):
    """What the processes of a stack take."""

    pids: dict[str, int]
    pss_mb: dict[str, float]
    descriptors: dict[str, int]


class Siege(NamedTuple):
    """What was seen while strangers knocked."""

    house: House
    wrong: list[str]
    asked: int
    friends: list[str]  # requests of claude's own that were not answered
    leaks: list[str]  # secrets at the wrong upstream
    before: Size
    after: Size
    status: dict[str, Any]


def size(house: House) -> Size:
    """Measure a stack."""
    status = house.status()
    found = {"supervisor": status["supervisor"], "preloader": status["preloader"]}
    found |= {unit["name"]: unit for unit in status["units"]}
    pids = {name: int(one["pid"]) for name, one in found.items()}
    return Size(
        pids,
        {name: round(one["pss_bytes"] / MIB, 1) for name, one in found.items()},
        {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in pids.items()},  # noqa: PTH208
    )


@pytest.fixture(scope="module")
def siege(
    build_house: Build,
    request: pytest.FixtureRequest,
    anthropic_upstream: AnthropicStandin,
    bedrock_upstream: BedrockStandin,
) -> Iterator[Siege]:
    """Let strangers knock, and claude's own requests go on beside them."""
    seed = request.config.getoption("--seed") or 15
    with build_house("siege") as house:
        assert house.command("start", "--wait").code == 0
        wrong: list[str] = []
        counted = itertools.count()
        until = time.monotonic() + SECONDS

        def knock(stranger: Stranger) -> None:
            for _ in range(KNOCKS):
                if time.monotonic() >= until:
                    return
                try:
                    said = stranger.step()
                except (OSError, ValueError) as error:
                    said = repr(error)
                next(counted)
                if said and len(wrong) < 20:
                    wrong.append(said)

        threads = [
            threading.Thread(target=knock, args=(Stranger(house, seed * 1000 + one),))
            for one in range(STRANGERS)
        ]
        for thread in threads:
            thread.start()
        friends: list[str] = []
        leaks: list[str] = []

        def look() -> None:
            """Look at what has arrived, and forget it: it would grow for as long as this runs."""
            key, secrets = house.record()["main_key"], house.canaries
            for upstream, wrong_here in (
                (anthropic_upstream, (key, secrets.aws_secret)),
                (bedrock_upstream, (key, secrets.oauth, secrets.aws_secret)),
            ):
                for secret in wrong_here:
                    leaks.extend(requests_with(upstream.requests, secret))
                upstream.clear()

        befriend(house, friends, look, until=time.monotonic() + SECONDS / 3)
        before = size(house)
        befriend(house, friends, look, until=until)
        for thread in threads:
            thread.join()
        time.sleep(2.0)  # for connections to be closed
        after = size(house)
        print(f"{next(counted)} knocks in {SECONDS:.0f} s\nafter a third: {before}\nend: {after}")
        yield Siege(house, wrong, next(counted), friends, leaks, before, after, house.status())


def befriend(
    house: House, unanswered: list[str], look: Callable[[], None], *, until: float
) -> None:
    """Ask as claude does, which must go on as ever."""
    record = house.record()
    headers = raw.with_key(login_headers(house.canaries.oauth), record["main_key"])
    for route in itertools.cycle(ROUTES):
        if time.monotonic() >= until:
            return
        reply = raw.ask(record["port"], headers, question("hi", model=route))
        if reply.status != 200:
            unanswered.append(f"{route}: {reply}")
        look()
        time.sleep(0.3)


def test_every_answer_is_one_that_a_client_can_use(siege: Siege) -> None:
    assert siege.wrong == [], "\n".join(siege.wrong)
    assert siege.asked > 100


def test_claudes_own_requests_go_on(siege: Siege) -> None:
    assert siege.friends == []


def test_no_secret_arrives_at_the_wrong_upstream(siege: Siege) -> None:
    assert siege.leaks == []


def test_no_process_was_replaced(siege: Siege) -> None:
    assert siege.after.pids == siege.before.pids
    assert [unit["restarts"] for unit in siege.status["units"]] == [0, 0]


def test_nothing_grows(siege: Siege) -> None:
    before, after = siege.before, siege.after

    for name, mb in after.pss_mb.items():
        assert mb < before.pss_mb[name] * MORE_SHARE + MORE_MB, name
    for name, count in after.descriptors.items():
        assert count <= before.descriptors[name] + MORE_DESCRIPTORS, name


def test_no_secret_and_no_fault_of_ours_is_in_the_logs(siege: Siege) -> None:
    logs = siege.house.logs()
    canaries = siege.house.canaries

    assert "which is a bug" not in logs
    for secret in (
        canaries.oauth,
        canaries.refresh,
        canaries.aws_secret,
        siege.house.record()["main_key"],
    ):
        assert not holds(logs.encode(), str(secret))
