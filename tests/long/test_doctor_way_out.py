"""What `doctor --online` says opens a lane's way opens it: done as it is printed, it is free.

Each row has what is in the way, and who does what the fix says: the user in the shell or in an
editor, whoever runs the proxy or the server, or the network's login page. Names are resolved by a
hosts file of the row's own.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.conftest import need
from tests.e2e import internet
from tests.e2e.company import NAME, OPENAI_HOST, Company, answering, in_company
from tests.e2e.conftest import Build
from tests.e2e.internet import OWN_HOST, Internet, write_certificates
from tests.e2e.test_e2e_company_proxy import PASSWORD, USER, tinyproxy

HOSTED = 'mount --bind "$0" /etc/hosts && exec "$@"'
NOTHING = b"content-length: 0\r\n\r\n"
VARIABLE = re.compile(r"\b(HTTPS_PROXY|NODE_EXTRA_CA_CERTS|NO_PROXY)\b")
COMMAND = re.compile(r"`([a-z]+ [^`]+)`")
Env = dict[str, str]


class Network(NamedTuple):
    """A company's network, and what a row has put into it."""

    company: Company
    folder: Path
    things: ExitStack

    @property
    def proxy(self) -> str:
        return self.company.internet.url

    @property
    def through(self) -> Env:
        """What a user has set who needs nothing else."""
        return {"HTTPS_PROXY": self.proxy, **self.company.trusted}

    def put(self, thing: contextlib.AbstractContextManager[Any]) -> Any:
        """Add something that stays until the end of the test."""
        return self.things.enter_context(thing)

    def hosts(self, address: str) -> None:
        """Give both servers an address."""
        (self.folder / "hosts").write_text(
            f"127.0.0.1 localhost\n{address} {OWN_HOST} {OPENAI_HOST}\n"
        )

    def profile(self, url: str) -> None:
        self.company.house.write(
            f".config/openclaude/profiles/{NAME}.toml",
            f'schema = 1\nextends = "base"\n[anthropic]\nbase_url = "{url}"\n',
        )


# What answers -------------------------------------------------------------------------------------


@contextmanager
def gate(answer: bytes, behind: str) -> Iterator[str]:
    """Serve a proxy that refuses until a browser has opened its `/login`."""
    is_open = threading.Event()
    host, port = behind.removeprefix("http://").split(":")

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = client.recv(65536)
            if head.startswith(b"GET /login "):
                is_open.set()
            if not is_open.is_set() or head.startswith(b"GET /login "):
                client.sendall(answer + NOTHING)
                return
            with socket.create_connection((host, int(port))) as server:
                server.sendall(head)
                back = threading.Thread(target=carry, args=(server, client), daemon=True)
                back.start()
                carry(client, server)
                back.join()

    with listening(("127.0.0.1", 0), serve) as (_, found):
        yield f"http://127.0.0.1:{found}"


def carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def listening(
    address: tuple[str, int], serve: Callable[[socket.socket], None]
) -> Iterator[tuple[str, int]]:
    """Serve each client in a thread; the address."""
    with socket.create_server(address) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):  # closed: the test is over
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def encrypted(chain: Path) -> Iterator[None]:
    """Serve both hosts themselves, on the port of HTTPS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(client, server_side=True) as inner:
            inner.recv(65536)
            inner.sendall(b"HTTP/1.1 404 No\r\n" + NOTHING)

    with listening(("127.0.0.1", 443), serve):
        yield


def in_the_clear(client: socket.socket) -> None:
    with client, contextlib.suppress(OSError):
        client.recv(65536)
        client.sendall(b"HTTP/1.1 400 No\r\n" + NOTHING)


def hang_up(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def log_in(url: str) -> None:
    """Do what a browser does at the network's page."""
    with socket.create_connection(url_address(url)) as line:
        line.sendall(b"GET /login HTTP/1.1\r\nhost: login\r\n\r\n")
        assert line.recv(100)


def url_address(url: str) -> tuple[str, int]:
    host, port = url.rpartition("://")[2].split(":")
    return host, int(port)


# What is in the way, and what is done ------------------------------------------------------------


