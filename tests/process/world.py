"""A small world for one test: a home, a stub `claude`, profiles whose units are stubs.

Knows: how to run openclaude as a user does, and what it has left behind. Independent of: what is
right; the tests say so.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psutil

from openclaude import __version__
from openclaude.contracts.plan import Plan

STUBS = Path(__file__).resolve().parent / "stubs"
TIMEOUT_S = 120.0  # only failures take this long, however slow or busy the machine is
# belongs to no one: nothing here contacts AWS
AWS_CONFIG = "[profile openclaude]\naws_access_key_id = AKIATEST\naws_secret_access_key = x\n"
Value = TypeVar("Value")


class Run(NamedTuple):
    """One run of openclaude, or of the claude it became."""

    status: int  # negative: the signal that ended it
    out: str
    err: str
    pid: int


class World:
    """Everything for one test; nothing outside `root` is changed."""

    def __init__(self, method: str = "fork") -> None:
        self.method = method  # how its instances are started
        self.expects_fallback = False  # whether a stack of this world may lose its forkserver
        # short on purpose: a Unix socket's path has a small limit
        self.root = Path(tempfile.mkdtemp(prefix="oc-")).resolve()
        self.made_at = time.time() - 1.0
        self.home = self.root / "home"
        self.bin = self.root / "bin"
        self.state = self.home / ".local" / "state" / "openclaude"
        self.cache = self.home / ".cache" / "openclaude"
        self.profiles = self.home / ".config" / "openclaude" / "profiles"
        for folder in (self.home, self.bin):
            folder.mkdir()
        (self.home / ".aws").mkdir()
        (self.home / ".aws" / "config").write_text(AWS_CONFIG)
        self.program = self.script(
            "openclaude", "import sys\nfrom openclaude.cli import main\nsys.exit(main())\n"
        )
        self.claude = self.script("claude", (STUBS / "claude.py").read_text(), flags=" -IS")

    def script(self, name: str, text: str, *, flags: str = "") -> Path:
        """Write an executable Python script on the PATH of this world."""
        return self.executable(name, f"#!{sys.executable}{flags}\n{text}")

    def executable(self, name: str, text: str) -> Path:
        """Write an executable text on the PATH of this world."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    @property
    def env(self) -> dict[str, str]:
        """A user's environment, small and known."""
        # tests may run from a checkout: then openclaude itself is found by PYTHONPATH
        found = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
        return {
            "HOME": str(self.home),
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "OPENCLAUDE_START_METHOD": self.method,
            **found,
        }

    # -- running -------------------------------------------------------------------------------

    def start(self, *arguments: str | bytes | Path, **options: Any) -> subprocess.Popen[str]:
        """Start openclaude; stdout and stderr are pipes."""
        options = {
            "env": self.env,
            "cwd": self.home,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "errors": "surrogateescape",
            **options,
        }
        return subprocess.Popen([self.program, *arguments], **options)

    def run(self, *arguments: str | bytes | Path, **options: Any) -> Run:
        """Run openclaude to its end."""
        with self.start(*arguments, **options) as process:
            try:
                out, err = process.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Run(process.returncode, self.plain(out), self.plain(err), process.pid)

    def json(self, *arguments: str, **options: Any) -> Any:
        """Return the JSON envelope that a command prints."""
        return json.loads(self.run(*arguments, "--json", **options).out)

    def plain(self, text: str | None) -> str:
        """Return `text` without what differs from run to run."""
        return (text or "").replace(str(self.root), "ROOT")

    def tell_claude(self, **orders: Any) -> None:
        """Set what the stub claude does."""
        (self.bin / "claude.json").write_text(json.dumps(orders))

    def heard(self) -> list[dict[str, Any]]:
        """Return what each stub claude has recorded, oldest first."""
        found = sorted(self.bin.glob("claude-*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [json.loads(path.read_text()) for path in found]

    # -- profiles and stacks -------------------------------------------------------------------

    def keep(self, plan: Plan) -> Plan:
        """Make `plan` the result of compiling its profile, by way of openclaude's own cache."""
        folder = self.cache / "plans"
        for part in (self.cache, folder):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{plan.profile}.plain.json"
        kept = {
            "made_by": __version__,
            "profiles": str(self.profiles),
            "overrides": {},
            "sources": {},
            "absent": [],
            "stamps": {},
            "plan": plan.to_json(),
        }
        path.touch(0o600)
        path.write_text(json.dumps(kept))
        return plan

    def write_profile(self, name: str, text: str) -> Path:
        """Write a profile of the user's own."""
        self.profiles.mkdir(parents=True, exist_ok=True)
        path = self.profiles / f"{name}.toml"
        path.write_text(text)
        return path

    def folder(self, profile: str = "qwen") -> Path:
        """The stack's folder."""
        return self.state / "stacks" / profile

    def record(self, profile: str = "qwen") -> dict[str, Any]:
        """Return the stack's record; the supervisor writes it, which takes a moment."""
        path = self.folder(profile) / "stack.json"
        until(path.exists)
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def status(self, profile: str = "qwen") -> dict[str, Any]:
        """Return the stack as `openclaude status` sees it, once it exists."""
        found: list[dict[str, Any]] = until(
            lambda: self.json("status", "--profile", profile)["data"].get("stacks")
        )
        return found[0]

    def units(self, profile: str = "qwen") -> dict[str, dict[str, Any]]:
        """Its units by name."""
        return {unit["name"]: unit for unit in self.status(profile)["units"]}

    def up(self, profile: str = "qwen") -> int:
        """Start the stack, wait until it answers; return main's port."""
        envelope = self.json("start", "--wait", "--profile", profile)
        assert envelope["exit_code"] == 0, envelope
        port: int = envelope["data"]["port"]
        return port

    def patch_supervisor(self, lines: str) -> None:
        """Run supervisors with these lines before their main() from now on."""
        supervisor = self.bin / "supervisor.py"
        supervisor.write_text(
            "from openclaude.run.supervisor import reconcile, supervisor\n"
            f"{lines}\n"
            "supervisor.main()\n"
        )
        self.patch_client(
            "from openclaude.run.launcher import start\n"
            # with the module's name among its arguments, by which `stop` knows a supervisor
            f"start.python_module = lambda *a: (sys.executable, '-P', {str(supervisor)!r}, *a)"
        )

    def patch_client(self, lines: str) -> None:
        """Run openclaude with these lines before its main() from now on."""
        self.script(
            "openclaude",
            f"import sys\n{lines}\nfrom openclaude.cli import main\nsys.exit(main())\n",
        )

    @property
    def crew_size(self) -> int:
        """Return the number of processes of a running stack with two units."""
        return 4 if self.method == "fork" else 3

    # State ----------------------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        """Return every process of this world: its working directory or an open file is in it."""
        return [process for process in psutil.process_iter() if self.holds(process)]

    def holds(self, process: psutil.Process) -> bool:
        """Tell whether a process belongs to this world."""
        try:
            if process.create_time() < self.made_at:  # most of them, and a closer look is slow
                return False
            paths = [process.cwd(), *(file.path for file in process.open_files())]
        except psutil.AccessDenied:  # it keeps its memory private, and root alone sees more
            with contextlib.suppress(psutil.Error):
                return f"{self.root}/" in " ".join(process.cmdline())
            return False
        except psutil.Error:
            return False
        return any(path.startswith(f"{self.root}/") for path in paths)

    def files(self, *folders: Path) -> dict[str, str]:
        """Return every file, folder and socket in the folders, and a hash of its content."""
        return {
            str(path.relative_to(self.root)): fingerprint(path)
            for folder in folders or (self.home,)
            for path in sorted(folder.rglob("*"))
        }

    def tell(self) -> str:
        """Print openclaude's logs, to explain a failed test."""
        paths = [*self.state.rglob("*.log"), *self.state.rglob("crash.md")]
        texts = {str(path): path.read_text(errors="replace") for path in paths if path.is_file()}
        return "".join(f"==> {self.plain(path)}\n{text}\n" for path, text in texts.items() if text)

    def close(self) -> None:
        """End every process of this world and remove it."""
        while left := self.processes():  # a process that is killed may just have started another
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            until(lambda: all(is_gone(process.pid) for process in left))
        shutil.rmtree(self.root)


@contextlib.contextmanager
def open_session(world: World) -> Iterator[subprocess.Popen[str]]:
    """Launch a claude that stays until the end of the block, however that comes."""
    count = len(world.heard())
    world.tell_claude(sleep_s=3600)
    with world.start("-p") as session:
        try:
            until(lambda: len(world.heard()) > count)
            yield session
        finally:
            session.kill()


def fingerprint(path: Path) -> str:
    """Return a text that is the same if a path was not changed."""
    found = path.lstat()
    text = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return f"{found.st_mode:o} {found.st_mtime_ns if path.is_file() else ''} {text}"


@functools.cache
def package_environment() -> dict[str, str]:
    """Return what an interpreter of ours needs to find the openclaude under test.

    Found by a process started as the tests do: pytest itself may have imported a checkout.
    """
    code = "import json; from openclaude.run.os.processes import *; print(json.dumps({}))"
    said = subprocess.check_output(
        [sys.executable, "-P", "-c", code.format("python_environment()")], cwd="/", text=True
    )
    found: dict[str, str] = json.loads(said)
    return found


def stubbed(plan: Plan, *, port: int = 0, **environments: Mapping[str, str]) -> Plan:
    """Return `plan` with stubs for LiteLLM, which get these additional environments by unit."""
    paths = [str(STUBS), package_environment().get("PYTHONPATH", "")]
    shared = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    units = tuple(
        unit._replace(
            application="stub_unit:app",
            prepare=(),
            environment={**unit.environment, **shared, **environments.get(unit.name, {})},
        )
        for unit in plan.units
    )
    port = port or plan.port
    return plan._replace(units=units, port=port, preload_environment=shared, before_fork=()).sealed(
        "tests"
    )


def get(port: int, path: str = "/", *, timeout_s: float = TIMEOUT_S) -> bytes:
    """Return the body of one reply."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        line.request("GET", path)
        return line.getresponse().read()
    finally:
        line.close()


def about(port: int) -> Any:
    """Return what the stub unit on a port reports about its process."""
    return json.loads(get(port))


class Stream:
    """A reply that goes on until `finish`; a stack that ends waits for it."""

    def __init__(self, port: int, gate: Path) -> None:
        self.gate = gate
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self.line.request("GET", f"/until?{gate}")
        self.reply = self.line.getresponse()
        self.first = self.reply.readline()

    def finish(self) -> list[bytes]:
        """End it; return the rest of its lines, each with a number and the process it is from."""
        self.gate.touch()
        rest = self.reply.read().splitlines()
        self.line.close()
        return rest


@contextlib.contextmanager
def streaming(port: int, folder: Path) -> Iterator[Stream]:
    """Open a stream for the duration of the block, or until `finish`."""
    stream = Stream(port, folder / f"gate-{secrets.token_hex(4)}")
    try:
        yield stream
    finally:
        stream.gate.touch()
        stream.line.close()


def is_whole(stream: Stream, rest: list[bytes]) -> bool:
    """Tell whether no line of a stream is missing, and one process sent all of them."""
    number, pid = stream.first.split()
    return number == b"0" and rest == [b"%d %s" % (one + 1, pid) for one in range(len(rest))]


def until(look: Callable[[], Value | None], *, timeout_s: float = TIMEOUT_S) -> Value:
    """Return the result of `look` once it is true."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"it did not come about within {timeout_s} s"
        time.sleep(0.02)
    return found


def command_line(process: psutil.Process) -> list[str]:
    """Return a process's command line; nothing of one that ends while it is looked at."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def is_gone(pid: int) -> bool:
    """Tell whether no process `pid` runs; a zombie that nobody has reaped counts as gone."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def in_foreground() -> None:
    """Take Ctrl-C as a command line does, even if the tests run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Suspend a process for the duration of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
