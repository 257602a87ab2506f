"""A profile's proxies as a service of systemd, launchd or process-compose; pure.

Knows: what these managers read. Independent of: which profile, where openclaude is. No file
contains a secret: variables of `env:` references are named, and read from where the user has them.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

PLAIN_PATH = re.compile(r"[\w/.+@-]+", re.ASCII)
START_S = 180  # `start --wait` gives up after 150 s itself
STOP_S = 60


class Service(NamedTuple):
    """What to run."""

    profile: str
    program: tuple[str, ...]  # openclaude, as an absolute path
    folders: Mapping[str, str]  # XDG_* variables that are set: where profiles and stacks are
    secrets: tuple[str, ...] = ()  # variables that the profile's keys are read from

    def command(self, *words: str) -> tuple[str, ...]:
        """One of our commands about the profile."""
        return (*self.program, *words)

    @property
    def start(self) -> tuple[str, ...]:
        """Start the proxies, and wait until they answer."""
        return self.command("start", self.profile, "--wait")

    @property
    def stop(self) -> tuple[str, ...]:
        """Stop them without a question."""
        return self.command("stop", self.profile, "--yes")


def variable_lines(service: Service) -> str:
    """What a unit of systemd is given of the environment."""
    variables = "".join(
        f"Environment={quoted(f'{name}={value}')}\n" for name, value in service.folders.items()
    )
    if service.secrets:
        names = ", ".join(service.secrets)
        variables += (
            f"# a line NAME=VALUE for each of {names}; let only yourself read it (chmod 600)\n"
            f"EnvironmentFile=-%h/.config/openclaude/{service.profile}.env\n"
        )
    return variables


def systemd(service: Service) -> dict[str, str]:
    """A unit of the user's own systemd."""
    text = f"""\
# Made by `openclaude export systemd {service.profile}`. The proxies end when no session has
# used them for `stack.linger`; a launch starts them again, with or without this unit.
[Unit]
Description=openclaude: the proxies of the profile {service.profile}
Documentation=man:openclaude(1)

[Service]
Type=oneshot
RemainAfterExit=yes
{variable_lines(service)}ExecStart={line(service.start)}
ExecReload={line(service.command("restart", service.profile))}
ExecStop={line(service.stop)}
# `stop` ends them; what holds the ports of open sessions lives as long as these
KillMode=process
TimeoutStartSec={START_S}
TimeoutStopSec={STOP_S}

[Install]
WantedBy=default.target
"""
    return {f"openclaude-{service.profile}.service": text}


def line(command: tuple[str, ...]) -> str:
    """A command line of systemd, where `$` is doubled too.

    Its first word may hold few signs, quoted or not (`systemd-analyze verify` says so); the others
    may hold any.
    """
    if not PLAIN_PATH.fullmatch(command[0]):
        command = ("/bin/sh", "-c", 'exec "$0" "$@"', *command)
    return " ".join(quoted(word).replace("$", "$$") for word in command)


def quoted(word: str) -> str:
    """A word for systemd, which knows C's escapes and expands `%`."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if not word or set(word) & set(" \t'\";\\") else escaped


def launchd(service: Service) -> dict[str, str]:
    """An agent of launchd, which starts the proxies at login."""
    label = f"openclaude.{service.profile}"
    agent = {
        "Label": label,
        "ProgramArguments": list(service.command("start", service.profile)),
        "RunAtLoad": True,
        "AbandonProcessGroup": True,  # the proxies outlive the command that starts them
        "ProcessType": "Interactive",
        **({"EnvironmentVariables": dict(service.folders)} if service.folders else {}),
    }
    return {f"{label}.plist": plistlib.dumps(agent, sort_keys=False).decode()}


def process_compose(service: Service) -> dict[str, str]:
    """A configuration of process-compose."""
    import shlex

    import yaml

    def command(words: tuple[str, ...]) -> str:
        # process-compose expands `$`, then a shell reads it
        return shlex.join(words).replace("$", "$$")

    process: dict[str, object] = {
        "command": command(service.start),
        "is_daemon": True,
        "launch_timeout_seconds": START_S,
        "shutdown": {"command": command(service.stop), "timeout_seconds": STOP_S},
        "readiness_probe": {
            "exec": {"command": command(service.command("status", service.profile))},
            "period_seconds": 30,
        },
    }
    if service.folders:
        process["environment"] = [
            f"{name}={value}".replace("$", "$$") for name, value in service.folders.items()
        ]
    document = {"version": "0.5", "processes": {f"openclaude-{service.profile}": process}}
    text = yaml.safe_dump(document, sort_keys=False, width=120)
    made = f"# Made by `openclaude export process-compose {service.profile}`.\n"
    return {"process-compose.yaml": made + text}


MANAGERS: dict[str, Callable[[Service], dict[str, str]]] = {
    "systemd": systemd,
    "launchd": launchd,
    "process-compose": process_compose,
}
