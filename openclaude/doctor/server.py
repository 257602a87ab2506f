"""What `doctor --online` asks a server that has the slots' models: the way, the key, the models.

Knows: where a plan names it, what its answers mean. Must not depend on how a request goes
(`server_ask`), nor on what is in the way (`gateway.http.way_out`). Annotations are not postponed
here: `decode` reads them.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping

from openclaude.contracts.decode import read
from openclaude.contracts.plan import Plan
from openclaude.contracts.record import Record
from openclaude.contracts.references import parse_secret
from openclaude.contracts.worker import SERVER_CA_VARIABLE, SERVER_KEY_VARIABLE, SERVER_VARIABLE
from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.snapshot.world import World
from openclaude.run.os.processes import python_environment, python_module
from openclaude.run.worker.secrets import SecretUnavailable, check, fetch

MODULE = "openclaude.doctor.server_ask"
PATIENCE_S = 90.0
REFUSED = 401


class ServerFound(Record):
    """How it went."""

    why: str = ""  # the whole sentence; "" where it has answered
    status: int = 0
    models: tuple[str, ...] = ()


def try_server(world: World) -> Iterator[Diagnostic]:
    """What there is to say of the server of a profile; nothing where it names none."""
    plan = world.wanted.plan
    main = next((unit for unit in plan.units if unit.name == "main"), None) if plan else None
    url = main.environment.get(SERVER_VARIABLE, "") if main else ""
    if plan is None or main is None or not url:
        return
    reference = main.secrets[SERVER_KEY_VARIABLE]
    try:
        key = key_from(reference, world.env)
    except SecretUnavailable as error:
        yield Diagnostic(
            code="server-key-missing",
            severity=Severity.WARNING,
            message=str(error),
            why="requests of slots fail",
            fix="provide the key",
        )
        return
    authority = main.environment.get(SERVER_CA_VARIABLE, "")
    given = {name: world.network[name] for name in main.inherit if name in world.network}
    yield from judge_server(url, reference, ask_for_models(url, authority, key, given), plan)


def key_from(reference: str, env: Mapping[str, str]) -> str:
    """The person's key. Raises SecretUnavailable."""
    variable = parse_secret(reference).variable
    known = env.get(variable) if variable else None
    return check(reference, known or fetch(reference, env))


def ask_for_models(url: str, authority: str, key: str, given: Mapping[str, str]) -> ServerFound:
    """Ask with what main gets of the environment; the key goes by a pipe. Raises Malformed."""
    question = json.dumps({"url": url, "authority": authority, "key": key})
    try:
        done = subprocess.run(
            python_module(MODULE),
            env={**python_environment(), **given},
            input=question,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ServerFound(why=f"cannot reach {url}: no answer in time")
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no error message"]
        return ServerFound(why=f"{url} could not be asked: {last[0]}")
    return read(ServerFound, done.stdout, "answer of a server")


def judge_server(url: str, reference: str, found: ServerFound, plan: Plan) -> Iterator[Diagnostic]:
    """What its answer means for the slots of a plan."""
    if found.why:
        sentence, _, fix = found.why.partition("; ")
        why = "requests of slots go there"
        yield Diagnostic(
            code="server-unreachable",
            severity=Severity.WARNING,
            message=sentence,
            why=why,
            fix=fix or "ask whoever runs the server",
        )
    elif found.status == REFUSED:
        message = f"{url} does not accept your key from `{reference}`"
        fix = "put a valid key there, or ask whoever runs the server"
        yield Diagnostic(
            code="server-key",
            severity=Severity.WARNING,
            message=message,
            why="requests of slots fail",
            fix=fix,
        )
    elif found.status != 200:
        message = f"{url} answers with HTTP {found.status}"
        fix = "check `providers.url`: is that a server of openclaude?"
        yield Diagnostic(
            code="server-unexpected",
            severity=Severity.WARNING,
            message=message,
            why="requests of slots go there",
            fix=fix,
        )
    else:
        has = ", ".join(f"`{model}`" for model in found.models) or "no model"
        lacking = dict.fromkeys(tier.model for tier in plan.slots if tier.model not in found.models)
        for model in lacking:
            message = f"{url} does not have `{model}`"
            fix = f"name a model that it has: {has}"
            yield Diagnostic(
                code="server-model",
                severity=Severity.WARNING,
                message=message,
                why="requests of that slot fail",
                fix=fix,
            )
        if not lacking:
            message = f"{url} accepts your key and has the profile's models"
            yield Diagnostic(code="server", severity=Severity.OK, message=message)
