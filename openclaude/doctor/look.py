"""Looking: the world as it is now, for the checks to judge.

Knows: where everything is and how it is asked. Refuses to know: what is wrong with any of it.
Nothing here opens a connection but to loopback, and nothing is written or changed.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from openclaude.compile.merge import Source, texts
from openclaude.compile.plan import Plan
from openclaude.doctor.look_packages import compare_packages
from openclaude.doctor.look_profile import look_at_profile
from openclaude.doctor.world import (
    BrokenFile,
    Claude,
    Folder,
    LostSecret,
    PathMode,
    Port,
    StackSeen,
    World,
)
from openclaude.errors import OpenclaudeError
from openclaude.facts import find_claude, installed_litellm, on_path, settings_files
from openclaude.facts_aws import look_at_aws
from openclaude.places import Places
from openclaude.run.listeners import owner, try_bind
from openclaude.run.stack import StackUnreachable, ask, read_record

CLAUDE_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 0.5
LOOPBACK = ("127.", "localhost", "::1")
URLS = ("ANTHROPIC_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def look(name: str | None, places: Places, env: Mapping[str, str], cwd: Path) -> World:
    """Everything the checks may ask about, for the profile `name` or the one a launch would use."""
    wanted = look_at_profile(name, places, env)
    files = list(settings_files((), env, places.home, cwd))
    settings, written, broken = read_settings(files)
    packages, lock = compare_packages()
    plan = wanted.plan
    remove = plan.launch.remove if plan else ()
    return World(
        env=env,
        claude=look_at_claude({key: env[key] for key in env if key not in remove}, env),
        wanted=wanted,
        aws=look_at_aws(env, places.home, time.time()),
        settings=settings,
        texts=written,
        broken=broken,
        dead=frozenset(dead_addresses(env, settings)),
        ports=tuple(look_at_ports(plan)),
        stack=look_at_stack(places.stacks / wanted.name) if wanted.name else StackSeen(),
        litellm=installed_litellm(),
        packages=packages,
        lock=lock,
        folders=tuple(look_at_folder(path) for path in (places.config, places.state, places.cache)),
        modes=tuple(look_at_modes(wanted.sources, env, places.home)),
        lost=tuple(lost_secrets(plan, env)),
    )


# claude -----------------------------------------------------------------------------------------


def look_at_claude(as_launched: Mapping[str, str], env: Mapping[str, str]) -> Claude:
    """The program, its version and its login."""
    try:
        path = find_claude(env)
    except OpenclaudeError as error:
        return Claude(missing=error)
    said, why = run_claude((path, "--version"), as_launched)
    if why:
        return Claude(path, cannot_run=why)
    login, _ = run_claude((path, "auth", "status"), as_launched, may_fail=True)
    return Claude(path, version=said.split(" ")[0].strip(), login=parse_object(login))


def run_claude(
    argv: tuple[str, ...], env: Mapping[str, str], *, may_fail: bool = False
) -> tuple[str, str]:
    """What it prints, and why it could not be run."""
    try:
        done = subprocess.run(
            argv,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CLAUDE_TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        return "", error.strerror or str(error)
    except subprocess.TimeoutExpired:
        return "", f"no answer within {CLAUDE_TIMEOUT_S:.0f} s"
    if done.returncode and not may_fail:
        return "", f"exit status {done.returncode}"
    return done.stdout, ""


def parse_object(text: str) -> dict[str, object] | None:
    """A JSON object, or None."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


# Settings and addresses -------------------------------------------------------------------------


def read_settings(
    files: Iterable[tuple[Path, str]],
) -> tuple[tuple[Source, ...], dict[str, str], tuple[BrokenFile, ...]]:
    """claude's settings files: what they say, their texts, and those that cannot be read."""
    sources: list[Source] = []
    written: dict[str, str] = {}
    broken: list[BrokenFile] = []
    for path, kind in files:
        try:
            text = path.read_text("utf-8")
            values = json.loads(text)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            broken.append(BrokenFile(str(path), " ".join(str(error).split())))
            continue
        if isinstance(values, dict):
            sources.append(Source(str(path), kind, values))
            written[str(path)] = text
        else:
            broken.append(BrokenFile(str(path), "it is no JSON object"))
    return tuple(sources), written, tuple(broken)


