"""The port proves its identity: what a launch tells claude, and what main answers to whom."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaude.contracts.plan import Plan
from openclaude.run.launcher.certificate import make_certificate
from tests.process.world import TIMEOUT_S, World, about, until

EXTRA = "NODE_EXTRA_CA_CERTS"


def launched(world: World, *arguments: str, **env: str) -> dict[str, str]:
    """Return the environment in the settings of a launch."""
    count = len(world.heard())
    ran = world.run("-p", *arguments, env={**world.env, **env})
    assert ran.status == 0, ran
    told: dict[str, str] = until(lambda: world.heard()[count:])[0]["settings"]["env"]
    return told


def ask(port: int, bundle: str) -> int:
    """Send main a request as claude does, trusting only given certificates; return the status."""
    context = ssl.create_default_context(cafile=bundle)
    line = http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_S, context=context)
    with contextlib.closing(line):
        line.request("GET", "/")
        reply = line.getresponse()
        assert json.loads(reply.read())["pid"]
        return reply.status


def certificate_of(port: int) -> str:
    """Return the certificate that main shows to a client."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=TIMEOUT_S)


def test_a_launch_is_told_an_address_that_proves_itself(world: World) -> None:
    port = world.up()

    env = launched(world)

    assert env["ANTHROPIC_BASE_URL"] == f"https://127.0.0.1:{port}"
    assert ask(port, env[EXTRA]) == 200
    assert world.json("start")["data"]["port"] == port
    assert world.run("start").out == f"qwen: already running on https://127.0.0.1:{port}\n"


def test_the_key_is_its_owners_alone_and_in_no_environment(world: World) -> None:
    port = world.up()

    assert (world.folder() / "tls.pem").stat().st_mode & 0o777 == 0o600
    assert "OPENCLAUDE_CERTIFICATE" not in about(port)["environment"]
    told = world.json("status")
    assert "PRIVATE KEY" not in json.dumps(told)


def test_sessions_that_speak_plain_http_go_on(world: World) -> None:
    """Those of an earlier openclaude, on a stack that was taken over."""
    port = world.up()

    assert about(port)["pid"] == world.units()["main"]["pid"]


