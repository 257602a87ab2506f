"""`openclaude export`: a profile for a service manager, for compose, for Kubernetes.

Knows: which facts the files are made from, where they are written. Independent of: their formats.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from openclaude import __version__
from openclaude.commands.compile import write_all
from openclaude.commands.help_page import CONFIG, PROFILE, STATE, HelpPage, add_json, add_page
from openclaude.commands.help_page import add_profile as add_profile_name
from openclaude.commands.serve.command import providers_of
from openclaude.contracts.plan import Plan, Unit
from openclaude.contracts.references import SecretKind, parse_secret
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.export.compose import compose
from openclaude.export.kubernetes import Cluster, kubernetes
from openclaude.export.served import PLAN_FILE, Served, serve_plan
from openclaude.export.services import MANAGERS, Service
from openclaude.export.socket_units import socket_units
from openclaude.files import read_regular
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.plan_cache import find_plan
from openclaude.profile.names import profile_name

FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
SERVER, COMPOSE, KUBERNETES = "systemd-server", "compose", "kubernetes"
TARGETS = (*MANAGERS, SERVER, COMPOSE, KUBERNETES)
IMAGE = f"localhost/openclaude-providers:{__version__}"
HOST = "models.example.internal"
ROLE = "arn:aws:iam::111122223333:role/openclaude"
LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"  # of DNS
# option -> for which targets it is, what it may be, an example
OPTIONS = {
    "image": ((COMPOSE, KUBERNETES), r"[A-Za-z0-9][\w./:@-]{0,254}", IMAGE),
    "host": ((KUBERNETES,), rf"(?=.{{1,253}}\Z)({LABEL}\.)+(?=[0-9-]*[a-z]){LABEL}", HOST),
    "role_arn": ((KUBERNETES,), r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", ROLE),
}
NEXT = {
    "systemd": "copy it to ~/.config/systemd/user, then: "
    "systemctl --user enable --now openclaude-{name}",
    "launchd": "copy it to ~/Library/LaunchAgents, then: "
    "launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/openclaude.{name}.plist",
    "process-compose": "then: process-compose --config process-compose.yaml up",
    SERVER: "copy them to ~/.config/systemd/user, then: "
    "loginctl enable-linger && systemctl --user enable --now openclaude-serve-{name}.socket",
    COMPOSE: "compose.yaml says what must be beside it, then: docker compose up --detach",
    KUBERNETES: "kustomization.yaml says which secrets to make, then: kubectl apply -k {out}",
}
PAGE = HelpPage(
    text="""\
Print the files by which something else runs a profile. systemd, launchd and
process-compose start the proxies on this machine, at login for example. The
others serve the profile's models to other machines, as `serve` does:
systemd-server on this one, compose and kubernetes in containers. No file contains
a secret: each names where its keys are read from.""",
    examples=("openclaude export systemd qwen", "openclaude export compose qwen --out server"),
    variables=(*PROFILE, *CONFIG, *STATE),
    docs="docs/programs.md",
)


class ProgramUnknown(OpenclaudeError):
    """The path of openclaude itself, which a service needs, cannot be found."""

    code = "own-path-unknown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument("manager", choices=TARGETS, metavar="TARGET", help="what will run it")
    add_profile_name(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write to this directory")
    parser.add_argument("--image", metavar="IMAGE", help=f"of containers (default: {IMAGE})")
    parser.add_argument("--host", metavar="NAME", help="of the server, for kubernetes")
    parser.add_argument("--role-arn", metavar="ARN", help="the IAM role of its pods, for Bedrock")
    parser.add_argument(
        "--redis", action="store_true", help="a Redis beside it, for the limits of people"
    )
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Print the files, or write them with `--out`. Raises OpenclaudeError."""
    options = options_of(arguments)
    name = profile_name(arguments.profile, env, places)
    plan = find_plan(name, places, env)
    if arguments.manager in {COMPOSE, KUBERNETES}:
        served = serve_plan(
            plan,
            providers_of(plan),
            image=options["image"],
            made_by=__version__,
            has_redis=arguments.redis,
        )
        if arguments.manager == KUBERNETES and arguments.out:
            refuse_examples(arguments, served)
        files, variables = container_files(arguments.manager, served, options), served.variables
    else:
        files, variables = service_files(arguments.manager, plan, env)
    written: list[str] = []
    if arguments.out:
        check_foreign(arguments.out, files)
        written = write_all(arguments.out, files)
        if arguments.manager == COMPOSE:
            (arguments.out / PLAN_FILE).chmod(0o644)  # it has no secret, and a container reads it
    text = "".join(f"wrote {path}\n" for path in written) or shown(files)
    if written:
        out = shlex.quote(str(arguments.out))
        text += f"{NEXT[arguments.manager].format(name=name, out=out)}\n"
    return Result(
        text=text,
        data={
            **{"profile": name, "manager": arguments.manager, "files": files},
            **{"written": written, "variables": list(variables)},
        },
    )


