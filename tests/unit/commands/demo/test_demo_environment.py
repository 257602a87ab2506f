"""How the demo's claude is run: as users run it, and unable to reach any server."""

from __future__ import annotations

from pathlib import Path

from openclaude.commands.demo.command import demo_environment
from openclaude.commands.demo.verdict import Canaries
from openclaude.compile.litellm_configs import NETWORK

NOWHERE = "http://127.0.0.1:9"
CANARIES = Canaries(token="token", key_id="id", secret="secret")


def test_claude_behaves_as_usual_and_what_it_asks_elsewhere_goes_to_a_proxy() -> None:
    env = {"PATH": "/bin", "HTTPS_PROXY": "http://proxy", "CLAUDE_CODE_USE_BEDROCK": "1"}

    found = demo_environment(Path("/home/x"), env, CANARIES, "", NOWHERE)

    assert [name for name in found if name.startswith("CLAUDE")] == ["CLAUDE_CODE_OAUTH_TOKEN"]
    assert {name: value for name, value in found.items() if "proxy" in name.lower()} == {
        "HTTP_PROXY": NOWHERE
    }
    assert "HTTP_PROXY" not in NETWORK  # no instance asks that proxy
