"""The ledger against the stand-ins' own counts, through the real claude and both LiteLLMs."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from openclaude.ledger.writer import GATHER_S
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import PROFILE, House, Ran

QWEN = "bedrock/qwen.qwen3-next-80b-a3b"
IN, OUT = 0.15e-6, 1.2e-6  # dollars for a token, in the bundled list
DATA = re.compile(rb"^data: (.*)$", re.MULTILINE)
SECRET = "a-word-of-the-prompt"
BEGAN = {"at": ""}  # when the test did


@pytest.fixture(autouse=True)
def empty(house: House) -> None:
    """Begin with a ledger that has no entry."""
    BEGAN["at"] = datetime.now().astimezone().isoformat()
    path = house.home / ".local/state/openclaude/ledger/requests.sqlite3"
    if path.exists():
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM requests")
        connection.close()


def usage(house: House, *arguments: str) -> dict[str, Any]:
    """Return what `openclaude usage` says."""
    since = ("--since", BEGAN["at"])  # a request of the test before may be written only now
    ran = house.run((house.program, "usage", *since, *arguments, "--json"), house.environment())
    assert (ran.code, ran.err) == (0, "")
    return dict(json.loads(ran.out)["data"])


def requests(house: House, *arguments: str) -> list[dict[str, Any]]:
    """Return what `openclaude requests` lists."""
    argv: tuple[str | Path, ...] = (house.program, "requests", *arguments, "-n", "100", "--json")
    ran = house.run(argv, house.environment())
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)["data"]["requests"]
    return [one for one in found if one["at"] >= datetime.fromisoformat(BEGAN["at"]).timestamp()]


def said_by_anthropic(anthropic: AnthropicStandin) -> tuple[int, int]:
    """Return the tokens in and out that the stand-in reported in its replies."""
    counts = [0, 0]
    for reply in anthropic.replies:
        lines = [json.loads(line) for line in DATA.findall(reply.content)]
        starts = [one["message"]["usage"] for one in lines if one["type"] == "message_start"]
        ends = [one["usage"] for one in lines if one["type"] == "message_delta"]
        counts[0] += sum(one["input_tokens"] for one in starts)
        counts[1] += sum(one["output_tokens"] for one in ends)
    return counts[0], counts[1]


def said_by_bedrock(bedrock: BedrockStandin) -> tuple[int, int]:
    """Return the same of the other stand-in."""
    found = [
        (int(one[0]), int(one[1]))
        for reply in bedrock.replies
        for one in re.findall(rb'"inputTokens":\s*(\d+),\s*"outputTokens":\s*(\d+)', reply.content)
    ]
    return sum(one for one, _ in found), sum(one for _, one in found)


def test_the_sums_are_those_of_the_stand_ins_on_both_routes(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    tool = script.tool("Bash", {"command": "echo x"}) + script.then(script.say("done"))
    for model in ("haiku", "opus"):
        prompt = f"{SECRET} {tool}"
        ran = house.openclaude("-p", prompt, "--model", model, "--allowedTools", "Bash(echo:*)")
        assert ran == (0, "done\n", "")

    told = usage(house, "--by", "model")

    rows = {row["model"]: row for row in told["rows"]}
    slot, claude = rows[QWEN], rows["claude-opus-5-5"]
    assert (slot["input_tokens"], slot["output_tokens"]) == said_by_bedrock(bedrock)
    assert (claude["input_tokens"], claude["output_tokens"]) == said_by_anthropic(anthropic)
    assert min(*said_by_bedrock(bedrock), *said_by_anthropic(anthropic)) > 0
    assert slot["requests"] == len(bedrock.requests)
    assert claude["requests"] == len(anthropic.replies)
    assert slot["usd"] == pytest.approx(slot["input_tokens"] * IN + slot["output_tokens"] * OUT)
    assert (claude["usd"], told["total"]["errors"]) == (0, 0)
    assert told["plan"]["used_5h"] == 0.17
    assert told["spared"]["tokens"] == slot["input_tokens"] + slot["output_tokens"]


def test_each_request_says_who_asked_and_who_answered(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    ran = house.openclaude("-p", "hi", "--model", "haiku", "--output-format", "json")
    session = json.loads(ran.out)["session_id"]

    (one,) = requests(house, "--session", session[:8])

    assert one["session"] == session
    assert (one["tier"], one["asked"], one["answered"]) == ("haiku", "claude-haiku-5-5", QWEN)
    assert (one["provider"], one["region"], one["via"]) == ("bedrock", "us-west-2", "slot")
    assert (one["status"], one["is_cut"], one["error"]) == (200, 0, "")
    assert 0 <= one["first_ms"] <= one["total_ms"]
    assert one["project"] == str(house.project)
    given = [dict(reply.headers)["x-amzn-requestid"] for reply in bedrock.replies]
    assert one["request_id"] in given
    assert [change for change in one["changes"] if change.startswith("max_tokens ")]
    assert one["attempts"] == []
    (row,) = usage(house, "--by", "project")["rows"]
    assert (row["project"], row["requests"]) == (str(house.project), 1)
    shown = house.run((house.program, "requests", "show", str(one["id"])), house.environment())
    assert f"answered by  {QWEN}\n" in shown.out
    listed = house.run((house.program, "requests"), house.environment())
    assert QWEN in listed.out


def test_an_error_is_an_entry_and_its_words_are_not(
    house: House, anthropic: AnthropicStandin
) -> None:
    house.openclaude("-p", script.error(400, message=SECRET), "--model", "opus")

    found = requests(house, "--errors")

    assert {(one["status"], one["error"]) for one in found} == {(400, "invalid_request_error")}
    assert {one["project"] for one in found} == {str(house.project)}  # which Anthropic is not told
    names = {name.lower() for one in anthropic.requests for name, _ in one.headers}
    assert b"authorization" in names
    assert not [name for name in names if b"openclaude" in name]
    assert len(found) == len(anthropic.requests)


def test_a_used_up_budget_stops_the_slot_says_so_and_can_be_extended(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    house.write_profile(
        "thrifty",
        anthropic_url=house.anthropic_url,
        bedrock_url=house.bedrock_url,
        more="[budget]\nday = 0.000001\n",
    )

    def ask(model: str, *more: str) -> Ran:
        env = {"CLAUDE_CODE_MAX_RETRIES": "0"}
        return house.openclaude("-p", "hi", "--model", model, *more, profile="thrifty", env=env)

    assert house.openclaude("-p", "hi", "--model", "haiku").code == 0  # of another profile
    asked = len(bedrock.requests)
    refused = ask("haiku")
    assert refused.code == 1
    assert "the budget of $0.0000 is used up: slots have cost $0.00" in refused.out
    assert "`openclaude budget allow" in refused.out
    assert len(bedrock.requests) == asked

    time.sleep(5 * GATHER_S)  # until what other tests have left is written as well
    spent = usage(house)["total"]["usd"]
    allow = (house.program, "budget", "allow", f"{spent / 0.9:.12f}", "--today")
    assert house.run(allow, house.environment()).code == 0
    told = ask("haiku", "--output-format", "stream-json", "--verbose")  # -p prints the last text
    assert (told.code, told.err) == (0, "")
    assert re.search(r'"\[[89]\d % of the budget of \$0.0\d+ is used up today; then', told.out)
    house.command("stop", profile="thrifty")


def test_no_word_and_no_credential_is_in_the_ledger(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    for model in ("haiku", "opus"):
        house.openclaude("-p", f"{SECRET} {script.say(SECRET)}", "--model", model)
    assert usage(house)["total"]["requests"] > 1

    folder = house.home / ".local/state/openclaude/ledger"
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    secrets = (house.canaries.oauth, house.canaries.aws_secret, house.record()["main_key"], SECRET)
    assert not [secret for secret in secrets if secret.encode() in content]
    assert b"claude-opus-5-5" in content


def test_a_folder_that_cannot_be_written_fails_no_request(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    folder = house.home / ".local/state/openclaude/ledger"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    try:
        for model in ("haiku", "opus"):
            assert house.openclaude("-p", "hi", "--model", model).code == 0
    finally:
        folder.chmod(0o700)


def test_bodies_of_slots_are_recorded_when_asked_and_claudes_never(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    def command(*words: str) -> Ran:
        of = ("--profile", PROFILE) if words[0] in {"logs", "report"} else ()
        return house.run((house.program, *words, *of), house.environment())

    key = "sk-live-0123456789abcdefCANARY"
    assert house.openclaude("-p", "not-recorded-yet", "--model", "haiku").code == 0
    asked = command("requests", "record", "--minutes", "1")
    assert (asked.code, "warning: for 1 minutes" in asked.out) == (0, True)
    assert "recording: prompts and answers" in command("status").out
    waited_for(lambda: "are recorded for" in command("logs", "main", "-n", "9").out)

    spoken = f"{SECRET} {key} {script.say('an answer, ' + key)}"
    for model in ("haiku", "opus"):
        assert house.openclaude("-p", f"{model} says {spoken}", "--model", model).code == 0
    house.openclaude("-p", f"haiku {script.error(400, message='no')}", "--model", "haiku")
    told = waited_for(lambda: [line for line in lines_of(command) if " failed: 400 " in line])

    folder = house.home / ".local/state/openclaude/ledger/recorded"
    text = "\n".join(path.read_text() for path in folder.iterdir())
    assert f"haiku says {SECRET} (removed)" in text
    assert "an answer, (removed)" in text
    assert "opus says" not in text
    assert "not-recorded-yet" not in text
    private = (house.canaries.oauth, house.canaries.aws_secret, house.record()["main_key"], key)
    assert not [secret for secret in private if secret in text]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert re.match(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING openclaude\.requests: ", told[0]
    )
    assert not [line for line in lines_of(command) if "Traceback" in line]
    page = command("report")
    assert (page.code, SECRET in page.out, str(house.home) in page.out) == (0, False, False)
    assert not [secret for secret in private if secret in page.out]
    assert command("requests", "record", "--remove").code == 0
    assert not folder.exists()


def lines_of(command: Callable[..., Ran]) -> list[str]:
    """Return the lines of both proxies' logs."""
    return [
        line
        for unit in ("main", "providers")
        for line in command("logs", unit, "-n", "200").out.splitlines()
    ]


def waited_for(look: Callable[[], Any]) -> Any:
    """Wait until something is true; return it."""
    end = time.monotonic() + 60  # only failures take this long
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return found
