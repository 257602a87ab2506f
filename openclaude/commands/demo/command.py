"""`openclaude demo`: the whole path on this machine, with stand-ins for the two clouds.

Knows: a throw-away home, canary credentials, what to ask each tier. Independent of: how anything
on the path works; it runs `openclaude` as a user would. Needs no account, no network, no
configuration.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from openclaude.claude.discovery import find_claude
from openclaude.commands.demo.home import throw_away_home, written
from openclaude.commands.demo.leftovers import clear, find_leftovers
from openclaude.commands.demo.signals import ended_by_signals
from openclaude.commands.demo.steps import Steps, find_steps
from openclaude.commands.demo.verdict import Canaries, Check, judge
from openclaude.commands.help_page import CLAUDE, HelpPage, add_json, add_page
from openclaude.commands.launch import as_claude_goes
from openclaude.commands.running import WAIT_S, NotReady, kept_plan, wait_for_units
from openclaude.contracts.control import Join, Joinable
from openclaude.errors import OpenclaudeError
from openclaude.output import Result
from openclaude.paths import Places, find_places
from openclaude.run.os.processes import python_environment, python_module, start_time
from openclaude.run.stack.client import ask_supervisor
from openclaude.run.stack.inherited import inheritable
from openclaude.run.stack.places import stack_folder
from openclaude.run.stack.reports import ask_report
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.base.nowhere import Nowhere
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from openclaude.terminal.screen import Screen, find_screen
from openclaude.terminal.tables import table

PROFILE = "demo"
AWS_PROFILE = "openclaude-demo"
TIERS = ("opus", "sonnet", "haiku", "fable")
# what claude 2.1.330 asks for; used where there is no claude and the requests are sent directly
CLAUDE_IDS = {
    "opus": "claude-opus-5-5",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
    "fable": "claude-fable-5-2",
}
RUN_TIMEOUT_S = 180.0
LINGER = "10s"  # of a stack whose demo and keeper were both killed
AGAIN = "run it again; if it fails again, report the lines above"


class DemoFailed(OpenclaudeError):
    """A step of the demo that should have worked."""

    code = "demo-failed"


class Upstreams(NamedTuple):
    """Both stand-ins and the proxy for everything else, listening."""

    anthropic: AnthropicStandin
    bedrock: BedrockStandin
    nowhere: Nowhere


class Answer(NamedTuple):
    """What one tier did."""

    tier: str
    model: str  # as the upstream was asked for it
    instance: str
    upstream: str
    credential: str
    seconds: float
    text: str


PAGE = HelpPage(
    text="""\
Try the whole path on this machine, from claude through both proxies to two
stand-ins for Anthropic and AWS, and check where each credential arrived. It
needs no account, no network and no configuration, and leaves nothing behind.""",
    examples=("openclaude demo", "openclaude demo --direct --json"),
    variables=CLAUDE,
    docs="docs/security.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument(
        "--direct", action="store_true", help="send the requests without an installed claude"
    )
    add_json(parser)


def run(arguments: argparse.Namespace, _places: Places, env: Mapping[str, str]) -> Result:
    """Ask every tier once, then check what arrived where. Exit status 1 on any failure."""
    claude = "" if arguments.direct else installed_claude(env)
    canaries = Canaries(
        token=f"sk-ant-oat01-CANARY-{secrets.token_hex(16)}",
        key_id=f"AKIA{secrets.token_hex(8).upper()}",
        secret=secrets.token_hex(20),
    )
    steps = find_steps(env)
    with ended_by_signals() as signals:
        remove_leftovers(steps, env)
        with throw_away_home(env, steps, signals) as home, upstreams(canaries) as up:
            furnish(home, up, canaries)
            mine = demo_environment(home, env, canaries, claude, up.nowhere.url)
            stack = start(steps, mine)
            answers = [ask_tier(tier, steps, mine, up, claude) for tier in TIERS]
            checks = judge(stack, home, up.anthropic.requests, up.bedrock.requests, canaries)
    return show(answers, checks, claude, find_screen(sys.stdout, env))


def remove_leftovers(steps: Steps, env: Mapping[str, str]) -> None:
    """Clean up after demos that were killed together with their keepers."""
    for folder in find_leftovers(env):
        with steps.step(f"removing what an earlier demo left in {folder}"):
            clear(folder)


def start(steps: Steps, env: Mapping[str, str]) -> Path:
    """Start the stack and wait until it answers; its folder. Raises DemoFailed."""
    stack = stack_folder(find_places(env).stacks, PROFILE)
    with steps.step("starting two LiteLLM instances") as note:
        openclaude(env, "start", "--profile", PROFILE)
        stay_with(stack, env)
        try:
            wait_for_units(
                stack,
                time.monotonic() + WAIT_S,
                lambda late: note(f"- waiting for {late}"),
            )
        except NotReady as error:
            # its own hint names logs that will be gone with the demo's home
            raise DemoFailed(error.message, hint=AGAIN) from error
    return stack


def stay_with(stack: Path, env: Mapping[str, str]) -> None:
    """Make the demo a session of its stack, so that the stack ends soon after the demo."""
    ourselves = (os.getpid(), start_time(os.getpid()) or "")
    inherited = inheritable(kept_plan(stack), as_claude_goes(env, find_places(env)))
    ask_supervisor(stack, Join(session=ourselves, inherited=inherited), Joinable)


def installed_claude(env: Mapping[str, str]) -> str:
    """The user's claude, or "" if there is none."""
    try:
        return find_claude(env)
    except OpenclaudeError:
        return ""


