"""A disk, ports and files of ours in a bad state: reported, survived, or made again."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest

from openclaude.contracts.plan import Plan
from tests.conftest import need
from tests.process.world import TIMEOUT_S, World, stubbed

# -- the disk --------------------------------------------------------------------------------------


def test_a_home_that_others_may_change_is_said_and_nothing_is_started(world: World) -> None:
    """This happens in containers. Unreported, every launch would make a stack and not find it."""
    assert world.up()
    world.home.chmod(0o777)

    launched, started = world.run("-p"), world.run("start")

    assert (launched.status, started.status) == (125, 1)
    for one in (launched, started):
        assert "cannot keep files in `ROOT/home/.local/state/openclaude" in one.err
        assert "`ROOT/home` can be changed by other users" in one.err
        assert "`chmod go-w ROOT/home`" in one.err
    doctor = world.json("doctor")["data"]["diagnostics"]
    (told,) = {one["code"]: one for one in doctor if one["code"] == "folder-exposed"}.values()
    assert "can be changed by other users" in told["message"]
    assert len(world.processes()) == world.crew_size  # of the previous stack
    assert world.run("status").status == 0
    world.home.chmod(0o700)
    assert world.run("stop")[:2] == (0, "qwen: stopped\n")


def test_a_file_where_the_state_folder_should_be(world: World) -> None:
    world.state.parent.parent.mkdir(parents=True, exist_ok=True)
    world.state.parent.write_text("a file")
    before = world.files()

    launched, started = world.run("-p"), world.run("start")
    asked = [world.run(word).status for word in ("status", "stop", "restart", "logs")]

    folder = "ROOT/home/.local/state/openclaude"
    message = (
        f"error: cannot use the directory `{folder}`: Not a directory\n"
        "\nhint: move away what is in its place (`mv ROOT/home/.local/state "
        "ROOT/home/.local/state.old`), or choose another place with XDG_STATE_HOME and "
        "XDG_CACHE_HOME\n"
    )
    assert launched[:3] == (125, "", message)
    assert started[:3] == (1, "", message)
    assert asked == [1, 1, 1, 1]
    assert world.files() == before


def test_a_file_that_cannot_grow_leaves_the_one_before(world: World) -> None:
    world.up()
    assert world.run("stop").status == 0
    before = world.files()

    done = world.run("-p", preexec_fn=refuse_to_write)

    assert done[:3] == (
        125,
        "",
        f"error: cannot write `{world.plain(str(world.folder()))}/main.yaml`: File too large\n"
        "\nhint: free some space or make the directory writable, then try again; "
        "nothing was changed\n",
    )
    assert world.files() == before
    assert world.heard() == []


def refuse_to_write() -> None:
    """Let one process see a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("size=8k", "No space left on device\n\nhint: free some space or make the directory "),
        ("ro", "Read-only file system\n\nhint: make it writable"),
    ],
)
def test_a_disk_that_is_full_or_read_only(world: World, options: str, message: str) -> None:
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    need(subprocess.run(probe, capture_output=True).returncode == 0, "the right to mount a tmpfs")
    world.state.mkdir(parents=True)
    mount = f'mount -t tmpfs -o {options} none {world.state} && exec "$0" -p'

    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, world.program],
        env={**world.env, "PATH": f"{world.env['PATH']}:/usr/sbin:/sbin"},
        cwd=world.home,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )

    assert (done.returncode, done.stdout) == (125, "")
    assert message in done.stderr
    assert world.heard() == []


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(empty_world: World) -> None:
    (empty_world.home / ".cache").write_text("a file")

    done = empty_world.run("compile", "--profile", "base")

    assert (done.status, done.err) == (0, "")


# -- ports -----------------------------------------------------------------------------------------


@pytest.fixture
def taken(port: int) -> Iterator[Callable[[int], int]]:
    """Take a port, counted from the plan's own, until the test ends."""
    held: list[socket.socket] = []

    def take(offset: int) -> int:
        listener = socket.create_server(("127.0.0.1", port + offset))
        held.append(listener)
        return port + offset

    yield take
    for listener in held:
        listener.close()


