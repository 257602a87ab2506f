"""A model for which LiteLLM knows a tokenizer: only its own server is contacted."""

from __future__ import annotations

import json
from pathlib import Path

from openclaude.standins.base import script
from tests.e2e import raw
from tests.e2e.conftest import Build
from tests.e2e.house import login_headers, question
from tests.e2e.internet import Internet
from tests.standins.openai.standin import OpenAIStandin

PROFILE = "llama"
KEY = "sk-llama"
QUESTIONS = (
    (script.say("a whole answer"), False),
    (script.say("a stream"), True),
    (script.reasoning("some thought") + script.say("and an answer"), True),
    (script.slow(20, 0.02, "a stream that is cut " * 10) + script.abort(12), True),
)


def test_no_tokenizer_is_downloaded_for_a_slot(build_house: Build, tmp_path: Path) -> None:
    with (
        OpenAIStandin(key=KEY) as server,
        Internet({"example.com": server.port}, tmp_path) as internet,
        build_house("llama") as house,
    ):
        house.write_own_profile(
            PROFILE,
            f"""
[tiers.haiku]
model = "openai/llama-3.3-70b"
api_base = "{server.url}/v1"
api_key = "env:SERVER_KEY"
context_window = 128000
max_output_tokens = 4000
""",
        )
        env = {"SERVER_KEY": KEY, **internet.environment()}
        started = house.command("start", "--wait", profile=PROFILE, env=env)
        assert started.code == 0, started
        record = json.loads((house.folder.parent / PROFILE / "stack.json").read_bytes())
        headers = raw.with_key(login_headers(house.canaries.oauth), record["main_key"])

        replies = [
            raw.ask(record["port"], headers, question(prompt, model="openclaude-haiku", stream=how))
            for prompt, how in QUESTIONS
        ]
        house.command("stop", profile=PROFILE)  # by now LiteLLM's work after a reply is done

    assert internet.asked == []
    assert [reply.status for reply in replies] == [200] * len(QUESTIONS)
    assert len(server.requests) == len(QUESTIONS)
