"""Which proxy a request takes: the one that claude would take, or none.

Knows: HTTPS_PROXY, and the forms of NO_PROXY as claude reads them (measured with 2.1.330): a host,
a domain and everything below it, an address, a network, each with a port or without, separated by
commas or blanks. Independent of: who asks. Python's own reading of NO_PROXY knows no networks and
no brackets around an address.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

PROXY = ("https_proxy", "HTTPS_PROXY")  # the lower-case name wins
NO_PROXY = ("no_proxy", "NO_PROXY")
WITH_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*):(?P<port>\d{1,5})")
DEFAULT_PORTS = {"http": 80, "https": 443}


def proxy_for(scheme: str, host: str, port: int | None, env: Mapping[str, str]) -> str:
    """The proxy's address for a request, or "".

    Only what is encrypted goes through one: a request in plain text could show it a credential.
    """
    proxy = next((env[name] for name in PROXY if env.get(name)), "")
    if not proxy or scheme != "https" or is_exempt(host, port or DEFAULT_PORTS[scheme], env):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def is_exempt(host: str, port: int, env: Mapping[str, str]) -> bool:
    """Whether a host is asked directly: one of NO_PROXY, or this machine."""
    host = host.strip("[]").rstrip(".").lower()
    address = address_of(host)
    if host == "localhost" or (address and address.is_loopback):
        return True
    entries = next((env[name] for name in NO_PROXY if env.get(name)), "")
    return any(covers(entry, host, port) for entry in re.split(r"[\s,]+", entries.lower()) if entry)


def covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY means a host."""
    if found := WITH_PORT.fullmatch(entry):
        if int(found["port"]) != port:
            return False
        entry = found["host"]
    entry = entry.strip("[]")
    if entry == "*":
        return True
    if (address := address_of(host)) is not None:
        network = network_of(entry)
        return network is not None and address in network
    name = entry.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A host as an address; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def network_of(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An entry as a network, of one address where it names no length; None for a name."""
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def without_login(proxy: str) -> str:
    """A proxy's address as it may be shown: no user, no password, no path."""
    scheme, _, rest = proxy.rpartition("://")
    place = rest.rpartition("@")[2]
    # a password may contain what ends an address: then nothing of it is shown
    shown = re.match(r"[\w.\[\]:-]{1,200}", place.partition("/")[0])
    return f"{scheme or 'http'}://{shown[0] if shown and shown[0] else '...'}"
