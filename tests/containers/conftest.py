"""A team's server in a pod, as `export kubernetes` describes it, on this machine.

Knows: which secrets its manifests ask for, and what stands in for its model. Independent of:
podman's ways (`engine`), what a test asks the server.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import REPOSITORY, need
from tests.containers.engine import Engine, reachable_at
from tests.e2e.internet import write_certificates
from tests.standins.openai.standin import OpenAIStandin

OPENCLAUDE = Path(sys.executable).with_name("openclaude")
HOST = "models.example.internal"
MODEL = "hosted_vllm/small"
MODELS_ADDRESS = "10.99.0.1"  # of the model, for containers
UPSTREAM_KEY = "sk-canary-of-the-team"
PORTS = (18443, 18444)
TIMEOUT_S = 60.0
PROFILE = """\
schema = 1
[tiers.haiku]
model = "{model}"
api_base = "http://{address}:{port}/v1"
api_key = "env:TEAM_KEY"
context_window = 100000
max_output_tokens = 8000
"""


class Cluster(NamedTuple):
    """What stands ready, before any pod is made."""

    engine: Engine
    manifests: Path
    trust: ssl.SSLContext
    key: str  # a person's

    def play(self, name: str, port: int) -> str:
        """Make a pod of the manifests; return its container's name."""
        return self.engine.play(self.manifests, name, port)

    @contextmanager
    def connect(self, port: int) -> Iterator[http.client.HTTPSConnection]:
        """Connect to a pod, whose certificate is judged."""
        line = http.client.HTTPSConnection(HOST, port)
        with (
            socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as plain,
            self.trust.wrap_socket(plain, server_hostname=HOST) as secure,
        ):
            line.sock = secure
            yield line

    def get(self, port: int, path: str) -> int:
        """Ask for a page as a stranger does; return the status, 0 as long as nothing answers."""
        try:
            with self.connect(port) as line:
                line.request("GET", path)
                return line.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0

    @contextmanager
    def asking(
        self, port: int, prompt: str, *, key: str = "", stream: bool = False
    ) -> Iterator[http.client.HTTPResponse]:
        """Send one message, by default with the person's key; the reply may be on its way."""
        body = {
            **{"model": MODEL, "max_tokens": 100, "stream": stream},
            "messages": [{"role": "user", "content": prompt}],
        }
        headers = {"x-api-key": key or self.key, "content-type": "application/json"}
        with self.connect(port) as line:
            line.request("POST", "/v1/messages", json.dumps(body), headers)
            with contextlib.closing(line.getresponse()) as reply:
                yield reply

    def ask(self, port: int, prompt: str, *, key: str = "") -> tuple[int, str]:
        """Send one message; return the status and the whole reply."""
        with self.asking(port, prompt, key=key) as reply:
            return reply.status, reply.read().decode()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    need(shutil.which("podman") and shutil.which("runc"), "podman and runc (build/containers)")
    need(os.geteuid() == 0, "a root user, whose podman needs no further configuration")
    (image,) = (REPOSITORY / "dist").glob("openclaude-providers-*.oci.tar")
    subprocess.run(
        ("ip", "address", "add", f"{MODELS_ADDRESS}/32", "dev", "lo"),
        env={**os.environ, "PATH": path},
    )
    home = tmp_path_factory.mktemp("home")
    with (
        OpenAIStandin(key=UPSTREAM_KEY) as upstream,
        reachable_at(MODELS_ADDRESS, upstream.port) as model_port,
    ):
        profiles = home / ".config/openclaude/profiles"
        profiles.mkdir(parents=True)
        (profiles / "team.toml").write_text(
            PROFILE.format(model=MODEL, address=MODELS_ADDRESS, port=model_port)
        )

        def openclaude(*arguments: str | Path) -> str:
            return subprocess.run(
                (OPENCLAUDE, *map(str, arguments)),
                env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
                check=True,
                capture_output=True,
                text=True,
            ).stdout

        manifests, keys = home / "k8s", home / "people.keys"
        openclaude("export", "kubernetes", "team", "--out", manifests, "--host", HOST)
        pair = write_certificates(home, [HOST]).read_text()
        key = openclaude("serve", "--keys", keys, "--new-key", "ann").strip()
        engine = Engine(tmp_path_factory.mktemp("engine"))
        engine.load(image)
        engine.make_secret("openclaude-team-tls", {"tls.crt": pair, "tls.key": pair})
        engine.make_secret("openclaude-team-people", {"people.keys": keys.read_text()})
        engine.make_variables("openclaude-team-keys", {"TEAM_KEY": UPSTREAM_KEY})
        trust = ssl.create_default_context(cafile=str(home / "authority.pem"))
        try:
            yield Cluster(engine, manifests, trust, key)
        finally:
            engine.end()
