"""The certificate by which the instances of a stack prove to claude who they are.

Knows: how it is made, where it is kept, when it is made anew. Independent of: who serves with it.

Whoever has the port of a stack that died gets a connection of claude's, but not the login: claude
knows which certificate to expect, and the key lies in the stack's folder, which only its owner
reads. Like the key of an SSH server it stays when the stack is made again, because sessions of the
stack before may still go on; it is renewed by the first new stack after a month.

Self-signed, for 127.0.0.1 alone and no authority: whoever trusts it trusts it for this address and
nothing else.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from openclaude.files import read_regular, write_private
from openclaude.run.stack.folder import client_certificate, server_certificate

RENEWED_AFTER_S = 30 * 24 * 3600.0
LARGEST = 16 * 1024  # bytes of a key and a certificate; they are 600


def take_certificate(folder: Path, *, is_used: bool) -> Path:
    """The file with a stack's key and certificate; made where there is none that will do.

    `is_used` says that sessions may still expect the one that is there. Raises FolderUnusable.
    """
    path = server_certificate(folder)
    if not is_whole(folder) or (not is_used and is_old(path)):
        key, certificate = make_certificate()
        # the public part last: it says that both are there
        write_private(path, key + certificate)
        write_private(client_certificate(folder), certificate)
    return path


def is_whole(folder: Path) -> bool:
    """Whether both files are there, ours alone, and belong together."""
    ours, theirs = read_own(server_certificate(folder)), read_own(client_certificate(folder))
    return bool(theirs) and "PRIVATE KEY" in ours and ours.endswith(theirs)


def read_own(path: Path) -> str:
    """The text of a file that only we can write and read, else ""."""
    return read_regular(path, LARGEST, is_private=True).decode("ascii", "replace")


def is_old(path: Path) -> bool:
    """Whether a file was written over a month ago, or in the future: a clock was wrong."""
    age_s = time.time() - path.stat().st_mtime
    return not -60.0 < age_s < RENEWED_AFTER_S


def make_certificate() -> tuple[str, str]:
    """A new key and its certificate, both PEM.

    It is valid for ever: a clock that is wrong must not end a session, and what limits its life is
    the file.
    """
    # a tenth of a second to import, which only a first launch pays
    from datetime import UTC, datetime
    from ipaddress import IPv4Address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    # OpenSSL looks an issuer up by its name: a bundle may hold the certificates of two stacks
    called = f"openclaude {os.urandom(8).hex()}"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))  # RFC 5280, 4.1.2.5
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
