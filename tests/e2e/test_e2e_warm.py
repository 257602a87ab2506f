"""What LiteLLM still imports at the first requests: almost nothing, or they would wait."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import House, login_headers, question
from tests.e2e.instances import MAIN_KEY, instances, plan_of

FEW = 5  # standard library modules by which Pythons differ
ROUTES = ("claude-opus-5-5", "openclaude-haiku")

# An application around another one, which reports the imported modules.
COUNTING = """
import importlib
import json
import os
import sys


def app():
    module, _, attribute = os.environ["WRAPPED"].partition(":")
    counted = getattr(importlib.import_module(module), attribute)()

    async def count(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/modules":
            body = json.dumps(sorted(sys.modules)).encode()
            head = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": body})
        else:
            await counted(scope, receive, send)

    return count
"""


def modules(port: int) -> dict[str, set[str]]:
    """Return the modules of each instance; main is on that port."""
    return {"main": modules_of(port), "providers": modules_of(port + 1)}


def modules_of(port: int) -> set[str]:
    """Return the modules that the instance on a port has imported."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("GET", "/modules")
        return set(json.loads(line.getresponse().read()))
    finally:
        line.close()


def test_the_first_requests_import_next_to_nothing(
    empty_house: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    tmp_path: Path,
) -> None:
    with instances(
        plan_of(empty_house),
        tmp_path,
        empty_house.environment(),
        modules={"counting": COUNTING},
        application="counting:app",
    ) as port:
        headers = raw.with_key(login_headers(empty_house.canaries.oauth), MAIN_KEY)
        before = modules(port)
        for route in ROUTES:
            for stream in (False, True):
                told = raw.ask(port, headers, question("hi", model=route, stream=stream))
                assert told.status == 200, told.body
        after = modules(port)

    late = {name: sorted(after[name] - before[name]) for name in before}
    print(f"imported late: {late}")
    for imported in late.values():
        assert not [module for module in imported if module.startswith("litellm")]
        assert len(imported) < FEW
