"""`openclaude export`: a profile's proxies as a service of the system's own manager.

Knows: which facts the files are made from, where they are written. Independent of: their formats.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from openclaude.commands.compile import write_all
from openclaude.commands.export.services import MANAGERS, Service
from openclaude.commands.help_page import CONFIG, PROFILE, STATE, HelpPage, add_json, add_page
from openclaude.commands.help_page import add_profile as add_profile_name
from openclaude.contracts.plan import Plan
from openclaude.contracts.references import SecretKind, parse_secret
from openclaude.errors import OpenclaudeError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.plan_cache import find_plan
from openclaude.profile.names import profile_name

FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
NEXT = {
    "systemd": "copy it to ~/.config/systemd/user, then: "
    "systemctl --user enable --now openclaude-{name}",
    "launchd": "copy it to ~/Library/LaunchAgents, then: "
    "launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/openclaude.{name}.plist",
    "process-compose": "then: process-compose --config process-compose.yaml up",
}
PAGE = HelpPage(
    text="""\
Print the file by which systemd, launchd or process-compose starts the proxies of
a profile, at login for example. It contains no secret: a key that the profile
reads from a variable must be in the service's environment.""",
    examples=("openclaude export systemd qwen", "openclaude export launchd --out ."),
    variables=(*PROFILE, *CONFIG, *STATE),
    docs="docs/programs.md",
)


class ProgramUnknown(OpenclaudeError):
    """The path of openclaude itself, which a service needs, cannot be found."""

    code = "own-path-unknown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument("manager", choices=tuple(MANAGERS), help="for which service manager")
    add_profile_name(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write to this directory")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Print the files, or write them with `--out`. Raises OpenclaudeError."""
    name = profile_name(arguments.profile, env, places)
    plan = find_plan(name, places, env)
    service = Service(
        profile=name,
        program=(own_program(sys.argv[0], env.get("PATH", "")),),
        folders={one: env[one] for one in FOLDERS if env.get(one, "").startswith("/")},
        secrets=secret_variables(plan),
    )
    files = MANAGERS[arguments.manager](service)
    written = write_all(arguments.out, files) if arguments.out else []
    text = "".join(f"wrote {path}\n" for path in written) or "".join(files.values())
    if written:
        text += f"{NEXT[arguments.manager].format(name=name)}\n"
    return Result(
        text=text,
        data={
            **{"profile": name, "manager": arguments.manager, "files": files},
            **{"written": written, "variables": list(service.secrets)},
        },
    )


def own_program(called: str, path: str) -> str:
    """The absolute path by which this openclaude was called. Raises ProgramUnknown."""
    found = shutil.which(called, path=path) or shutil.which("openclaude", path=path)
    if found is None or Path(found).suffix == ".py":
        raise ProgramUnknown(
            "a service needs the path of `openclaude`, which is not in PATH",
            hint="docs/install.md says how it is installed",
        )
    return str(Path(found).absolute())


def secret_variables(plan: Plan) -> tuple[str, ...]:
    """The variables that the plan's keys are read from."""
    references = [parse_secret(one) for unit in plan.units for one in unit.secrets.values()]
    return tuple(dict.fromkeys(one.variable for one in references if one.kind is SecretKind.ENV))
