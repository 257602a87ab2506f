"""Which address an AWS profile has for Bedrock, as AWS's own tools would find it.

Knows: that botocore decides it, and what makes it decide otherwise than by the region: a company's
endpoint (`endpoint_url`, `services`, AWS_ENDPOINT_URL...), FIPS, dual stack; what may go where.
Independent of: who asks. Without any of that botocore is not asked: it would read its model of
Bedrock for it.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

SERVICE = "bedrock-runtime"
VARIABLES = (
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
)
KEYS = ("endpoint_url", "services", "use_fips_endpoint", "use_dualstack_endpoint")


class EndpointUnusable(Exception):
    """An address that nothing is sent to; the message says why."""


class ProfileEndpoints:
    """The address of Bedrock in each region, found again when AWS's files change."""

    def __init__(self, find: Callable[[str, str], str], look: Callable[[], object]) -> None:
        self._find = find
        self._look = look
        self._stamp: object = None
        self._found: dict[tuple[str, str], str] = {}

    def get(self, profile: str, region: str) -> str:
        """The address that the AWS profile decides, "" where only the region does.

        Raises what botocore raises, and EndpointUnusable.
        """
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp, self._found = stamp, {}
        if (profile, region) not in self._found:
            self._found[profile, region] = self._find(profile, region)
        return self._found[profile, region]


def find_endpoint(profile: str, region: str) -> str:
    """The same, asked of botocore. Raises what botocore raises, and EndpointUnusable."""
    import botocore.session

    session = botocore.session.Session(profile=profile or None)
    if not names_endpoint(os.environ, session.get_scoped_config()):
        return ""
    return checked_endpoint(endpoint_of(session, region))


def endpoint_of(session: Any, region: str) -> str:
    """The address that a client of botocore's would ask."""
    from botocore import UNSIGNED
    from botocore.config import Config

    client = session.create_client(
        SERVICE, region_name=region, config=Config(signature_version=UNSIGNED)
    )
    return str(client.meta.endpoint_url)


def names_endpoint(env: Mapping[str, str], section: Mapping[str, Any]) -> bool:
    """Whether anything but the region decides the address."""
    return any(env.get(name) for name in VARIABLES) or any(section.get(key) for key in KEYS)


def deciding(env: Mapping[str, str], section: Mapping[str, Any]) -> Iterable[str]:
    """What of it decides, as the user has written it."""
    yield from (name for name in VARIABLES if env.get(name))
    yield from (key for key in KEYS if section.get(key))


def is_plain(url: str) -> bool:
    """Whether what is sent to an address could be read on the way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")


def is_this_machine(host: str) -> bool:
    """Whether a host is the machine itself; `127.example.com` is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_endpoint(url: str) -> str:
    """An address, if a conversation may be sent to it. Raises EndpointUnusable."""
    if not is_plain(url):
        return url.rstrip("/")
    raise EndpointUnusable(
        f"the AWS profile names {url} for Bedrock, which is not encrypted: your conversation could "
        "be read on the way; name an https address, or set `aws.endpoint_url` in the profile"
    )


def with_key(client: Any, api_key: str) -> Any:
    """A client of botocore's that is made without a signature, with a Bedrock API key instead.

    botocore itself takes such a key from the environment only, and for a loopback address of a test
    it takes none.
    """

    def add(request: Any, **_: Any) -> None:
        if is_plain(request.url):
            raise EndpointUnusable(f"{request.url} is not encrypted: no API key is sent there")
        request.headers["Authorization"] = f"Bearer {api_key}"

    if api_key:
        client.meta.events.register("before-send", add)
    return client