def options_of(arguments: argparse.Namespace) -> dict[str, str]:
    """What a plan does not say, by option; examples where nothing is given. Raises UsageError."""
    found = {}
    for name, (targets, rule, example) in OPTIONS.items():
        given: str | None = getattr(arguments, name)
        option = f"--{name.replace('_', '-')}"
        if given is not None and arguments.manager not in targets:
            raise UsageError(f"`{option}` is for {' and '.join(targets)}", hint=f"omit `{option}`")
        if given is not None and not re.fullmatch(rule, given, re.ASCII):
            raise UsageError(f"`{option}` cannot be `{given}`", hint=f"for example `{example}`")
        found[name] = given or example
    if arguments.redis and arguments.manager not in {COMPOSE, KUBERNETES}:
        raise UsageError("`--redis` is for compose and kubernetes", hint="omit `--redis`")
    return found


def refuse_examples(arguments: argparse.Namespace, served: Served) -> None:
    """Raise UsageError where an example would be written as if it were the user's own."""
    needed = {"--host": arguments.host}
    if served.needs_aws:
        needed["--role-arn"] = arguments.role_arn
    lacking = [option for option, given in needed.items() if given is None]
    if lacking:
        examples = {"--host": HOST, "--role-arn": ROLE}
        raise UsageError(
            f"{' and '.join(f'`{one}`' for one in lacking)} must be given to write manifests",
            hint="for example " + " ".join(f"`{one} {examples[one]}`" for one in lacking),
        )


def container_files(target: str, served: Served, options: Mapping[str, str]) -> dict[str, str]:
    """The files for containers."""
    if target == COMPOSE:
        return compose(served)
    return kubernetes(served, Cluster(options["host"], options["role_arn"]))


def service_files(
    target: str, plan: Plan, env: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The files for a service manager, and the variables that it needs. Raises OpenclaudeError."""
    write: Callable[[Service], dict[str, str]] = MANAGERS.get(target, socket_units)
    units = (providers_of(plan),) if target == SERVER else plan.units
    service = Service(
        profile=plan.profile,
        program=(own_program(sys.argv[0], env.get("PATH", "")),),
        folders={one: env[one] for one in FOLDERS if env.get(one, "").startswith("/")},
        secrets=secret_variables(units),
    )
    return write(service), service.secrets


def shown(files: Mapping[str, str]) -> str:
    """The files as one text; a lone one as it is."""
    if len(files) == 1:
        return "".join(files.values())
    return "".join(f"# --- {name}\n{text}\n" for name, text in files.items())


def has_no_remarks(name: str) -> bool:
    """Whether a file has no place for the line that begins the others."""
    return name.endswith((".json", ".plist"))


def check_foreign(folder: Path, files: Mapping[str, str]) -> None:
    """Raise UsageError for a file in the way that is not one of ours."""
    for name in files:
        path = folder / name
        said = read_regular(path, 1 << 20)
        is_ours = said.startswith(MADE) or (b"openclaude." in said and has_no_remarks(name))
        if (path.is_symlink() or path.exists()) and not is_ours:
            raise UsageError(
                f"`{path}` is not a file that openclaude has written", hint=ANOTHER_FOLDER
            )


MADE = b"# Made by `openclaude export "  # begins each file that may have a remark
ANOTHER_FOLDER = "name another directory with `--out`; nothing was written"


def own_program(called: str, path: str) -> str:
    """The absolute path by which this openclaude was called. Raises ProgramUnknown."""
    found = shutil.which(called, path=path) or shutil.which("openclaude", path=path)
    if found is None or Path(found).suffix == ".py":
        raise ProgramUnknown(
            "a service needs the path of `openclaude`, which is not in PATH",
            hint="docs/install.md says how it is installed",
        )
    return str(Path(found).absolute())


def secret_variables(units: tuple[Unit, ...]) -> tuple[str, ...]:
    """The variables that the keys of units are read from."""
    references = [parse_secret(one) for unit in units for one in unit.secrets.values()]
    return tuple(dict.fromkeys(one.variable for one in references if one.kind is SecretKind.ENV))