def set_as_said(network: Network, env: Env, fix: str, value: str = "") -> Env:
    """Set the variable that a fix names."""
    found = VARIABLE.search(fix)
    assert found, fix
    values = {"HTTPS_PROXY": value or network.proxy, **network.company.trusted}
    return {**env, found[1]: value or values[found[1]]}


def nameless(network: Network) -> Env:
    return network.company.trusted


def untrusted(network: Network) -> Env:
    return {"HTTPS_PROXY": network.proxy}


def socks(network: Network) -> Env:
    return {"ALL_PROXY": "socks5://127.0.0.1:9", **network.company.trusted}


def dead(network: Network) -> Env:
    return {**network.through, "HTTPS_PROXY": "http://127.0.0.1:9"}


def asks_for_login(network: Network) -> Env:
    port = network.put(tinyproxy(network.folder, network.proxy))
    return {**network.through, "HTTPS_PROXY": f"http://127.0.0.1:{port}"}


def knows_another(network: Network) -> Env:
    env = asks_for_login(network)
    return {**env, "HTTPS_PROXY": env["HTTPS_PROXY"].replace("//", f"//{USER}:wrong@")}


def with_login(_network: Network, env: Env, fix: str) -> Env:
    found = re.search(r"set HTTPS_PROXY to (http://USER:PASSWORD@HOST:PORT)", fix)
    assert found, fix
    host, port = url_address(env["HTTPS_PROXY"].replace(f"{USER}:wrong@", ""))
    values = {"USER": USER, "PASSWORD": PASSWORD, "HOST": host, "PORT": str(port)}
    url = re.sub("|".join(values), lambda one: values[one[0]], found[1])
    return {**env, "HTTPS_PROXY": url}


def forbids(network: Network) -> Env:
    for host in (OWN_HOST, OPENAI_HOST):
        network.company.internet.hosts[f"not-{host}"] = network.company.internet.hosts.pop(host)
    return network.through


def allowed(network: Network, env: Env, fix: str) -> Env:
    assert "ask whoever runs the proxy to allow it" in fix
    for host in (OWN_HOST, OPENAI_HOST):
        network.company.internet.hosts[host] = network.company.internet.hosts.pop(f"not-{host}")
    return env


def forbids_what_is_near(network: Network) -> Env:
    network.hosts("127.0.0.1")
    network.put(encrypted(network.folder / "hosts.pem"))
    return forbids(network)


def near(network: Network, env: Env, fix: str) -> Env:
    assert "add the host to NO_PROXY if it can be reached without" in fix
    return {**env, "NO_PROXY": f"{OWN_HOST},{OPENAI_HOST}"}


def closed(status: int) -> Callable[[Network], Env]:
    def how(network: Network) -> Env:
        answer = b"HTTP/1.1 %d No\r\n" % status
        return {**network.through, "HTTPS_PROXY": network.put(gate(answer, network.proxy))}

    return how


def opened(said: str) -> Callable[[Network, Env, str], Env]:
    def mend(_network: Network, env: Env, fix: str) -> Env:
        assert said in fix
        log_in(env["HTTPS_PROXY"])
        return env

    return mend


def another_host(network: Network) -> Env:
    folder = network.folder / "other"
    folder.mkdir()
    found = network.put(Internet({"login.hotel.example": 9}, folder))
    found.hosts |= network.company.internet.hosts
    return {"HTTPS_PROXY": found.url, "NODE_EXTRA_CA_CERTS": str(found.authority)}


def asked_elsewhere(network: Network, _env: Env, fix: str) -> Env:
    assert "check the proxy that answers in its place" in fix
    return network.through


def expired(network: Network) -> Env:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(internet, "VALID", -datetime.timedelta(minutes=1))
        renew(network)
    return network.through


def renewed(network: Network, env: Env, fix: str) -> Env:
    assert "ask whoever runs the server" in fix
    renew(network)
    return env


def renew(network: Network) -> None:
    chain = write_certificates(network.folder, [OWN_HOST, OPENAI_HOST])
    network.company.internet._tls.load_cert_chain(chain)


def direct(address: str, serve: Callable[[socket.socket], None] | None = None) -> Any:
    """Both servers at an address where none is, or a wrong one."""

    def how(network: Network) -> Env:
        network.hosts(address)
        if serve:
            network.put(listening((address, 443), serve))
        return network.company.trusted

    return how


