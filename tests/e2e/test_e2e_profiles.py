"""Every built-in profile, unchanged: each tier is served by the model it names, with tools.

The providers are at their own addresses, over TLS.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from openclaude.compile.resolve import Slot
from openclaude.profile.schema import TIERS
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from tests.conftest import need, variant
from tests.e2e.canaries import requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import OPENCLAUDE, RUN_TIMEOUT_S, Canaries, House, Ran
from tests.e2e.providers import (
    REGION,
    Everybody,
    Request,
    everybody,
    model_of,
    resolve_shipped,
    standin_of,
)
from tests.e2e.terminal import Terminal

SHIPPED = resolve_shipped()
MESSAGES = "/v1/messages"
CLAUDES_HOST = "api.anthropic.com:443"  # claude asks it for more than models
NOTES = "the notes say 42\n"
ALLOWED = ("--allowedTools", "Read", "Bash(echo:*)")
# claude's own message for an id it does not know; only a window of 200k or more avoids it
UNKNOWN = '[claude-code:unrecognized_model] {{"model":"{}","query_source":"sdk"}}\n'
OFFLINE = "This is the profile `offline`: nothing was asked of any model."

PROMPT = r"❯\s*\n─"  # the empty input box above its lower border
MAIN_MODEL = "us.anthropic.claude-opus-5-5"


def of_auth(auth: str) -> list[str]:
    """Return the built-in profiles that reach Anthropic in this way."""
    return sorted(
        name for name, resolution in SHIPPED.items() if resolution.profile.anthropic.auth == auth
    )


@pytest.fixture(scope="module")
def everyone(
    canaries: Canaries, machine: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Everybody]:
    """Every provider, for the whole file."""
    with everybody(canaries, SHIPPED, tmp_path_factory.mktemp("internet")) as started:
        yield started


@pytest.fixture(scope="module")
def home(build_house: Build) -> Iterator[House]:
    """A home with a login, in which one profile after the other is used."""
    with build_house("profiles") as built:
        built.write("project/notes.txt", NOTES)
        yield built


@pytest.fixture(scope="module")
def bare_home(build_house: Build) -> Iterator[House]:
    """A home in which claude was never started: no login, nothing answered, no trusted folder."""
    with build_house("bare") as built:
        (built.home / ".claude.json").unlink()
        (built.home / ".claude/.credentials.json").unlink()
        built.write("project/notes.txt", NOTES)
        yield built


def job(house: House, tier: str) -> str:
    """Return a prompt for a tier: use a tool twice, then answer. It says which tier it is for."""
    notes = {"file_path": str(house.project / "notes.txt")}
    echo = {"command": f"echo from-the-tools-of-{tier}"}
    return (
        f"a job for {tier} "
        + script.say("first the notes")
        + script.tool("Read", notes)
        + script.then(script.tool("Bash", echo))
        + script.then(script.say(f"{tier} is done"))
    )


def run_tiers(house: House, profile: str, env: Mapping[str, str]) -> dict[str, Ran]:
    """Run all four tiers of a profile at once, each with its job; the stack is not started yet."""
    argv = (OPENCLAUDE, "--profile", profile, "-p")
    started = {
        tier: house.start(
            (*argv, job(house, tier), "--model", tier, *ALLOWED), house.environment(env)
        )
        for tier in TIERS
    }
    return {tier: ended(process) for tier, process in started.items()}


def ended(process: subprocess.Popen[str]) -> Ran:
    """Run a program to its end."""
    with process:
        try:
            out, err = process.communicate(timeout=RUN_TIMEOUT_S)
        finally:
            process.kill()
    return Ran(process.returncode, out, err)


def assert_served(slot: Slot, ran: Ran, everyone: Everybody) -> None:
    """Assert that a slot's job was done by its first model only, and without any problem."""
    assert (ran.code, ran.out) == (0, f"{slot.tier} is done\n")
    assert ran.err == ("" if slot.stands_for else UNKNOWN.format(slot.slot_id))
    served = everyone.asked_with(f"a job for {slot.tier} ")
    assert list(served) == [standin_of(slot.first)]
    (requests,) = served.values()
    assert [request.model_id for request in requests] == [model_of(slot.first)] * 3
    assert "the notes say 42" not in requests[0].body.decode()
    assert "the notes say 42" in requests[1].body.decode()
    assert requests[2].body.decode().count(f"from-the-tools-of-{slot.tier}") > 1
    assert problems(requests) == []


def messages(everyone: Everybody) -> list[Recorded]:
    """Return Anthropic's requests for a model; the others are claude's own."""
    return [request for request in everyone.anthropic.requests if request.path == MESSAGES]


def problems(requests: Iterable[Request]) -> list[str]:
    """Return what the providers found wrong, except what they accepted."""
    found = (problem for request in requests for problem in request.problems)
    return [problem for problem in found if not problem.startswith("note: ")]


def use(house: House, everyone: Everybody, name: str) -> dict[str, Ran]:
    """Return the four tiers' answers, from a profile's start to its stop; check who was asked."""
    everyone.clear()
    ran = run_tiers(house, name, everyone.environment())
    assert house.command("stop", profile=name) == (0, f"{name}: stopped\n", "")
    assert everyone.internet.refused == []
    return ran


