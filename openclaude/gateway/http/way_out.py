"""Why a server cannot be reached, in a sentence that says what to set.

Knows: aiohttp's exceptions, what proxies and networks answer in a server's place. Independent of:
LiteLLM, which server it is. Both instances and `doctor --online` ask it.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp

from openclaude.gateway.http.proxies import without_login

# A sentence of this module, wherever it has been wrapped. `now`: it may pass by itself.
NAMED = re.compile(r"cannot reach \S{1,300}+ (?P<now>now: )?[^\n]{1,400}+")
LONGEST_HOST = 200
HOPELESS = 424  # claude asks once, and shows the sentence as it is (measured with 2.1.330)
PASSING = 408  # claude asks again for three minutes, then shows the sentence as it is (measured)
NETWORK_LOGIN = 511
LOGIN_WANTED = frozenset({401, 407})  # tinyproxy 1.11 says 401 to a wrong password
OFFLINE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
CUT = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
# OpenSSL's codes of a certificate that is wrong in itself, whoever has issued it
EXPIRED, NOT_YET_VALID = 10, 9
OTHER_HOST = frozenset({62, 64})
TRUST = (
    "its certificate is not trusted{}; if a proxy of your company inspects TLS, set "
    "NODE_EXTRA_CA_CERTS to the file with its certificate, then start openclaude again"
)


class Fault(NamedTuple):
    """Why a server cannot be reached."""

    address: str  # HOST or HOST:PORT
    why: str
    may_pass: bool = False  # by itself: a network that comes back, a server that starts

    @property
    def sentence(self) -> str:
        """The whole sentence, which `NAMED` finds again."""
        return f"cannot reach {self.address}{' now' if self.may_pass else ''}: {self.why}"

    @property
    def status(self) -> int:
        """The status by which claude does what helps."""
        return PASSING if self.may_pass else HOPELESS


def fault_of(
    error: BaseException, address: str, proxy: str = "", *, local_may_start: bool = False
) -> Fault | None:
    """What an exception of aiohttp's says about the way to `address`; None for another failure.

    `proxy` is the one that was to be used, as it is set. `local_may_start` says that a server of
    this machine which is not there is worth waiting for.
    """
    shown = without_login(proxy) if proxy else ""
    match error:
        case aiohttp.ClientHttpProxyError():
            return refused_by(shown, error.status, address, has_login="@" in proxy)
        case aiohttp.ClientProxyConnectionError():
            return Fault(address, proxy_down(shown, error.os_error), may_pass=True)
        case aiohttp.ClientConnectorCertificateError():
            return Fault(address, untrusted_certificate(error.certificate_error))
        case aiohttp.ClientConnectorDNSError():
            return Fault(
                address,
                "its name cannot be resolved; check your internet connection, VPN or DNS, or set "
                "HTTPS_PROXY if your network needs a proxy",
                may_pass=True,
            )
        case aiohttp.ClientSSLError():
            return Fault(address, no_tls(error.os_error))
        case aiohttp.ClientConnectorError():
            may_pass = local_may_start or not is_own_machine(address)
            return Fault(address, unreached(error.os_error, address), may_pass=may_pass)
        case aiohttp.ConnectionTimeoutError() | aiohttp.SocketTimeoutError() if is_connecting(
            error
        ):
            return Fault(address, no_answer(shown), may_pass=True)
    return None


def unusable(proxy: str, address: str) -> Fault | None:
    """A proxy that no request can take: claude and aiohttp know HTTP's only."""
    if not proxy or proxy.partition("://")[0].lower() in {"http", "https"}:
        return None
    return Fault(
        address,
        f"the proxy {without_login(proxy)} is not one that claude and openclaude can use; set "
        "HTTPS_PROXY to an address that begins with http://",
    )


