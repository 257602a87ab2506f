"""A stand-in that answers every request with the same bytes, and a providers instance for it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from openclaude.standins.bedrock.standin import EXAMPLE_KEY_ID, EXAMPLE_SECRET
from tests.process.test_providers_instance import FLAGS, REPOSITORY, START_TIMEOUT_S, Answer

KEY = "sk-providers-0123456789abcdef0123456789abcdef"
MOST_CRASHES = 3
QUIRKS = REPOSITORY / "tests/data/quirks"


class Replay(socketserver.ThreadingTCPServer):
    """Answers with `reply`: a whole HTTP response, whose body is sent in pieces of `cut` bytes.

    A request in which `refuses` is found gets `refusal` instead.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Replayed)
        self.reply = b""
        self.refuses: re.Pattern[bytes] | None = None
        self.refusal = b""
        self.cut = 1 << 20
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Replayed(socketserver.StreamRequestHandler):
    """One connection, with one request."""

    server: Replay

    def handle(self) -> None:
        length = 0
        while (line := self.rfile.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not line:
            return
        asked = self.rfile.read(length)
        self.server.requests.append(asked)
        refuses = self.server.refuses
        is_refused = refuses is not None and refuses.search(asked)
        reply = self.server.refusal if is_refused else self.server.reply
        head, _, body = reply.partition(b"\r\n\r\n")
        head = re.sub(rb"^(HTTP/1.1 \d+)\r", rb"\1 X\r", head)
        self.wfile.write(head + b"\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n")
        for start in range(0, len(body), self.server.cut):
            piece = body[start : start + self.server.cut]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


# How each provider is reached: LiteLLM's model name, and the path of its API
SERVED = {
    "openai": ("openai/m", "/v1"),
    "responses": ("openai/gpt-5-codex", "/v1"),
    "openrouter": ("openrouter/v/m", "/api/v1"),
    "mistral": ("mistral/m", "/v1"),
    "hosted_vllm": ("hosted_vllm/m", "/v1"),
    "gemini": ("gemini/gemini-2.5-pro", "/v1beta"),
    "ollama": ("ollama_chat/m", ""),
    "bedrock": ("bedrock/converse/qwen.qwen3-next-80b-a3b", ""),
    "invoke": ("bedrock/invoke/us.anthropic.claude-haiku-5-5", ""),
    "anthropic": ("anthropic/m", "/api/anthropic"),
}
AT_BEDROCK = ("bedrock", "invoke")


LIKE_OPENAI = ("openai", "openrouter", "mistral", "hosted_vllm")


def slots(name: str) -> tuple[str, ...]:
    """Return the providers from which a file's reply can come."""
    raw = (QUIRKS / f"{name}.upstream-reply").read_bytes()
    if b"amazon.eventstream" in raw or b"x-amzn-errortype" in raw:
        return ("bedrock",)
    if b'"candidates"' in raw:
        return ("gemini",)
    if b"x-ndjson" in raw:
        return ("ollama",)
    if b"message_start" in raw:
        return ("anthropic",)
    if raw.startswith(b"HTTP/1.1 4"):
        return tuple(slot for slot in SERVED if slot not in AT_BEDROCK)
    return LIKE_OPENAI


def deployment(name: str, url: str) -> dict[str, Any]:
    """Return one model, as the compiler writes it."""
    model, path = SERVED[name]
    params: dict[str, Any] = {"model": model, "max_retries": 0}
    if name in AT_BEDROCK:
        params |= {
            "aws_profile_name": "work",
            "aws_region_name": "us-west-2",
            "aws_bedrock_runtime_endpoint": url,
        }
    else:
        params |= {"api_base": url + path, "api_key": "os.environ/OPENCLAUDE_SECRET_HAIKU"}
    if name not in {"anthropic", *AT_BEDROCK}:
        params["allowed_openai_params"] = ["tools"]
    return {"model_name": name, "litellm_params": params, "model_info": {"max_output_tokens": 8000}}


def write_home(folder: Path, url: str) -> dict[str, str]:
    """Write the instance's files; return its whole environment."""
    aws = folder / ".aws"
    aws.mkdir()
    aws.joinpath("config").write_text("[profile work]\nregion = us-west-2\n")
    aws.joinpath("credentials").write_text(
        f"[work]\naws_access_key_id = {EXAMPLE_KEY_ID}\n"
        f"aws_secret_access_key = {EXAMPLE_SECRET.secret_key}\n"
    )
    config = {
        "model_list": [deployment(name, url) for name in SERVED],
        "litellm_settings": {
            "drop_params": True,
            "modify_params": False,
            "request_timeout": 600,
            "disable_streaming_logging": True,
            "use_chat_completions_url_for_anthropic_messages": True,
            "callbacks": ["openclaude.gateway.guard.handler"],
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "disable_model_info_refresh": True,
        },
    }
    path = folder / "providers.yaml"
    path.write_text(yaml.safe_dump(config))
    return {
        **FLAGS,
        "HOME": str(folder),
        "PATH": os.defpath,
        "PYTHONPATH": str(REPOSITORY),
        "CONFIG_FILE_PATH": str(path),
        "LITELLM_MASTER_KEY": KEY,
        "OPENCLAUDE_SECRET_HAIKU": "sk-of-the-provider",
        "OPENCLAUDE_AWS_PROFILE": "work",
    }


class Replayer:
    """A running instance, and the provider behind it."""

    def __init__(self, port: int, replay: Replay, log: Path) -> None:
        self.port = port
        self.replay = replay
        self.log = log

    def ask(self, slot: str, reply: bytes, **more: Any) -> Answer:
        """Return the instance's answer if the provider answers with these bytes."""
        self.replay.reply = reply
        body = {**json.loads((QUIRKS / "request.json").read_text()), "model": slot, **more}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
        }
        with contextlib.closing(connection):
            connection.request("POST", "/v1/messages", json.dumps(body), headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())


