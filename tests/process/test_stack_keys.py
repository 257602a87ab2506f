"""The local keys of a stack: who may still use the old ones, and what open sessions are told."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from openclaude.contracts.plan import Plan
from tests.process.test_profiles_authoring import talk
from tests.process.world import Stream, World, about, streaming, stubbed, until


@pytest.mark.parametrize("is_tls", [True, False])
def test_a_key_that_a_stranger_may_have_heard_is_not_used_again(
    world: World, plan: Callable[..., Plan], is_tls: bool
) -> None:
    """While a stack is gone, its open sessions ask whoever has its port. With TLS they tell him
    nothing, so the next stack lets them go on; with plain HTTP they have told him the key."""
    world.keep(stubbed(plan()._replace(is_tls=is_tls)))
    port = world.up()
    before = world.record()
    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: not world.processes())

    assert world.up() == port

    key = about(port)["environment"]["LITELLM_MASTER_KEY"]
    assert key == world.record()["main_key"]
    assert (key == before["main_key"]) is is_tls


@pytest.mark.parametrize("is_managed", [True, False])
def test_a_key_that_a_managed_session_told_plainly_is_not_used_again(
    world: World, is_managed: bool
) -> None:
    """Managed settings name the authorities that claude trusts, so it cannot be told of ours and
    speaks plain HTTP: whoever had the port of a stack that was killed may have heard the key."""
    managed = world.root / "managed.json"
    managed.write_text(json.dumps({"env": {"NODE_EXTRA_CA_CERTS": "/corp.pem"}}))
    more = {"CLAUDE_CODE_MANAGED_SETTINGS_PATH": str(managed)} if is_managed else {}
    ran = world.run("-p", env={**world.env, **more})
    before = world.record()
    told = world.heard()[0]["settings"]["env"]["ANTHROPIC_BASE_URL"]
    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: not world.processes())

    port = world.up()

    assert told == f"{'http' if is_managed else 'https'}://127.0.0.1:{before['port']}"
    assert ("claude reaches the proxy without TLS" in ran.err) is is_managed
    assert port == before["port"]
    assert (world.record()["main_key"] != before["main_key"]) is is_managed


def is_cut(stream: Stream, *, within_s: float) -> bool:
    """Whether a stream ends that nobody has let go."""
    deadline = time.monotonic() + within_s
    with contextlib.suppress(OSError, http.client.HTTPException):
        while stream.reply.readline():
            if time.monotonic() > deadline:
                return False
    return True


def test_lock_revokes_the_keys_at_once(world: World) -> None:
    port = world.up()
    before = world.record()
    units = {name: unit["pid"] for name, unit in world.units().items()}

    with streaming(port, world.home) as stream:
        done = world.run("lock")
        assert is_cut(stream, within_s=5.0)

    assert done[:2] == (0, "qwen: keys revoked\n")
    assert world.up() == port
    after = world.record()
    assert after["pid"] == before["pid"]
    assert after["main_key"] != before["main_key"]
    assert about(port)["environment"]["LITELLM_MASTER_KEY"] == after["main_key"]
    assert not set(units.values()) & {unit["pid"] for unit in world.units().values()}


def test_on_a_terminal_a_stop_under_a_session_is_asked_about_first(world: World) -> None:
    world.tell_claude(sleep_s=120)
    with world.start("-p") as session:
        until(world.heard)

        with talk(world, "stop") as one:
            one.wait_for(f"qwen is used by a claude session (pid {session.pid})")
            one.wait_for("Stop qwen? `openclaude start` brings the sessions back. (yes or no)")
            one.type("\n")
            status, out = one.finish()
        assert (status, "nothing changed" in one.shown) == (1, True)
        assert world.status()["sessions"]
        with talk(world, "stop", "--yes") as one:
            status, out = one.finish()

        session.kill()
    assert (status, "qwen: stopped" in out) == (0, True)


@pytest.mark.parametrize(
    ("word", "what_now"),
    [
        ("stop", "until the proxies run again: `openclaude start qwen`\n"),
        ("lock", "any more: exit, and go on with `openclaude --profile qwen --continue`\n"),
    ],
)
def test_who_cannot_reach_a_model_is_named_with_the_way_to_go_on(
    world: World, word: str, what_now: str
) -> None:
    world.tell_claude(sleep_s=120)
    with world.start("-p") as session:
        until(world.heard)

        done = world.run(word)

        session.kill()
    assert done.out.endswith(
        f"\n  a claude session (pid {session.pid}) cannot reach a model {what_now}"
    )
