"""A team with two servers behind haproxy, which passes TLS on, and one Redis.

Three people's real sessions, each with a plan's login of its own. What each server gets is looked
at behind TLS, byte by byte. Each test takes up where the fixture has left the servers.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from tests.conftest import need
from tests.e2e.canaries import holds, requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import House, make_canaries
from tests.e2e.internet import Internet
from tests.e2e.serving import HOST, Server, Wiretap, serving
from tests.e2e.session import Session, session
from tests.redis_server import PASSWORD, RedisServer, running_redis

pytestmark = pytest.mark.variants  # two servers and three laptops take a minute

MODEL = "bedrock/qwen.qwen3-next-80b-a3b"
TEAM = "team"
PEOPLE = ("ann", "bob", "eve")
PRICE = 0.00001  # dollars for a token
REDIS_VARIABLE = "TEAM_REDIS"
TIMEOUT_S = 60.0
# its health checks go to the servers themselves
HAPROXY = """\
global
  maxconn 500
defaults
  mode tcp
  timeout connect 2s
  timeout client 15m
  timeout server 15m
  retries 3
  option redispatch
frontend team
  bind 127.0.0.1:{port}
  default_backend servers
backend servers
  balance roundrobin
  option httpchk GET /health/readiness
  default-server check check-ssl verify none inter 300ms fall 1 rise 1
{servers}
"""


def account() -> dict[str, str]:
    """An account at Anthropic that nobody else has."""
    return {
        "accountUuid": f"aaaaaaaa-0000-4000-8000-{secrets.token_hex(6)}",
        "emailAddress": f"canary-{secrets.token_hex(6)}@example.invalid",
        "organizationUuid": f"bbbbbbbb-0000-4000-8000-{secrets.token_hex(6)}",
    }


class TwoServers:
    """The servers, who may ask them, and what they are asked through."""

    def __init__(self, one: Server, other: Server, redis: RedisServer, port: int) -> None:
        self.both = (one, other)
        self.redis = redis
        self.port = port
        self.wires: list[Wiretap] = []
        self.laptops: dict[str, House] = {}
        self.accounts: dict[str, dict[str, str]] = {}
        self.keys: dict[str, str] = {}
        self.anthropic: AnthropicStandin | None = None

    @property
    def url(self) -> str:
        """Where people ask."""
        return f"https://{HOST}:{self.port}"

    def team(self, *words: str) -> str:
        """What `openclaude team` prints."""
        house = self.both[0].house
        argv: tuple[str | Path, ...] = (house.program, "team", *words, "--keys", self.both[0].keys)
        ran = house.run(argv, house.environment())
        assert ran.code == 0, ran.err
        return ran.out.strip()

    def start(self, server: Server) -> None:
        """Start one of them, on the port that it had."""
        more = ("--redis", f"env:{REDIS_VARIABLE}", "--drain", "1", "--grace", "30")
        server.start(port=server.port, profile=TEAM, more=more)

    def ask(self, number: int, person: str, text: str = "hi") -> tuple[int, str]:
        """Ask one of them past haproxy, as a program with a person's key would."""
        headers = {"x-litellm-api-key": self.keys[person], "content-type": "application/json"}
        said = {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": text}]}
        return self.both[number].ask("POST", "/v1/messages", json.dumps(said).encode(), headers)

    def lines(self, person: str) -> list[list[dict[str, Any]]]:
        """What each of them has logged of a person's requests since it was started last."""
        found = []
        for server in self.both:
            logged = (line.partition(" request ")[2] for line in server.said().splitlines())
            said = [json.loads(line) for line in logged if line.startswith("{")]
            found.append([one for one in said if one["person"] == person])
        return found


@contextlib.contextmanager
def balancing(folder: Path, port: int, ports: list[tuple[int, int]]) -> Iterator[None]:
    """haproxy in front of servers: of each, where it is asked and where it says its health."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    need(program is not None, "haproxy (build/setup installs it)")
    servers = "\n".join(
        f"  server s{number} 127.0.0.1:{asked} port {health}"
        for number, (asked, health) in enumerate(ports)
    )
    config = folder / "haproxy.cfg"
    config.write_text(HAPROXY.format(port=port, servers=servers))
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen([str(program), "-f", str(config)], stdout=log, stderr=log)
    try:
        until = time.monotonic() + TIMEOUT_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert time.monotonic() < until, (folder / "haproxy.log").read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def team(
    build_house: Build, around: Internet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TwoServers]:
    folder = tmp_path_factory.mktemp("replicas")
    with contextlib.ExitStack() as stack:
        house = stack.enter_context(build_house("servers"))
        redis = stack.enter_context(running_redis(folder))
        house.around[REDIS_VARIABLE] = redis.url
        shutil.rmtree(house.home / ".claude")  # nobody has a Claude account there
        house.write_own_profile(
            TEAM,
            f'[tiers.haiku]\nmodel = "{MODEL}"\n[tiers.haiku.params]\n'
            f"input_cost_per_token = {PRICE}\noutput_cost_per_token = {PRICE}\n"
            f'[aws]\nprofile = "openclaude"\nregion = "us-west-2"\n'
            f'endpoint_url = "{house.bedrock_url}"\n',
        )
        one = stack.enter_context(serving(house, folder))
        other = stack.enter_context(serving(house, tmp_path_factory.mktemp("other")))
        other.keys, other.authority = one.keys, one.authority
        other.certificate = other.certificate_key = one.certificate
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        found = TwoServers(one, other, redis, port)
        for person in PEOPLE:
            found.keys[person] = found.team("add", person)
        for server in found.both:
            found.start(server)
            found.wires.append(Wiretap(server))
            stack.callback(found.wires[-1].close)
        asked = [
            (wire.port, server.port) for wire, server in zip(found.wires, found.both, strict=True)
        ]
        stack.enter_context(balancing(folder, port, asked))
        logins = {person: make_canaries() for person in PEOPLE}
        admitted = frozenset(login.oauth for login in logins.values())
        anthropic = stack.enter_context(AnthropicStandin(credentials=admitted))
        found.anthropic = anthropic
        for person, login in logins.items():
            laptop = House(
                tmp_path_factory.mktemp(person),
                login,
                anthropic_url=anthropic.url,
                bedrock_url="http://127.0.0.1:9",
                around=around.for_claude(),
            )
            stack.callback(laptop.command, "stop", "--all")
            shutil.rmtree(laptop.home / ".aws")
            found.laptops[person] = laptop
            found.accounts[person] = account()
            state = json.loads((laptop.home / ".claude.json").read_text())
            state["oauthAccount"] = found.accounts[person]
            laptop.write(".claude.json", json.dumps(state))
            path = laptop.write("team.key", found.keys[person])
            laptop.write_own_profile(
                TEAM,
                f'[tiers]\nhaiku = "{MODEL}"\n[providers]\nurl = "{found.url}"\n'
                f'ca = "{one.authority}"\nkey = "file:{path}"\n',
            )
        yield found


@contextlib.contextmanager
def sessions(team: TwoServers, *people: str) -> Iterator[dict[str, Session]]:
    """A session of each person, which ends with the block."""
    with contextlib.ExitStack() as stack:
        yield {
            person: stack.enter_context(session(team.laptops[person], "haiku", profile=TEAM))
            for person in people
        }


def test_three_people_are_answered_and_no_login_reaches_a_server(team: TwoServers) -> None:
    with sessions(team, *PEOPLE) as open_:
        for person, one in open_.items():
            one.ask(script.say(f"hello {person}"))
        answers = {person: one.answer() for person, one in open_.items()}
    for laptop in team.laptops.values():
        assert laptop.openclaude("-p", "hi", "--model", "sonnet", profile=TEAM).code == 0

    assert answers == {person: f"hello {person}" for person in PEOPLE}
    heard = [wire.all for wire in team.wires]
    assert all(any(holds(one, team.keys[person]) for one in heard) for person in PEOPLE)
    assert all(heard)  # each has been asked
    assert team.anthropic
    for person in PEOPLE:
        login, ids = team.laptops[person].canaries, team.accounts[person]
        assert requests_with(team.anthropic.requests, login.oauth)  # the search works
        hidden = {"login": login.oauth, "refresh": login.refresh, **ids}
        # claude itself writes the address of its user's mail into what it says to a model
        del hidden["emailAddress"]
        found = {name for name, one in hidden.items() if any(holds(said, one) for said in heard)}
        assert found == set()
    logged = "".join(server.said() for server in team.both)
    assert not any(key in logged for key in (*team.keys.values(), PASSWORD))


def test_a_minutes_requests_are_counted_over_both(team: TwoServers) -> None:
    team.keys["joe"] = team.team("add", "joe", "--rpm", "3")

    replies = [team.ask(number % 2, "joe") for number in range(4)]

    assert [status for status, _ in replies] == [200, 200, 200, 429]
    assert "3 requests in a minute are allowed for your key" in replies[-1][1]


def test_one_who_may_ask_once_at_a_time_waits_for_a_turn_at_the_other(team: TwoServers) -> None:
    team.keys["kim"] = team.team("add", "kim", "--parallel", "1")
    ended: list[tuple[int, int]] = []

    def ask(number: int, text: str) -> None:
        ended.append((number, team.ask(number, "kim", text)[0]))

    first = threading.Thread(target=ask, args=(0, script.wait(3)))
    first.start()
    wait_for_streams(team, 1, "kim")
    ask(1, "hi")
    first.join()

    assert ended == [(0, 200), (1, 200)]
    wait_for_streams(team, 0, "kim")


def test_what_was_spent_at_one_is_spent_at_the_other_and_claude_shows_it(team: TwoServers) -> None:
    team.team("limit", "bob", "--day", "0.01")
    text = "word " * 800
    while team.ask(0, "bob", text)[0] == 200:
        pass

    assert team.ask(1, "bob")[0] == 424
    with sessions(team, "bob") as open_:
        open_["bob"].ask("hello")
        refused = open_["bob"].result()
        team.team("limit", "bob", "--day", "none")
        open_["bob"].ask(script.say("again"))
        allowed = open_["bob"].answer()

    assert refused["is_error"] is True
    assert "your budget of $0.01 for a day at this server is used up" in refused["result"]
    assert allowed == "again"
    spent = sum(line["usd"] or 0 for lines in team.lines("bob") for line in lines)
    assert spent >= 0.01


def test_a_key_that_is_revoked_is_refused_by_both_at_once(team: TwoServers) -> None:
    with sessions(team, "eve") as open_:
        open_["eve"].ask(script.say("before"))
        before = open_["eve"].answer()
        assert "removed one key of `eve`" in team.team("revoke", "eve")
        open_["eve"].ask("after")
        after = open_["eve"].result()

    assert before == "before"
    assert "does not accept your key" in after["result"]
    assert [team.ask(number, "eve")[0] for number in range(2)] == [401, 401]
    team.keys["eve"] = team.team("add", "eve")
    team.laptops["eve"].write("team.key", team.keys["eve"])


def test_a_rolling_update_and_the_death_of_a_server_lose_nothing_that_waited(
    team: TwoServers,
) -> None:
    slow = script.slow(20, 0.2, "one word after the other")
    with sessions(team, *PEOPLE) as open_:

        def turns() -> None:
            """Everyone asks, and gets the whole answer."""
            for one in open_.values():
                one.ask(slow)

        def answered() -> list[str]:
            return [one.answer() for one in open_.values()]

        turns()
        for server in team.both:  # one after the other, with answers under way
            server.stop()
            team.start(server)
            rolled = answered()
            assert rolled == ["one word after the other"] * 3
            turns()
        wait_for_streams(team, 3, *PEOPLE)
        dead = team.both[0]
        assert dead.process
        dead.process.send_signal(signal.SIGKILL)
        dead.process.wait(30)
        killed = answered()
        turns()
        without = answered()
        team.start(dead)

    assert killed == without == ["one word after the other"] * 3


def wait_for_streams(team: TwoServers, number: int, *people: str) -> None:
    """Return once so many requests of these people are under way."""
    until = time.monotonic() + TIMEOUT_S
    keys = [f"openclaude:1:{{{person}}}:now" for person in people]
    while sum(map(team.redis.client.zcard, keys)) != number:
        assert time.monotonic() < until, f"not {number} requests of {people}"
        time.sleep(0.02)


def test_a_redis_that_dies_stops_nobody(team: TwoServers) -> None:
    team.redis.stop()
    try:
        with sessions(team, "ann") as open_:
            open_["ann"].ask(script.say("all the same"))
            said = open_["ann"].answer()
    finally:
        team.redis.start()

    assert said == "all the same"
    assert any("this process counts alone" in server.said() for server in team.both)
