"""Run the real client through the situations of a mode, and record its requests.

Knows: how a mode is set up, how a situation is run. Independent of: what is compared. Runs in a
loopback-only network; every server is a stand-in.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from exchanges import Exchange, Happened
from modes import Mode, flags, gates_off
from scrub import replacements, scrubbed, scrubbed_headers
from situations import FILES, Situation
from tap import Passed, Tap

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import House, make_canaries
from tests.e2e.internet import Internet
from tests.e2e.session import STREAMING
from tests.e2e.terminal import Terminal

RUN_TIMEOUT_S = 90.0
SCREEN_TIMEOUT_S = 30.0
AGAIN_S = 1.5  # between two key presses
QUIET_S = 0.2  # side requests after the answer
# claude with another base URL in its settings file: the tap's in place of main's
SHIM = """\
#!{python}
import json, os, sys
if sys.argv[1:2] == ["--settings"]:
    path = sys.argv[2]
    with open(path) as file:
        settings = json.load(file)
    settings["env"]["ANTHROPIC_BASE_URL"] = "{url}"
    with open(path, "w") as file:
        json.dump(settings, file)
os.execv("{claude}", ["claude", *sys.argv[1:]])
"""


class Recorder:
    """One mode of one client, set up: a HOME, a stack unless claude is plain, a tap."""

    def __init__(self, mode: Mode, house: House, tap: Tap, env: Mapping[str, str]) -> None:
        self.mode = mode
        self.house = house
        self.tap = tap
        self.env = env
        self.state = (house.home / ".claude.json").read_text()
        self.words = replacements({str(house.home): "/home/nobody", str(house.root): "/home/root"})

    def use(self, claude: Path) -> None:
        """Use this client from now on."""
        program = self.house.root / "bin/claude"
        program.parent.mkdir(exist_ok=True)
        program.unlink(missing_ok=True)
        if self.mode.is_plain:
            program.symlink_to(claude)
            return
        program.write_text(SHIM.format(python=sys.executable, url=self.tap.url, claude=claude))
        program.chmod(0o700)

    def record(self, situation: Situation) -> Happened:
        """Run one situation."""
        shutil.rmtree(self.house.home / ".claude/projects", ignore_errors=True)
        self.house.write(".claude.json", self.state)
        (self.house.home / ".claude/settings.json").unlink(missing_ok=True)
        for name, content in FILES.items():
            path = self.house.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if situation.before:
            self.run_printing(situation.before, "opus", (), situation)
            self.settle()
        self.tap.clear()
        self.tap.passed.clear()
        exit_status = self.run(situation)
        self.settle()
        return Happened(exit=exit_status, exchanges=[self.scrub(one) for one in self.tap.passed])

    def settle(self) -> None:
        """Wait until all requests have been answered, and for late ones."""
        time.sleep(QUIET_S)
        self.tap.wait_until(
            lambda tap: len(tap.requests) == len(tap.replies), timeout_s=RUN_TIMEOUT_S
        )

    def run(self, situation: Situation) -> str:
        """Run it; return how it ended."""
        if situation.screen:
            return self.run_on_screen(situation)
        return self.run_printing(situation.prompt, situation.model, situation.arguments, situation)

    def run_printing(
        self, prompt: str, model: str, arguments: Sequence[str], situation: Situation
    ) -> str:
        """Run `claude -p`; return its exit status."""
        chosen = ("--model", model) if model else ()
        asked = STREAMING if situation.turns else (prompt,)
        lines = "".join(said(content) for content in situation.turns)
        with subprocess.Popen(
            (*self.argv(), "-p", *asked, *chosen, *arguments),
            env={**self.env, **situation.environment},
            cwd=self.house.project,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                process.communicate(lines, timeout=RUN_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                return f"did not end in {RUN_TIMEOUT_S:.0f} s"
        return str(process.returncode)

    def run_on_screen(self, situation: Situation) -> str:
        """Run it in a terminal, pressing its keys."""
        argv = (*self.argv(), "--model", situation.model, *situation.arguments)
        env = {**self.env, **situation.environment}
        step = ""
        try:
            with Terminal(argv, env, self.house.project, self.house.root / "tmux") as terminal:
                for verb, what in situation.screen:
                    step = f"{verb} {what}"
                    match verb:
                        case "wait":
                            terminal.wait_for(what, SCREEN_TIMEOUT_S)
                        case "type":
                            terminal.type(what)
                        case "insist":
                            insist(terminal, what)
                        case _:
                            terminal.press(what)
                step = "exit"
                return str(terminal.exit_status(SCREEN_TIMEOUT_S))
        except AssertionError as error:
            if path := os.environ.get("CONTRACT_SCREENS"):
                Path(path, f"{self.mode.name} {situation.name}".replace("/", "_")).write_text(
                    "\n".join(error.__notes__)
                )
            return f"stopped at: {step}"

    def argv(self) -> tuple[str, ...]:
        """Return the user's command line."""
        if self.mode.is_plain:
            return ("claude",)
        return (str(self.house.program), "--profile", "house")

    def scrub(self, passed: Passed) -> Exchange:
        """Return an exchange without anything specific to this run."""
        request = passed.request
        is_kept = request.path.startswith("/v1/")  # telemetry only counts
        return Exchange(
            request.method,
            scrubbed(request.target if is_kept else request.path, self.words),
            scrubbed_headers(request.headers, self.words),
            scrubbed(request.body.decode("utf-8", "replace"), self.words) if is_kept else "",
            passed.status,
        )


