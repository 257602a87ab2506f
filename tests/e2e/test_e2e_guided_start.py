"""The guided start: `openclaude` alone, on a terminal, where nothing is set up yet."""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from openclaude.errors import LAUNCH_FAILED
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import need
from tests.e2e.house import House
from tests.e2e.terminal import Terminal

INTERRUPTED = 130
CLAUDE_PROMPT = r"❯[^\n]*\n─"


class LocalServer(http.server.BaseHTTPRequestHandler):
    """A server on this machine that speaks OpenAI's language, as vLLM does."""

    asked: ClassVar[list[dict[str, Any]]] = []
    may_answer: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        """List the one model."""
        assert self.path == "/v1/models"
        self.say({"object": "list", "data": [{"id": "house-model", "max_model_len": 70_000}]})

    def do_POST(self) -> None:
        """Answer a chat."""
        assert self.path == "/v1/chat/completions"
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(asked)
        self.may_answer.wait(60)
        message = {"role": "assistant", "content": "Hello from this very machine"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
        self.say({"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage})

    def say(self, document: dict[str, Any]) -> None:
        """Send one document."""
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def fresh(empty_house: House) -> House:
    """A house whose user has AWS keys under another name, and nothing of openclaude's."""
    house = empty_house
    shutil.rmtree(house.home / ".config")
    keys = house.home / ".aws/credentials"
    keys.write_text(keys.read_text().replace("[openclaude]", "[work]"))
    return house


@contextlib.contextmanager
def guided(
    house: House, folder: Path, size: tuple[int, int], *arguments: str
) -> Iterator[Terminal]:
    """Type `openclaude` on a terminal of this size."""
    need(shutil.which("tmux"), "tmux")
    environment = house.environment({"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": house.bedrock_url})
    folder.mkdir(exist_ok=True)
    argv: tuple[str | Path, ...] = (house.program, *arguments)
    with Terminal(argv, environment, house.project, folder / "tmux", size=size) as terminal:
        terminal.wait_for("What do you want")
        yield terminal


def press(terminal: Terminal, *keys: tuple[str, str]) -> int:
    """Press each key once its question is there; return how many keys that were."""
    for question, key in keys:
        terminal.wait_for(question)
        terminal.press(key)
    return len(keys)


def test_a_plan_and_a_cheap_model_are_a_few_keys_away_from_the_first_answer(
    fresh: House, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    with guided(fresh, tmp_path, (80, 24)) as terminal:
        assert "work" in terminal.screen()
        keys = press(
            terminal,
            ("What do you want", "Enter"),
            (r"Which model.*\n.*qwen3-next-80b", "Enter"),
            ("Which AWS profile.*\n.*work", "Enter"),
            ("Which region.*us-west-2", "Enter"),
            ("Write this as the profile `mine`", "Enter"),
            ("Ask haiku one short question", "Enter"),
            (r"haiku says: .*\n.*tokens in", "Enter"),
        )
        assert keys < 20
        terminal.wait_for(CLAUDE_PROMPT)

    assert [one.model_id for one in bedrock.requests] == ["qwen.qwen3-next-80b-a3b"]
    written = (fresh.home / ".config/openclaude/profiles/mine.toml").read_text()
    assert 'extends = "base"' in written
    assert 'profile = "work"' in written
    assert (fresh.home / ".config/openclaude/default").read_text() == "mine\n"


@pytest.mark.variants
def test_everything_on_bedrock_and_a_model_of_this_machine(
    fresh: House, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    with guided(fresh, tmp_path, (60, 24)) as terminal:
        press(
            terminal,
            ("What do you want", "Down"),
            ("» Everything on AWS", "Enter"),
            ("Which AWS profile", "Enter"),
            ("Which region", "Enter"),
            ("Write this as the profile `mine`", "Enter"),
            ("Ask haiku", "Enter"),
            ("haiku says", "n"),
        )
        terminal.wait_for("start it any time with `openclaude`")
    assert "claude-haiku-5-5" in bedrock.requests[-1].model_id

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), LocalServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with server, guided(fresh, tmp_path / "again", (60, 24), "setup", "--guided") as terminal:
        press(
            terminal,
            ("What do you want", "Down"),
            ("» Everything on AWS", "Down"),
            ("» Keep my plan, with a model on", "Enter"),
            ("Which model.*\n.*house-model", "Enter"),
            ("Write this as the profile `mine-2`", "Enter"),
            ("Ask haiku", "Enter"),
        )
        terminal.wait_for(r"asking haiku \(\d s\)")
        LocalServer.may_answer.set()
        press(terminal, ("haiku says: Hello from this very machine", "n"))
        terminal.wait_for("start it any time with `openclaude`")
        server.shutdown()
    assert LocalServer.asked[-1]["model"] == "house-model"
    written = (fresh.home / ".config/openclaude/profiles/mine-2.toml").read_text()
    assert "context_window = 70000" in written


@pytest.mark.variants
def test_a_demo_is_one_key_away_and_ctrl_c_leaves_everything_as_it_was(
    fresh: House, tmp_path: Path
) -> None:
    with guided(fresh, tmp_path, (80, 24)) as terminal:
        press(
            terminal,
            ("What do you want", "Enter"),
            ("Which model", "Enter"),
            ("Which AWS profile", "C-c"),
        )
        assert terminal.exit_status() == INTERRUPTED
    assert not (fresh.home / ".config/openclaude").exists()

    with guided(fresh, tmp_path / "again", (80, 24)) as terminal:
        press(terminal, ("What do you want", "Up"), ("» Just look", "Enter"))
        terminal.wait_for("To set something up", timeout_s=120)
    assert not (fresh.home / ".config/openclaude").exists()


def test_a_key_is_asked_for_without_echo_and_kept_for_its_owner_alone(
    fresh: House, tmp_path: Path
) -> None:
    key = "sk-canary-of-a-guided-start"
    with guided(fresh, tmp_path, (80, 24)) as terminal:
        press(terminal, ("What do you want", "Enter"))
        terminal.wait_for("Which model")
        terminal.type("gpt-5.4-mini")
        terminal.wait_for("OPENAI_API_KEY .not shown")
        for letter in key:
            terminal.press(letter)
        terminal.press("Enter")
        press(terminal, ("Write this as the profile `mine`", "Enter"), ("Ask haiku", "C-c"))
        assert terminal.exit_status() == INTERRUPTED
        screen = terminal.screen()

    kept = fresh.home / ".config/openclaude/keys/openai"
    assert kept.read_text() == key + "\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert key not in screen
    profile = (fresh.home / ".config/openclaude/profiles/mine.toml").read_text()
    assert key not in profile
    assert f'api_key = "file:{kept}"' in profile


@pytest.mark.variants
@pytest.mark.parametrize("way", ["a profile that is broken", "a profile that was chosen"])
def test_a_user_who_has_set_something_up_is_told_what_is_wrong_as_ever(
    fresh: House, tmp_path: Path, way: str
) -> None:
    need(shutil.which("tmux"), "tmux")
    if way == "a profile that is broken":
        (fresh.home / ".aws/credentials").write_text("[openclaude]\naws_access_key_id = AKIA\n")
    else:
        fresh.write(".config/openclaude/default", "qwen\n")
    environment = fresh.environment()
    with Terminal((fresh.program,), environment, fresh.project, tmp_path / "tmux") as terminal:
        assert terminal.exit_status() == LAUNCH_FAILED
        screen = terminal.screen()

    assert "hint: run `openclaude aws setup" in screen
    assert "What do you want" not in screen
