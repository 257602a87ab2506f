"""An internet of stand-ins: each host under its real name, over real TLS.

Knows: a proxy's CONNECT, certificates, which loopback port stands for which host. Independent of:
what is sent to a host. A process gets there by HTTPS_PROXY and SSL_CERT_FILE, as in a company's
network; a request for any other host is refused and recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from openclaude.standins.anthropic.standin import AnthropicStandin

READ_SIZE = 65536
CONNECT = b"CONNECT "
OWN_HOST = "api.anthropic.com"
# bytes; a reader that never pauses, because Python 3.11 would then pause the transport below TLS
LARGEST = 1 << 26
VALID = datetime.timedelta(days=1)


class Internet:
    """A proxy in a thread of its own: `with Internet({"api.openai.com": port}, folder) as it`."""

    def __init__(self, hosts: Mapping[str, int], folder: Path) -> None:
        self.hosts = dict(hosts)
        self.asked: list[str] = []  # HOST:PORT of every CONNECT
        self.refused: list[str] = []  # the same, for unknown hosts
        self.authority = folder / "authority.pem"
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(write_certificates(folder, sorted(hosts)))
        self._port = 0
        self._clients: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="internet", daemon=True)

    def __enter__(self) -> Internet:
        self._thread.start()
        self._is_up.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def clear(self) -> None:
        """Forget which hosts were requested."""
        self.asked.clear()
        self.refused.clear()

    @property
    def url(self) -> str:
        """The address of the proxy."""
        return f"http://127.0.0.1:{self._port}"

    def environment(self) -> dict[str, str]:
        """Return the environment variables of a user in such a network."""
        return {"HTTPS_PROXY": self.url, "SSL_CERT_FILE": str(self.authority)}

    def for_claude(self) -> dict[str, str]:
        """Return the same for claude alone: no instance inherits HTTP_PROXY."""
        return {
            "HTTP_PROXY": self.url,
            "NO_PROXY": "127.0.0.1,localhost",
            "NODE_EXTRA_CA_CERTS": str(self.authority),
        }

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        starting = asyncio.start_server(self._attend, "127.0.0.1", 0, limit=LARGEST)
        server = self._loop.run_until_complete(starting)
        self._port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        self._loop.run_forever()
        server.close()
        for writer in self._clients:
            writer.transport.abort()
        self._loop.run_until_complete(everything_ended())

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client of the proxy."""
        self._clients.add(writer)
        with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            address = head.split(b" ")[1].decode() if head.startswith(CONNECT) else "not a CONNECT"
            host, _, port = address.partition(":")
            self.asked.append(address)
            if host not in self.hosts or port != "443":
                self.refused.append(address)
                writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
                transport = writer.transport
                try:
                    await writer.start_tls(self._tls)
                except AttributeError:  # the client has left: Python 3.11 takes the transport away
                    writer.__dict__["_transport"] = transport
                    raise ConnectionResetError from None
                await join_up(reader, writer, self.hosts[host])
        self._clients.discard(writer)
        writer.close()


@contextmanager
def around_claude(folder: Path) -> Iterator[Internet]:
    """Serve claude's own requests, other than to models: its host has no answer, others fail.

    Without it claude waits for a second in each run (measured with 2.1.330). A stand-in of its own,
    because these requests are not part of a conversation.
    """
    with AnthropicStandin(keep=0) as host, Internet({OWN_HOST: host.port}, folder) as internet:
        yield internet


async def join_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Carry bytes between a client and a loopback port until both have closed."""
    their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(carry(reader, their_writer), carry(their_reader, writer))


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes in one direction until their end, which also ends the other one."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while part := await reader.read(READ_SIZE):
            writer.write(part)
            await writer.drain()
    writer.close()


async def everything_ended() -> None:
    """Wait for the end of every connection, after ending it."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*tasks)


# Certificates -----------------------------------------------------------------------------------


def write_certificates(folder: Path, hosts: list[str]) -> Path:
    """Write an authority's certificate, and a file with key and certificate of all these hosts."""
    authority_key, host_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = named("openclaude's test authority")
    authority = (
        begun(name, name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        begun(named(hosts[0]), name, host_key.public_key())
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    private = host_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    chain = folder / "hosts.pem"
    chain.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return chain


def named(text: str) -> x509.Name:
    """Return a certificate's name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    """Return the start of every certificate."""
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return the allowed usage of a key."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
