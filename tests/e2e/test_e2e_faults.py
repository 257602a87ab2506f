"""Violence against a stack while clients wait and streams run: no request may be lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import variant
from tests.e2e import raw
from tests.e2e.conftest import Build
from tests.e2e.crowd import Crowd, Told, ask_until_answered
from tests.e2e.house import OPENCLAUDE, PROFILE, House, login_headers, question
from tests.e2e.processes import processes_of, wait_until_none
from tests.e2e.raw import Headers
from tests.e2e.session import session

RAW = "claude-opus-5-5"
SLOT = "openclaude-haiku"
ROUTES = (RAW, SLOT)
CROWD = 20  # clients that wait, and as many that are being answered
# long enough for all of them to reach their upstreams on two busy cores
SILENCE_S = 6.0
# The promise is 1.5 s; a machine that runs other tests as well gets three times as long, and a slow
# one as long as a cold start takes.
AGAIN_S = 4.5
HOST = (b"Host", b"127.0.0.1")
# A stream that outlasts any grace period, however late the instance is told to end
ENDLESS = script.slow(400, 0.1, "one word after the other. " * 16)


@pytest.fixture(scope="module")
def stack(build_house: Build) -> Iterator[House]:
    """A house for this module only: what is done to it must not disturb other tests."""
    with build_house("faults") as built:
        yield built


@pytest.fixture
def running(stack: House, anthropic: AnthropicStandin, bedrock: BedrockStandin) -> House:
    """The same with its original profile, its proxies ready."""
    write_profile(stack, anthropic, bedrock)
    started = stack.command("start", "--wait")
    assert started.code == 0, f"{started}\n{stack.logs()}"
    return stack


@pytest.fixture(scope="module")
def cold_start_s(
    stack: House, anthropic_upstream: AnthropicStandin, bedrock_upstream: BedrockStandin
) -> float:
    """Return how long this machine takes to start the proxies from nothing."""
    write_profile(stack, anthropic_upstream, bedrock_upstream)
    stack.command("stop")
    began = time.monotonic()
    started = stack.command("start", "--wait")
    assert started.code == 0, f"{started}\n{stack.logs()}"
    return time.monotonic() - began


def keyed(house: House) -> Headers:
    """Return the headers of a session of this house."""
    return raw.with_key(login_headers(house.canaries.oauth), house.record()["main_key"])


def pid_of(house: House, victim: str) -> int:
    """Return the process of that name."""
    return int(
        house.status()["preloader"]["pid"] if victim == "preloader" else house.pids()[victim]
    )


def write_profile(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, more: str = ""
) -> None:
    """Write the house's profile, with more in it."""
    urls = {"anthropic_url": anthropic.url, "bedrock_url": bedrock.url}
    house.write_profile(PROFILE, **urls, more=more)


def arrived(upstream: AnthropicStandin | BedrockStandin, count: int) -> bool:
    """Tell whether so many requests reach an upstream in time."""
    return upstream.wait_until(lambda standin: len(standin.requests) == count)


class Company:
    """Clients of both routes, half waiting for a first byte, half in the middle of a stream."""

    def __init__(self, house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin) -> None:
        port, headers = house.record()["port"], keyed(house)
        upstreams = [
            (upstream, len(upstream.requests) + CROWD) for upstream in (anthropic, bedrock)
        ]
        waiting = script.wait(SILENCE_S)
        slow = script.slow(int(SILENCE_S * 10), 0.1, "one word after the other. " * 10)
        self.waiting = Crowd(
            port, headers, (question(waiting, model=ROUTES[i % 2]) for i in range(CROWD))
        )
        self.streaming = Crowd(
            port, headers, (question(slow, model=ROUTES[i % 2], stream=True) for i in range(CROWD))
        )
        for upstream, all_of_them in upstreams:
            assert arrived(upstream, all_of_them)
        time.sleep(0.5)  # the last stream's first text is on its way
        assert self.waiting.is_waiting
        assert self.streaming.is_waiting

    def told(self) -> tuple[list[Told], dict[str, list[Told]]]:
        """Return the results of those that waited, and of the streams, by route."""
        streams = self.streaming.told()
        return self.waiting.told(), {RAW: streams[::2], SLOT: streams[1::2]}


@pytest.mark.parametrize(("victim", "spared"), [("main", ()), ("providers", (RAW,))])
def test_a_killed_instance_loses_no_waiting_request_and_its_streams_end_visibly(
    cold_start_s: float,
    running: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    victim: str,
    spared: tuple[str, ...],
) -> None:
    company = Company(running, anthropic, bedrock)
    record, headers = running.record(), keyed(running)
    asks = question("hi", model=RAW if victim == "main" else SLOT)
    pid = pid_of(running, victim)

    os.kill(pid, signal.SIGKILL)
    again = ask_until_answered(record["port"], headers, asks)
    waited, streams = company.told()

    print(f"{victim} answered again after {again.took_s:.2f} s")
    assert again.is_answered
    assert again.took_s < max(AGAIN_S, cold_start_s)
    assert [told for told in waited if not told.is_answered] == []
    assert not any(told.is_refused for told in (again, *waited, *streams[RAW], *streams[SLOT]))
    for route in ROUTES:
        assert [
            t for t in streams[route] if not (t.is_streamed if route in spared else t.is_cut)
        ] == []
    assert pid_of(running, victim) != pid


