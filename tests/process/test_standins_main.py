"""The stand-ins as processes of their own."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

Start = Callable[..., tuple["subprocess.Popen[bytes]", dict[str, Any]]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a stand-in; return the process and the line it prints."""
    processes: list[subprocess.Popen[bytes]] = []

    def run(*argv: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.standins", *argv],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true"},
        )
        processes.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        with process:  # closes the pipes and waits
            pass


def post(address: dict[str, Any], path: str, body: bytes, headers: dict[str, str]) -> Any:
    line = http.client.HTTPConnection("127.0.0.1", address["port"], timeout=60)
    line.request("POST", path, body, headers)
    document = json.loads(line.getresponse().read())
    line.close()
    return document


def recorded(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_anthropic_answers_records_and_ends_on_sigterm(start: Start, tmp_path: Path) -> None:
    process, address = start("anthropic", "--record", str(tmp_path / "seen"))
    body = (
        b'{"model": "claude-x", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}'
    )
    headers = {"X-Api-Key": "k", "anthropic-version": "2023-06-01"}

    answer = post(address, "/v1/messages?beta=true", body, headers)

    assert address == {
        "name": "anthropic",
        "url": f"http://127.0.0.1:{address['port']}",
        "port": address["port"],
    }
    assert answer["content"][0]["text"] == "anthropic stand-in: claude-x"
    (seen,) = recorded(tmp_path / "seen")
    assert (seen["method"], seen["target"]) == ("POST", "/v1/messages?beta=true")
    assert ["X-Api-Key", "k"] in seen["headers"]
    assert base64.b64decode(seen["body"]) == body
    assert seen["at"] > 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_bedrock_records_its_judgement_and_ends_with_its_parent(
    start: Start, tmp_path: Path
) -> None:
    process, address = start("bedrock", "--record", str(tmp_path / "seen"), "--parent-pipe")

    answer = post(address, "/model/openai.gpt-oss-120b-1%3A0/converse", b"{}", {})

    assert answer == {"message": "Missing Authentication Token"}
    (seen,) = recorded(tmp_path / "seen")
    assert (seen["operation"], seen["model_id"]) == ("Converse", "openai.gpt-oss-120b-1:0")
    assert (seen["signed_by"], seen["region"]) == (None, "")
    assert seen["problems"] == ["MissingAuthenticationTokenException: Missing Authentication Token"]
    assert process.poll() is None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0


def test_a_setup_file_says_who_is_admitted(start: Start, tmp_path: Path) -> None:
    setup = tmp_path / "setup.json"
    setup.write_text(json.dumps({"credentials": ["right"], "utilization": 0.5}))
    _, address = start("anthropic", "--setup", str(setup))

    answer = post(address, "/v1/messages", b"{}", {"x-api-key": "wrong"})

    assert answer["error"]["message"] == "invalid x-api-key"


def test_a_setup_file_says_what_bedrock_has(start: Start, tmp_path: Path) -> None:
    setup = tmp_path / "setup.json"
    document = {
        "credentials": {"AKIAX": {"secret_key": "s", "session_token": "t"}},
        "models": {"a.b": {"max_output_tokens": 1}},
        "region": "us-east-1",
    }
    setup.write_text(json.dumps(document))

    _, address = start("bedrock", "--setup", str(setup), "--port", "0")

    assert (
        post(address, "/model/a.b/converse", b"{}", {})["message"] == "Missing Authentication Token"
    )


def test_the_parent_may_stay_silent_without_the_flag(start: Start) -> None:
    process, _ = start("anthropic")
    assert process.stdin is not None

    process.stdin.close()

    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


@pytest.mark.parametrize("name", ["openai", "gemini", "ollama"])
def test_a_setup_file_says_what_the_others_have(start: Start, tmp_path: Path, name: str) -> None:
    setup = tmp_path / "setup.json"
    document: dict[str, Any] = {"models": {"x": {"max_output_tokens": 1}}}
    setup.write_text(json.dumps(document | ({} if name == "ollama" else {"key": "k"})))
    _, address = start(name, "--setup", str(setup), "--record", str(tmp_path / "seen"))
    path = {"openai": "/v1/chat/completions", "gemini": "/v1/models/y:generateContent"}
    headers = {"authorization": "Bearer k", "x-goog-api-key": "k"}
    body = json.dumps({"model": "y", "messages": []}).encode()

    answer = post(address, path.get(name, "/api/chat"), body, headers)

    (seen,) = recorded(tmp_path / "seen")
    assert "y" in str(answer["error"])
    assert seen["problems"] != []
