"""A company's network: no way out but its proxy, and the stand-ins behind it as public servers.

Knows: which hosts a profile with both lanes asks, proxies that refuse. Independent of: claude, how
a way out is configured.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.e2e.conftest import Build
from tests.e2e.house import House
from tests.e2e.internet import OWN_HOST, Internet
from tests.standins.openai.standin import OpenAIStandin

NAME = "company"
OPENAI_HOST = "api.openai.com"
KEY = "sk-company-CANARY-0123456789"
ONCE = {"CLAUDE_CODE_MAX_RETRIES": "0", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
PROFILE = """
schema = 1
[tiers.haiku]
model = "openai/gpt-4.1-mini"
api_key = "env:OPENAI_API_KEY"
max_output_tokens = 8000
"""
OPUS, HAIKU = "anthropic stand-in: claude-opus-5-5\n", "openai stand-in: gpt-4.1-mini\n"


class Company(NamedTuple):
    """A user's house in that network, with nothing configured yet."""

    house: House
    internet: Internet
    anthropic: AnthropicStandin

    def environment(self, **more: str) -> dict[str, str]:
        """Return the user's variables; a way out has to be among them, or in a file."""
        return {"OPENAI_API_KEY": KEY, **ONCE, **more}

    @property
    def trusted(self) -> dict[str, str]:
        """Return what claude needs to trust the company's proxy."""
        return {"NODE_EXTRA_CA_CERTS": str(self.internet.authority)}

    def asked(self) -> set[str]:
        """Return the hosts that were asked for through the proxy."""
        return set(self.internet.asked)


@contextmanager
def in_company(build_house: Build, folder: Path, anthropic: AnthropicStandin) -> Iterator[Company]:
    """Build it. The house has no `around`, which would be a way out."""
    with (
        OpenAIStandin(key=KEY) as openai,
        Internet({OWN_HOST: anthropic.port, OPENAI_HOST: openai.port}, folder) as internet,
        build_house(NAME) as house,
    ):
        house.around = {}
        house.write(f".config/openclaude/profiles/{NAME}.toml", PROFILE)
        yield Company(house, internet, anthropic)


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Serve every client the same bytes, as a proxy that refuses or a login page does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:  # closed: the test is over
                    return
                with client, contextlib.suppress(OSError):
                    client.settimeout(10)
                    client.recv(65536)
                    client.sendall(answer)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def basic(user: str, password: str) -> str:
    """Return the header's value by which a client shows a proxy who it is."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
