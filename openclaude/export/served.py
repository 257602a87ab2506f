"""What a container gets of a plan: the providers instance alone, and where its secrets will be.

Knows: which parts of a plan `openclaude serve --plan` reads, what cannot work in a container.
Independent of: compose, Kubernetes. Pure. What is left out is all that is of the machine on which
the plan was made: paths, programs, claude's settings, the main instance.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from openclaude.contracts.plan import LaunchPlan, Plan, Unit
from openclaude.contracts.references import SecretKind, SecretRef, parse_secret
from openclaude.contracts.routing import RoutingTable, routing_in
from openclaude.contracts.worker import PRICES_VARIABLE
from openclaude.errors import OpenclaudeError

FOLDER = "/etc/openclaude"  # in a container
PLAN_FILE = "plan.json"
KEYS_FOLDER = f"{FOLDER}/keys"
PORT = 8443
USER = 65532  # of the image
DRAIN_S = 5  # until everything that shares out requests has seen that one is not ready
GRACE_S = 300  # of streams: an answer can take minutes
STOP_S = DRAIN_S + GRACE_S + 15  # and what the end itself takes
AWS_PROFILE = "openclaude"  # in a container, whatever it is called here
AWS_PROFILE_VARIABLE = "OPENCLAUDE_AWS_PROFILE"
LONGEST_NAME = 40  # of a label in DNS 63, and others add to it
ADDRESSES = ("api_base", "aws_bedrock_runtime_endpoint")
NO_LAUNCH = LaunchPlan(environment={}, default_environment={}, remove=(), picker=(), agents={})


class CannotExport(OpenclaudeError):
    """A profile that would not work where it is exported to."""

    code = "cannot-export"


class ModelAddress(NamedTuple):
    """An address that providers connects to, besides those of clouds."""

    host: str
    port: int


class Served(NamedTuple):
    """What is served, as everything that runs containers needs to know it."""

    profile: str
    name: str  # a name for objects: a label of DNS
    plan: str  # JSON
    digest: str
    variables: tuple[str, ...]  # that its keys are read from
    files: Mapping[str, str]  # names of files in KEYS_FOLDER that its keys are read from -> whose
    needs_aws: bool  # a named AWS profile, AWS_PROFILE
    targets: tuple[ModelAddress, ...]
    image: str
    has_redis: bool = False  # beside it, for the limits of people

    def arguments(self, redis: str) -> list[str]:
        """The command line of the container; `redis` is the address of the one beside it."""
        return [
            *("serve", "--plan", f"{FOLDER}/{PLAN_FILE}", "--listen", f"0.0.0.0:{PORT}"),
            *("--cert", f"{FOLDER}/tls/tls.crt", "--cert-key", f"{FOLDER}/tls/tls.key"),
            *("--keys", f"{FOLDER}/people/people.keys"),
            *("--drain", str(DRAIN_S), "--grace", str(GRACE_S)),
            *(("--redis", redis) if self.has_redis else ()),
        ]


def labels_of(served: Served) -> dict[str, str]:
    """By which everything finds the pods of a server."""
    return {"app.kubernetes.io/name": "openclaude", "app.kubernetes.io/instance": served.name}


def prices_of(plan: Plan) -> str:
    """What the models of a plan cost, as a server reads it."""
    main = next((one for one in plan.units if one.name == "main"), None)
    models = routing_in(main.environment).models if main else {}
    return RoutingTable(slots={}, profile=plan.profile, models=models).to_json()


def serve_plan(
    plan: Plan, unit: Unit, *, image: str, made_by: str, has_redis: bool = False
) -> Served:
    """What `unit`, the providers of a plan, is in a container. Raises CannotExport."""
    secrets, names = place_secrets(unit.secrets, plan.profile)
    needs_aws = bool(unit.environment.get(AWS_PROFILE_VARIABLE))
    environment = {
        **unit.environment,
        **({AWS_PROFILE_VARIABLE: AWS_PROFILE} if needs_aws else {}),
        PRICES_VARIABLE: prices_of(plan),
    }
    config = plan.files[f"{unit.name}.yaml"]
    tables = read_tables(config)
    refuse_paths(tables, plan.profile)
    bare = Plan(
        profile=plan.profile,
        port=plan.port,
        strict=True,
        anthropic_url="",
        aws_profile=AWS_PROFILE if needs_aws else "",
        tiers=plan.slots,
        units=(unit._replace(environment=environment, secrets=secrets),),
        files={f"{unit.name}.yaml": config},
        launch=NO_LAUNCH,
        preload_environment={},
    ).sealed(made_by)
    references = [parse_secret(one) for one in secrets.values()]
    return Served(
        profile=plan.profile,
        name=object_name(plan.profile),
        plan=bare.to_json(),
        digest=bare.digest,
        variables=tuple(dict.fromkeys(one.variable for one in references if one.variable)),
        files={name: users_of(tables, named) for name, named in names.items()},
        needs_aws=needs_aws,
        targets=find_targets(tables, plan.profile),
        image=image,
        has_redis=has_redis,
    )


class ConfigTable(NamedTuple):
    """What LiteLLM is told of one model or search engine."""

    name: str  # as people call it
    settings: Mapping[str, Any]


def read_tables(config: str) -> tuple[ConfigTable, ...]:
    """The models and search engines of a config of LiteLLM's."""
    import yaml

    document: dict[str, Any] = yaml.safe_load(config)
    models = (
        ConfigTable(
            str((one.get("model_info") or {}).get("openclaude_name") or one["model_name"]),
            one["litellm_params"],
        )
        for one in document.get("model_list", ())
    )
    engines = (
        ConfigTable(f"the search engine {one['search_tool_name']}", one["litellm_params"])
        for one in document.get("search_tools", ())
    )
    return (*models, *engines)