@pytest.mark.parametrize("offset", [0, 1])
def test_a_busy_port_moves_the_stack_to_the_next_free_pair(
    world: World, port: int, taken: Callable[[int], int], offset: int
) -> None:
    taken(offset)

    assert world.run("-p")[:3] == (0, "", "")
    moved = world.record()["port"]
    assert moved > port
    assert (moved - port) % 2 == 0
    settings = world.heard()[0]["settings"]
    assert settings["env"]["ANTHROPIC_BASE_URL"] == f"https://127.0.0.1:{moved}"


@pytest.mark.parametrize("offset", [0, 1])
def test_a_busy_port_that_must_be_names_its_owner(
    empty_world: World, plan: Callable[..., Plan], taken: Callable[[int], int], offset: int
) -> None:
    strict = empty_world.keep(stubbed(plan()._replace(strict=True)))
    taken(offset)

    done = empty_world.run("-p")

    assert (done.status, done.out) == (125, "")
    assert done.err.startswith(f"error: port {strict.port} or {strict.port + 1} is in use by `")
    assert done.err.endswith(
        f"` (pid {os.getpid()})\n\nhint: set another `port` under [listen] in the profile, or "
        "OPENCLAUDE_LITELLM_PORT\n"
    )
    left = {path.name for path in empty_world.folder().iterdir()}
    assert left == {"lock"}


# Files of ours that were changed ------------------------------------------------------------------

RECORD = {
    "version": "0.1.0",
    "profile": "qwen",
    "pid": 2**22 - 1,
    "started": "1",
    "port": 40000,
    "main_key": "sk-openclaude-x",
}
RECORDS = [
    "",
    "{",
    "[]",
    "null",
    '"x"',
    "\x00" * 100,
    json.dumps({"pid": 1}),
    json.dumps({**RECORD, "more": 1}),
    json.dumps({**RECORD, "pid": "1"}),
    json.dumps({**RECORD, "pid": -1}),
    json.dumps({**RECORD, "port": 10**9}),
    json.dumps({**RECORD, "port": -4}),
    json.dumps({**RECORD, "started": None}),
    json.dumps(RECORD)[:-20],
    json.dumps({**RECORD, "pid": os.getpid()}),  # a pid that was reused
]


@pytest.mark.parametrize("text", RECORDS, ids=ascii)
def test_a_record_that_cannot_be_trusted_is_no_obstacle(world: World, text: str) -> None:
    world.folder().mkdir(parents=True)
    (world.folder() / "stack.json").write_text(text)

    assert world.run("status").status == 1
    assert world.run("-p")[:3] == (0, "", "")
    world.up()
    assert world.record()["pid"] not in {os.getpid(), RECORD["pid"]}
    assert world.run("stop")[:3] == (0, "qwen: stopped\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "\x00",
        '{"made_by": "0.1.0", "overrides": {}, "sources": [], "absent": [], "stamps": {}}',
        '{"made_by": "0.1.0", "overrides": {}, "sources": {}, "absent": [], "stamps": {}, '
        '"plan": "[]"}',
        '{"made_by": "0.1.0", "overrides": {}, "sources": {}, "absent": [], "stamps": {}, '
        '"plan": 3}',
    ],
)
def test_a_cached_plan_that_is_garbage_is_made_again(empty_world: World, text: str) -> None:
    path = empty_world.cache / "plans" / "base.plain.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)

    done = empty_world.run("compile", "--profile", "base")

    assert (done.status, done.err) == (0, "")
    assert json.loads(path.read_text())["plan"]


def test_a_state_folder_too_deep_for_a_unix_socket_works(world: World) -> None:
    deep = world.root / "/".join("d" * 50 for _ in range(4))
    env = {**world.env, "XDG_STATE_HOME": str(deep)}

    assert world.run("-p", env=env)[:3] == (0, "", "")
    assert world.run("status", env={**env, "TMPDIR": str(world.home)}).status == 0
    assert world.run("stop", env=env)[:3] == (0, "qwen: stopped\n", "")
    assert not list(deep.rglob("*.sock"))
