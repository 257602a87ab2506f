"""`openclaude serve`: becomes the providers instance of a profile, for other machines.

Knows: what is checked before that. Independent of: how an instance works, what it answers.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from openclaude.commands.help_page import (
    AWS_FILES,
    CONFIG,
    PROFILE,
    STATE,
    HelpPage,
    add_json,
    add_page,
    add_profile,
)
from openclaude.commands.serve.keys import add_person, known_people
from openclaude.contracts.plan import Plan, Unit, read_plan
from openclaude.contracts.references import BadReference, parse_secret
from openclaude.contracts.routing import routing_in
from openclaude.contracts.worker import PRICES_VARIABLE, ServiceEnd
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.export.served import prices_of
from openclaude.files import LARGEST, read_regular
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.plan_cache import find_plan
from openclaude.profile.names import check_name, profile_name
from openclaude.run.os.tls import server_context
from openclaude.run.serving.foreground import (
    ServedUnit,
    become_service,
    bind_any,
    find_inherited,
)

LISTEN = "127.0.0.1:8443"
MADE_AGAIN = "make it again with the same version: `openclaude export compose PROFILE --out DIR`"
GRACE_S = 10
LONGEST_S = 3600  # of a drain or a grace
REDIS_EXAMPLES = "`--redis redis://HOST:6379/0`, `--redis env:NAME` or `--redis file:PATH`"
ADDRESS = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[0-9.]+):(?P<port>[0-9]{1,5})", re.IGNORECASE)
PAGE = HelpPage(
    text="""\
Serve the models of a profile to other machines: the providers instance alone, in
the foreground, over TLS, with a key for each person. Profiles there name it in
`[providers]`. It never sees a Claude login. SIGTERM ends it: for the time of
`--drain` it only says that it is not ready, then it accepts nothing more, and
gives streams the time of `--grace`. systemd may open its socket. The file of keys
is that of `team`; `--new-key` adds a person. With `--redis`, limits hold
for several servers together.""",
    examples=(
        "openclaude serve --keys people.keys --new-key ann",
        "openclaude serve team --cert cert.pem --cert-key key.pem --keys people.keys",
        "openclaude serve team --cert c.pem --cert-key k.pem --keys p.keys --drain 5",
    ),
    variables=(*PROFILE, *CONFIG, *STATE, *AWS_FILES),
    docs="docs/team.md",
)


class CannotServe(OpenclaudeError):
    """A profile, a certificate or an address with which nothing can be served."""

    code = "cannot-serve"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser)
    parser.add_argument(
        "--plan", metavar="FILE", type=Path, help="a plan that `export` has written"
    )
    parser.add_argument(
        "--listen", metavar="ADDRESS:PORT", default=LISTEN, help=f"default: {LISTEN}"
    )
    parser.add_argument("--cert", metavar="FILE", type=Path, help="its certificate chain (PEM)")
    parser.add_argument("--cert-key", metavar="FILE", type=Path, help="the certificate's key (PEM)")
    parser.add_argument(
        "--keys", metavar="FILE", type=Path, required=True, help="who may ask: names and digests"
    )
    parser.add_argument(
        "--new-key", metavar="PERSON", help="make a key for this person, print it, and end"
    )
    for name, default, what in (
        ("--drain", 0, "how long to take requests after SIGTERM"),
        ("--grace", GRACE_S, "how long streams last after that"),
    ):
        said = f"{what} (default: {default})"
        parser.add_argument(name, metavar="SECONDS", type=int, default=default, help=said)
    parser.add_argument(
        "--redis", metavar="URL", help="where several servers count together what people use"
    )
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Add a key, or serve until a signal. Raises OpenclaudeError."""
    if arguments.new_key:
        return new_person(arguments.keys.absolute(), arguments.new_key)
    if arguments.json:
        raise UsageError("`--json` is for `--new-key`", hint="see `openclaude serve --help`")
    plan = plan_of(arguments, places, env)
    service = make_service(arguments, plan)
    return serve_forever(service, arguments.listen, places.state / "serve" / plan.profile, env)