def refuse_paths(tables: Iterable[ConfigTable], profile: str) -> None:
    """Raise CannotExport for a path of this machine: no container has it, and it names the user."""
    for table in tables:
        for key, value in table.settings.items():
            if isinstance(value, str) and value.startswith(("/", "~/")):
                raise CannotExport(
                    f"the profile `{profile}` has a path of this machine in `{key}` of "
                    f"{table.name}: {value}",
                    hint="leave it out of a profile for containers",
                )


def users_of(tables: Iterable[ConfigTable], variables: Collection[str]) -> str:
    """Whose key is in one of these variables, as a person reads it."""
    read = {f"os.environ/{name}" for name in variables}
    using = (one.name for one in tables if read & {str(value) for value in one.settings.values()})
    return ", ".join(dict.fromkeys(using))


def place_secrets(
    secrets: Mapping[str, str], profile: str
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Where secrets are in a container, by variable; for each that is a file, its variables.

    A path of this machine stays here. Raises CannotExport for what a program prints: neither it
    nor what it needs is in the image.
    """
    placed: dict[str, str] = {}
    names: dict[str, str] = {}  # path here -> name there
    used: dict[str, list[str]] = {}
    for variable, text in secrets.items():
        secret = parse_secret(text)
        if secret.kind is SecretKind.COMMAND:
            raise CannotExport(
                f"the profile `{profile}` fetches a key with `{secret}`, and a container has "
                "neither the program nor what it needs",
                hint="write `env:NAME` or `file:PATH` in a profile for the server; what runs the "
                "container gives it the key under that name",
            )
        if secret.kind is SecretKind.FILE:
            name = names.setdefault(secret.target, file_name(secret.target, set(names.values())))
            used.setdefault(name, []).append(variable)
            secret = SecretRef(kind=SecretKind.FILE, target=f"{KEYS_FOLDER}/{name}")
        placed[variable] = str(secret)
    return placed, used


def file_name(path: str, taken: set[str]) -> str:
    """A name for a secret's file, as a Secret of Kubernetes allows it, that is not taken yet."""
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", path.rpartition("/")[2]).strip(".-") or "key"
    numbered = (f"{base[:100]}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (base[:100], *numbered) if one not in taken)


def object_name(profile: str) -> str:
    """A label of DNS for a profile; another profile has another one."""
    plain = re.sub(r"[^a-z0-9]+", "-", profile.lower()).strip("-")[:LONGEST_NAME].strip("-")
    if plain == profile:
        return f"openclaude-{plain}"
    return f"openclaude-{plain}-{hashlib.sha256(profile.encode()).hexdigest()[:6]}"


def find_targets(tables: Iterable[ConfigTable], profile: str) -> tuple[ModelAddress, ...]:
    """The addresses that a profile itself names, in order. Raises CannotExport for loopback."""
    settings = [one.settings for one in tables]
    named = (str(table[key]) for table in settings for key in ADDRESSES if table.get(key))
    found = []
    for url in dict.fromkeys(named):
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_loopback(host):
            raise CannotExport(
                f"the profile `{profile}` has a model at {url}, and in a container that address "
                "is the container itself",
                hint="name the model's server by an address that a container can reach",
            )
        found.append(ModelAddress(host, parts.port or (80 if parts.scheme == "http" else 443)))
    return tuple(dict.fromkeys(found))


def is_loopback(host: str) -> bool:
    """Whether a host is the machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
