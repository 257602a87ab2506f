"""What LiteLLM still imports or makes at the first requests: almost nothing, or they would wait."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import House, login_headers, question
from tests.e2e.instances import MAIN_KEY, instances, plan_of

FEW = 5  # standard library modules by which Pythons differ
UNUSED = {"openai.types.skill", "numpy", "rich"}  # modules that no request needs
ROUTES = ("claude-opus-5-5", "openclaude-haiku")

# An application around another one, which reports the imported modules, and what was made late:
# since the application was made, and so since the instance would have been forked.
COUNTING = """
import importlib
import json
import logging
import os
import sys

made = []


class Noting(logging.Handler):
    def emit(self, record):
        made.append(record.getMessage())


def app():
    late = logging.getLogger("openclaude.late")
    late.addHandler(Noting())
    late.setLevel(logging.DEBUG)
    late.propagate = False
    module, _, attribute = os.environ["WRAPPED"].partition(":")
    counted = getattr(importlib.import_module(module), attribute)()

    async def count(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/modules":
            body = json.dumps([sorted(sys.modules), made]).encode()
            head = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": body})
        else:
            await counted(scope, receive, send)

    return count
"""
EAGER = """
import contextlib

from openclaude.gateway.late import imports


def import_all():
    imports.importing_less = contextlib.nullcontext
"""


def modules(port: int) -> dict[str, set[str]]:
    """Return the modules of each instance; main is on that port."""
    return {"main": told(port)[0], "providers": told(port + 1)[0]}


def made_late(port: int) -> dict[str, set[str]]:
    """Return what each instance has made that could have been made before it was forked."""
    return {"main": told(port)[1], "providers": told(port + 1)[1]}


def told(port: int) -> tuple[set[str], set[str]]:
    """Return the modules that the instance on a port has imported, and what it has made late."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("GET", "/modules")
        imported, made = json.loads(line.getresponse().read())
        return set(imported), set(made)
    finally:
        line.close()


@pytest.mark.parametrize(
    "prepare",
    [(), pytest.param(("eager:import_all",), marks=pytest.mark.variants)],
    ids=["less", "eager"],
)
def test_the_first_requests_import_next_to_nothing_and_make_nothing_late(
    prepare: tuple[str, ...],
    empty_house: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    tmp_path: Path,
) -> None:
    with instances(
        plan_of(empty_house),
        tmp_path,
        empty_house.environment(),
        modules={"counting": COUNTING, "eager": EAGER},
        application="counting:app",
        prepare=prepare,
    ) as port:
        headers = raw.with_key(login_headers(empty_house.canaries.oauth), MAIN_KEY)
        before = modules(port)
        for route in ROUTES:
            for stream in (False, True):
                answer = raw.ask(port, headers, question("hi", model=route, stream=stream))
                assert answer.status == 200, answer.body
        after = modules(port)
        made = made_late(port)

    late = {name: sorted(after[name] - before[name]) for name in before}
    print(f"imported late: {late}")
    for imported in late.values():
        assert not [module for module in imported if module.startswith("litellm")]
        assert len(imported) < FEW
    assert made == {"main": set(), "providers": set()}
    assert all(UNUSED & found == (UNUSED if prepare else set()) for found in after.values())
