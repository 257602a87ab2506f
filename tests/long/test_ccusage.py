"""ccusage, which reads claude's transcripts: it names the models that answered, with their tokens.

It does not belong to openclaude; the test says how to get the version that it was written for.
"""

from __future__ import annotations

import json
import shutil
import time
from typing import Any

from openclaude.ledger.writer import GATHER_S
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import REPOSITORY, need
from tests.e2e.house import House

FOLDER = REPOSITORY / ".work/ccusage"
PROGRAM = FOLDER / "node_modules/ccusage/dist/index.js"
QWEN = "bedrock/qwen.qwen3-next-80b-a3b"


def test_it_names_the_models_that_answered_and_has_the_ledgers_tokens(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    node = shutil.which("node")
    need(node and PROGRAM.exists(), "ccusage (build/tools)")
    tool = script.tool("Bash", {"command": "echo x"}) + script.then(script.say("done"))
    for model in ("haiku", "opus"):
        ran = house.openclaude("-p", tool, "--model", model, "--allowedTools", "Bash(echo:*)")
        assert ran == (0, "done\n", "")
    time.sleep(5 * GATHER_S)

    told = house.run((str(node), PROGRAM, "daily", "--json", "--offline"), house.environment())

    found: dict[str, Any] = {}
    for day in json.loads(told.out)["daily"]:
        found |= {one["modelName"]: one for one in day["modelBreakdowns"]}
    usage = (house.program, "usage", "--by", "model", "--json")
    rows = {
        one["model"]: one for one in house.run(usage, house.environment()).json()["data"]["rows"]
    }
    assert {*found} == {QWEN, "claude-opus-5-5"}
    for name, one in found.items():
        assert (name, one["inputTokens"]) == (name, rows[name]["input_tokens"])
        assert (name, one["outputTokens"]) == (name, rows[name]["output_tokens"])
