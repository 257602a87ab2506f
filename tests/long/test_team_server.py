"""The end of `openclaude serve`: what was asked is answered, and nothing more is accepted."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.conftest import Build
from tests.e2e.serving import serving

MODEL = "bedrock/qwen.qwen3-next-80b-a3b"
SLOW = script.wait(3)


def test_a_stream_under_way_is_whole_after_a_sigterm_and_another_request_is_refused(
    build_house: Build, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    with build_house("ending") as house, serving(house, tmp_path) as server:
        key = server.add("ann")
        server.start()
        headers = {"x-litellm-api-key": f"Bearer {key}", "content-type": "application/json"}
        messages = [{"role": "user", "content": SLOW}]
        body = json.dumps(
            {"model": MODEL, "max_tokens": 100, "stream": True, "messages": messages}
        ).encode()
        answers: list[tuple[int, str]] = []
        asking = threading.Thread(
            target=lambda: answers.append(server.ask("POST", "/v1/messages", body, headers))
        )
        asking.start()
        assert bedrock.wait_until(lambda standin: len(standin.requests) == 1)
        assert server.process
        server.process.terminate()
        time.sleep(0.5)
        assert server.process.poll() is None

        asking.join(30)
        status = server.process.wait(30)

        ((code, said),) = answers
        assert code == 200
        assert "message_stop" in said
        assert status == -signal.SIGTERM
        try:
            server.get("/health/liveness", timeout_s=5)
        except ConnectionRefusedError:
            return
        raise AssertionError("it still accepts")


def test_one_that_drains_says_so_takes_the_last_requests_and_gives_streams_their_grace(
    build_house: Build, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    with build_house("draining") as house, serving(house, tmp_path) as server:
        key = server.add("ann")
        server.start(more=("--drain", "4", "--grace", "30"))
        headers = {"x-litellm-api-key": f"Bearer {key}", "content-type": "application/json"}

        def body(text: str) -> bytes:
            messages = [{"role": "user", "content": text}]
            asked: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "stream": True}
            return json.dumps({**asked, "messages": messages}).encode()

        answers: list[tuple[int, str]] = []
        late = script.wait(15)  # longer than the grace that is usual
        asking = threading.Thread(
            target=lambda: answers.append(
                server.ask("POST", "/v1/messages", body(late), headers, timeout_s=60)
            )
        )
        asking.start()
        assert bedrock.wait_until(lambda standin: len(standin.requests) == 1)
        assert server.process
        server.process.terminate()
        time.sleep(1)

        assert server.get("/health/readiness", timeout_s=5)[0] == 503
        assert server.get("/health/liveness", timeout_s=5)[0] == 200
        code, said = server.ask("POST", "/v1/messages", body("hi"), headers)
        assert (code, "message_stop" in said) == (200, True)
        asking.join(60)
        ((code, said),) = answers
        assert (code, "message_stop" in said) == (200, True)
        assert server.process.wait(30) == -signal.SIGTERM
