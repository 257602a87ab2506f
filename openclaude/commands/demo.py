"""`openclaude demo`: the whole path on this machine, with stand-ins for the two clouds.

Knows: a throw-away home, canary credentials, what to ask each tier. Refuses to know: how anything
on the path works; it runs `openclaude` as a user would. Needs no account, no network, no
configuration.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from openclaude.commands.demo_verdict import Canaries, Check, judge
from openclaude.errors import OpenclaudeError
from openclaude.facts import find_claude
from openclaude.output import Result, table
from openclaude.places import Places, find_places
from openclaude.run.processes import python_environment, python_module
from openclaude.run.stack import ask
from openclaude.standins.anthropic import AnthropicStandin
from openclaude.standins.bedrock import BedrockRecorded, BedrockStandin
from openclaude.standins.exchange import Recorded
from openclaude.standins.sigv4 import Secret

PROFILE = "demo"
AWS_PROFILE = "openclaude-demo"
TIERS = ("opus", "sonnet", "haiku", "fable")
# what claude 2.1.330 asks for; used where there is no claude and the requests are sent directly
CLAUDE_IDS = {
    "opus": "claude-opus-5-5",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "openclaude-haiku",
    "fable": "claude-fable-5-2",
}
RUN_TIMEOUT_S = 180.0


class DemoFailed(OpenclaudeError):
    """A step of the demo that should have worked."""

    code = "demo-failed"


class Upstreams(NamedTuple):
    """Both stand-ins, listening."""

    anthropic: AnthropicStandin
    bedrock: BedrockStandin


class Answer(NamedTuple):
    """What one tier did."""

    tier: str
    model: str  # as the upstream was asked for it
    instance: str
    upstream: str
    credential: str
    seconds: float
    text: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The word's options."""
    parser.add_argument("--direct", action="store_true", help="do not use an installed claude")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(arguments: argparse.Namespace, _places: Places, env: Mapping[str, str]) -> Result:
    """Ask every tier once, then judge what arrived where. Exit status 1 when anything is amiss."""
    claude = "" if arguments.direct else installed_claude(env)
    canaries = Canaries(
        token=f"sk-ant-oat01-CANARY-{secrets.token_hex(16)}",
        key_id=f"AKIA{secrets.token_hex(8).upper()}",
        secret=secrets.token_hex(20),
    )
    with (
        tempfile.TemporaryDirectory(prefix="openclaude-demo-") as folder,
        upstreams(canaries) as up,
    ):
        home = Path(folder)
        furnish(home, up, canaries)
        mine = demo_environment(home, env, canaries, claude)
        try:
            openclaude(mine, "start", "--profile", PROFILE, "--wait")
            answers = [ask_tier(tier, mine, up, claude) for tier in TIERS]
            stack = find_places(mine).stacks / PROFILE
            checks = judge(stack, home, up.anthropic.requests, up.bedrock.requests, canaries)
        finally:
            openclaude(mine, "stop", "--profile", PROFILE, may_fail=True)
    return show(answers, checks, claude)


def installed_claude(env: Mapping[str, str]) -> str:
    """The user's claude, or "" where there is none to use."""
    try:
        return find_claude(env)
    except OpenclaudeError:
        return ""


@contextmanager
def upstreams(canaries: Canaries) -> Iterator[Upstreams]:
    """Both stand-ins, accepting the canary credentials and no others."""
    anthropic = AnthropicStandin(credentials=frozenset({canaries.token}))
    bedrock = BedrockStandin(credentials={canaries.key_id: Secret(canaries.secret)})
    with anthropic, bedrock:
        yield Upstreams(anthropic, bedrock)


def furnish(home: Path, up: Upstreams, canaries: Canaries) -> None:
    """A home with the demo's profile and an AWS profile, as a user would have them."""
    profiles = home / ".config" / "openclaude" / "profiles"
    profiles.mkdir(parents=True)
    (profiles / f"{PROFILE}.toml").write_text(
        f'schema = 1\nextends = "qwen"\n\n[anthropic]\nbase_url = "{up.anthropic.url}"\n\n'
        f'[aws]\nprofile = "{AWS_PROFILE}"\nendpoint_url = "{up.bedrock.url}"\n',
        encoding="utf-8",
    )
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text(
        f"[{AWS_PROFILE}]\naws_access_key_id = {canaries.key_id}\n"
        f"aws_secret_access_key = {canaries.secret}\n",
        encoding="utf-8",
    )
    for name in ("project", "tmp"):
        (home / name).mkdir()


def demo_environment(
    home: Path, env: Mapping[str, str], canaries: Canaries, claude: str
) -> dict[str, str]:
    """The environment of the demo's user: nothing of the real one but PATH and the terminal."""
    taken = {name: env[name] for name in ("PATH", "TERM", "LANG") if name in env}
    return {
        **taken,
        **python_environment(),
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),  # claude leaves files there
        # the verdict looks at environments, and a fork shows only what its parent was started with
        "OPENCLAUDE_START_METHOD": "spawn",
        "CLAUDE_CODE_OAUTH_TOKEN": canaries.token,
        # claude's own connections elsewhere: the demo is to need no network
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        **({"OPENCLAUDE_CLAUDE": claude} if claude else {}),
    }


