"""Stock: the setup without openclaude, two `litellm --config` processes configured by hand.

Knows: two configs, how both processes are started together, awaited and ended. Independent of: what
is measured on them. They get everything that helps: the offline flags, compiled bytecode, uvloop
and httptools, and both processes start at once.
"""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.ports import free_ports
from tests.e2e.house import Canaries

LITELLM = Path(sys.executable).with_name("litellm")
HOP_MODEL = "stock-haiku"
READY_TIMEOUT_S = 120.0
END_TIMEOUT_S = 20.0
POLL_S = 0.02

SAID = (
    "Stock is two `litellm --config` processes of the same virtual environment, started together\n"
    "and waited for (/health/liveliness). Main: `anthropic/claude-*` with the plan's login\n"
    "forwarded, and a `litellm_proxy/` hop. Providers: `bedrock/`, with `modify_params`, without\n"
    "which claude asks for more tokens than the model has. Model map and beta headers local,\n"
    "LITELLM_MODE=PRODUCTION, bytecode compiled, no retries; everything else is LiteLLM's default"
)

MAIN = """\
model_list:
  - model_name: "claude-*"
    litellm_params:
      model: "anthropic/claude-*"
      api_base: {anthropic_url}
  - model_name: {hop}
    litellm_params:
      model: litellm_proxy/{hop}
      api_base: {providers_url}
      api_key: {key}
litellm_settings:
  model_group_settings:
    forward_client_headers_to_llm_api: ["claude-*"]
router_settings:
  num_retries: 0
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""
PROVIDERS = """\
model_list:
  - model_name: {hop}
    litellm_params:
      model: bedrock/qwen.qwen3-next-80b-a3b
      aws_region_name: us-west-2
      aws_access_key_id: {aws_id}
      aws_secret_access_key: {aws_secret}
      aws_bedrock_runtime_endpoint: {bedrock_url}
litellm_settings:
  drop_params: true
  modify_params: true
router_settings:
  num_retries: 0
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


class Upstreams(NamedTuple):
    """The addresses of the stand-ins."""

    anthropic_url: str
    bedrock_url: str


class Stock(NamedTuple):
    """Both processes, ready."""

    pids: tuple[int, int]  # main's, providers'
    port: int  # main's
    key: str

    def claude_variables(self) -> dict[str, str]:
        """Return the variables that make claude keep its own login and use main."""
        return {
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.port}",
            "ANTHROPIC_CUSTOM_HEADERS": f"x-litellm-api-key: Bearer {self.key}",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": HOP_MODEL,
        }


class StockFailed(RuntimeError):
    """A stock process has ended, or did not answer."""


@contextmanager
def stock(folder: Path, upstreams: Upstreams, canaries: Canaries) -> Iterator[Stock]:
    """Start both processes and wait until they are ready; end them with the block."""
    folder.mkdir(exist_ok=True)
    key = f"sk-{secrets.token_hex(24)}"
    ports = free_ports(2)
    write_configs(folder, upstreams, canaries, key, ports)
    processes = [
        start(folder, name, port, key)
        for name, port in zip(("main", "providers"), ports, strict=True)
    ]
    try:
        wait_until_ready(folder, processes, ports)
        yield Stock((processes[0].pid, processes[1].pid), ports[0], key)
    finally:
        for process in processes:
            end(process)


def write_configs(
    folder: Path, upstreams: Upstreams, canaries: Canaries, key: str, ports: list[int]
) -> None:
    """The two files a person would write."""
    names = {
        "hop": HOP_MODEL,
        "key": key,
        "providers_url": f"http://127.0.0.1:{ports[1]}",
        **upstreams._asdict(),
        **canaries._asdict(),
    }
    (folder / "main.yaml").write_text(MAIN.format(**names), encoding="utf-8")
    (folder / "providers.yaml").write_text(PROVIDERS.format(**names), encoding="utf-8")


def start(folder: Path, name: str, port: int, key: str) -> subprocess.Popen[bytes]:
    """One `litellm --config`, in a session of its own."""
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            (LITELLM, "--config", f"{name}.yaml", "--host", "127.0.0.1", "--port", str(port)),
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(folder),
                "LANG": "C.UTF-8",
                "LITELLM_MODE": "PRODUCTION",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
                "LITELLM_MASTER_KEY": key,
            },
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_until_ready(
    folder: Path, processes: list[subprocess.Popen[bytes]], ports: list[int]
) -> None:
    """Return once both answer. Raises StockFailed."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    waiting = set(ports)
    while waiting:
        if any(process.poll() is not None for process in processes) or time.monotonic() > deadline:
            raise StockFailed("".join(path.read_text() for path in folder.glob("*.log"))[-3000:])
        waiting = {port for port in waiting if not answers(port)}
        time.sleep(POLL_S)


def answers(port: int) -> bool:
    """Tell whether LiteLLM's liveness route answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/liveliness")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """End one process and what it has started."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
