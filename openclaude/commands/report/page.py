"""The page of a bug report: what it is made of.

Knows: the sections, and that each is made harmless (`doctor.scrub`). Independent of: files,
terminals. A section that cannot be made says why; the others are there all the same.
"""

from __future__ import annotations

import contextlib
import os
import platform
import pwd
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from openclaude import __version__
from openclaude.commands.doctor import lines as finding_lines
from openclaude.commands.ledger.words import ledger
from openclaude.commands.running import stack_names
from openclaude.commands.status.command import report_of
from openclaude.commands.status.processes import stack_text, troubles
from openclaude.contracts.routing import LEDGER_FILE
from openclaude.diagnostics import Severity
from openclaude.doctor.examination import examine
from openclaude.doctor.scrub import Scrubber, log_facts
from openclaude.doctor.snapshot.look import look
from openclaude.doctor.snapshot.world import World
from openclaude.files import read_regular
from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.sums import Where
from openclaude.litellm_version import LITELLM_VERSION, installed_litellm
from openclaude.paths import Places
from openclaude.run.stack.logs import last_lines, log_path
from openclaude.run.stack.places import stack_folder
from openclaude.terminal.screen import FILE

FAILED = 20  # requests
LOGGED = 60  # lines of each log
UNITS = ("supervisor", "main", "providers", "preloader")
CRASH = 64 * 1024  # bytes


def report_page(name: str | None, places: Places, env: Mapping[str, str], cwd: Path) -> str:
    """The whole page."""
    scrub = Scrubber(env, places.home, user_names(env), host_names())
    world = look(name, places, env, cwd)
    profile = world.wanted.name
    sections: dict[str, Callable[[], str]] = {
        "Versions": lambda: versions(world),
        "Doctor": lambda: findings(world),
        f"Profile `{profile or '?'}`": lambda: profile_text(profile, places),
        "Proxies": lambda: proxies(places),
        "Last failed requests": lambda: failed_requests(places),
        **{f"Log of {unit}": partial(log_of, unit, profile, places) for unit in UNITS},
        "Last crash of openclaude": lambda: crash(places),
    }
    parts = [f"# Report of openclaude {__version__}\n"]
    for title, make in sections.items():
        try:
            text = make()
        except Exception as error:  # noqa: BLE001 - a report is most wanted where things are broken
            text = f"this cannot be said: {type(error).__name__}"
        if text.strip():
            parts.append(
                f"## {title}\n\n```\n{scrub(text).replace('```', '` ` `').rstrip()}\n```\n"
            )
    return "\n".join(parts)


def user_names(env: Mapping[str, str]) -> set[str]:
    """How this user is called."""
    names = {env.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER")}
    with contextlib.suppress(KeyError):  # a container's user may have no name
        entry = pwd.getpwuid(os.getuid())
        names |= {entry.pw_name, entry.pw_gecos.partition(",")[0]}
    return names - {""}


def host_names() -> set[str]:
    """How this machine is called."""
    name = socket.gethostname()
    return {name, name.partition(".")[0]} - {""}


def versions(world: World) -> str:
    """What runs here."""
    found = world.claude
    rows = {
        "openclaude": __version__,
        "LiteLLM": f"{installed_litellm()} (tested: {LITELLM_VERSION})",
        "claude": found.version or found.cannot_run or "not found",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": system(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    return "".join(f"{name:<11} {value}\n" for name, value in rows.items())


def system() -> str:
    """The operating system, without the machine's name."""
    kernel = os.uname()
    with contextlib.suppress(OSError):  # macOS has no such file
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
        return f"{name}, {kernel.sysname} {kernel.release} {kernel.machine}"
    return f"{kernel.sysname} {kernel.release} {kernel.machine}"


def findings(world: World) -> str:
    """What `doctor` says, without what is in order."""
    found = [one for one in examine(world) if one.severity is not Severity.OK]
    text = "".join(f"{line}\n" for one in found for line in finding_lines(one, FILE))
    return text or "everything is in order\n"


def profile_text(name: str, places: Places) -> str:
    """The profile as one file, as `profiles export` writes it."""
    from openclaude.profile.author.export import export_text
    from openclaude.profile.library import Library

    return export_text(Library(places.profiles, places.shipped).load(name, env={}))


def proxies(places: Places) -> str:
    """The processes of each stack; of an error only its first line, as a log's lines follow."""
    text = ""
    for name in stack_names(places):
        for report in report_of(name, places):
            for unit in report["units"]:
                unit["last_error"] = unit["last_error"].partition("\n")[0]
            report["programs"] = []
            report["server"] = report["server"] and "(server)"
            text += f"{stack_text(report)}{troubles(report)}\n"
    return text or "nothing is running\n"


def failed_requests(places: Places) -> str:
    """The last requests that failed."""
    with ledger(places) as opened:
        found = opened.last(Where(errors_only=True), FAILED) if opened else []
    return "".join(f"{failed_line(one.entry)}\n" for one in found) or f"none in {LEDGER_FILE}\n"


def failed_line(entry: RequestEntry) -> str:
    """One of them: no session, no folder, no text."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry.at))
    how = f"{entry.status} {entry.error}".strip() + (" cut" if entry.is_cut else "")
    model = f"{entry.asked} -> {entry.answered or '-'}"
    where = " ".join(filter(None, (entry.provider, entry.region)))
    changes = f" changed: {'; '.join(entry.changes.splitlines())}" if entry.changes else ""
    return (
        f"{when} {entry.tier or '-'} {entry.via} {model} {where} {how} {entry.total_ms} ms{changes}"
    )


def log_of(unit: str, profile: str, places: Places) -> str:
    """The last of a log, without any word of a request or a reply."""
    lines = last_lines(log_path(stack_folder(places.stacks, profile), unit), LOGGED).split("\n")
    return "\n".join(log_facts(lines, is_supervisors=unit == "supervisor"))


def crash(places: Places) -> str:
    """The last crash: where, and which error."""
    text = read_regular(places.state / "crash.md", CRASH).decode("utf-8", "replace")
    return "\n".join(places_in(text))


def places_in(text: str) -> Iterator[str]:
    """The first lines, which say versions, then the places and the kind of the error."""
    for line in text.splitlines():
        if line.startswith(("# openclaude", "* Python")):
            yield line
        yield from log_facts([line])