def openclaude(env: Mapping[str, str], *arguments: str, may_fail: bool = False) -> str:
    """Run openclaude itself; its stdout. Raises DemoFailed with what it said."""
    try:
        done = subprocess.run(
            python_module("openclaude", *arguments),
            env=dict(env),
            cwd=Path(env["HOME"]) / "project",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DemoFailed(
            f"`openclaude {' '.join(arguments)}` took longer than {RUN_TIMEOUT_S:.0f} s",
            hint="run it again on a quieter machine",
        ) from error
    if done.returncode and not may_fail:
        said = done.stderr.strip() or done.stdout.strip()
        raise DemoFailed(
            f"`openclaude {' '.join(arguments)}` ended with {done.returncode}\n{said}",
            hint="see what it said above",
        )
    return done.stdout


def ask_tier(tier: str, env: Mapping[str, str], up: Upstreams, claude: str) -> Answer:
    """One question to one tier, and what the upstreams saw of it."""
    before = (len(up.anthropic.requests), len(up.bedrock.requests))
    began = time.monotonic()
    if claude:
        text = openclaude(env, "--profile", PROFILE, "-p", "who are you?", "--model", tier)
    else:
        text = ask_directly(tier, env)
    seconds = time.monotonic() - began
    anthropic = up.anthropic.requests[before[0] :]
    return describe(tier, text.strip(), seconds, anthropic, up.bedrock.requests[before[1] :])


def describe(
    tier: str,
    text: str,
    seconds: float,
    anthropic: Sequence[Recorded],
    bedrock: Sequence[BedrockRecorded],
) -> Answer:
    """Who was asked, with which credential."""
    asked = [request for request in anthropic if request.method == "POST"]
    if bedrock:
        seen = bedrock[-1]
        signed = f"AWS key of `{AWS_PROFILE}`" if seen.signed_by else "none"
        return Answer(tier, seen.model_id, "main, providers", "Bedrock", signed, seconds, text)
    if asked:
        plan = "plan login" if asked[-1].header("authorization") else "none"
        model = str(asked[-1].json()["model"])
        return Answer(tier, model, "main", "Anthropic", plan, seconds, text)
    return Answer(tier, "-", "-", "nobody", "none", seconds, text)


def ask_directly(tier: str, env: Mapping[str, str]) -> str:
    """The request claude would send, without claude; the text of the reply."""
    import http.client

    stack = ask(find_places(env).stacks / PROFILE, {"do": "join"})
    body = {
        "model": CLAUDE_IDS[tier],
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": "who are you?"}],
    }
    connection = http.client.HTTPConnection("127.0.0.1", stack["port"], timeout=RUN_TIMEOUT_S)
    connection.request(
        "POST",
        "/v1/messages?beta=true",
        json.dumps(body),
        {
            "authorization": f"Bearer {env['CLAUDE_CODE_OAUTH_TOKEN']}",
            "x-litellm-api-key": f"Bearer {stack['main_key']}",
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "oauth-2025-04-20",
            "content-type": "application/json",
        },
    )
    response = connection.getresponse()
    reply = json.loads(response.read())
    connection.close()
    if response.status != 200:
        raise DemoFailed(
            f"the {tier} tier answered {response.status}: {reply['error']['message']}",
            hint="see what it said above",
        )
    return str(reply["content"][0]["text"])


def show(answers: list[Answer], checks: list[Check], claude: str) -> Result:
    """The table, and the verdict under it."""
    how = "through your `claude`" if claude else "without `claude`, sending its requests"
    rows = [
        (a.tier, a.model, a.instance, a.upstream, a.credential, f"{a.seconds:.1f} s")
        for a in answers
    ]
    header = ("TIER", "MODEL", "INSTANCE", "UPSTREAM", "CREDENTIAL THAT ARRIVED", "TIME")
    served = all(a.upstream == ("Bedrock" if a.tier == "haiku" else "Anthropic") for a in answers)
    good = served and all(check.holds for check in checks)
    lines = "".join(f"  {'yes' if check.holds else 'NO '}  {check.claim}\n" for check in checks)
    verdict = "each credential stayed on its own side" if good else "something is wrong: see above"
    return Result(
        text=f"four tiers, asked once each, {how}; stand-ins play both clouds\n\n"
        f"{table(header, rows)}\n{lines}\nisolation: {verdict}\n",
        data={
            "claude": claude or None,
            "answers": [a._asdict() for a in answers],
            "checks": [check._asdict() for check in checks],
            "isolated": good,
        },
        exit_code=0 if good else 1,
    )