def refused_by(proxy: str, status: int, address: str, *, has_login: bool) -> Fault:
    """A proxy that has refused to connect us."""
    if status in LOGIN_WANTED:
        wants = (
            "does not accept the user and the password in HTTPS_PROXY"
            if has_login
            else "wants a user and a password"
        )
        return Fault(
            address,
            f"the proxy {proxy} {wants} (HTTP {status}); set HTTPS_PROXY to http://USER:PASSWORD@HOST:"
            "PORT, in the shell or in `env` of claude's settings",
        )
    if status >= 500 and status != NETWORK_LOGIN:
        return Fault(
            address,
            f"the proxy {proxy} cannot connect to it (HTTP {status}); ask whoever runs the proxy",
            may_pass=True,
        )
    what = (
        "log in to your network in a browser"
        if status == NETWORK_LOGIN
        else "ask whoever runs the proxy to allow it, or add the host to NO_PROXY if it can be "
        "reached without"
    )
    return Fault(address, f"the proxy {proxy} refuses to connect to it (HTTP {status}); {what}")


def proxy_down(proxy: str, error: OSError) -> str:
    """A proxy that does not answer."""
    is_unknown = isinstance(error, socket.gaierror)
    what = "cannot be resolved" if is_unknown else f"does not answer ({code_of(error)})"
    return f"the proxy {proxy} {what}; check your network or VPN, or correct HTTPS_PROXY"


def untrusted_certificate(error: Exception, advice: str = TRUST) -> str:
    """A certificate that was not accepted; `advice` is for one whose issuer is not trusted."""
    code = getattr(error, "verify_code", 0)
    if code in {EXPIRED, NOT_YET_VALID}:
        what = "has expired" if code == EXPIRED else "is not valid yet"
        return (
            f"its certificate {what}; check this machine's clock, then ask whoever runs the server"
        )
    if code in OTHER_HOST:
        return (
            "its certificate is for another host; log in to your network in a browser, or check "
            "the proxy that answers in its place"
        )
    message = str(getattr(error, "verify_message", "") or "")
    return advice.format(f" ({message})" if message else "")


def no_tls(error: OSError) -> str:
    """A server with which no encrypted connection can be made."""
    reason = str(getattr(error, "reason", "") or code_of(error)).replace("_", " ").lower()
    return (
        f"no encrypted connection can be made ({reason}); check the proxy or firewall on the way; "
        "if the server is without TLS, begin its address in the profile with http://"
    )


def unreached(error: OSError, address: str) -> str:
    """A server that did not accept a connection."""
    if is_own_machine(address):
        return "nothing is listening there; start the server that the profile expects"
    proxied = "or set HTTPS_PROXY if your network needs a proxy"
    if error.errno in OFFLINE:
        return (
            f"there is no route to it ({code_of(error)}); check your connection or VPN, {proxied}"
        )
    if error.errno == errno.ECONNREFUSED:
        return f"it refuses the connection (ECONNREFUSED); a firewall may do that, {proxied}"
    if error.errno in CUT:
        return f"the connection is cut ({code_of(error)}); a firewall may do that, {proxied}"
    return f"it does not answer ({code_of(error)}); check your connection, {proxied}"


def no_answer(proxy: str) -> str:
    """Nobody has answered in time."""
    if proxy:
        return f"the proxy {proxy} does not answer in time; check your network or VPN"
    return (
        "it does not answer in time; check your connection, or set HTTPS_PROXY if your network "
        "needs a proxy"
    )


def page_in_its_place(
    method: str, status: int, headers: Mapping[str, str], address: str
) -> Fault | None:
    """A web page that answers for an API: a network's login page, a proxy's notice."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_page = kind in {"text/html", "application/xhtml+xml"}
    if status == NETWORK_LOGIN or (method == "POST" and status == 200 and is_page):
        return Fault(
            address,
            f"a web page answers in its place (HTTP {status}, {kind or 'no content type'}); log in "
            "to your network in a browser, or check the proxy that answers",
        )
    return None


def is_connecting(error: BaseException) -> bool:
    """Whether time ran out before there was a connection."""
    return isinstance(error, aiohttp.ConnectionTimeoutError) and not isinstance(
        error, asyncio.CancelledError
    )


def is_own_machine(address: str) -> bool:
    """Whether an address is on this machine."""
    host = address.rpartition(":")[0] or address
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def code_of(error: OSError) -> str:
    """The system's name of an error."""
    if isinstance(error, socket.gaierror):
        return "DNS"
    return errno.errorcode.get(error.errno or 0, "") or type(error).__name__


def shown_address(host: str, port: int | None) -> str:
    """A server as sentences name it: foreign text, bounded, without control characters."""
    host = ascii(host[:LONGEST_HOST])[1:-1]
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if port else host