def dead_addresses(env: Mapping[str, str], settings: Iterable[Source]) -> Iterator[str]:
    """The loopback addresses that variables name and where nobody listens."""
    layers = [env, *(texts(source.values.get("env")) for source in settings)]
    found = {
        layer[name]
        for layer in layers
        for name in layer
        if name.upper() in URLS and is_loopback(layer[name])
    }
    yield from sorted(url for url in found if not is_open(url))


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    try:
        return (urlsplit(url).hostname or "").startswith(LOOPBACK)
    except ValueError:
        return False


def is_open(url: str) -> bool:
    """Whether somebody listens at a loopback address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        socket.create_connection((parts.hostname, port), CONNECT_TIMEOUT_S).close()
    except (OSError, ValueError):
        return False
    return True


# The stack --------------------------------------------------------------------------------------


def look_at_ports(plan: Plan | None) -> Iterator[Port]:
    """Both ports, tried by binding them."""
    for number in (plan.port, plan.port + 1) if plan else ():
        listener = try_bind(number)
        if listener:
            listener.close()
        yield Port(number, listener is not None, "" if listener else owner(number))


def look_at_stack(folder: Path) -> StackSeen:
    """The stack in a folder, by its record and its own word."""
    record = read_record(folder)
    seen = StackSeen(
        is_recorded=record is not None,
        is_live=record is not None and record.is_live,
        version=record.version if record else "",
    )
    try:
        return seen._replace(report=ask(folder, {"do": "status"}))
    except StackUnreachable as error:
        return seen._replace(silent=error)


# Folders, files, secrets ------------------------------------------------------------------------


def look_at_folder(path: Path) -> Folder:
    """A folder of ours, or the one in which it would be made."""
    there = next(one for one in (path, *path.parents) if os.path.lexists(one))
    try:
        found = there.stat()
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Folder(str(path), problem=(error.strerror or str(error)).lower())
    problem = ""
    if not stat.S_ISDIR(found.st_mode):
        problem = f"`{there}` is no folder"
    elif there == path and found.st_uid != os.geteuid():
        problem = f"it belongs to another user (uid {found.st_uid})"
    elif not os.access(there, os.W_OK | os.X_OK):
        problem = f"`{there}` cannot be written"
    return Folder(str(path), problem, free)


def look_at_modes(sources: Iterable[str], env: Mapping[str, str], home: Path) -> Iterator[PathMode]:
    """The permissions of the profile's files and of AWS's keys."""
    keys = look_at_aws(env, home, 0.0).credentials
    for path in (*sources, keys):
        try:
            yield PathMode(path, stat.S_IMODE(Path(path).stat().st_mode))
        except OSError:
            continue


def lost_secrets(plan: Plan | None, env: Mapping[str, str]) -> Iterator[LostSecret]:
    """The references of a plan that lead nowhere; no secret is read or fetched."""
    units = plan.units if plan else ()
    for reference in dict.fromkeys(ref for unit in units for ref in unit.secrets.values()):
        kind, _, rest = reference.partition(":")
        why = {"env": lost_variable, "file": lost_file}.get(kind, lost_program)(rest, env)
        if why:
            yield LostSecret(reference, why)


def lost_variable(name: str, env: Mapping[str, str]) -> str:
    """Why a variable holds no secret."""
    return "" if env.get(name) else f"{name} is not set"


def lost_file(path: str, env: Mapping[str, str]) -> str:
    """Why a file holds no secret that we could read."""
    place = Path(env.get("HOME", ""), path[2:]) if path.startswith("~/") else Path(path)
    try:
        if place.stat().st_size == 0:
            return "the file is empty"
    except OSError as error:
        return f"the file cannot be read: {(error.strerror or '').lower()}"
    return "" if os.access(place, os.R_OK) else "the file cannot be read: permission denied"


def lost_program(command: str, env: Mapping[str, str]) -> str:
    """Why a command cannot be run; it is not."""
    program = command.split()[0]
    places = [program] if "/" in program else on_path(program, env.get("PATH", os.defpath))
    is_there = any(os.access(path, os.X_OK) for path in places)
    return "" if is_there else f"`{program}` cannot be run"
