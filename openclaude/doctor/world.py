"""The world as the doctor sees it: looked at once, then never changed.

Knows: what the checks may ask about. Refuses to know: how it was found out (`look`), and what
follows (the checks).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from openclaude.compile.merge import Source
from openclaude.compile.plan import Plan
from openclaude.errors import OpenclaudeError
from openclaude.facts_aws import AwsFacts


class Claude(NamedTuple):
    """The `claude` that a launch would become."""

    path: str = ""
    missing: OpenclaudeError | None = None
    cannot_run: str = ""  # why it did not tell its version
    version: str = ""
    login: Mapping[str, Any] | None = None  # what `claude auth status` says, if it was understood


class BrokenFile(NamedTuple):
    """A file that is there and cannot be used."""

    path: str
    why: str


class Wanted(NamedTuple):
    """The profile that a launch would use."""

    name: str
    errors: tuple[Mapping[str, object], ...] = ()  # as a `--json` document tells them
    warnings: tuple[Mapping[str, object], ...] = ()
    plan: Plan | None = None
    auth: str = ""
    description: str = ""
    sources: tuple[str, ...] = ()  # its files
    bedrock: tuple[tuple[str, str], ...] = ()  # (model id, region), each to be asked once
    others: tuple[str, ...] = ()  # models of other providers
    endpoint_url: str = ""


class Port(NamedTuple):
    """A port that the stack would like to have."""

    number: int
    is_free: bool
    holder: str  # ` by NAME (pid N)`, or ""


class StackSeen(NamedTuple):
    """What is known of the profile's stack."""

    is_recorded: bool = False
    is_live: bool = False
    version: str = ""
    report: Mapping[str, Any] | None = None
    silent: OpenclaudeError | None = None


class Package(NamedTuple):
    """An installed package that is not the locked one."""

    name: str
    installed: str  # "" for none
    locked: str


class Folder(NamedTuple):
    """A folder of ours, or where it would be made."""

    path: str
    problem: str = ""  # why it cannot be used
    free_bytes: int = 0


class PathMode(NamedTuple):
    """A file whose permissions matter."""

    path: str
    mode: int


class LostSecret(NamedTuple):
    """A secret reference that leads nowhere."""

    reference: str
    why: str


class World(NamedTuple):
    """Everything the checks are given."""

    env: Mapping[str, str]
    claude: Claude
    wanted: Wanted
    aws: AwsFacts
    settings: tuple[Source, ...] = ()
    texts: Mapping[str, str] = {}  # of claude's settings files, by path
    broken: tuple[BrokenFile, ...] = ()  # of claude's settings files
    dead: frozenset[str] = frozenset()  # loopback addresses where nobody listens
    ports: tuple[Port, ...] = ()
    stack: StackSeen = StackSeen()
    litellm: str = ""  # the installed version; "none"
    packages: tuple[Package, ...] = ()
    lock: str = ""  # the file they were compared with
    folders: tuple[Folder, ...] = ()
    modes: tuple[PathMode, ...] = ()
    lost: tuple[LostSecret, ...] = ()