@contextmanager
def upstreams(canaries: Canaries) -> Iterator[Upstreams]:
    """Both stand-ins, accepting the canary credentials and no others, and the proxy."""
    anthropic = AnthropicStandin(credentials=frozenset({canaries.token}))
    bedrock = BedrockStandin(credentials={canaries.key_id: Secret(canaries.secret)})
    with anthropic, bedrock, Nowhere() as nowhere:
        yield Upstreams(anthropic, bedrock, nowhere)


def furnish(home: Path, up: Upstreams, canaries: Canaries) -> None:
    """A home with the demo's profile and an AWS profile, as a user would have them."""
    profile = (
        f'schema = 1\nextends = "qwen"\n\n[anthropic]\nbase_url = "{up.anthropic.url}"\n\n'
        f'[aws]\nprofile = "{AWS_PROFILE}"\nendpoint_url = "{up.bedrock.url}"\n\n'
        f'[stack]\nlinger = "{LINGER}"\n'
    )
    credentials = (
        f"[{AWS_PROFILE}]\naws_access_key_id = {canaries.key_id}\n"
        f"aws_secret_access_key = {canaries.secret}\n"
    )
    profiles = home / ".config" / "openclaude" / "profiles"
    with written(home):
        for folder in (profiles, home / ".aws", home / "project", home / "tmp"):
            folder.mkdir(parents=True)
        (profiles / f"{PROFILE}.toml").write_text(profile, encoding="utf-8")
        (home / ".aws" / "credentials").write_text(credentials, encoding="utf-8")


def demo_environment(
    home: Path, env: Mapping[str, str], canaries: Canaries, claude: str, nowhere: str
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
        # claude behaves as usual, but its own requests cannot leave this machine;
        # the instances do not take this variable over
        "HTTP_PROXY": nowhere,
        "DISABLE_AUTOUPDATER": "1",
        **({"OPENCLAUDE_CLAUDE": claude} if claude else {}),
    }


def openclaude(env: Mapping[str, str], *arguments: str) -> str:
    """Run openclaude itself and return its stdout. Raises DemoFailed with its output."""
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
            start_new_session=True,  # the demo ends it; nothing of it may ask the terminal
        )
    except subprocess.TimeoutExpired as error:
        raise DemoFailed(
            f"`openclaude {' '.join(arguments)}` took longer than {RUN_TIMEOUT_S:.0f} s",
            hint="run it again on a quieter machine",
        ) from error
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise DemoFailed(
            f"`openclaude {' '.join(arguments)}` ended with {done.returncode}\n{said}",
            hint="see its output above",
        )
    return done.stdout


def ask_tier(tier: str, steps: Steps, env: Mapping[str, str], up: Upstreams, claude: str) -> Answer:
    """Ask one tier, and collect what the upstreams saw."""
    before = (len(up.anthropic.requests), len(up.bedrock.requests))
    began = time.monotonic()
    with steps.step(f"asking {tier}{' through claude' if claude else ''}"):
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
    """Which upstream was asked, with which credential."""
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
    """The request claude would send, without claude; the text of the reply. Raises DemoFailed."""
    import http.client

    stack = ask_report(stack_folder(find_places(env).stacks, PROFILE))
    if stack is None:
        raise DemoFailed("the demo's proxies ended too early", hint="see its output above")
    body = {
        "model": CLAUDE_IDS[tier],
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": "who are you?"}],
    }
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=RUN_TIMEOUT_S)
    connection.request(
        "POST",
        "/v1/messages?beta=true",
        json.dumps(body),
        {
            "authorization": f"Bearer {env['CLAUDE_CODE_OAUTH_TOKEN']}",
            "x-litellm-api-key": f"Bearer {stack.main_key}",
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
            hint="see its output above",
        )
    return str(reply["content"][0]["text"])


def show(answers: list[Answer], checks: list[Check], claude: str, screen: Screen) -> Result:
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
        f"{table(header, rows, screen)}\n{lines}\nisolation: {verdict}\n",
        data={
            "claude": claude or None,
            "answers": [a._asdict() for a in answers],
            "checks": [check._asdict() for check in checks],
            "isolated": good,
        },
        exit_code=0 if good else 1,
    )
