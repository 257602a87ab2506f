"""Similar programs, run as their own documentation says: claude-code-router, claudish.

Knows: where `tests/bench/fetch-peers` puts them, their configuration, how each is started, awaited
and ended. Independent of: what is measured on them. Each has a HOME of its own, because some of
them write into ~/.claude.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.bench.ports import free_ports
from tests.e2e.house import REPOSITORY

PEERS = REPOSITORY / ".work/peers"
NODE = PEERS / "node22/bin/node"
ROUTER = PEERS / "ccr3/node_modules/@musistudio/claude-code-router"
ROUTER_KEY = "sk-ccr-bench"
UPSTREAM_KEY = "sk-up-bench"  # the key it sends to its provider
PROVIDER = "up"
BUN = PEERS / "claudish/node_modules/.bin/bun"
CLAUDISH = PEERS / "claudish/package/dist/index.js"
CLAUDISH_KEY = "sk-claudish-bench"
CLAUDISH_MODEL = "m1"
READY_TIMEOUT_S = 30.0
END_TIMEOUT_S = 10.0
POLL_S = 0.02


class PeerFailed(RuntimeError):
    """A peer is not installed, has ended, or did not answer."""


class Peer(NamedTuple):
    """A running claude-code-router."""

    pid: int
    port: int
    key: str
    model: str  # the model that a request must name

    def claude_variables(self) -> dict[str, str]:
        """Return the variables that make claude use it."""
        return {
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.port}",
            "ANTHROPIC_AUTH_TOKEN": self.key,
            "ANTHROPIC_MODEL": self.model,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": self.model,
        }


def router_version() -> str | None:
    """Return the version of claude-code-router, if it is installed."""
    return version_in(ROUTER / "package.json") if NODE.exists() else None


def claudish_version() -> str | None:
    """Return the version of claudish, if it is installed."""
    return version_in(CLAUDISH.parents[1] / "package.json") if BUN.exists() else None


def version_in(manifest: Path) -> str | None:
    """Return the version of an npm package."""
    return str(json.loads(manifest.read_bytes())["version"]) if manifest.exists() else None


@contextmanager
def claude_code_router(folder: Path, upstream: str, model: str) -> Iterator[Peer]:
    """Run claude-code-router with one provider with Anthropic's API, else its defaults."""
    if router_version() is None:
        raise PeerFailed(f"no claude-code-router in {PEERS}: run tests/bench/fetch-peers")
    shutil.rmtree(folder, ignore_errors=True)  # it would listen on the port of the last run
    (port,) = free_ports(1)
    settings = {
        "PORT": port,
        "HOST": "127.0.0.1",
        "APIKEY": ROUTER_KEY,
        "LOG": False,
        "Providers": [
            {
                "name": PROVIDER,
                "api_base_url": f"{upstream}/v1/messages",
                "api_key": UPSTREAM_KEY,
                "models": [model],
                "transformer": {"use": ["Anthropic"]},
            }
        ],
        "Router": {"default": f"{PROVIDER},{model}"},
    }
    path = folder / ".claude-code-router/config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings), encoding="utf-8")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            (NODE, ROUTER / "dist/main/cli.js", "serve", "--no-open"),
            env={
                "PATH": f"{NODE.parent}:/usr/bin:/bin",
                "HOME": str(folder),
                "LANG": "C.UTF-8",
                "CCR_WEB_AUTH_TOKEN": "bench",
            },
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until_answering(process, port, folder / "log")
        yield Peer(process.pid, port, ROUTER_KEY, f"{PROVIDER}/{model}")
    finally:
        end_group(process)


def claudish_command(*arguments: str) -> tuple[str, ...]:
    """Return the command of claudish, which starts a proxy and then claude, and ends both."""
    quiet = ("--no-auto-approve", "--models-skip-update")
    return (str(BUN), str(CLAUDISH), *quiet, "--model", f"ll@{CLAUDISH_MODEL}", *arguments)


def claudish_variables(folder: Path, upstream: str) -> dict[str, str]:
    """Return its HOME, and LiteLLM as its provider, which can be anything OpenAI-like."""
    folder.mkdir(exist_ok=True)
    keys = {"LITELLM_API_KEY": CLAUDISH_KEY, "LITELLM_BASE_URL": upstream}
    return {"HOME": str(folder), **keys}


def wait_until_answering(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return once something answers there, whatever it is. Raises PeerFailed."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise PeerFailed(log.read_text(errors="replace")[-3000:])
        time.sleep(POLL_S)


def answers(port: int) -> bool:
    """Tell whether a port speaks HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except OSError:
        return False
    else:
        return True
    finally:
        connection.close()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a session leader and everything it has started in its session."""
    if process.poll() is None:
        process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_TIMEOUT_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
