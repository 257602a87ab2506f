"""Another model under an open session: `openclaude switch`, with the real claude."""

from __future__ import annotations

import json

from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import PROFILE, House
from tests.e2e.session import session
from tests.process.world import until

QWEN, GLM = "qwen.qwen3-next-80b-a3b", "us.zai.glm-5.3"


def served(bedrock: BedrockStandin) -> list[str]:
    """Return the models that were asked since the last time."""
    found = [str(request.model_id) for request in bedrock.requests]
    bedrock.clear()
    return found


def told(house: House) -> int:
    """Return how many answers say that another model answers: a block before the answer's own."""
    lines = [
        json.loads(line)
        for path in (house.home / ".claude/projects").rglob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    said = [json.dumps(line["message"]) for line in lines if line.get("type") == "assistant"]
    return sum("[haiku is answered by " in one for one in said)


def test_a_session_goes_on_with_another_model_is_told_once_and_goes_back(
    house: House, bedrock: BedrockStandin
) -> None:
    with session(house, "haiku") as claude:
        claude.ask(script.say("one"))
        claude.answer()
        assert GLM not in served(bedrock)
        before = house.pids()

        ran = house.command("switch", f"haiku=bedrock/{GLM}")

        assert (ran.code, ran.err) == (0, "")
        assert f"{PROFILE}: haiku: now bedrock/{GLM} in us-west-2, was bedrock/{QWEN}" in ran.out
        claude.ask(script.say("two"))
        assert claude.answer().endswith("two")
        assert served(bedrock)[-1] == GLM
        until(lambda: told(house) == 1)
        claude.ask(script.say("three"))
        claude.answer()
        assert told(house) == 1  # once in a session
        status = house.status()
        assert status["switched"] == [{"tier": "haiku", "model": f"bedrock/{GLM}"}]
        assert status["pid"] == before["supervisor"]

        # a launch that joins finds the same, and reloads nothing
        assert house.openclaude("-p", script.say("four"), "--model", "haiku").code == 0
        assert served(bedrock)[-1] == GLM
        assert house.status()["switched"]

        for wrong in ("haiku=bedrock/zai.glmm-5.3", "haiko=claude", "haiku=openai/gpt-5.6-luna"):
            refused = house.command("switch", wrong)
            assert refused.code != 0, refused
        assert house.status()["switched"] == [{"tier": "haiku", "model": f"bedrock/{GLM}"}]

        back = house.command("switch", "--undo")
        assert f"now bedrock/{QWEN}" in back.out
        claude.ask(script.say("five"))
        claude.answer()
        until(lambda: told(house) == 2)
        assert QWEN in served(bedrock)[-1]

        saved = house.command("switch", f"haiku=bedrock/{GLM}", "--save")
        assert saved.code == 0, saved
        assert house.status()["switched"] == []
        profile = house.home / f".config/openclaude/profiles/{PROFILE}.toml"
        assert GLM in profile.read_text()
    house.command("stop")
    profile.write_text("".join(profile.read_text().partition("[tiers]")[:1]))


def test_nothing_is_switched_where_nothing_runs(house: House) -> None:
    house.command("stop")

    ran = house.command("switch", f"haiku=bedrock/{GLM}", "--json")

    assert ran.code == 1
    assert "openclaude start" in ran.json()["errors"][0]["hint"]
    assert not (house.folder / "switch.toml").exists()
