"""Telemetry through the real claude and both LiteLLMs: what a collector and Prometheus are told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.bench.ports import free_ports
from tests.e2e import raw
from tests.e2e.canaries import holds
from tests.e2e.conftest import Build
from tests.e2e.house import PROFILE, House, login_headers, question

QWEN = "bedrock/qwen.qwen3-next-80b-a3b"
SECRET = "a-word-of-the-prompt"
KINDS = {"input": "tokens_in", "output": "tokens_out"}
SAID = "a-word-of-the-answer"


class Evidence(NamedTuple):
    """What was told of a series of runs."""

    entries: list[dict[str, Any]]  # of the ledger
    spans: list[dict[str, Any]]
    sums: dict[str, dict[tuple[tuple[str, Any], ...], float]]  # the collector's
    page: str  # Prometheus's
    bodies: list[bytes]  # all that has come to the collector
    heads: list[bytes]


class Told(NamedTuple):
    """A house whose profile tells figures, and the collector."""

    house: House
    collector: Any
    port: int  # where Prometheus reads

    def read(self) -> str:
        """The page."""
        reply = raw.ask(self.port, (), b"", target="/metrics", method="GET")
        assert reply.status == 200
        return reply.body.decode()

    def is_open(self) -> bool:
        """Whether the page can be read."""
        try:
            self.read()
        except ConnectionRefusedError:
            return False
        return True

    def entries(self) -> list[dict[str, Any]]:
        """What the ledger has."""
        argv = (self.house.program, "requests", "-n", "100", "--json")
        ran = self.house.run(argv, self.house.environment())
        return list(json.loads(ran.out)["data"]["requests"])


def samples(page: str) -> dict[tuple[str, str], float]:
    """The sums on a page by name, and by model or kind of token."""
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(page):
        for one in family.samples:
            kind = one.labels.get("gen_ai_token_type") or one.labels.get(
                "gen_ai_response_model", ""
            )
            key = (one.name, kind)
            found[key] = found.get(key, 0.0) + one.value
    return found


@pytest.fixture(scope="module")
def told(
    build_house: Build,
    anthropic_upstream: AnthropicStandin,
    bedrock_upstream: BedrockStandin,
) -> Iterator[Told]:
    """Run claude on both routes, with one error."""
    pytest.importorskip("opentelemetry.sdk", reason="build/setup installs openclaude[otel]")
    from tests.standins.collector import CollectorStandin

    anthropic_upstream.clear()
    bedrock_upstream.clear()
    with CollectorStandin() as collector, build_house("telemetry") as house:
        (port,) = free_ports(1)
        house.write_profile(
            PROFILE,
            anthropic_url=anthropic_upstream.url,
            bedrock_url=bedrock_upstream.url,
            more=f'[telemetry]\notlp = "{collector.url}"\nprometheus = {port}\n',
        )
        started = house.command("start", "--wait")
        assert started.code == 0, started
        house.keys()
        for model in ("haiku", "opus"):
            ran = house.openclaude("-p", SECRET + script.say(SAID), "--model", model)
            assert ran.code == 0, ran
        failing = {"CLAUDE_CODE_MAX_RETRIES": "0"}
        house.openclaude("-p", script.error(400, message=SECRET), "--model", "opus", env=failing)
        yield Told(house, collector, port)


@pytest.fixture(scope="module")
def evidence(told: Told) -> Evidence:
    """All that was told of these runs, before anything else is done."""
    collector = told.collector
    wait_for(lambda: len(collector.spans()) >= len(told.entries()), 20)
    wait_for(lambda: "openclaude.requests" in collector.sums(), 30)
    return Evidence(
        entries=told.entries(),
        spans=collector.spans(),
        sums=collector.sums(),
        page=told.read(),
        bodies=[request.body for request in collector.requests],
        heads=[repr((request.target, request.headers)).encode() for request in collector.requests],
    )


@pytest.fixture(autouse=True)
def examined(evidence: Evidence) -> None:
    """In whichever order tests run, the evidence comes first."""


def wait_for(what: Callable[[], bool], within_s: float) -> None:
    """Wait until something is so."""
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_collector_gets_a_span_for_each_request_of_both_routes(evidence: Evidence) -> None:
    spans, entries = evidence.spans, evidence.entries

    assert len(spans) == len(entries) >= 3
    assert {one["answered"] for one in entries} >= {QWEN, "claude-opus-5-5"}
    for entry in entries:
        (span,) = [
            one
            for one in spans
            if one["session.id"] == entry["session"] and abs(one["began"] - entry["at"]) < 1e-4
        ]
        assert span["name"] == f"chat {entry['asked']}"
        assert span["kind"] == 3  # a client's
        assert span["openclaude.profile"] == PROFILE
        assert span["openclaude.via"] == entry["via"]
        assert span["http.response.status_code"] == entry["status"]
        assert span.get("gen_ai.response.model", "") == entry["answered"]
        assert span.get("gen_ai.usage.output_tokens") == entry["tokens_out"]
        assert span.get("openclaude.cost_usd") == entry["dollars"]
        assert round(1000 * span["seconds"]) == entry["total_ms"]
        assert (span["status"] == 2) == bool(entry["error"])


def test_prometheus_and_a_collector_read_the_sums_of_the_ledger(evidence: Evidence) -> None:
    entries, page, sent = evidence.entries, samples(evidence.page), evidence.sums

    total = sum(value for (name, _), value in page.items() if name == "openclaude_requests_total")
    assert total == len(entries)
    tokens = {kind: page["openclaude_tokens_total", kind] for kind in KINDS}
    assert tokens == {kind: sum(one[name] or 0 for one in entries) for kind, name in KINDS.items()}
    dollars = sum(one["dollars"] or 0 for one in entries)
    assert dollars > 0
    assert page["openclaude_cost_total", QWEN] == pytest.approx(dollars)
    assert sum(sent["openclaude.requests"].values()) <= total
    assert {dict(key)["gen_ai.token.type"] for key in sent["openclaude.tokens"]} >= {*tokens}


def test_nothing_that_is_told_is_a_secret_a_text_or_a_path(told: Told, evidence: Evidence) -> None:
    house = told.house
    everything = [evidence.page.encode(), *evidence.bodies, *evidence.heads]
    secrets = (*house.canaries, *house.keys().values(), SECRET, SAID)
    places = (str(house.project), str(house.home), str(house.folder), str(house.root))

    assert not [one for one in (*secrets, *places) for text in everything if holds(text, one)]
    assert any(holds(text, QWEN) for text in everything)  # a name that is told is found


def test_the_page_is_no_way_into_main(told: Told, anthropic: AnthropicStandin) -> None:
    port = told.port
    headers = raw.with_key(login_headers(told.house.canaries.oauth), told.house.keys()["main"])

    assert raw.ask(port, headers, question("hi")).status == 404
    assert anthropic.requests == ()
    mine = (b"Host", b"127.0.0.1")
    for own in ((mine, (b"Origin", b"http://evil.example")), ((b"Host", b"evil.example"),)):
        reply = raw.ask(port, own, b"", target="/metrics", method="GET", own_host=True)
        assert reply.status == 404
    record = told.house.record()
    there = raw.ask(record["port"], headers, b"", target="/metrics", method="GET")
    assert there.status == 404


@pytest.mark.variants
def test_a_collector_that_does_not_answer_delays_nothing(
    told: Told, anthropic: AnthropicStandin
) -> None:
    house, body = told.house, question("hi")
    headers = login_headers(house.canaries.oauth)
    port, key = house.record()["port"], house.keys()["main"]
    told.collector.may_answer.clear()
    try:
        began = time.monotonic()
        for _ in range(60):
            assert raw.ask(port, raw.with_key(headers, key), body).status == 200
        assert time.monotonic() - began < 15
        assert [request.body for request in anthropic.requests] == [body] * 60
        counted = ("openclaude_requests_total", "claude-opus-5-5")
        wait_for(lambda: samples(told.read())[counted] >= 60, 10)  # the ledger gathers for a moment
    finally:
        told.collector.may_answer.set()


@pytest.mark.variants
def test_the_next_main_takes_the_port_over_while_the_last_one_has_a_request(told: Told) -> None:
    headers = raw.with_key(login_headers(told.house.canaries.oauth), told.house.keys()["main"])
    slow, before = question(script.wait(60)), told.house.pids()["main"]
    with raw.connect(told.house.record()["port"]) as connection:
        host = (b"Host", b"127.0.0.1")
        raw.begin(connection, (host, *headers), slow, target=raw.MESSAGES, method="POST")
        time.sleep(1)

        restarted = told.house.command("restart")

        assert restarted.code == 0, restarted
        wait_for(told.is_open, 30)
        pages = [samples(told.read()) for _ in range(20)]
        assert Path(f"/proc/{before}").exists(), "the test is to look while both are there"
        assert not [one for one in pages if ("openclaude_requests_total", QWEN) in one]
    assert told.house.openclaude("-p", "hi", "--model", "haiku").code == 0
    wait_for(lambda: ("openclaude_requests_total", QWEN) in samples(told.read()), 20)
    assert "no figures of requests are shown" not in told.house.logs()


@pytest.mark.variants
def test_a_second_profile_with_the_same_port_says_so_and_the_first_keeps_it(told: Told) -> None:
    house = told.house
    shown = samples(told.read())
    text = (house.home / f".config/openclaude/profiles/{PROFILE}.toml").read_text()
    house.write(".config/openclaude/profiles/second.toml", text)
    try:
        assert house.command("start", "--wait", profile="second").code == 0

        said = house.command("status", profile="second").out
        doctor = house.command("doctor", profile="second").out

        sentence = f"no figures of requests are shown on port {told.port} of "
        sentence += "`telemetry.prometheus`: another profile's proxies show theirs there"
        assert f"warning: {sentence}" in said
        assert sentence in " ".join(doctor.split())
        assert shown.items() <= samples(told.read()).items()
        assert sentence not in house.command("status").out
    finally:
        house.command("stop", profile="second")
