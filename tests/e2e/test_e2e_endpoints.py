"""LiteLLM's endpoint functions, called past its application: what must be as if it were asked."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from openclaude.compile.plan import Plan
from openclaude.standins.anthropic import AnthropicStandin
from openclaude.standins.bedrock import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import House, login_headers, question
from tests.e2e.instances import MAIN_KEY, instances, plan_of

CLAUDE, SLOT = "claude-opus-5-5", "openclaude-haiku"
LOGGED_TIMEOUT_S = 10.0

# A callback such as a user of LiteLLM has, which writes down what it is told of.
NOTING = """
import json
import os

from litellm.integrations.custom_logger import CustomLogger


class Noting(CustomLogger):
    def note(self, what, kwargs):
        line = json.dumps([what, kwargs.get("model"), bool(kwargs.get("stream"))])
        with open(os.environ["NOTES"], "a") as notes:
            notes.write(line + "\\n")

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.note("success", kwargs)

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.note("failure", kwargs)


noting = Noting()
"""


def with_callback(plan: Plan, name: str) -> Plan:
    """The plan with a callback in main's config."""
    config = yaml.safe_load(plan.files["main.yaml"])
    config["litellm_settings"]["callbacks"] = [name]
    return plan._replace(files={**plan.files, "main.yaml": yaml.safe_dump(config)})


def notes_of(path: Path, count: int) -> list[Any]:
    """What the callback has noted, once it is that much: LiteLLM tells it behind the answer."""
    deadline = time.monotonic() + LOGGED_TIMEOUT_S
    while True:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count or time.monotonic() > deadline:
            return [json.loads(line) for line in lines]
        time.sleep(0.05)


def test_litellms_callbacks_see_both_lanes(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    plan = with_callback(plan_of(empty_house), "noted.noting")
    units = tuple(
        unit._replace(environment={**unit.environment, "NOTES": str(notes)}) for unit in plan.units
    )
    plan = plan._replace(units=units)
    environment = empty_house.environment()
    with instances(plan, tmp_path, environment, modules={"noted": NOTING}) as port:
        rehearsed = len(notes_of(notes, 2))  # the instance's own two
        headers = raw.with_key(login_headers(empty_house.canaries.oauth), MAIN_KEY)
        for lane in (CLAUDE, SLOT):
            for stream in (False, True):
                told = raw.ask(port, headers, question("hi", model=lane, stream=stream))
                assert told.status == 200, told.body
        seen = notes_of(notes, rehearsed + 4)[rehearsed:]

    assert sorted(seen) == sorted(
        ["success", model, stream] for model in (CLAUDE, SLOT) for stream in (False, True)
    )


def test_a_rehearsal_reaches_nobody_and_leaves_nothing(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    with instances(plan_of(empty_house), tmp_path, empty_house.environment()) as port:
        headers = raw.with_key((), MAIN_KEY)
        models = raw.ask(port, headers, b"", target="/v1/models", method="GET")

    assert "rehearsal" not in models.body.decode()
    assert SLOT in models.body.decode()
    assert not anthropic.requests
    assert not bedrock.requests
    for log in tmp_path.glob("*.log"):
        assert "rehears" not in log.read_text()


@pytest.mark.parametrize("name", ["api_base", "base_url"])
def test_a_body_cannot_send_a_slots_request_elsewhere(
    house: House, bedrock: BedrockStandin, anthropic: AnthropicStandin, name: str
) -> None:
    record = house.record()
    headers = raw.with_key(login_headers(house.canaries.oauth), record["main_key"])
    body = json.loads(question("hi", model=SLOT, stream=True))
    asked = json.dumps({**body, name: anthropic.url}).encode()

    told = raw.ask(record["port"], headers, asked)

    assert told.status == 400, told.body
    assert name in json.loads(told.body)["error"]["message"]
    assert not bedrock.requests
    assert not anthropic.requests