def plan_of(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Plan:
    """The plan that is served: a file's, else a profile's. Raises OpenclaudeError."""
    if arguments.plan is None:
        return find_plan(profile_name(arguments.profile, env, places), places, env)
    if arguments.profile is not None:
        raise UsageError(
            "serve a profile or the plan in `--plan`, not both", hint="omit one of them"
        )
    said = read_regular(arguments.plan, LARGEST)
    if not said:
        raise CannotServe(f"`{arguments.plan}` cannot be read, or is empty", hint=MADE_AGAIN)
    try:
        plan = read_plan(said.decode())
        return plan._replace(profile=check_name(plan.profile))
    except ValueError as error:  # also of UTF-8
        raise CannotServe(f"`{arguments.plan}`: {error}", hint=MADE_AGAIN) from error


def new_person(path: Path, name: str) -> Result:
    """Add a person; the key is shown this once."""
    key = add_person(path, name)
    return Result(text=f"{key}\n", data={"name": name, "key": key, "path": str(path)})


def make_service(arguments: argparse.Namespace, plan: Plan) -> ServedUnit:
    """What will be served, after everything that could be wrong with it was looked at.

    Raises CannotServe, UsageError, KeysUnusable.
    """
    unit = providers_of(plan)
    if not (arguments.cert and arguments.cert_key):
        raise UsageError(
            "serving needs `--cert` and `--cert-key`: people's keys and conversations are sent "
            "over TLS only",
            hint="docs/team.md says how to make a certificate",
        )
    cert, cert_key, keys = (
        path.absolute() for path in (arguments.cert, arguments.cert_key, arguments.keys)
    )
    ending, redis = ending_of(arguments), redis_of(arguments.redis)
    check_certificate(cert, cert_key)
    if not known_people(keys):
        raise CannotServe(
            f"nobody has a key in `{keys}`",
            hint=f"make one with `openclaude team add NAME --keys {keys}`",
        )
    groups = {tier.model: tier.slot for tier in reversed(plan.slots)}
    # as `export` has written it, or as main has it
    prices = unit.environment.get(PRICES_VARIABLE) or prices_of(plan)
    return ServedUnit(
        unit, files_of(unit, plan), groups, cert, cert_key, keys, ending, prices, redis
    )


def redis_of(said: str | None) -> str:
    """The address of Redis, or a reference to it. Raises UsageError for one with a password.

    Whoever lists processes reads the command line.
    """
    if not said:
        return ""
    if re.match(r"(rediss?|unix)://", said):
        if "@" in said or "password=" in said:
            raise UsageError(
                "`--redis` must not have a password: other users of this machine could read it",
                hint=f"put the address into a variable or a file: {REDIS_EXAMPLES}",
            )
        return said
    try:
        return str(parse_secret(said))
    except BadReference:
        raise UsageError(
            "`--redis` must be an address of Redis, or say where it is", hint=REDIS_EXAMPLES
        ) from None


def ending_of(arguments: argparse.Namespace) -> ServiceEnd:
    """How it will end. Raises UsageError."""
    for name in ("drain", "grace"):
        if not 0 <= getattr(arguments, name) <= LONGEST_S:
            raise UsageError(
                f"`--{name}` must be 0 to {LONGEST_S} seconds, not {getattr(arguments, name)}",
                hint="for example `--drain 5 --grace 120`",
            )
    return ServiceEnd(drain_s=arguments.drain, grace_s=arguments.grace)


def providers_of(plan: Plan) -> Unit:
    """The unit that is served. Raises CannotServe."""
    unit = next((one for one in plan.units if one.name == "providers"), None)
    if unit is None:
        raise CannotServe(
            f"the profile `{plan.profile}` has no providers of its own to serve",
            hint="name a profile with a tier at a provider, and without `providers.url`",
        )
    refuse_eyes(plan)
    return unit


def refuse_eyes(plan: Plan) -> None:
    """Raise CannotServe if a model is named that describes images: only main asks it."""
    main = next((one for one in plan.units if one.name == "main"), None)
    eyes = routing_in(main.environment).eyes if main else {}
    tiers = [tier.tier for tier in plan.slots if tier.slot in eyes]
    if tiers:
        keys = ", ".join(f"`tiers.{name}.vision`" for name in tiers)
        raise CannotServe(
            f"the profile `{plan.profile}` names who describes images ({keys}), and a team's "
            "server describes none",
            hint=f"remove {keys}: a model that cannot see gets a note in the place of an image; or "
            "serve a model that sees images",
        )


def files_of(unit: Unit, plan: Plan) -> dict[str, str]:
    """What the unit reads."""
    return {name: text for name, text in plan.files.items() if name == f"{unit.name}.yaml"}


def check_certificate(path: Path, key: Path) -> None:
    """Raise CannotServe where the pair cannot be used."""
    try:
        server_context(str(path), str(key))
    except OSError as error:  # ssl.SSLError is one
        why = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise CannotServe(
            f"`{path}` and `{key}` cannot be used as a certificate and its key: {why or error}",
            hint="both must be PEM, belong together, and be readable by this user",
        ) from error


def listen_on(address: str) -> socket.socket:
    """A listening socket of our own. Raises UsageError, CannotServe."""
    found = ADDRESS.fullmatch(address)
    if found is None or not 0 <= int(found["port"]) <= 65535:
        raise UsageError(
            f"`--listen` must be an address and a port, not `{address}`",
            hint="for example `--listen 10.0.0.5:8443` or `--listen 0.0.0.0:8443`",
        )
    try:
        return bind_any(found["host"].strip("[]"), int(found["port"]))
    except OSError as error:
        raise CannotServe(
            f"cannot listen on {address}: {error.strerror or error}",
            hint="name another address with `--listen`; ports below 1024 need a right of their own",
        ) from error


def inherited_listener(env: Mapping[str, str]) -> socket.socket | None:
    """The socket that systemd listens on for this process, if it does. Raises CannotServe."""
    try:
        return find_inherited(env, os.getpid())
    except ValueError as error:
        raise CannotServe(
            f"the socket that systemd passes cannot be used: {error}",
            hint="give the socket unit one `ListenStream=ADDRESS:PORT`, and no `Accept=yes`",
        ) from error


def serve_forever(
    service: ServedUnit, address: str, folder: Path, env: Mapping[str, str]
) -> NoReturn:
    """Become the instance. Raises OpenclaudeError, OSError."""
    with inherited_listener(env) or listen_on(address) as listener:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        models = ", ".join(service.groups)
        sys.stderr.write(f"serving {models} on https://{shown}:{port} once LiteLLM is up\n")
        sys.stderr.flush()
        become_service(service, listener, folder, env)
