"""A session on a server that is not ours: llama.cpp with a tiny model, by llama-cpp-python.

The server leaves the model's call as text, streamed token by token; main and providers make a call
of it, which the real claude runs. Then the session goes on with Claude.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.anthropic_rules import judge_request
from tests.conftest import REPOSITORY, need
from tests.e2e.conftest import Build

PYTHON = REPOSITORY / ".work/llama/bin/python"
TINY = REPOSITORY / "tests/local/tiny_model.py"
START_TIMEOUT_S = 60.0
PROFILE = "local"
TIER = """[tiers.haiku]
model = "openai/tiny"
api_base = "{url}/v1"
context_window = 65536
max_output_tokens = 512
"""
CALL = ("Bash", {"command": "echo hi"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of llama.cpp's server."""
    need(PYTHON.exists(), "llama-cpp-python (build/llama compiles it)")
    folder = tmp_path_factory.mktemp("llama")
    model = folder / "tiny.gguf"
    subprocess.run((PYTHON, TINY, model), check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    options = ("--model", model, "--n_ctx", "65536", "--host", "127.0.0.1", "--port", port)
    log = folder / "log"
    with log.open("wb") as output:
        command = (PYTHON, "-m", "llama_cpp.server", *options)
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_it_answers(url, log)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def wait_until_it_answers(url: str, log: Path) -> None:
    """Wait until the server has its model; fail with its log."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"{url}/v1/models"):  # noqa: S310
            return
        time.sleep(0.2)
    pytest.fail(log.read_text())


def blocks(lines: list[Any], kind: str) -> list[Any]:
    """The blocks of one kind in what claude has printed."""
    contents = [line["message"]["content"] for line in lines if "message" in line]
    return [
        block
        for content in contents
        if isinstance(content, list)
        for block in content
        if block["type"] == kind
    ]


def test_a_session_uses_a_tool_on_a_server_that_is_not_ours_and_goes_on_with_claude(
    build_house: Build, anthropic: AnthropicStandin, server: str
) -> None:
    # a short prompt: each of its bytes is a token
    short = ("--system-prompt", "Be brief.", "--tools", "Bash", "--allowedTools", "Bash(echo:*)")
    printed = ("--output-format", "stream-json", "--verbose")
    with build_house("local") as house:
        house.write_own_profile(PROFILE, TIER.format(url=server))
        asked = ("-p", "say hi", "--model", "haiku", *short, *printed)
        first = house.openclaude(*asked, profile=PROFILE)
        second = house.openclaude("-p", "go on", "--continue", "--model", "opus", profile=PROFILE)

    assert first.code == 0, first
    lines = [json.loads(line) for line in first.out.splitlines()]
    (use,) = blocks(lines, "tool_use")
    (result,) = blocks(lines, "tool_result")
    assert (use["name"], use["input"]) == CALL
    assert result["content"] == "hi"
    assert lines[-1]["result"] == "Done."
    assert second.code == 0, second
    (request,) = [one for one in anthropic.requests if b"go on" in one.body]
    judge_request(request.json())