def wait_started(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the instance serves; return its log if it ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if "Uvicorn running" in log.read_text():
            return
        time.sleep(0.1)
    pytest.fail(log.read_text())


@contextlib.contextmanager
def kept_running(start: Callable[[], subprocess.Popen[bytes]], log: Path) -> Iterator[None]:
    """An instance that is started again when it ends by itself, as a supervisor does.

    So a crash (LiteLLM has compiled parts) fails the test in which it happens, and is told at the
    end, instead of failing every test after it.
    """
    crashes: list[int] = []
    is_ending = threading.Event()
    process = start()
    wait_started(process, log)

    def watch() -> None:
        nonlocal process
        while len(crashes) < MOST_CRASHES:
            status = process.wait()
            if is_ending.is_set():
                return
            crashes.append(status)
            process = start()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        is_ending.set()
        process.terminate()
        watcher.join(60)
    assert not crashes, f"the instance ended by itself, with {crashes}; see {log}"


@contextlib.contextmanager
def replayer(
    folder: Path,
    *,
    app: str = "openclaude.gateway.providers:app",
    env: Mapping[str, str] | None = None,
) -> Iterator[Replayer]:
    """A providers instance whose every model is served by one Replay."""
    log = folder / "log"
    with contextlib.ExitStack() as stack:
        replay = stack.enter_context(Replay())
        threading.Thread(target=replay.serve_forever, daemon=True).start()
        stack.callback(replay.shutdown)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        output = stack.enter_context(log.open("wb"))
        command = (sys.executable, "-m", "uvicorn", "--no-access-log", "--factory")

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                (*command, "--fd", str(listener.fileno()), app),
                cwd=folder,
                env={**write_home(folder, replay.url), **(env or {})},
                pass_fds=(listener.fileno(),),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

        with kept_running(start, log):
            yield Replayer(listener.getsockname()[1], replay, log)
