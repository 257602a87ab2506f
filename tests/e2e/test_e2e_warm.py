"""What LiteLLM still imports when the first requests come: next to nothing, or they would wait."""

from __future__ import annotations

import http.client
import json
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openclaude.compile.plan import Plan, read_plan
from openclaude.run.listeners import bind_pair
from openclaude.run.processes import python_environment
from openclaude.run.units import Process, Surroundings, spawn_process
from openclaude.standins.anthropic import AnthropicStandin
from openclaude.standins.bedrock import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import House, login_headers, question

READY_TIMEOUT_S = 60.0
MAIN_KEY, PROVIDERS_KEY = "sk-openclaude-main", "sk-openclaude-providers"
FEW = 5  # of the standard library, by which Pythons differ
LANES = ("claude-opus-5-5", "openclaude-haiku")

# An application that tells which modules there are, around the one it is told of.
COUNTING = """
import importlib
import json
import os
import sys


def app():
    module, _, attribute = os.environ["COUNTED"].partition(":")
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
    """The modules of each instance, main being on that port."""
    return {"main": modules_of(port), "providers": modules_of(port + 1)}


def modules_of(port: int) -> set[str]:
    """The modules that the instance on a port has imported."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request("GET", "/modules")
        return set(json.loads(line.getresponse().read()))
    finally:
        line.close()


def plan_of(house: House) -> Plan:
    """The plan of the house's profile."""
    return read_plan(house.word("compile", "--json").json()["data"]["files"]["plan.json"])


@contextmanager
def counted(plan: Plan, folder: Path, env: dict[str, str]) -> Iterator[int]:
    """The plan's instances as fresh processes that can be asked for their modules; main's port."""
    (folder / "counting.py").write_text(COUNTING)
    for name, text in plan.files.items():
        (folder / name).write_text(text)
    path = [str(folder), *python_environment().values()]
    more = {"PYTHONPATH": os.pathsep.join(path)}
    pair = bind_pair(plan.port, strict=False)
    around = Surroundings(folder, pair.port, MAIN_KEY, PROVIDERS_KEY, env)
    processes: list[Process] = []
    try:
        for unit in plan.units:
            listener = pair.main if unit.name == "main" else pair.providers
            environment = {**unit.environment, **more, "COUNTED": unit.application}
            probe = unit._replace(application="counting:app", environment=environment)
            processes.append(spawn_process(probe, listener.fileno(), around))
        for process in processes:
            assert select.select([process.report], [], [], READY_TIMEOUT_S)[0], "it is not ready"
            assert process.read_report(), [log.read_text() for log in folder.glob("*.log")]
        yield pair.port
    finally:
        for process in processes:
            process.kill()
            process.forget()
        pair.close()


def test_the_first_requests_import_next_to_nothing(
    empty_house: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    tmp_path: Path,
) -> None:
    plan = plan_of(empty_house)
    with counted(plan, tmp_path, empty_house.environment()) as port:
        headers = raw.with_key(login_headers(empty_house.canaries.oauth), MAIN_KEY)
        before = modules(port)
        for lane in LANES:
            for stream in (False, True):
                told = raw.ask(port, headers, question("hi", model=lane, stream=stream))
                assert told.status == 200, told.body
        after = modules(port)

    late = {name: sorted(after[name] - before[name]) for name in before}
    print(f"imported late: {late}")
    for imported in late.values():
        assert not [module for module in imported if module.startswith("litellm")]
        assert len(imported) < FEW
