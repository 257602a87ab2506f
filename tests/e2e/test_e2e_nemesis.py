"""A nemesis at a stack with real sessions: no turn is lost, none is asked twice, nothing is left.

Some minutes with a fixed seed in every run; an hour in `build/test --all`. What it did is in
`.work/nemesis/`, and is done again with `--replay FILE`; `--seed N` draws something else.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.conversation import RESUME
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.canaries import files_with, requests_with
from tests.e2e.conftest import end
from tests.e2e.house import CLAUDE, REPOSITORY, Canaries, House
from tests.e2e.internet import Internet
from tests.e2e.nemesis import (
    FELT_S,
    Moody,
    Nemesis,
    Record,
    Upstream,
    recorded_seconds,
    recorded_steps,
    steps,
)
from tests.e2e.processes import wait_until_none
from tests.e2e.tool_loops import TURNS, Worked, Worker, launch_together

SECONDS = float(os.environ.get("OPENCLAUDE_NEMESIS_S", "30"))
SEED = 15
WORKERS = 3
REVOKED = "the local key of this session was revoked"
FOLDER = REPOSITORY / ".work/nemesis"


class Campaign(NamedTuple):
    """What was done, and what is left of it."""

    house: House
    nemesis: Nemesis
    worked: tuple[Worked, ...]
    requests: dict[str, tuple[Recorded, ...]]  # by upstream
    left: dict[int, str]  # processes, after `openclaude stop --all`
    logs: str
    path: Path

    def judged(self) -> list[Worked]:
        """The sessions that were not themselves killed."""
        return [one for one in self.worked if one.pid not in self.nemesis.killed]

    def had_to_end(self, one: Worked) -> bool:
        """Tell whether a session was told that its key no longer counts, and had to be.

        That is so where the plan was removed and the supervisor killed before it had made it anew:
        whether sessions tell their key to whoever has the port cannot be known then.
        """
        removed = [first for first, _, step in self.nemesis.spans if step.what == "plan.json"]
        killed = [
            first
            for first, _, step in self.nemesis.spans
            if (step.do, step.what) == ("kill", "supervisor") and one.began < first < one.ended
        ]
        has_lost_plan = any(0 < end - begin < FELT_S for begin in removed for end in killed)
        return has_lost_plan and REVOKED in one.result


@pytest.fixture(scope="module")
def campaign(
    request: pytest.FixtureRequest,
    canaries: Canaries,
    around: Internet,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Campaign]:
    """Let sessions work, and the nemesis at their stack."""
    seed = request.config.getoption("--seed") or SEED
    replay: Path | None = request.config.getoption("--replay")
    moody = {"anthropic": Moody(), "bedrock": Moody()}
    keys = {canaries.aws_id: Secret(canaries.aws_secret)}
    with (
        AnthropicStandin(credentials=frozenset({canaries.oauth}), answer=moody["anthropic"]) as one,
        BedrockStandin(credentials=keys, region="us-west-2", answer=moody["bedrock"]) as two,
    ):
        upstreams: dict[str, tuple[Upstream, Moody]] = {
            "anthropic": (one, moody["anthropic"]),
            "bedrock": (two, moody["bedrock"]),
        }
        for upstream, mood in upstreams.values():
            mood.upstream = upstream
            upstream._wanted_port = upstream.port  # it comes back where it was
        house = House(
            tmp_path_factory.mktemp("nemesis"),
            canaries,
            anthropic_url=one.url,
            bedrock_url=two.url,
            around=around.for_claude(),
        )
        record = Record(FOLDER / f"{seed}-{os.getpid()}.jsonl")
        workers: list[Worker] = []
        nemesis = Nemesis(
            house,
            upstreams,
            record,
            claudes=lambda: [w.running.pid for w in workers if w.running],
            launch=lambda model: launch_together(house, model),
        )
        assert house.command("start", "--wait").code == 0
        until = time.monotonic() + (recorded_seconds(replay) if replay else SECONDS)
        models = cycle(("opus", "haiku"))
        workers += [Worker(house, models, until) for _ in range(WORKERS)]
        try:
            nemesis.run(recorded_steps(replay) if replay else steps(seed), until)
        finally:
            for worker in workers:
                worker.thread.join()
            logs = house.logs()
            house.command("stop", "--all")
            left = wait_until_none(house.root, 30.0)
            end(left)
        worked = tuple(each for worker in workers for each in worker.worked)
        for each in worked:
            record(session=each.name, model=each.model, code=each.code, retries=each.retries)
        record.close()
        requests = {"anthropic": one.requests, "bedrock": two.requests}
        yield Campaign(house, nemesis, worked, requests, left, logs, record.path)


def test_no_turn_is_lost(campaign: Campaign) -> None:
    sessions = [one for one in campaign.judged() if not campaign.had_to_end(one)]
    lost = [said for one in sessions if (said := one.lost())]
    done = [one for one in campaign.judged() if one.code == 0]

    print(
        f"{len(done)} sessions of {TURNS + 1} turns, {len(campaign.nemesis.killed)} killed, "
        f"{len(campaign.nemesis.spans)} faults, {sum(one.retries for one in done)} retries"
    )
    assert lost == [], f"{campaign.path}\n{campaign.logs[-20000:]}"
    assert len(done) >= WORKERS


def test_every_command_and_launch_amid_the_faults_succeeds(campaign: Campaign) -> None:
    assert campaign.nemesis.failures == [], campaign.path


def test_an_upstream_is_asked_again_only_where_claude_asks_again_or_nothing_was_answered(
    campaign: Campaign,
) -> None:
    quiet, too_often = 0, []
    for one in campaign.judged():
        asked = one.asked((*campaign.requests["anthropic"], *campaign.requests["bedrock"]))
        faults = campaign.nemesis.disturbed(one.began, one.ended)
        quiet += not faults
        # main sends a request once more of which nothing came back, each time claude asks
        most = 2 * one.retries + len(faults) if faults else one.retries
        again = asked.total() - (TURNS + 1)
        assert set(asked) >= set(range(TURNS + 1)), (one.name, asked)
        too_often += [(one.name, asked, one.retries, faults)] if again > most else []

    print(f"{quiet} sessions met no fault that may double a call")
    assert too_often == [], campaign.path


def test_nothing_is_left(campaign: Campaign) -> None:
    assert campaign.left == {}, campaign.path


def test_no_secret_is_where_it_must_not_be(campaign: Campaign) -> None:
    canaries, home = campaign.house.canaries, campaign.house.home
    claudes = [home / ".claude.json", home / ".claude"]

    assert requests_with(campaign.requests["anthropic"], canaries.oauth)
    assert requests_with(campaign.requests["bedrock"], canaries.oauth) == []
    assert requests_with(campaign.requests["anthropic"], canaries.aws_secret) == []
    assert requests_with(campaign.requests["bedrock"], "sk-openclaude-") == []
    assert requests_with(campaign.requests["anthropic"], "sk-openclaude-") == []
    assert files_with(campaign.house.root, canaries.oauth, but=claudes) == []
    assert files_with(campaign.house.root, canaries.aws_secret, but=[home / ".aws"]) == []


def test_no_fault_of_ours_is_in_the_logs(campaign: Campaign) -> None:
    faults = [line for line in campaign.logs.splitlines() if "which is a bug" in line]

    assert faults == [], campaign.path


def test_claude_asks_in_these_words_for_the_rest_of_an_answer() -> None:
    with (
        CLAUDE.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as program,
    ):
        assert program.find(RESUME.encode()) != -1