def test_a_profile_can_have_it_off(world: World) -> None:
    world.write_profile("plain", 'schema = 1\nextends = "base"\n[listen]\ntls = false\n')
    ran = world.run("--profile", "plain", "-p")
    assert ran.status == 0, ran
    env = world.heard()[-1]["settings"]["env"]

    assert env["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
    assert EXTRA not in env


def test_the_stack_after_a_killed_one_proves_itself_to_open_sessions(world: World) -> None:
    port = world.up()
    env = launched(world)

    os.kill(world.record()["pid"], signal.SIGKILL)
    assert world.up() == port

    assert ask(port, env[EXTRA]) == 200


@pytest.mark.parametrize("damage", ["gone", "half", "open", "a link", "old", "of tomorrow"])
def test_a_certificate_that_will_not_do_is_made_anew(world: World, damage: str) -> None:
    port = world.up()
    before = certificate_of(port)
    world.run("stop")
    path = world.folder() / "tls.pem"
    match damage:
        case "gone":
            path.unlink()
        case "half":
            path.write_text(path.read_text()[:200])
        case "open":
            path.chmod(0o644)
        case "a link":
            path.rename(world.root / "elsewhere")
            path.symlink_to(world.root / "elsewhere")
        case "old":
            os.utime(path, (1.0, 1.0))
        case _:
            os.utime(path, (4e9, 4e9))

    port = world.up()

    assert certificate_of(port) != before
    assert not path.is_symlink()
    assert ask(port, launched(world)[EXTRA]) == 200


def test_a_good_certificate_is_kept(world: World) -> None:
    before = certificate_of(world.up())
    world.run("stop")

    assert certificate_of(world.up()) == before


def test_a_certificate_lost_under_a_running_stack_is_said(world: World) -> None:
    port = world.up()
    (world.folder() / "tls.pem").unlink()

    world.run("restart")

    failed = until(lambda: world.units()["main"].get("last_error"))
    assert "tls.pem` cannot be used: there is no certificate; `openclaude stop --all`" in failed
    world.run("stop", "--all")
    port = world.up()
    assert ask(port, launched(world)[EXTRA]) == 200


def test_what_is_said_in_the_place_of_a_failed_unit_proves_itself_too(
    empty_world: World, plan: Callable[..., Plan]
) -> None:
    world = empty_world
    made = plan()
    units = tuple(
        unit._replace(secrets={"OPENCLAUDE_SECRET_1": "file:/no/such/key"})
        if unit.name == "main"
        else unit
        for unit in made.units
    )
    world.keep(made._replace(units=units).sealed("tests"))
    bundle = launched(world)[EXTRA]
    until(lambda: world.units()["main"]["state"] == "failed")

    context = ssl.create_default_context(cafile=bundle)
    line = http.client.HTTPSConnection(
        "127.0.0.1", world.record()["port"], timeout=TIMEOUT_S, context=context
    )
    with contextlib.closing(line):
        line.request("POST", "/v1/messages", body=b"x" * 1_000_000)
        reply = line.getresponse()
        assert reply.status == 424
        assert b"openclaude restart --profile qwen" in reply.read()


# -- the user's own certificates -------------------------------------------------------------------


@pytest.fixture
def corporate(world: World) -> Path:
    """A company's authority, as its users have it in a file."""
    path = world.home / "corporate.pem"
    path.write_text(f"# the company's\n{make_certificate()[1]}")
    return path


def test_the_users_own_certificates_stay_in_force(world: World, corporate: Path) -> None:
    port = world.up()

    bundle = Path(launched(world, **{EXTRA: str(corporate)})[EXTRA])

    assert bundle.read_text().startswith(corporate.read_text())
    assert bundle.stat().st_mode & 0o777 == 0o600
    assert ask(port, str(bundle)) == 200
    launched(world)
    assert not bundle.exists()  # the launch is over, and another one has checked


def test_they_may_be_in_the_users_settings(world: World, corporate: Path) -> None:
    world.up()
    (world.home / ".claude").mkdir()
    settings = world.home / ".claude" / "settings.json"
    settings.write_text(json.dumps({"env": {EXTRA: str(corporate)}}))

    bundle = Path(launched(world)[EXTRA])

    assert bundle.read_text().startswith(corporate.read_text())


def test_a_repository_names_no_authority(world: World, corporate: Path) -> None:
    """claude decides when the session begins, and not earlier, whether its settings count."""
    world.up()
    project = world.home / "project"
    (project / ".claude").mkdir(parents=True)
    for name in ("settings.json", "settings.local.json"):
        (project / ".claude" / name).write_text(json.dumps({"env": {EXTRA: str(corporate)}}))

    ran = world.run("-p", cwd=project)

    assert ran.status == 0, ran
    bundle = Path(world.heard()[-1]["settings"]["env"][EXTRA])
    assert corporate.read_text() not in bundle.read_text()


@pytest.mark.parametrize("what", ["nothing", "a folder", "a pipe", "bytes", "/dev/zero"])
def test_a_file_that_is_none_holds_nobody_up(world: World, what: str) -> None:
    port = world.up()
    path = world.home / "odd"
    match what:
        case "a folder":
            path.mkdir()
        case "a pipe":
            os.mkfifo(path)
        case "bytes":
            path.write_bytes(b"\xff\x00" * 100)
        case "/dev/zero":
            path = Path(what)

    env = launched(world, **{EXTRA: str(path)})

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    text = Path(env[EXTRA]).read_bytes()
    context.load_verify_locations(cadata=text[text.index(b"-----BEGIN") :].decode())
    line = socket.create_connection(("127.0.0.1", port))
    with context.wrap_socket(line, server_hostname="127.0.0.1") as proven:
        assert proven.version() == "TLSv1.3"


# -- rude clients ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"\x16" + b"\xff" * 4000, b"\x80\x2e"],
    ids=["silence", "a byte", "half a hello", "noise", "an old SSL"],
)
def test_who_does_not_go_on_disturbs_nobody(world: World, said: bytes) -> None:
    port = world.up()
    pid = about(port)["pid"]
    bundle = launched(world)[EXTRA]
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    try:
        for number, line in enumerate(held):
            with contextlib.suppress(OSError):
                line.sendall(said)
            if number % 2:  # leave with a reset
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                line.close()

        assert ask(port, bundle) == 200
        assert about(port)["pid"] == pid
        assert world.run("restart", "--wait").status == 0  # nor do they delay the end
        assert ask(port, bundle) == 200
    finally:
        for line in held:
            line.close()


def test_a_client_of_an_old_tls_is_refused(world: World) -> None:
    port = world.up()
    context = ssl.create_default_context(cafile=launched(world)[EXTRA])
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    line = socket.create_connection(("127.0.0.1", port))
    with pytest.raises(ssl.SSLError), context.wrap_socket(line, server_hostname="127.0.0.1"):
        pass
