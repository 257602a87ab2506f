"""The real providers instance, where the first model of a slot fails.

Its own entry point is in front of LiteLLM here: access control without any other credential, and
the filter that limits LiteLLM's fallbacks to temporary failures.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from openclaude.standins.base.exchange import Reply
from openclaude.standins.base.script import abort, midstream, say, slow, wait
from openclaude.standins.base.standin import Standin
from tests.process.test_providers_instance import FLAGS, REPOSITORY, Answer
from tests.standins.gemini.standin import GeminiStandin
from tests.standins.gemini.standin import error_reply as gemini_error
from tests.standins.judged import Judged
from tests.standins.openai.reply import error_reply
from tests.standins.openai.standin import OpenAIStandin

KEY = "sk-providers-0123456789abcdef0123456789abcdef"
SECRET = "sk-of-the-provider-0123456789abcdef"
PLAN = "sk-ant-oat01-plan-canary"
CLOSED = "http://127.0.0.1:9"  # a port without a listener
PASSING = (408, 409, 429, 500, 502, 503, 529)
LASTING = (400, 401, 403, 404, 413, 422)
both = pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])


class Instance(NamedTuple):
    """A running instance and the three providers behind it."""

    port: int
    first: OpenAIStandin
    google: GeminiStandin
    second: OpenAIStandin

    def standins(self) -> tuple[Standin[Judged], ...]:
        return self.first, self.google, self.second

    def send(self, slot: str, script: str, token: str = KEY, **more: Any) -> Answer:
        """Send one request of the hop and return its whole reply."""
        turns = [{"role": "user", "content": script}]
        body = {"model": slot, "max_tokens": 100, "messages": turns, **more}
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        # it may still be starting; the request waits in its socket
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        with contextlib.closing(line):
            line.request("POST", "/v1/messages", json.dumps(body), headers)
            response = line.getresponse()
            return Answer(response.status, response.read())

    def asked(self) -> list[str]:
        """Return the models that were asked, in order."""
        seen = [request for standin in self.standins() for request in standin.requests]
        return [request.model_id for request in sorted(seen, key=lambda request: request.at)]


def fail(request: Judged) -> Reply | None:
    """A model named `e429` answers 429, and so on; the others answer as they are told."""
    found = re.search(r"e(\d{3})", request.model_id)
    if not found:
        return None
    fails = gemini_error if "Content" in request.operation else error_reply
    return fails(int(found[1]), "scripted")


def deployment(name: str, model: str, base: str, **params: Any) -> dict[str, Any]:
    return {
        "model_name": name,
        "litellm_params": {
            "model": model,
            "api_base": base,
            "api_key": "os.environ/OPENCLAUDE_SECRET_HAIKU",
            "max_retries": 0,
            **params,
        },
        "model_info": {"max_output_tokens": 8000},
    }


def config(first: str, google: str, second: str) -> dict[str, Any]:
    """Return providers.yaml: a slot for every failure of the first model."""
    openai = [
        deployment(f"e{status}", f"openai/e{status}", first) for status in (*PASSING, *LASTING)
    ]
    gemini = [
        deployment(f"g{status}", f"gemini/e{status}", google) for status in (429, 503, 401, 400)
    ]
    others = [
        deployment("well", "openai/well", first),
        deployment("closed", "hosted_vllm/x", CLOSED),
        deployment("closed-openai", "openai/x", CLOSED),
        deployment("slow", "openai/well", first, timeout=0.5),
        deployment("chain", "openai/e503", first),
    ]
    slots = [entry["model_name"] for entry in (*openai, *gemini, *others)]
    spare = [deployment("spare", "openai/spare", second), deployment("e-spare", "x", second)]
    spare[1]["litellm_params"]["model"] = "openai/e500-spare"
    return {
        "model_list": [*openai, *gemini, *others, *spare],
        "litellm_settings": {
            "drop_params": True,
            "modify_params": False,
            "use_chat_completions_url_for_anthropic_messages": True,
            "callbacks": ["openclaude.gateway.guard.handler"],
        },
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,
            "fallbacks": [
                {slot: ["e-spare", "spare"] if slot == "chain" else ["spare"]} for slot in slots
            ],
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "disable_model_info_refresh": True,
        },
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("fallbacks")
    with (
        OpenAIStandin(key=SECRET, answer=fail) as first,
        GeminiStandin(key=SECRET, answer=fail) as google,
        OpenAIStandin(key=SECRET, answer=fail) as second,
        socket.create_server(("127.0.0.1", 0)) as listener,
        folder.joinpath("log").open("wb") as log,
    ):
        path = folder / "providers.yaml"
        bases = (f"{first.url}/v1", f"{google.url}/v1beta", f"{second.url}/v1")
        path.write_text(yaml.safe_dump(config(*bases)))
        number = str(listener.fileno())
        command = (sys.executable, "-m", "uvicorn", "--no-access-log", "--fd", number)
        process = subprocess.Popen(
            (*command, "--factory", "openclaude.gateway.providers:app"),
            cwd=folder,
            env=environment(folder, path),
            pass_fds=(listener.fileno(),),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Instance(listener.getsockname()[1], first, google, second)
        finally:
            process.terminate()
            process.wait(60)
    told = folder.joinpath("log").read_text()
    assert SECRET not in told
    assert PLAN not in told


def environment(folder: Path, config_path: Path) -> dict[str, str]:
    return {
        **FLAGS,
        "HOME": str(folder),
        "PATH": os.defpath,
        "PYTHONPATH": str(REPOSITORY),
        "CONFIG_FILE_PATH": str(config_path),
        "LITELLM_MASTER_KEY": KEY,
        "OPENCLAUDE_SECRET_HAIKU": SECRET,
    }


@pytest.fixture
def instance(running: Instance) -> Instance:
    for standin in running.standins():
        standin.clear()
    return running


@both
@pytest.mark.parametrize("status", PASSING)
def test_a_failure_that_will_pass_lets_the_next_model_answer(
    instance: Instance, status: int, streams: bool
) -> None:
    answer = instance.send(f"e{status}", say("ok"), stream=streams)

    assert answer.status == 200
    assert re.fullmatch(r"\[\S+ failed \(HTTP \d+\): answered by \S+\]\n\nok", answer.text())
    assert instance.asked() == [f"e{status}", "spare"]


@both
@pytest.mark.parametrize("status", LASTING)
def test_a_failure_that_the_user_must_mend_is_told(
    instance: Instance, status: int, streams: bool
) -> None:
    answer = instance.send(f"e{status}", say("ok"), stream=streams)

    # LiteLLM turns a 413 into a 400
    assert answer.status in (status, 400)
    assert "scripted" in answer.json()["error"]["message"]
    assert instance.asked() == [f"e{status}"]


@both
@pytest.mark.parametrize("slot", ["closed", "closed-openai"])
def test_nobody_there_lets_the_next_model_answer(
    instance: Instance, slot: str, streams: bool
) -> None:
    answer = instance.send(slot, say("ok"), stream=streams)

    assert (answer.text().endswith("]\n\nok"), instance.asked()) == (True, ["spare"])


@both
def test_a_silent_model_lets_the_next_one_answer(instance: Instance, streams: bool) -> None:
    answer = instance.send("slow", wait(1.5) + say("ok"), stream=streams)

    assert (answer.text().endswith("]\n\nok"), instance.asked()) == (True, ["well", "spare"])


@both
def test_the_models_of_a_chain_are_asked_in_order_and_once_each(
    instance: Instance, streams: bool
) -> None:
    answer = instance.send("chain", say("ok"), stream=streams)

    assert answer.text().endswith("]\n\nok")
    assert answer.text().count("failed") == 1
    assert instance.asked() == ["e503", "e500-spare", "spare"]


@both
@pytest.mark.parametrize(("status", "asked"), [(429, 2), (503, 2), (401, 1), (400, 1)])
def test_the_same_holds_for_gemini_whose_streams_litellm_begins_too_early(
    instance: Instance, status: int, asked: int, streams: bool
) -> None:
    answer = instance.send(f"g{status}", say("ok"), stream=streams)

    assert answer.status == (200 if asked == 2 else status)
    assert instance.asked() == [f"e{status}", "spare"][:asked]


@pytest.mark.parametrize("how", [midstream(4), abort(4)], ids=["error", "abort"])
def test_a_model_that_has_begun_to_speak_is_not_replaced(instance: Instance, how: str) -> None:
    answer = instance.send("well", slow(6, 0.1) + how, stream=True)

    assert answer.events()[-1]["type"] == "error"
    assert instance.asked() == ["well"]


def test_the_login_of_a_plan_gets_no_further_than_the_gate(instance: Instance) -> None:
    answer = instance.send("well", say("ok"), token=PLAN)

    assert answer.status >= 400
    assert PLAN.encode() not in answer.body
    assert instance.asked() == []