def around_it(network: Network, env: Env, fix: str) -> Env:
    assert "check the proxy or firewall on the way" in fix
    return {**env, "HTTPS_PROXY": network.proxy}


def not_started(network: Network) -> Env:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    network.profile(f"http://127.0.0.1:{port}")
    return {"STARTED_LATER": str(port)}


def started(network: Network, env: Env, fix: str) -> Env:
    assert "start the server that the profile expects" in fix
    network.put(listening(("127.0.0.1", int(env["STARTED_LATER"])), in_the_clear))
    return env


def elsewhere(network: Network) -> Env:
    answer = b"HTTP/1.1 302 F\r\nlocation: http://login.hotel.example/\r\n" + NOTHING
    network.profile(network.put(answering(answer)))
    return {}


def profile_edited(network: Network, env: Env, fix: str) -> Env:
    assert "correct the address in the profile" in fix
    (command,) = COMMAND.findall(fix)
    url = network.company.anthropic.url
    editor = f"sed -i 's#^base_url = .*#base_url = \"{url}\"#'"
    ran = network.company.house.run(
        (network.company.house.program, *command.split()[1:]),
        network.company.house.environment({"EDITOR": editor, "OPENCLAUDE_PROFILE": NAME}),
    )
    assert ran.code == 0, ran
    return env


class Blocked(NamedTuple):
    """What is in the way, the words by which it is named, and what is done."""

    message: str
    how: Callable[[Network], Env]
    mend: Callable[[Network, Env, str], Env]


TABLE = [
    Blocked("its name cannot be resolved", nameless, set_as_said),
    Blocked("its certificate is not trusted", untrusted, set_as_said),
    Blocked("is not one that claude", socks, set_as_said),
    Blocked("does not answer", dead, set_as_said),
    Blocked("wants a user and a password", asks_for_login, with_login),
    Blocked("does not accept the user", knows_another, with_login),
    Blocked("refuses to connect to it (HTTP 403)", forbids, allowed),
    Blocked("refuses to connect to it (HTTP 403)", forbids_what_is_near, near),
    Blocked("(HTTP 511)", closed(511), opened("log in to your network in a browser")),
    Blocked("cannot connect to it (HTTP 502)", closed(502), opened("ask whoever runs the proxy")),
    Blocked("is for another host", another_host, asked_elsewhere),
    Blocked("has expired", expired, renewed),
    Blocked("it refuses the connection", direct("127.0.0.1"), set_as_said),
    Blocked("there is no route to it", direct("192.0.2.1"), set_as_said),
    Blocked("the connection is cut", direct("127.0.0.1", hang_up), set_as_said),
    Blocked("no encrypted connection", direct("127.0.0.1", in_the_clear), around_it),
    Blocked("nothing is listening there", not_started, started),
    Blocked("redirects to login.hotel.example", elsewhere, profile_edited),
]


@pytest.fixture
def network(build_house: Build, tmp_path: Path, anthropic: AnthropicStandin) -> Iterator[Network]:
    """A company's network in which everything is right, and nothing configured."""
    can_mount = subprocess.run(["unshare", "-m", "true"], check=False, timeout=60).returncode == 0
    need(can_mount, "the right to mount (root)")
    with in_company(build_house, tmp_path, anthropic) as company, ExitStack() as things:
        found = Network(company, tmp_path, things)
        (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
        yield found


def ways(network: Network, env: Env) -> list[dict[str, str]]:
    """Return what doctor found of each way, with this network's names."""
    house = network.company.house
    argv = ("unshare", "-m", "sh", "-c", HOSTED, network.folder / "hosts")
    doctor = (house.program, "doctor", NAME, "--online", "--yes", "--json")
    ran = house.run((*argv, *doctor), house.environment(network.company.environment(**env)))
    told = ran.json()["data"]["diagnostics"]
    return [one for one in told if one["code"].startswith("way-out")]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.message)
def test_what_is_said_to_open_the_way_opens_it(network: Network, row: Blocked) -> None:
    env = row.how(network)
    before = ways(network, env)
    assert {one["severity"] for one in before} == {"warning"}, before
    for one in before:
        assert row.message in one["message"]

    after = ways(network, row.mend(network, env, before[0]["fix"]))

    assert [one["code"] for one in after] == ["way-out"] * len(before), (before, after)