def test_a_killed_preloader_is_noticed_by_nobody(
    running: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    company = Company(running, anthropic, bedrock)
    before = running.pids()

    os.kill(pid_of(running, "preloader"), signal.SIGKILL)
    waited, streams = company.told()

    assert all(told.is_answered and told.tries == 1 for told in waited)
    assert all(told.is_streamed for route in ROUTES for told in streams[route])
    assert running.pids() == before


def test_a_killed_supervisor_loses_no_request_and_a_launch_takes_its_place(
    running: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    before, headers = running.record(), keyed(running)
    asked = [question(ENDLESS, model=route, stream=True) for route in ROUTES]
    endless_ones = Crowd(before["port"], headers, asked)
    assert all(arrived(upstream, 1) for upstream in (anthropic, bedrock))
    company = Company(running, anthropic, bedrock)

    os.kill(before["pid"], signal.SIGKILL)
    started = running.command("start", "--wait")
    waited, streams = company.told()

    assert started.code == 0, started
    after = running.record()
    assert (after["port"], after["main_key"]) == (before["port"], before["main_key"])
    assert [told for told in waited if not told.is_answered or told.is_refused] == []
    assert all(told.is_streamed for route in ROUTES for told in streams[route])
    ends = endless_ones.told()
    assert [told.reply.body[-300:] for told in ends if not (told.is_cut and has_words(told))] == []
    for route in ROUTES:
        told = ask_until_answered(after["port"], headers, question("hi", model=route))
        assert told.is_answered
        assert told.tries == 1


@pytest.mark.variants
def test_a_stream_outlives_the_instance_that_replaces_its_own(
    running: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    record, headers, before = running.record(), keyed(running), running.pids()
    streams = Crowd(record["port"], headers, [question(ENDLESS, model=SLOT, stream=True)] * 8)
    assert arrived(bedrock, 8)
    time.sleep(0.5)  # the last one's first words are on their way

    write_profile(running, anthropic, bedrock, "[tiers.haiku]\nmax_output_tokens = 3456\n")
    started = running.command("start")
    told = streams.told()

    assert started.code == 0, started
    after = running.pids()
    assert (after["main"], after["providers"] == before["providers"]) == (before["main"], False)
    assert [t.reply.body[-300:] for t in told if not has_its_end(t)] == []


def has_words(told: Told) -> bool:
    """Tell whether a stream ended in an error after which claude retries."""
    return told.reply.is_whole and b"overloaded_error" in told.reply.body


def has_its_end(told: Told) -> bool:
    """Tell whether a stream has reached the end that the model gave it."""
    body = told.reply.body
    return told.reply.is_whole and b"message_stop" in body and b'"error"' not in body


@pytest.mark.variants
def test_sixteen_first_launches_at_once_make_one_stack_and_are_all_answered(
    stack: House, anthropic: AnthropicStandin
) -> None:
    stack.command("stop")
    assert not wait_until_none(stack.root, 30.0)
    argv = (OPENCLAUDE, "--profile", PROFILE, "-p", "hi", "--model", "opus")

    with ExitStack() as together:
        launched = [
            together.enter_context(stack.start(argv, stack.environment())) for _ in range(16)
        ]
        ended = [process.communicate(timeout=120) for process in launched]

    assert ended == [("anthropic stand-in: claude-opus-5-5\n", "")] * 16
    ours = " ".join(processes_of(stack.root).values())
    assert ours.count("openclaude.run.supervisor.supervisor") == 1
    assert ours.count("openclaude.run.worker.forkserver") == 3  # the forkserver and its two forks


def test_an_edited_profile_is_applied_by_the_next_launch_and_three_sessions_go_on(
    running: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    before = running.record()
    models = ("opus", "haiku", "haiku")
    with ExitStack() as together:
        sessions = [together.enter_context(session(running, model)) for model in models]
        for each in sessions:
            each.ask("hi")
        first = [each.answer() for each in sessions]
        assert len(running.status()["sessions"]) == 3
        bedrock.clear()
        for each in sessions:
            each.ask(script.wait(5) + script.say("slowly"))
        assert arrived(bedrock, 2)

        write_profile(running, anthropic, bedrock, "[tiers.haiku]\nmax_output_tokens = 1234\n")
        launched = running.openclaude("-p", "hi", "--model", "haiku")
        applied = bedrock.requests[-1].json()["inferenceConfig"]["maxTokens"]
        slowly = [each.answer() for each in sessions]
        for each in sessions:
            each.ask(script.say("once more"))
        once_more = [each.answer() for each in sessions]

    haiku = "bedrock stand-in: qwen.qwen3-next-80b-a3b"
    assert (launched.out, launched.err) == (f"{haiku}\n", "")
    assert applied == 1234
    assert first == ["anthropic stand-in: claude-opus-5-5", haiku, haiku]
    assert slowly == ["slowly"] * 3
    assert once_more == ["once more"] * 3
    assert running.record() == before  # the same supervisor, port and key


@pytest.mark.parametrize(
    ("word", "edit", "replaced"),
    [
        variant("restart", "", {"main", "providers"}),
        ("start", "[tiers.haiku]\nmax_output_tokens = 2345\n", {"providers"}),
    ],
)
def test_requests_amid_a_restart_or_a_reload_are_all_answered_at_the_first_try(
    running: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    word: str,
    edit: str,
    replaced: set[str],
) -> None:
    record, headers = running.record(), keyed(running)
    before = running.pids()
    bodies = [question(f"hi {i}", model=ROUTES[i % 2]) for i in range(8)]
    told = Crowd(record["port"], headers, bodies).told()  # connections between the instances
    if edit:
        write_profile(running, anthropic, bedrock, edit)

    changing = running.start((OPENCLAUDE, word, "--profile", PROFILE), running.environment())
    with changing:
        while changing.poll() is None or len(told) < 120:
            told += Crowd(record["port"], headers, bodies).told()

    assert [t for t in told if not t.is_answered or t.tries > 1] == []
    after = running.pids()
    assert {name for name, pid in before.items() if after[name] != pid} == replaced
