"""What `doctor --online` asks of each lane: whether its servers can be reached, and by which way.

Knows: the addresses of a profile, that the instances' own code asks. Must not depend on how a
request goes (`way_out_ask`), nor on what is in the way (`gateway.http.way_out`). Annotations are
not postponed here: `decode` reads them.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping

from openclaude.contracts.decode import read
from openclaude.contracts.plan import Plan
from openclaude.contracts.record import Record
from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.snapshot.world import World
from openclaude.run.os.processes import python_environment, python_module

MODULE = "openclaude.doctor.way_out_ask"
PATIENCE_S = 90.0  # for all of them, which are asked at once
# Where LiteLLM asks a provider whose address no profile names; others are not asked
ADDRESSES = {
    "anthropic": "https://api.anthropic.com",
    "deepseek": "https://api.deepseek.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "groq": "https://api.groq.com",
    "mistral": "https://api.mistral.ai",
    "openai": "https://api.openai.com",
    "openrouter": "https://openrouter.ai",
    "xai": "https://api.x.ai",
}


class WayFound(Record):
    """How it went with one address."""

    address: str
    proxy: str = ""  # "" for none, without its login
    why: str = ""  # the whole sentence; "" where something has answered
    status: int = 0  # of the answer
    redirect: str = ""  # the host that it points to


def try_ways_out(world: World) -> Iterator[Diagnostic]:
    """A diagnostic for each server that a lane asks."""
    plan = world.wanted.plan
    if plan is None:
        return
    lanes: dict[str, list[str]] = {"main": [], "providers": []}
    if world.wanted.auth != "none":
        lanes["main"].append(plan.anthropic_url)
    lanes["providers"] += provider_addresses(world)
    for unit in plan.units:
        for found in ask(plan, unit.name, lanes.get(unit.name, []), world.network):
            yield judge_way(found, unit.name)


def provider_addresses(world: World) -> Iterator[str]:
    """What the providers lane asks; `bedrock:REGION` stands for Bedrock's address there."""
    wanted = world.wanted
    yield from dict.fromkeys(
        wanted.endpoint_url or f"bedrock:{region}" for _, region in wanted.bedrock
    )
    others = (
        wanted.addresses.get(model) or ADDRESSES.get(model.partition("/")[0])
        for model in wanted.others
    )
    yield from dict.fromkeys(filter(None, (*others, wanted.search)))


def ask(plan: Plan, unit: str, addresses: list[str], env: Mapping[str, str]) -> list[WayFound]:
    """Ask them with what the instance gets of the environment. Raises Malformed."""
    if not addresses:
        return []
    names = {name for one in plan.units if one.name == unit for name in one.inherit}
    given = {name: env[name] for name in sorted(names) if name in env}
    question = json.dumps({"addresses": addresses, "aws_profile": plan.aws_profile})
    try:
        done = subprocess.run(
            python_module(MODULE),
            env={**python_environment(), **given, "AWS_EC2_METADATA_DISABLED": "true"},
            input=question,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [WayFound(address=unit, why=f"cannot reach {unit}: no answer in time")]
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no error message"]
        return [WayFound(address=unit, why=f"the way out could not be tried: {last[0]}")]
    return [read(WayFound, line, "a way out") for line in done.stdout.splitlines()]


def judge_way(found: WayFound, lane: str) -> Diagnostic:
    """What one answer means."""
    through = f" through the proxy {found.proxy}" if found.proxy else ""
    if found.redirect:
        return Diagnostic(
            code="way-out-redirected",
            severity=Severity.WARNING,
            message=f"{found.address}{through} redirects to {found.redirect}",
            why=f"`{lane}` follows no redirect: it would take your key and conversation there",
            fix="log in to your network in a browser, or correct the address in the profile: "
            "`openclaude profiles edit`",
        )
    if found.why:
        sentence, _, fix = found.why.partition("; ")
        return Diagnostic(
            code="way-out-blocked",
            severity=Severity.WARNING,
            message=sentence,
            why=f"requests of `{lane}` take this way",
            fix=fix or "check your network",
        )
    return Diagnostic(
        code="way-out",
        severity=Severity.OK,
        message=f"{found.address} can be reached{through} (`{lane}`)",
    )
