"""Settings files of claude's that nobody would write: a launch comes of them, or a reason.

A repository brings some of them along, so they are foreign text.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaude.claude.launch import Launch, build_launch
from openclaude.claude.settings import look_at_launch
from openclaude.errors import OpenclaudeError
from tests.unit.claude.test_claude_launch import PLAN
from tests.unit.gateway.replies.test_fuzz import changed

EXAMPLES = int(os.environ.get("OPENCLAUDE_FUZZ", "0")) // 20 or 200
SETTINGS: dict[str, Any] = {
    "env": {
        "ANTHROPIC_CUSTOM_HEADERS": "x-corp: 1\nx-other: 2",
        "NO_PROXY": "corp.example",
        "NODE_EXTRA_CA_CERTS": "/etc/corp.pem",
    },
    "modelPicker": {"options": [{"model": "opus", "label": "Opus"}, {"model": "other"}]},
    "permissions": {"allow": ["Bash(ls:*)"]},
    "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command"}]}]},
    "apiKeyHelper": "",
    "model": "opus",
}
MOVED = PLAN._replace(agents={"Explore": {"description": "d", "prompt": "p", "model": "haiku"}})
STATE = {"projects": {"/": {"hasTrustDialogAccepted": True}}}
AGENTS = {"reviewer": {"description": "d", "prompt": "p"}}
DEEP = "[" * 100_000
PLACES = ("project/.claude/settings.json", "project/.claude/settings.local.json")
FILES = (*PLACES, ".claude/settings.json", ".claude.json")
seeds = st.integers(0, 2**32 - 1)
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def launched(home: Path, arguments: tuple[str, ...] = ()) -> Launch | None:
    """Return the launch, or None where it is refused; anything else raised fails the test."""
    env = {"HOME": str(home), "CLAUDE_CODE_MANAGED_SETTINGS_PATH": str(home / "managed.json")}
    try:
        facts = look_at_launch(arguments, "/usr/bin/claude", env, home, home / "project")
        return build_launch(MOVED, facts, url="https://127.0.0.1:4000", key="sk-k1")
    except OpenclaudeError:
        return None


def is_whole(made: Launch | None) -> bool:
    """Tell whether a launch can be made: its settings can be written, and say where main is."""
    if made is None:
        return True
    env = made.settings["env"]
    return (
        bool(json.dumps(made.settings))
        and env["ANTHROPIC_BASE_URL"] == "https://127.0.0.1:4000"
        and env["ANTHROPIC_CUSTOM_HEADERS"].endswith("x-litellm-api-key: Bearer sk-k1")
        and all(isinstance(value, str) for value in env.values())
        and all(isinstance(part, str) for part in made.argv)
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A HOME and a project with settings files to be written."""
    for name in (*FILES, "managed.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    return tmp_path


@fuzzed
@given(seed=seeds)
def test_a_launch_comes_of_any_settings_or_a_reason(home: Path, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    for name in FILES:
        document: Any = STATE if name == ".claude.json" else SETTINGS
        for _ in range(random_.randrange(4)):
            document = changed(document, random_)
        (home / name).write_text(json.dumps(document))
    own = json.dumps(changed(SETTINGS, random_))
    agents = json.dumps(changed(AGENTS, random_))

    made = launched(home, random_.choice([(), ("--settings", own), ("--agents", agents), ("-p",)]))

    assert is_whole(made)


@fuzzed
@given(raw=st.binary(max_size=300), name=st.sampled_from(FILES))
def test_a_launch_comes_of_any_bytes_in_a_settings_file(home: Path, raw: bytes, name: str) -> None:
    for one in FILES:
        (home / one).unlink(missing_ok=True)
    (home / name).write_bytes(raw)

    assert is_whole(launched(home))


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000, "9" * 5000, '{"env": ' + DEEP])
@pytest.mark.parametrize("flag", ["--settings", "--agents", ""])
def test_a_launch_comes_of_what_is_nested_without_end(home: Path, text: str, flag: str) -> None:
    for name in FILES:
        (home / name).write_text(text)

    assert is_whole(launched(home, (flag, text) if flag else ()))
