"""The process that tries the ways out: `python -m openclaude.doctor.way_out_ask`.

Knows: how an instance chooses its proxy and whom it trusts, by the same code. A process of its own:
it has the environment of that instance, no more. It sends no key, no login and no body.
Annotations are not postponed here: `decode` reads them.
"""

import asyncio
import os
import ssl
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from botocore.exceptions import BotoCoreError

from openclaude.aws.endpoints import EndpointUnusable, find_endpoint
from openclaude.contracts.decode import read, to_line
from openclaude.contracts.record import Record
from openclaude.doctor.way_out import WayFound
from openclaude.gateway.http.proxies import proxy_for, without_login
from openclaude.gateway.http.way_out import fault_of, page_in_its_place, shown_address, unusable
from openclaude.run.worker.certificates import OF_SYSTEMS, trust

TIMEOUT = aiohttp.ClientTimeout(total=60.0, sock_connect=30.0)
BEDROCK = "bedrock:"


class WaysAsked(Record):
    """Which addresses to try; `bedrock:REGION` stands for what the AWS profile says."""

    addresses: tuple[str, ...]
    aws_profile: str = ""


def main() -> None:
    """Answer: a JSON object in, a JSON line out for each address."""
    asked = read(WaysAsked, sys.stdin.read(), "ways out")
    with tempfile.TemporaryDirectory() as folder:
        trust(os.environ, Path(folder), OF_SYSTEMS)
        addresses = [address for one in asked.addresses if (address := resolved(one, asked))]
        for found in asyncio.run(try_all(addresses)):
            sys.stdout.buffer.write(to_line(found))


def resolved(address: str, asked: WaysAsked) -> str:
    """An address as it is asked; "" where the AWS profile names none, as other checks say."""
    if not address.startswith(BEDROCK):
        return address
    region = address.removeprefix(BEDROCK)
    try:
        found = find_endpoint(asked.aws_profile, region)
    except (BotoCoreError, EndpointUnusable):
        return ""
    return found or f"https://bedrock-runtime.{region}.amazonaws.com"


async def try_all(addresses: list[str]) -> list[WayFound]:
    """Try them at once; the answers are in their order."""
    return list(await asyncio.gather(*(try_one(address) for address in addresses)))


async def try_one(address: str) -> WayFound:
    """Ask for the head of a page, whatever the answer."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    port = parts.port or (80 if parts.scheme == "http" else 443)
    proxy = proxy_for(parts.scheme, host, port, os.environ)
    found = WayFound(address=shown_address(host, port), proxy=without_login(proxy) if proxy else "")
    if fault := unusable(proxy, found.address):
        return found._replace(why=fault.sentence)
    # aiohttp's own context is as old as its import, and knows nothing of our bundle
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as session,
            session.head(
                f"{parts.scheme}://{parts.netloc}/", proxy=proxy or None, allow_redirects=False
            ) as reply,
        ):
            if fault := page_in_its_place("HEAD", reply.status, reply.headers, found.address):
                return found._replace(why=fault.sentence)
            target = urlsplit(reply.headers.get("location", "")).hostname or ""
            is_elsewhere = 300 <= reply.status < 400 and target not in {"", host}
            return found._replace(status=reply.status, redirect=target if is_elsewhere else "")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        fault = fault_of(error, found.address, proxy)
        why = fault.sentence if fault else f"cannot reach {found.address}: {error or 'no answer'}"
        return found._replace(why=why)


if __name__ == "__main__":
    main()
