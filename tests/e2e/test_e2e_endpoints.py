"""LiteLLM's endpoint functions, called without its application: what must be as with it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from openclaude.contracts.plan import Plan
from openclaude.contracts.worker import WRITES_VARIABLE
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import House, login_headers, question
from tests.e2e.instances import MAIN_KEY, instances, plan_of

CLAUDE, SLOT = "claude-opus-5-5", "openclaude-haiku"

# A callback as a user of LiteLLM may have, which records what it is told.
NOTING = """
import json
import os

from litellm.integrations.custom_logger import CustomLogger


class Noting(CustomLogger):
    def note(self, what, kwargs):
        line = json.dumps([what, kwargs.get("model"), bool(kwargs.get("stream"))])
        with open(os.environ["NOTES"], "a") as notes:
            notes.write(line + "\\n")

    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        self.note("asked", data)
        return data

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.note("success", kwargs)

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.note("failure", kwargs)


noting = Noting()
"""


def with_callback(plan: Plan, name: str) -> Plan:
    """Return the plan with a callback in main's config."""
    config = yaml.safe_load(plan.files["main.yaml"])
    config["litellm_settings"]["callbacks"] = [name]
    return plan._replace(files={**plan.files, "main.yaml": yaml.safe_dump(config)})


def notes_of(path: Path) -> list[Any]:
    """Return what the callback has recorded."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


PAID = """
import json, os
from litellm.integrations.custom_logger import CustomLogger

class Paid(CustomLogger):
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        log = kwargs["standard_logging_object"]
        names = ("model_group", "model", "prompt_tokens", "completion_tokens", "response_cost")
        with open(os.environ["NOTES"], "a") as notes:
            notes.write(json.dumps({name: log[name] for name in names}) + "\\n")

paid = Paid()
"""


def test_litellms_callbacks_in_providers_see_the_true_model_its_usage_and_its_price(
    empty_house: House, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    plan = plan_of(empty_house)
    config = yaml.safe_load(plan.files["providers.yaml"])
    config["litellm_settings"]["callbacks"].append("paying.paid")
    plan = plan._replace(files={**plan.files, "providers.yaml": yaml.safe_dump(config)})
    units = tuple(
        unit._replace(environment={**unit.environment, "NOTES": str(notes)}) for unit in plan.units
    )
    environment = empty_house.environment()
    with instances(
        plan._replace(units=units), tmp_path, environment, modules={"paying": PAID}
    ) as port:
        headers = raw.with_key((), MAIN_KEY)
        deadline = time.monotonic() + 60.0
        for stream in (False, True):
            told = raw.ask(port, headers, question("hi", model=SLOT, stream=stream))
            assert told.status == 200, told.body
        while not notes.exists() or len(notes_of(notes)) < 3:  # the warm-up's own is one
            assert time.monotonic() < deadline, notes_of(notes) if notes.exists() else "nothing"
            time.sleep(0.05)

    _, whole, streamed = notes_of(notes)
    assert bedrock.requests
    assert whole == streamed
    assert whole["model_group"] == SLOT
    assert "qwen.qwen3-next-80b-a3b" in whole["model"]
    assert whole["response_cost"] > 0


def test_litellms_hooks_see_both_routes_and_nothing_accounts_for_a_reply(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    plan = with_callback(plan_of(empty_house), "noted.noting")
    units = tuple(
        unit._replace(
            environment={**unit.environment, "NOTES": str(notes), WRITES_VARIABLE: str(tmp_path)}
        )
        for unit in plan.units
    )
    plan = plan._replace(units=units)
    environment = empty_house.environment()
    with instances(plan, tmp_path, environment, modules={"noted": NOTING}) as port:
        warmed_up = len(notes_of(notes))  # the instance's own, asked before it is ready
        headers = raw.with_key(login_headers(empty_house.canaries.oauth), MAIN_KEY)
        for route in (CLAUDE, SLOT):
            for stream in (False, True):
                told = raw.ask(port, headers, question("hi", model=route, stream=stream))
                assert told.status == 200, told.body
    seen = notes_of(notes)[warmed_up:]  # all of them: the instance has ended

    # no `success`: see gateway/litellm/accounting.py
    assert seen == [
        ["asked", model, stream] for model in (CLAUDE, SLOT) for stream in (False, True)
    ]


def test_the_warmup_requests_reach_nobody_and_leave_nothing(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    with instances(plan_of(empty_house), tmp_path, empty_house.environment()) as port:
        headers = raw.with_key((), MAIN_KEY)
        models = raw.ask(port, headers, b"", target="/v1/models", method="GET")

    assert "openclaude-warmup" not in models.body.decode()
    assert SLOT in models.body.decode()
    assert not anthropic.requests
    assert not bedrock.requests
    for log in tmp_path.glob("*.log"):
        assert "warm" not in log.read_text()


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
