"""Another user who takes over a stack's port, and records what he receives.

Run as a program of its own, as another user: `python squatter.py PORT FOLDER`. Speaks plain HTTP
and, with the certificate `own.pem` of the folder, TLS. Writes `bound` when he has the port, and
appends what each connection sent, decrypted, to `heard`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

REPLY = b"HTTP/1.1 529 Overloaded\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def main() -> None:
    """Wait for the port, then listen."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    listener = bind(port)
    (folder / "bound").touch()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=hear, args=(connection, context, folder), daemon=True).start()


def bind(port: int) -> socket.socket:
    """Bind the port as soon as it is free."""
    while True:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(64)
        except OSError:
            listener.close()
            time.sleep(0.005)
        else:
            return listener


def hear(connection: socket.socket, context: ssl.SSLContext, folder: Path) -> None:
    """Read one connection, and answer so that the client retries."""
    connection.settimeout(10)
    said = b"connection\n"
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        stack.enter_context(connection)
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":
            said += b"tls\n"
            connection = stack.enter_context(context.wrap_socket(connection, server_side=True))
        said += connection.recv(65536)
        connection.sendall(REPLY)
    with (folder / "heard").open("ab") as file:
        file.write(said)


if __name__ == "__main__":
    main()