def insist(terminal: Terminal, pattern: str) -> None:
    """Press Enter until the screen shows something: a prompt ignores input at first."""
    deadline = time.monotonic() + SCREEN_TIMEOUT_S
    while time.monotonic() < deadline:
        terminal.press("Enter")
        with contextlib.suppress(AssertionError):
            terminal.wait_for(pattern, AGAIN_S)
            return
    raise AssertionError(f"the screen never showed {pattern!r}")


def said(content: Any) -> str:
    """Return a user's turn as a line of claude's input."""
    message = {"type": "user", "message": {"role": "user", "content": content}}
    return json.dumps(message) + "\n"


@contextlib.contextmanager
def recorder(mode: Mode, claude: Path, root: Path, program: Path) -> Iterator[Recorder]:
    """Set a mode up; everything that was started ends with the block."""
    canaries = make_canaries()
    root.mkdir()
    with contextlib.ExitStack() as stack:
        anthropic = stack.enter_context(AnthropicStandin(credentials=frozenset({canaries.oauth})))
        keys = {canaries.aws_id: Secret(canaries.aws_secret)}
        bedrock = stack.enter_context(BedrockStandin(credentials=keys, region="us-west-2"))
        tap = stack.enter_context(Tap())
        house = House(
            root,
            canaries,
            anthropic_url=anthropic.url,
            bedrock_url=bedrock.url,
            program=program,
        )
        if mode.all_gates:
            state = json.loads((house.home / ".claude.json").read_text())
            house.write(".claude.json", json.dumps({**state, **flags(gates_off(claude))}))
        env = house.environment({"IS_SANDBOX": "1", **mode.environment})
        if mode.is_plain:
            tap.target = anthropic.port
            internet = stack.enter_context(Internet({"api.anthropic.com": tap.port}, root))
            certificate = str(internet.authority)
            env |= {**internet.environment(), "NODE_EXTRA_CA_CERTS": certificate}
        else:
            stack.callback(house.command, "stop", "--all")
            started = house.command("start", "--wait")
            if started.code != 0:
                raise RuntimeError(f"no stack: {started}\n{house.logs()}")
            tap.target = house.record()["port"]
        env["PATH"] = f"{root}/bin:/usr/bin:/bin"
        made = Recorder(mode, house, tap, env)
        made.use(claude)
        yield made