# a session of ten turns with each of them is in tests/long/test_ten_turns.py
@pytest.mark.parametrize("name", [variant("glm"), variant("openai"), "qwen"])
def test_a_profile_with_a_plan_does_jobs_with_tools_in_every_tier(
    home: House, everyone: Everybody, name: str
) -> None:
    ran = use(home, everyone, name)

    for slot in SHIPPED[name].slots:
        assert_served(slot, ran[slot.tier], everyone)
    for tier in SHIPPED[name].claude_tiers:
        assert ran[tier] == (0, f"{tier} is done\n", "")
    asked = messages(everyone)
    assert len(asked) == 3 * len(SHIPPED[name].claude_tiers)
    bearer = f"Bearer {home.canaries.oauth}"
    assert {request.header("authorization") for request in asked} == {bearer}
    assert requests_with(everyone.requests(), home.canaries.oauth) == []
    for key in everyone.keys:
        assert requests_with(everyone.anthropic.requests, key) == []


@pytest.mark.parametrize("name", of_auth("api-key"))
def test_with_an_api_key_anthropic_gets_the_key_and_nobody_gets_the_login(
    home: House, everyone: Everybody, name: str
) -> None:
    ran = use(home, everyone, name)

    assert ran == {tier: (0, f"{tier} is done\n", "") for tier in TIERS}
    requests = messages(everyone)
    assert [request.path for request in requests] == [MESSAGES] * 3 * len(TIERS)
    assert {request.header("x-api-key") for request in requests} == {everyone.keys.anthropic}
    assert {request.header("authorization") for request in requests} == {None}
    assert requests_with(requests, home.canaries.oauth) == []
    assert everyone.requests() == []


@pytest.mark.parametrize("name", sorted(set(of_auth("none")) - {"offline"}))
def test_without_an_account_no_request_reaches_anthropic_and_no_login_is_needed(
    bare_home: House, everyone: Everybody, name: str
) -> None:
    ran = use(bare_home, everyone, name)

    assert [slot.tier for slot in SHIPPED[name].slots] == list(TIERS)
    for slot in SHIPPED[name].slots:
        assert_served(slot, ran[slot.tier], everyone)
    assert messages(everyone) == []
    for words in ("a job for", "the notes say 42"):  # claude tells its host of itself, not of us
        assert requests_with(everyone.anthropic.requests, words) == []
    bedrock = f"bedrock-runtime.{REGION}.amazonaws.com:443"
    assert set(everyone.internet.asked) - {CLAUDES_HOST} == {bedrock}


@pytest.mark.variants
def test_context_is_counted_by_bedrock_and_by_its_other_address_where_that_alone_can(
    bare_home: House, everyone: Everybody
) -> None:
    everyone.clear()
    env = everyone.environment()

    ran = {
        tier: bare_home.openclaude("-p", "/context", "--model", tier, profile="bedrock", env=env)
        for tier in ("opus", "sonnet")
    }
    written = bare_home.command("requests", "--json", profile="bedrock", env=env).json()
    bare_home.command("stop", profile="bedrock")

    assert {one.code for one in ran.values()} == {0}, ran
    counted = [one for one in everyone.providers["bedrock"].requests if "ount" in one.operation]
    asked = {(one.operation, model_asked(one)) for one in counted}
    assert asked == {
        ("CountTokens", "anthropic.claude-opus-5-5"),
        ("count_tokens", "anthropic.claude-opus-5-5"),
        ("CountTokens", "anthropic.claude-sonnet-5-5"),
    }
    refused = [one for one in counted if one.problems]
    assert {one.operation for one in refused} == {"CountTokens"}
    assert len(refused) < 10, "and no more once that is known"
    assert messages(everyone) == []
    assert written["data"]["requests"] == [], "a count costs nothing and is no request"


def model_asked(request: Request) -> str:
    """Return the model that a count is about."""
    return request.model_id or str(request.json()["model"])


@pytest.mark.variants
def test_a_first_session_on_the_screen_needs_no_account_either(
    bare_home: House, everyone: Everybody, tmp_path: Path
) -> None:
    need(shutil.which("tmux"), "tmux")
    everyone.clear()
    trusted = {"projects": {str(bare_home.project): {"hasTrustDialogAccepted": True}}}
    bare_home.write(".claude.json", json.dumps(trusted))  # no other question was ever answered
    env = bare_home.environment(everyone.environment())
    argv = (OPENCLAUDE, "--profile", "bedrock")

    with Terminal(argv, env, bare_home.project, tmp_path / "tmux") as terminal:
        terminal.wait_for("text style")
        terminal.press_until("Enter", "Security notes")
        terminal.press_until("Enter", PROMPT)
        terminal.type(script.say("hello from the cloud"))
        terminal.wait_for("● hello from the cloud", timeout_s=RUN_TIMEOUT_S)  # with nothing running
        bedrock = everyone.providers["bedrock"]
        asked_for = {"us.anthropic.claude-haiku-5-5", MAIN_MODEL}
        assert bedrock.wait_until(lambda it: {r.model_id for r in it.requests} == asked_for)
        screen = terminal.screen()
    bare_home.command("stop", profile="bedrock")

    assert "on Bedrock" in screen
    assert problems(bedrock.requests) == []
    assert messages(everyone) == []


@pytest.mark.variants
def test_offline_answers_one_sentence_in_every_tier_and_asks_nobody(
    home: House, everyone: Everybody
) -> None:
    ran = use(home, everyone, "offline")

    for tier in TIERS:
        assert (ran[tier].code, ran[tier].err) == (0, "")
        assert ran[tier].out.startswith(OFFLINE)
    assert set(everyone.internet.asked) <= {CLAUDES_HOST}
    assert messages(everyone) == []
    assert everyone.requests() == []
