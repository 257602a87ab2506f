"""A stack in a network that looks as if it had an outside, with every packet recorded.

Knows: how to make such a network, what a stack is put through. Independent of: what is right. Runs
in network and mount namespaces of its own (`unshare -n -m`): `python -m tests.e2e.outside FOLDER`
prints one JSON document. `outside` is one end of a veth pair with the default route and a name
server behind it; the other end is read here. IPv6 is off, so that the kernel itself sends nothing.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import House, login_headers, make_canaries, question

NAME_SERVER = "192.0.2.53"  # in a block reserved for documentation (RFC 5737)
COMMANDS = (
    "ip link set lo up",
    "ip link add outside type veth peer name watched",
    "ip addr add 192.0.2.2/24 dev outside",
    "ip link set watched up",
    "ip link set outside arp off up",
    "ip route add default dev outside",
)
ALL_PROTOCOLS = 3  # ETH_P_ALL
IPV4 = b"\x08\x00"
QUIET_S = 0.5


def main() -> None:
    """Make the network, use a stack in it, print the destinations of its packets."""
    root = Path(sys.argv[1])
    make_network(root)
    watched = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    watched.bind(("watched", 0))
    replies = use_a_stack(root)
    of_the_stack = sorted(set(destinations(watched)))
    with contextlib.suppress(OSError):
        socket.create_connection(("openclaude.invalid", 443), 1.0)
    with contextlib.suppress(OSError):
        socket.create_connection(("198.51.100.7", 443), 0.2)
    sys.stdout.write(
        json.dumps(
            {
                "replies": replies,
                "of_the_stack": of_the_stack,
                "of_the_control": sorted(set(destinations(watched))),
            }
        )
    )


def make_network(root: Path) -> None:
    """An interface with a default route, and a name server that never answers."""
    Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
    for command in COMMANDS:
        subprocess.run(command.split(), check=True)
    names = root / "resolv.conf"
    names.write_text(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n")
    subprocess.run(("mount", "--bind", names, "/etc/resolv.conf"), check=True)


def use_a_stack(root: Path) -> list[int]:
    """Start, send good and failing requests on both routes, stop; return the statuses."""
    canaries = make_canaries()
    keys = {canaries.aws_id: Secret(canaries.aws_secret)}
    with AnthropicStandin() as anthropic, BedrockStandin(credentials=keys) as bedrock:
        house = House(
            root / "house", canaries, anthropic_url=anthropic.url, bedrock_url=bedrock.url
        )
        assert house.command("start", "--wait").code == 0, house.logs()
        try:
            return [reply.status for reply in ask_everything(house)]
        finally:
            assert house.command("stop").code == 0


def ask_everything(house: House) -> Iterator[raw.RawReply]:
    """Send a request of every kind that claude makes, without claude."""
    record = house.record()
    headers = raw.with_key(login_headers(house.canaries.oauth), record["main_key"])
    for model in ("claude-opus-5-5", "openclaude-haiku"):
        for stream in (True, False):
            yield raw.ask(record["port"], headers, question("hi", model=model, stream=stream))
        target = "/v1/messages/count_tokens"
        yield raw.ask(record["port"], headers, question("hi", model=model), target=target)
    yield raw.ask(record["port"], headers, b"", target="/v1/models", method="GET")


def destinations(watched: socket.socket) -> Iterator[str]:
    """Return the destination of every packet until it was quiet for a moment."""
    watched.settimeout(QUIET_S)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            frame = watched.recv(65536)
        except TimeoutError:
            return
        is_ip = frame[12:14] == IPV4
        yield socket.inet_ntoa(frame[30:34]) if is_ip else f"ethertype {frame[12:14].hex()}"


if __name__ == "__main__":
    main()
