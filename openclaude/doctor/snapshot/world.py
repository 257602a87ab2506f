"""The world as the doctor sees it: looked at once, then never changed.

Knows: what the checks may ask about. Independent of: how it was found out (`look`), and what
follows (the checks).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from openclaude.aws.files import AwsFacts
from openclaude.claude.launch import SettingsFile
from openclaude.claude.login import Login
from openclaude.claude.settings import BrokenSettings
from openclaude.compatibility import Trial
from openclaude.contracts.plan import Plan
from openclaude.diagnostics import Diagnostic
from openclaude.errors import OpenclaudeError


class Claude(NamedTuple):
    """The `claude` that a launch would become."""

    path: str = ""
    missing: OpenclaudeError | None = None
    cannot_run: str = ""  # why it did not tell its version
    version: str = ""
    login: Login | None = None  # None: its answer was not understood
    wrappers: tuple[str, ...] = ()  # before it: programs named `claude` that start openclaude
    is_on_path: bool = True


class ProfileSeen(NamedTuple):
    """The profile that a launch would use."""

    name: str
    errors: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    plan: Plan | None = None
    auth: str = ""
    description: str = ""
    sources: tuple[str, ...] = ()  # its files
    bedrock: tuple[tuple[str, str], ...] = ()  # (model id, region), each to be asked once
    bedrock_key: str = ""  # where the Bedrock API key is that asks them; "": the AWS profile does
    others: tuple[str, ...] = ()  # models of other providers
    endpoint_url: str = ""
    search: str = ""  # the address of the engine that searches the web for slots
    addresses: Mapping[str, str] = {}  # of models of other providers, where the profile names them
    disclosures: tuple[str, ...] = ()  # who receives what, a sentence each


class Port(NamedTuple):
    """A port that the stack prefers."""

    number: int
    is_free: bool
    holder: str  # ` by NAME (pid N)`, or ""
    is_kept: bool = False  # for open sessions of this very profile, whose stack was stopped


class StackSeen(NamedTuple):
    """What is known of the profile's stack."""

    is_recorded: bool = False
    is_live: bool = False
    version: str = ""
    report: Mapping[str, Any] | None = None
    silent: OpenclaudeError | None = None


class Elsewhere(NamedTuple):
    """A stack of another container, namespace or machine with this home."""

    name: str
    folder: str
    who: str  # where it lives, for people


class Package(NamedTuple):
    """An installed package that is not the locked one."""

    name: str
    installed: str  # "" for none
    locked: str


class Folder(NamedTuple):
    """A folder of ours, or where it would be made."""

    path: str
    problem: str = ""  # why it cannot be used
    exposed: str = ""  # what of the folders above it another user could change
    fix: str = ""  # of either, where it has one of its own
    free_bytes: int = 0


class PathMode(NamedTuple):
    """A file whose permissions matter."""

    path: str
    mode: int


class LostSecret(NamedTuple):
    """A secret that is not available."""

    reference: str
    why: str


class TelemetrySeen(NamedTuple):
    """What is there of what a profile's telemetry needs."""

    otlp: str = ""  # the receiver's address
    prometheus: int = 0  # the port
    is_heard: bool = False  # whether something listens at that address
    is_port_open: bool = False  # or on that port
    how_to_add: str = ""  # the packages that are missing


class World(NamedTuple):
    """The input of the checks."""

    env: Mapping[str, str]
    claude: Claude
    wanted: ProfileSeen
    aws: AwsFacts
    settings: tuple[SettingsFile, ...] = ()
    broken: tuple[BrokenSettings, ...] = ()
    dead: frozenset[str] = frozenset()  # loopback addresses without a listener
    ports: tuple[Port, ...] = ()
    stack: StackSeen = StackSeen()
    elsewhere: tuple[Elsewhere, ...] = ()
    open_files: tuple[int, int] = (-1, -1)  # soft and hard limit; below 0 for none
    moved: str = ""  # where stacks are kept, the file system of the state folder being unfit
    trials: tuple[Trial, ...] = ()  # versions of claude that were tried
    litellm: str = ""  # the installed version; "none"
    packages: tuple[Package, ...] = ()
    lock: str = ""  # the file they were compared with
    restore: str = ""  # the command that installs what it names
    folders: tuple[Folder, ...] = ()
    modes: tuple[PathMode, ...] = ()
    lost: tuple[LostSecret, ...] = ()
    network: Mapping[str, str] = {}  # the environment for instances: claude's own way out
    lost_authorities: tuple[tuple[str, str], ...] = ()  # variable and path
    ignored_path: tuple[str, ...] = ()  # entries of PYTHONPATH
    is_recording: bool = False  # whether bodies of requests are kept now
    recorded: tuple[int, str] = (0, "")  # how many were kept and are still there, and where
    is_confinable: bool | None = None  # by this kernel; None where it is not Linux
    telemetry: TelemetrySeen | None = None  # where the profile wants any
