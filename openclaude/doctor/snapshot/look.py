"""Taking the snapshot: the world as it is now, for the checks.

Knows: where everything is and how it is asked. Independent of: what is wrong with any of it.
Nothing here opens a connection but to loopback, and nothing is written or changed.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from openclaude.aws.endpoints import is_this_machine
from openclaude.aws.files import look_at_aws
from openclaude.aws.locations import find_files
from openclaude.claude.launch import SettingsFile, texts
from openclaude.claude.login import ask_login, look_for_claude
from openclaude.claude.settings import BrokenSettings, read_settings, settings_files
from openclaude.claude.way import marked_environment
from openclaude.compatibility import read_trials
from openclaude.contracts.decode import encode
from openclaude.contracts.plan import Plan
from openclaude.contracts.references import SecretKind, parse_secret
from openclaude.doctor.snapshot.network import look_at_network, lost_authorities
from openclaude.doctor.snapshot.packages import compare_packages, how_to_restore
from openclaude.doctor.snapshot.profile import look_at_profile
from openclaude.doctor.snapshot.telemetry import look_at_telemetry
from openclaude.doctor.snapshot.world import (
    Claude,
    Elsewhere,
    Folder,
    LostSecret,
    PathMode,
    Port,
    StackSeen,
    World,
)
from openclaude.errors import OpenclaudeError
from openclaude.files import (
    WHOSE_HOME,
    FolderUnusable,
    NotTrusted,
    check_above,
    close_again,
    closed_folder,
    make_usable,
    may,
    take_over,
)
from openclaude.ledger.recording import FOLDER, count_recorded, read_switch, recording_folder
from openclaude.litellm_version import installed_litellm
from openclaude.own_path import IGNORED
from openclaude.paths import Places, on_path
from openclaude.run.launcher.listeners import kept_for, owner, try_bind
from openclaude.run.os.confinement import landlock_version
from openclaude.run.os.processes import start_time
from openclaude.run.stack.client import StackUnreachable
from openclaude.run.stack.folder import is_live, read_record
from openclaude.run.stack.inherited import inheritable
from openclaude.run.stack.places import moved_root, neighbours, stack_folder
from openclaude.run.stack.reports import ask_report

CONNECT_TIMEOUT_S = 0.5
URLS = ("ANTHROPIC_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def look(name: str | None, places: Places, env: Mapping[str, str], cwd: Path) -> World:
    """Everything the checks may ask about, for the profile `name` or the one a launch would use."""
    wanted = look_at_profile(name, places, env)
    given = list(settings_files((), env, places.home, cwd))
    # in the home itself, the project's files are the user's
    files = {os.path.realpath(path): (path, kind) for path, kind in given}.values()
    found = [read_settings(path, kind) for path, kind in files]
    settings = tuple(one for one in found if isinstance(one, SettingsFile))
    packages, lock = compare_packages()
    plan = wanted.plan
    aws = look_at_aws(env, places.home, time.time())
    network = look_at_network(plan, env, places.home, cwd, aws)
    remove = plan.launch.remove if plan else ()
    recording = recording_folder(places.state)
    return World(
        env=env,
        claude=look_at_claude(
            {key: env[key] for key in env if key not in remove}, env, places.home
        ),
        wanted=wanted,
        aws=aws,
        settings=settings,
        broken=tuple(one for one in found if isinstance(one, BrokenSettings)),
        dead=frozenset(dead_addresses(env, settings)),
        ports=tuple(look_at_ports(plan, places.stacks)),
        stack=look_at_stack(places.stacks, wanted.name, inheritable(plan, network))
        if wanted.name
        else StackSeen(),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE),
        moved=str(moved_root(places.stacks) or ""),
        elsewhere=tuple(
            Elsewhere(one.name, str(one.folder), one.who) for one in neighbours(places.stacks)
        ),
        trials=read_trials(),
        litellm=installed_litellm(),
        packages=packages,
        lock=lock,
        restore=how_to_restore(lock),
        folders=tuple(look_at_folder(path) for path in (places.config, places.state, places.cache)),
        modes=tuple(look_at_modes(wanted.sources, env, places.home)),
        lost=tuple(lost_secrets(plan, env)),
        network=network,
        lost_authorities=tuple(lost_authorities(network)),
        ignored_path=IGNORED,
        is_recording=read_switch(recording, time.time()) is not None,
        recorded=(count_recorded(recording).files, str(recording / FOLDER)),
        telemetry=look_at_telemetry(plan),
        is_confinable=landlock_version() > 0 if sys.platform == "linux" else None,
    )


# claude -----------------------------------------------------------------------------------------


def look_at_claude(as_launched: Mapping[str, str], env: Mapping[str, str], home: Path) -> Claude:
    """The program, its version and its login."""
    who = (os.getpid(), start_time(os.getpid()) or "")
    try:
        path, version, wrappers = look_for_claude(as_launched, who)
    except OpenclaudeError as error:
        return Claude(missing=error)
    if version.problem:
        return Claude(path, cannot_run=version.problem, wrappers=wrappers)
    return Claude(
        path,
        version=version.text,
        login=ask_login(path, marked_environment(as_launched, path, who, forgets=True), home),
        wrappers=wrappers,
        is_on_path=bool(env.get("OPENCLAUDE_CLAUDE"))
        or path in on_path("claude", env.get("PATH", os.defpath)),
    )


# Settings and addresses -------------------------------------------------------------------------


def dead_addresses(env: Mapping[str, str], settings: Iterable[SettingsFile]) -> Iterator[str]:
    """The loopback addresses in variables at which nothing listens."""
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
        return is_this_machine(urlsplit(url).hostname or "")
    except ValueError:
        return False


def is_open(url: str) -> bool:
    """Whether anything listens at a loopback address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        socket.create_connection((parts.hostname, port), CONNECT_TIMEOUT_S).close()
    except (OSError, ValueError):
        return False
    return True


