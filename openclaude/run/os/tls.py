"""The server's side of TLS on a socket of ours.

Knows: Python's ssl, how a TLS connection begins. Independent of: who made the certificate, what is
said inside.
"""

from __future__ import annotations

import errno
import socket
import ssl
from pathlib import Path

HANDSHAKE = b"\x16"  # the record type that begins every TLS connection (RFC 8446, 5.1)


def server_context(path: str, key: str = "") -> ssl.SSLContext:
    """The context that proves itself with the certificate in the file at `path`.

    Its key is there too, or in the file at `key`. Raises OSError (ssl.SSLError is one) where a file
    cannot be read, or they are not such a pair.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # claude and every Python of ours have it
    if not Path(path).is_file():
        raise FileNotFoundError(errno.ENOENT, "there is no certificate", path)
    context.load_cert_chain(path, key or None, password=no_password)
    return context


def no_password() -> str:
    """The password of a key that has one: there is nobody to ask. Raises PermissionError."""
    raise PermissionError(errno.EACCES, "the key is protected by a password")


def wrap(connection: socket.socket, path: str) -> socket.socket:
    """A connection whose first bytes have arrived: in TLS if that is how it begins.

    It keeps its descriptor and does not block. Raises OSError.
    """
    if not path or connection.recv(1, socket.MSG_PEEK) != HANDSHAKE:
        return connection
    context = server_context(path)
    return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)


def receive(connection: socket.socket, size: int) -> bytes:
    """What has arrived, at most about `size` bytes; b"" at the end.

    Raises BlockingIOError where nothing has, and OSError.
    """
    try:
        part = connection.recv(size)
        if isinstance(connection, ssl.SSLSocket):
            while connection.pending():  # what is decrypted already makes no descriptor readable
                part += connection.recv(connection.pending())
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
        raise BlockingIOError(errno.EAGAIN, "the handshake goes on") from error
    return part
