"""The network: the proxy that claude and the proxies of openclaude take, and whom they trust.

Knows: what an instance makes of both. Must not depend on what answers there, which only `--online`
asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openclaude.claude.launch import SettingsFile, texts
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
    name, source = deciding_proxy(world)
    if not (proxy and source):
        return
    message = f"claude's settings name the proxy {without_password(proxy)}"
    why = "claude and openclaude's proxies send requests to the internet through it"
    where = Location(path=Path(source.path))
    if texts(source.values.get("env")).get(name) in world.dead:
        yield Diagnostic(
            code="proxy-of-settings-dead",
            severity=Severity.WARNING,
            message=f"{message}, where nothing listens",
            why=why,
            fix=f"start that proxy, or remove `env.{name}` from `{source.path}`",
            location=where,
        )
    else:
        yield Diagnostic(
            code="proxy-of-settings",
            severity=Severity.NOTE,
            message=message,
            why=why,
            fix="nothing to do",
            location=where,
        )


def unusable_proxy(world: World) -> Iterator[Diagnostic]:
    """A proxy that neither claude nor an instance can use."""
    proxy = world.network.get("HTTPS_PROXY", "")
    if proxy and not proxy.lower().startswith(USABLE):
        name, source = deciding_proxy(world)
        # a variable in lower case is stronger than its name in capitals
        stronger = name if name == "https_proxy" else "HTTPS_PROXY"
        in_settings = f"set `env.{name}` to http://HOST:PORT in `{source.path}`" if source else ""
        yield Diagnostic(
            code="proxy-unusable",
            severity=Severity.WARNING,
            message=f"{without_password(proxy)} is not a proxy that claude can use",
            why="claude and openclaude use HTTP proxies only, so no request reaches the internet",
            fix=in_settings
            or f"run `export {stronger}=http://HOST:PORT` with your proxy's HTTP port",
            location=Location(path=Path(source.path)) if source else Location(variable=name),
        )


def lost_authorities(world: World) -> Iterator[Diagnostic]:
    """Variables that name a file with certificates which is not there."""
    for name, path in world.lost_authorities:
        yield Diagnostic(
            code="authority-missing",
            severity=Severity.WARNING,
            message=f"{name} names `{path}`, which cannot be read",
            why="behind a proxy that inspects TLS no server is trusted without it",
            fix=f"put the certificate there, or {taken_away(world, name)}",
            location=Location(path=Path(path), variable=name),
        )


def deciding_proxy(world: World) -> tuple[str, SettingsFile | None]:
    """The variable that names the proxy, "" for none, and the settings file that has it."""
    for name in PROXIES:
        source = settings_with(world, name)
        value = texts(source.values.get("env"))[name] if source else world.env.get(name, "")
        if value:
            return name, source
    return "", None


def settings_with(world: World, name: str, *kinds: str) -> SettingsFile | None:
    """The strongest settings file that has a variable, of all or of these kinds."""
    sources = (one for one in world.settings if not kinds or one.kind in kinds)
    return next((one for one in sources if name in texts(one.values.get("env"))), None)


def taken_away(world: World, name: str) -> str:
    """How a variable with certificates loses its value."""
    # a repository is not asked whom to trust
    if source := settings_with(world, name, "managed", "user"):
        return f"remove `env.{name}` from `{source.path}`"
    if name in world.env:
        return f"run `unset {name}`"
    return f"remove `ca_bundle` from the AWS profile in `{world.aws.config}`"