# The stack --------------------------------------------------------------------------------------


def look_at_ports(plan: Plan | None, stacks: Path) -> Iterator[Port]:
    """Both ports, tried by binding them."""
    for number in (plan.port, plan.port + 1) if plan else ():
        listener = try_bind(number)
        if listener:
            listener.close()
        yield Port(
            number=number,
            is_free=listener is not None,
            holder="" if listener else owner(number, stacks),
            is_kept=listener is None and plan is not None and kept_for(number) == plan.profile,
        )


def look_at_stack(stacks: Path, name: str, inherited: Mapping[str, str]) -> StackSeen:
    """A profile's stack, by its record and its own word."""
    try:
        folder = stack_folder(stacks, name)
        record = read_record(folder)
    except FolderUnusable:  # which is said of the folder itself
        return StackSeen()
    seen = StackSeen(
        is_recorded=record is not None,
        is_live=record is not None and is_live(record),
        version=record.version if record else "",
    )
    try:
        report = ask_report(folder, inherited=inherited)
        return seen._replace(report=encode(report) if report else None)
    except StackUnreachable as error:
        return seen._replace(silent=error)


# Folders, files, secrets ------------------------------------------------------------------------


def look_at_folder(path: Path) -> Folder:
    """One of our directories, or its parent if it does not exist."""
    if closed := closed_folder(path):
        problem = f"`{closed}` belongs to another user (uid {closed.stat().st_uid})"
        return Folder(str(path), problem=problem, fix=take_over(closed))
    there = next(one for one in (path, *path.parents) if os.path.lexists(one))
    try:
        found = there.stat()
        free = shutil.disk_usage(there).free
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        return Folder(str(path), problem=problem, fix=make_usable(path))
    problem = ""
    if not stat.S_ISDIR(found.st_mode):
        problem = f"`{there}` is not a directory"
    elif there == path and found.st_uid != os.geteuid():
        problem = f"it belongs to another user (uid {found.st_uid})"
    elif not may(there, os.W_OK | os.X_OK):
        problem = f"`{there}` cannot be written"
    exposed, fix = above(path)
    if problem:
        is_anothers = there == path and found.st_uid != os.geteuid()
        fix = take_over(path) if is_anothers else make_usable(path)
    return Folder(path=str(path), problem=problem, exposed=exposed, fix=fix, free_bytes=free)


def above(path: Path) -> tuple[str, str]:
    """What is wrong with the folders above one of ours, "" for nothing; and a fix of its own."""
    try:
        check_above(path)
    except FileNotFoundError:  # it would be made
        return above(path.parent)
    except NotTrusted as error:
        return str(error), WHOSE_HOME if error.is_root_elsewhere else close_again(error)
    except OSError as error:
        return str(error), ""
    return "", ""


def look_at_modes(sources: Iterable[str], env: Mapping[str, str], home: Path) -> Iterator[PathMode]:
    """The permissions of the profile's files and of AWS's keys."""
    keys = find_files(env, home)["credentials"]
    for path in (*sources, str(keys)):
        try:
            yield PathMode(path, stat.S_IMODE(Path(path).stat().st_mode))
        except OSError:
            continue


def lost_secrets(plan: Plan | None, env: Mapping[str, str]) -> Iterator[LostSecret]:
    """The secrets of a plan that are not available; none is read or fetched."""
    units = plan.units if plan else ()
    for reference in dict.fromkeys(ref for unit in units for ref in unit.secrets.values()):
        secret = parse_secret(reference)
        why = WHY_LOST[secret.kind](secret.target, env)
        if why:
            yield LostSecret(reference, why)


def lost_variable(name: str, env: Mapping[str, str]) -> str:
    """Why a variable contains no secret."""
    return "" if env.get(name) else f"{name} is not set"


def lost_file(path: str, env: Mapping[str, str]) -> str:
    """Why a secret cannot be read from a file."""
    place = Path(env.get("HOME", ""), path[2:]) if path.startswith("~/") else Path(path)
    try:
        if place.stat().st_size == 0:
            return "the file is empty"
    except OSError as error:
        return f"the file cannot be read: {(error.strerror or '').lower()}"
    return "" if os.access(place, os.R_OK) else "the file cannot be read: permission denied"


def lost_program(command: str, env: Mapping[str, str]) -> str:
    """Why a command cannot be run; it is not started."""
    program = command.split()[0]
    places = [program] if "/" in program else on_path(program, env.get("PATH", os.defpath))
    is_there = any(os.access(path, os.X_OK) for path in places)
    return "" if is_there else f"`{program}` cannot be run"


WHY_LOST = {
    SecretKind.ENV: lost_variable,
    SecretKind.FILE: lost_file,
    SecretKind.COMMAND: lost_program,
}
