"""`openclaude serve` in a house of its own: the server of a team.

Knows: its command line, its certificate, people's keys. Independent of: who asks it for what.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.house import PROFILE, House
from tests.e2e.internet import write_certificates

HOST = "localhost"
READY_TIMEOUT_S = 120.0


class Server:
    """One running server."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.folder = folder
        self.keys = folder / "people.keys"
        pair = write_certificates(folder, [HOST])  # key and certificate in one file
        self.certificate = self.certificate_key = pair
        self.authority = folder / "authority.pem"
        self.log = folder / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def add(self, person: str) -> str:
        """Make a key for a person."""
        argv = (self.house.program, "serve", "--keys", self.keys, "--new-key", person)
        ran = self.house.run(argv, self.house.environment())
        assert ran.code == 0, ran.err
        return ran.out.strip()

    def remove(self, person: str) -> None:
        """Take a person's key away."""
        lines = self.keys.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(f"{person} ")]
        assert len(kept) == len(lines) - 1
        self.keys.write_text("".join(kept), encoding="utf-8")

    def start(self, *, port: int = 0, profile: str = PROFILE, more: tuple[str, ...] = ()) -> None:
        """Serve; return when it is ready. `more`: further options."""
        argv = (self.house.program, "serve", profile, "--listen", f"127.0.0.1:{port}")
        files = ("--cert", self.certificate, "--cert-key", self.certificate_key)
        self.log.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in (*argv, *files, "--keys", self.keys, *more)],
                env=self.house.environment(),
                cwd=self.house.project,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + READY_TIMEOUT_S
        while not (found := re.search(r"https://127\.0\.0\.1:(\d+)", self.said())):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, "it does not listen"
            time.sleep(0.02)
        self.port = int(found[1])
        status, said = self.get("/health/readiness", timeout_s=READY_TIMEOUT_S)
        assert status == 200, said

    def said(self) -> str:
        """What it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, *, timeout_s: float = 30.0
    ) -> tuple[int, str]:
        """Ask it for a page, as a stranger or with a key."""
        return self.ask("GET", path, headers=headers, timeout_s=timeout_s)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        timeout_s: float = 30.0,
    ) -> tuple[int, str]:
        """Send one request over verified TLS."""
        context = ssl.create_default_context(cafile=str(self.authority))
        line = http.client.HTTPSConnection(HOST, self.port, timeout=timeout_s, context=context)
        try:
            line.request(method, path, body, dict(headers or {}))
            reply = line.getresponse()
            return reply.status, reply.read().decode()
        finally:
            line.close()

    def stop(self) -> int:
        """End it as systemd would; its exit status."""
        assert self.process
        self.process.terminate()
        return self.process.wait(30)


@contextmanager
def serving(house: House, folder: Path) -> Iterator[Server]:
    """A server that is not started yet; it ends with the block."""
    server = Server(house, folder)
    try:
        yield server
    finally:
        if server.process and server.process.poll() is None:
            server.process.kill()
            server.process.wait()


class Wiretap:
    """What stands in front of a server: it ends TLS with the server's own certificate, and keeps
    every byte that arrives, decrypted, before it goes on."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.heard: list[bytearray] = []  # by connection
        self._inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._inside.load_cert_chain(server.certificate)
        self._outside = ssl.create_default_context(cafile=str(server.authority))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"https://{HOST}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def all(self) -> bytes:
        """Everything that the server got."""
        return b"\n".join(bytes(one) for one in self.heard)

    @property
    def requests(self) -> list[bytes]:
        """The heads of the requests for messages."""
        return re.findall(rb"POST /v1/messages[^\r]* HTTP/1.1\r\n(?:[^\r]+\r\n)+", self.all)

    def close(self) -> None:
        """Accept no more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=self._join, args=(connection,), daemon=True).start()

    def _join(self, connection: socket.socket) -> None:
        kept = bytearray()
        self.heard.append(kept)
        with contextlib.suppress(OSError), contextlib.ExitStack() as both:
            both.enter_context(connection)
            near = both.enter_context(self._inside.wrap_socket(connection, server_side=True))
            plain = socket.create_connection(("127.0.0.1", self.server.port))
            far = both.enter_context(self._outside.wrap_socket(plain, server_hostname=HOST))
            back = threading.Thread(target=carry, args=(far, near, bytearray()), daemon=True)
            back.start()
            carry(near, far, kept)
            back.join()


def carry(source: ssl.SSLSocket, target: ssl.SSLSocket, kept: bytearray) -> None:
    """Carry bytes in one direction until their end; keep them."""
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            kept += part
            target.sendall(part)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
