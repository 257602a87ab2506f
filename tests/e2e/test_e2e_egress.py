"""Which servers the instances contact: the profile's, never one that a reply or request names."""

from __future__ import annotations

import http.client
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from openclaude.compile.compiler import compile_plan
from openclaude.models.catalog import Catalog
from openclaude.paths import find_places
from openclaude.profile.library import Library
from tests.e2e.house import House
from tests.e2e.instances import MAIN_KEY, instances
from tests.process.conftest import free_pair

KEYS = {
    name: f"sk-CANARY-{name}-{'0' * 20}"
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "MINE_KEY")
}
WORDS = "CANARY-of-the-conversation"
PROFILE = """
schema = 1

[tiers.haiku]
model = "openai/gpt-4.1-mini"
api_base = "{url}/v1"
api_key = "env:OPENAI_API_KEY"

[tiers.sonnet]
model = "gemini/gemini-2.5-flash"
api_base = "{url}"
api_key = "env:GEMINI_API_KEY"

[tiers.fable]
model = "anthropic/claude-of-mine"
api_base = "{url}"
api_key = "env:MINE_KEY"
context_window = 200000
max_output_tokens = 8000

[anthropic]
auth = "api-key"
base_url = "{url}"

[listen]
port = {port}
"""


# a second profile, for the clouds whose key is not in an authorization header
CLOUDS = """
schema = 1

[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"

[tiers.sonnet]
model = "azure/gpt-4.1"
api_base = "{url}"
api_key = "env:MINE_KEY"
context_window = 200000
max_output_tokens = 8000
params = {{ api_version = "2025-01-01-preview" }}

[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{url}"

[listen]
port = {port}
"""
AWS_KEYS = """
[openclaude]
aws_access_key_id = AKIACANARY0000000000
aws_secret_access_key = CANARY-of-aws
aws_session_token = CANARY-of-the-session
"""


class Answering(NamedTuple):
    """A server that redirects every request, and the requests to its target."""

    url: str
    target: str
    status: list[int]
    heard: list[bytes]
    asked: list[bytes]  # headers that the one that redirects was sent


@pytest.fixture(scope="module")
def redirecting() -> Iterator[Answering]:
    """Start both, on two ports: another origin."""
    heard: list[bytes] = []
    asked: list[bytes] = []
    status = [307]

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Log nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if self.server.server_address == target.server_address:
                heard.append(str(self.headers).encode() + body)
                self.send_response(200)
            else:
                asked.append(str(self.headers).encode())
                self.send_response(status[0])
                self.send_header("location", f"http://127.0.0.1:{target.server_port}{self.path}")
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name is http.server's

    target = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    first = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    for server in (target, first):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Answering(
        f"http://127.0.0.1:{first.server_port}",
        f"127.0.0.1:{target.server_port}",
        status,
        heard,
        asked,
    )
    for server in (target, first):
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def port(redirecting: Answering, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of main, for a profile in which every provider redirects."""
    yield from served(PROFILE, redirecting, tmp_path_factory)


@pytest.fixture(scope="module")
def clouds(redirecting: Answering, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The same for the second profile."""
    yield from served(CLOUDS, redirecting, tmp_path_factory)


def served(
    profile_text: str, redirecting: Answering, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Start both instances of a profile; the port of main."""
    home = tmp_path_factory.mktemp("home")
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(AWS_KEYS)
    (home / ".netrc").write_text("default login me password CANARY-of-netrc\n")
    (home / ".netrc").chmod(0o600)
    places = find_places({"HOME": str(home)})
    places.profiles.mkdir(parents=True)
    text = profile_text.format(url=redirecting.url, port=free_pair())
    (places.profiles / "there.toml").write_text(text)
    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    profile = library.load("there", env={}).profile
    plan = compile_plan("there", profile, catalog.find, made_by="tests")
    with instances(plan, tmp_path_factory.mktemp("stack"), {"HOME": str(home), **KEYS}) as found:
        yield found


def ask(port: int, model: str, path: str = "/v1/messages", **more: Any) -> tuple[int, str]:
    """Return the status and the message of a reply."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    body = {
        "model": model,
        "max_tokens": 10,
        "messages": [{"role": "user", "content": WORDS}],
        **more,
    }
    headers = {"x-litellm-api-key": MAIN_KEY, "content-type": "application/json"}
    line.request("POST", path, json.dumps(body), headers)
    reply = line.getresponse()
    found = reply.status, reply.read().decode()
    line.close()
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("tier", ["opus", "haiku", "sonnet", "fable"])
def test_no_redirect_is_followed_and_each_is_told(
    port: int, redirecting: Answering, tier: str, status: int, stream: bool
) -> None:
    redirecting.status[0] = status
    model = "claude-opus-5-5" if tier == "opus" else f"openclaude-{tier}"

    told, words = ask(port, model, stream=stream)

    assert redirecting.heard == []
    assert told == 424, words
    sentence = json.loads(words)["error"]["message"]
    # LiteLLM redacts addresses in its message for a stream of Gemini's
    told_of = sentence.replace("REDACTED", "127.0.0.1")
    assert f"redirects to {redirecting.target} (HTTP {status}), which is not followed" in told_of
    assert not any(key in words for key in (*KEYS.values(), WORDS))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("tier", ["haiku", "sonnet"])
def test_launch_18_no_clouds_redirect_gets_a_key_or_a_token(
    clouds: int, redirecting: Answering, tier: str, status: int, stream: bool
) -> None:
    redirecting.status[0] = status

    told, words = ask(clouds, f"openclaude-{tier}", stream=stream)

    assert redirecting.heard == []
    assert told == 424, words
    assert f"redirects to {redirecting.target} (HTTP {status})" in words
    assert "CANARY" not in words


@pytest.mark.variants
def test_launch_18_the_real_claude_shows_the_redirect_that_nobody_follows(
    empty_house: House, redirecting: Answering
) -> None:
    """With a plan's login and an AWS key; each lane in the way of claude's own requests."""
    redirecting.status[0] = 307
    empty_house.write_profile(
        "house",
        anthropic_url=redirecting.url,
        bedrock_url=redirecting.url,
        more=f"[listen]\nport = {free_pair()}\n",
    )

    for model in ("opus", "haiku"):
        done = empty_house.openclaude("-p", WORDS, "--model", model)

        assert done.code == 1, done
        assert f"redirects to {redirecting.target} (HTTP 307), which is not followed" in done.out
        assert "CANARY" not in done.err + done.out.replace(WORDS, "")
    assert redirecting.heard == []


def test_no_password_of_netrc_is_sent(port: int, redirecting: Answering) -> None:
    """Gemini's key is in a header of its own: HTTP clients fill the free one from ~/.netrc."""
    redirecting.status[0] = 307
    redirecting.asked.clear()

    for model in ("claude-opus-5-5", "openclaude-haiku", "openclaude-sonnet", "openclaude-fable"):
        ask(port, model)

    assert len(redirecting.asked) >= 4
    assert [one for one in redirecting.asked if b"Basic " in one] == []


def test_no_image_is_fetched_to_count_it(port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/image.png"
        image = {"type": "image_url", "image_url": {"url": address, "detail": "high"}}
        messages = [{"role": "user", "content": [image]}]

        status, words = ask(
            port, "openclaude-haiku", "/v1/messages/count_tokens", messages=messages
        )

        with pytest.raises(BlockingIOError):
            listener.accept()
    assert status == 200, words
    assert json.loads(words)["input_tokens"] > 0
