"""The network: the proxy that claude and the proxies of openclaude take, and whom they trust.

Knows: what an instance makes of both. Must not depend on what answers there, which only `--online`
asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.checks.environment import PROXIES, without_password
from openclaude.doctor.snapshot.world import World

USABLE = ("http://", "https://")


def check_network(world: World) -> Iterator[Diagnostic]:
    """What is certainly wrong with the way out, and what of it claude's settings decide."""
    yield from proxy_of_settings(world)
    yield from unusable_proxy(world)
    yield from lost_authorities(world)


def proxy_of_settings(world: World) -> Iterator[Diagnostic]:
    """A proxy that the shell does not name."""
    proxy = world.network.get("HTTPS_PROXY", "")
    shell = {world.env.get(name, "") for name in PROXIES}
    if proxy and not {proxy, proxy.removeprefix("http://")} & shell:
        yield Diagnostic(
            code="proxy-of-settings",
            severity=Severity.NOTE,
            message=f"claude's settings name the proxy {without_password(proxy)}",
            why="claude and openclaude's proxies send requests to the internet through it",
            fix="nothing to do",
        )


def unusable_proxy(world: World) -> Iterator[Diagnostic]:
    """A proxy that neither claude nor an instance can use."""
    proxy = world.network.get("HTTPS_PROXY", "")
    if proxy and not proxy.lower().startswith(USABLE):
        yield Diagnostic(
            code="proxy-unusable",
            severity=Severity.WARNING,
            message=f"{without_password(proxy)} is not a proxy that claude can use",
            why="claude and openclaude use HTTP proxies only, so no request reaches the internet",
            fix="run `export HTTPS_PROXY=http://HOST:PORT` with your proxy's HTTP port",
            location=Location(variable="HTTPS_PROXY"),
        )


def lost_authorities(world: World) -> Iterator[Diagnostic]:
    """Variables that name a file with certificates which is not there."""
    for name, path in world.lost_authorities:
        yield Diagnostic(
            code="authority-missing",
            severity=Severity.WARNING,
            message=f"{name} names `{path}`, which cannot be read",
            why="behind a proxy that inspects TLS no server is trusted without it",
            fix=f"put the certificate there, or run `unset {name}`",
            location=Location(path=Path(path), variable=name),
        )
