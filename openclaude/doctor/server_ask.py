"""The process that asks a server for its models: `python -m openclaude.doctor.server_ask`.

Knows: how main chooses its proxy and whom it trusts, by the same code. A process of its own: it has
the environment of main, no more; the key comes by a pipe. Annotations are not postponed here:
`decode` reads them.
"""

import asyncio
import json
import os
import ssl
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from openclaude.contracts.decode import read, to_line
from openclaude.contracts.record import Record
from openclaude.doctor.server import ServerFound
from openclaude.gateway.http.proxies import proxy_for
from openclaude.gateway.http.way_out import Fault, fault_of, shown_address, untrusted_certificate
from openclaude.gateway.team.trust import TRUST, trusted_by
from openclaude.run.worker.certificates import OF_SYSTEMS, trust

TIMEOUT = aiohttp.ClientTimeout(total=60.0, sock_connect=30.0)
LARGEST = 1 << 20  # bytes of a list


class ServerAsked(Record):
    """Whom to ask, and with what."""

    url: str
    authority: str
    key: str


def main() -> None:
    """Answer: a JSON object in, a JSON line out."""
    asked = read(ServerAsked, sys.stdin.read(), "question for a server")
    with tempfile.TemporaryDirectory() as folder:
        trust(os.environ, Path(folder), OF_SYSTEMS)
        try:
            context = trusted_by(asked.authority)
        except OSError as error:
            why = f"`providers.ca` cannot be used ({asked.authority}): {error.strerror or error}"
            found = ServerFound(why=why)
        else:
            found = asyncio.run(list_models(asked, context))
    sys.stdout.buffer.write(to_line(found))


async def list_models(asked: ServerAsked, context: ssl.SSLContext) -> ServerFound:
    """Ask for the models that the key opens."""
    parts = urlsplit(asked.url)
    host = parts.hostname or ""
    port = parts.port or (80 if parts.scheme == "http" else 443)
    address, proxy = shown_address(host, port), proxy_for(parts.scheme, host, port, os.environ)
    connector = aiohttp.TCPConnector(ssl=context)
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as session,
            session.get(
                f"{asked.url}/v1/models",
                headers={"x-litellm-api-key": f"Bearer {asked.key}"},
                proxy=proxy or None,
                allow_redirects=False,
            ) as reply,
        ):
            body = await reply.content.read(LARGEST) if reply.status == 200 else b""
            return ServerFound(status=reply.status, models=names_in(body))
    except aiohttp.ClientConnectorCertificateError as error:
        fault = Fault(address, untrusted_certificate(error.certificate_error, TRUST))
        return ServerFound(why=fault.sentence)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        found = fault_of(error, address, proxy)
        return ServerFound(why=found.sentence if found else f"cannot reach {address}: {error}")


def names_in(body: bytes) -> tuple[str, ...]:
    """The ids in a list of models; none where it is not one."""
    try:
        return tuple(str(one["id"]) for one in json.loads(body)["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()


if __name__ == "__main__":
    main()
