"""Units that need secrets: fetched before they serve, reported at once if one is unavailable."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from openclaude.contracts.plan import Plan
from openclaude.run.os.log_line import bare
from tests.process.world import World, about, is_gone, until

pytestmark = pytest.mark.parametrize("method", ["fork", "spawn"], indirect=True)

VARIABLE = "OPENCLAUDE_SECRET_1"
# the user's environment decides what this one prints
FROM_ENVIRONMENT = "command:/bin/sh -c 'printf %s \"$PASSWORD_STORE_DIR\"'"
EMPTY = f"the secret `{FROM_ENVIRONMENT}` is empty"

Needs = Callable[[str], Plan]


@pytest.fixture
def needs(world: World, plan: Callable[..., Plan]) -> Needs:
    """Make `qwen` a profile whose `providers` needs the secret of a reference."""

    def keep(reference: str) -> Plan:
        made = plan()
        units = tuple(
            unit._replace(secrets={VARIABLE: reference}) if unit.name == "providers" else unit
            for unit in made.units
        )
        return world.keep(made._replace(units=units).sealed("tests"))

    return keep


def start(world: World, **env: str) -> dict[str, Any]:
    """Start the stack and give both units the time they need; return them by name."""
    assert world.run("start", env={**world.env, **env}).status == 0
    return settled(world)


def settled(world: World) -> dict[str, Any]:
    """Return the units, once each is ready or has failed."""

    def look() -> dict[str, Any]:
        units = world.units()
        return units if {unit["state"] for unit in units.values()} <= {"ready", "failed"} else {}

    return until(look)


def pids(units: dict[str, Any]) -> dict[str, int]:
    """The units' processes."""
    return {name: unit["pid"] for name, unit in units.items()}


def ask(port: int) -> tuple[int, str]:
    """Return the status and the message of an error reply."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("POST", "/v1/messages", b"{}")
    reply = line.getresponse()
    body = reply.read()
    line.close()
    return reply.status, json.loads(body)["error"]["message"]


def found(world: World) -> dict[str, str]:
    """Return the environment of `providers`."""
    environment: dict[str, str] = about(world.record()["port"] + 1)["environment"]
    return environment


def test_a_secret_is_in_the_environment_of_its_unit_and_the_reference_is_gone(
    world: World, needs: Needs
) -> None:
    secret = world.home / "key"
    secret.write_text("from a file\n")
    needs("file:~/key")

    start(world)

    assert found(world)[VARIABLE] == "from a file"
    assert "OPENCLAUDE_SECRETS" not in found(world)
    assert VARIABLE not in about(world.record()["port"])["environment"]
    texts = [path.read_text() for path in world.folder().rglob("*") if path.is_file()]
    assert not [text for text in texts if "from a file" in text]


def test_a_secret_that_cannot_be_had_fails_its_unit_at_once_and_no_other(
    world: World, needs: Needs
) -> None:
    needs("file:~/nowhere")

    units = start(world)

    assert (units["main"]["state"], units["providers"]["state"]) == ("ready", "failed")
    why = "the secret `file:~/nowhere` cannot be read: No such file or directory"
    assert units["providers"]["last_error"] == why
    assert (units["providers"]["restarts"], units["main"]["restarts"]) == (0, 0)
    # reported once: it was started once
    (line,) = (world.folder() / "providers.log").read_text().splitlines()
    assert bare(line) == why
    status, sentence = ask(world.record()["port"] + 1)
    assert status == 424
    assert sentence.startswith(f"openclaude: {why}; see `openclaude logs")
    assert "`openclaude restart --profile qwen`" in sentence


@pytest.mark.parametrize("word", ["-p", "restart", "start"])
def test_the_next_launch_and_restart_try_it_again_with_the_environment_of_then(
    world: World, needs: Needs, word: str
) -> None:
    needs(FROM_ENVIRONMENT)
    before = start(world)
    assert before["providers"]["last_error"] == EMPTY

    again = world.run(word, env={**world.env, "PASSWORD_STORE_DIR": "a password"})
    after = until(lambda: ready if (ready := world.units())["providers"]["pid"] else None)

    assert again.status == 0
    assert found(world)[VARIABLE] == "a password"
    is_same = after["main"]["pid"] == before["main"]["pid"]
    assert is_same is (word != "restart")


def test_a_launch_that_mends_nothing_fails_it_once_more(world: World, needs: Needs) -> None:
    needs(FROM_ENVIRONMENT)
    start(world)
    log = world.folder() / "providers.log"

    assert world.run("-p").status == 0

    until(lambda: bare(log.read_text()) == f"{EMPTY}\n" * 2)
    assert settled(world)["providers"]["state"] == "failed"


def test_a_secret_that_was_had_is_not_asked_for_by_the_next_launch(
    world: World, needs: Needs
) -> None:
    needs(FROM_ENVIRONMENT)
    before = start(world, PASSWORD_STORE_DIR="a password")

    assert world.run("-p").status == 0

    assert pids(settled(world)) == pids(before)
    assert found(world)[VARIABLE] == "a password"


def test_a_command_that_does_not_end_is_ended_with_the_stack(world: World, needs: Needs) -> None:
    needs("command:/bin/sleep 61.25")
    assert world.run("start").status == 0
    sleeping = until(lambda: [one.pid for one in psutil.process_iter() if is_sleep(one)])

    assert world.run("stop").status == 0

    until(lambda: all(is_gone(pid) for pid in sleeping))


def is_sleep(process: psutil.Process) -> bool:
    """Tell whether this is the command of the test."""
    try:
        return process.cmdline() == ["/bin/sleep", "61.25"]
    except psutil.Error:
        return False
