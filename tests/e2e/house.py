"""A house: one user's HOME with a login, AWS keys and a profile, and everything run in it.

Knows: what claude and openclaude find in a HOME, how to run both with a clean environment.
Independent of: what is requested, and what the stand-ins answer. Every secret in it is a canary:
made for this run, so that a test can search for it anywhere.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.canaries import memory
from tests.pinned import CLAUDE_VERSION, PACKAGE

REPOSITORY = Path(__file__).resolve().parents[2]
CLAUDE = REPOSITORY / ".work/claude/node_modules" / PACKAGE / "claude"
OPENCLAUDE = Path(sys.executable).with_name("openclaude")
PROFILE = "house"
RUN_TIMEOUT_S = 300.0
KEY = rb"sk-openclaude-[0-9a-f]{64}"
# a profile with two slots and two Claude tiers, and its user's environment variables
MIXED = "mixed"
THINKER_KEY = f"sk-thinker-CANARY-{secrets.token_hex(16)}"
MIXED_ENV = {"THINKER_KEY": THINKER_KEY}
# a login of claude's own as with a plan: far from expiry, so that claude does not refresh it
EXPIRES_MS = 1999999999000


class Canaries(NamedTuple):
    """The secrets of one house; all of them are different and made up."""

    oauth: str
    refresh: str
    aws_id: str
    aws_secret: str


class Ran(NamedTuple):
    """A program that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What it printed, as one JSON document."""
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        """What it printed, as one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]


def make_canaries() -> Canaries:
    """Secrets in the shape of real ones."""
    return Canaries(
        oauth=f"sk-ant-oat01-CANARY-{secrets.token_hex(24)}",
        refresh=f"sk-ant-ort01-CANARY-{secrets.token_hex(24)}",
        aws_id=f"AKIA{secrets.token_hex(8).upper()}",
        aws_secret=f"canary/{secrets.token_hex(16)}+",
    )


def login_headers(oauth: str) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that make a request one of claude's with a plan's login, and no more."""
    return (
        (b"Authorization", f"Bearer {oauth}".encode()),
        (b"Content-Type", b"application/json"),
        (b"anthropic-beta", b"oauth-2025-04-20"),
        (b"anthropic-version", b"2023-06-01"),
    )


def question(text: str, **more: object) -> bytes:
    """Return a small body like claude's."""
    body = {"model": "claude-opus-5-5", "max_tokens": 100, **more}
    return json.dumps({**body, "messages": [{"role": "user", "content": text}]}).encode()


class House:
    """A HOME, a project in it, and the two programs as its user would run them."""

    def __init__(
        self,
        root: Path,
        canaries: Canaries,
        *,
        anthropic_url: str,
        bedrock_url: str,
        program: Path = OPENCLAUDE,
        around: Mapping[str, str] | None = None,
    ) -> None:
        """`around`: the environment for claude's own requests (`Internet.for_claude`)."""
        self.root = root
        self.program = program
        self.around = dict(around or {})
        self.method = "fork"  # how the instances are started
        self.known_keys: dict[str, str] = {}
        self.canaries = canaries
        self.anthropic_url = anthropic_url
        self.bedrock_url = bedrock_url
        self.home = root / "home"
        self.project = self.home / "project"
        self.folder = self.home / ".local/state/openclaude/stacks" / PROFILE
        self.project.mkdir(parents=True)
        self._furnish_claude()
        self.write_aws(canaries.aws_secret)
        self.write_profile(PROFILE, anthropic_url=anthropic_url, bedrock_url=bedrock_url)

    # Its files ----------------------------------------------------------------------------------

    def _furnish_claude(self) -> None:
        """Write the files of an onboarded claude with a trusted project and a stored login."""
        project = {
            "hasTrustDialogAccepted": True,
            "projectOnboardingSeenCount": 5,
            "hasCompletedProjectOnboarding": True,
        }
        state = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            "lastOnboardingVersion": CLAUDE_VERSION,
            "effortCalloutV2Dismissed": True,  # asked by versions like 2.1.110
            "numStartups": 3,
            "projects": {str(self.project): project},
        }
        login = {
            "accessToken": self.canaries.oauth,
            "refreshToken": self.canaries.refresh,
            "expiresAt": EXPIRES_MS,
            "scopes": ["user:inference", "user:profile"],
            "subscriptionType": "max",
            "rateLimitTier": "default_claude_max_5x",
        }
        self.write(".claude.json", json.dumps(state))
        self.write(".claude/.credentials.json", json.dumps({"claudeAiOauth": login}))

    def write(self, name: str, text: str) -> Path:
        """A file under HOME, 0600."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    def write_aws(self, secret: str) -> None:
        """Write the AWS profile that the built-in profiles name."""
        self.write(
            ".aws/credentials",
            f"[openclaude]\naws_access_key_id = {self.canaries.aws_id}\n"
            f"aws_secret_access_key = {secret}\n",
        )

    def write_profile(
        self, name: str, *, anthropic_url: str, bedrock_url: str, more: str = ""
    ) -> None:
        """Write the built-in `qwen`, with these two upstreams."""
        self.write(
            f".config/openclaude/profiles/{name}.toml",
            f'schema = 1\nextends = "qwen"\n[anthropic]\nbase_url = "{anthropic_url}"\n'
            f'[aws]\nendpoint_url = "{bedrock_url}"\n{more}',
        )

    def write_own_profile(self, name: str, text: str, *, anthropic: str = "") -> Path:
        """Write a profile of the user's own, with its Claude tiers at the Anthropic stand-in."""
        return self.write(
            f".config/openclaude/profiles/{name}.toml",
            f'schema = 1\n[anthropic]\nbase_url = "{self.anthropic_url}"\n{anthropic}\n{text}',
        )

    def write_agent(self, name: str, **front: str) -> None:
        """Write an agent of the project's own."""
        head = "".join(f"{key}: {value}\n" for key, value in {"name": name, **front}.items())
        self.write(f"project/.claude/agents/{name}.md", f"---\n{head}---\nDo what you are told.\n")

    # Running ------------------------------------------------------------------------------------

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return what `env -i` and a few names would give; PYTHONPATH only if the tests have it.

        claude's traffic and its feature switches have their defaults, as users have them.
        """
        kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        return {
            "PATH": f"{CLAUDE.parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "OPENCLAUDE_START_METHOD": self.method,
            "DISABLE_AUTOUPDATER": "1",  # the pinned claude stays what it is
            **self.around,
            **kept,
            **(more or {}),
        }

    def plain_environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The same for claude without openclaude, at the Anthropic stand-in."""
        return self.environment({"ANTHROPIC_BASE_URL": self.anthropic_url, **(more or {})})

    def start(
        self, argv: Sequence[str | Path], env: Mapping[str, str], **more: Any
    ) -> subprocess.Popen[str]:
        """Start a program in the project's folder, with its output on pipes; the caller ends it."""
        return subprocess.Popen(
            [str(part) for part in argv],
            env=dict(env),
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(
        self, argv: Sequence[str | Path], env: Mapping[str, str], timeout_s: float = RUN_TIMEOUT_S
    ) -> Ran:
        """Run a program to its end."""
        with self.start(argv, env) as process:
            try:
                out, err = process.communicate(timeout=timeout_s)
            finally:
                process.kill()
        return Ran(process.returncode, out, err)

    def claude(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """Plain claude, at the Anthropic stand-in."""
        return self.run(("claude", *arguments), self.plain_environment(env))

    def openclaude(
        self, *arguments: str, profile: str = PROFILE, env: Mapping[str, str] | None = None
    ) -> Ran:
        """A launch with this house's profile."""
        argv: tuple[str | Path, ...] = (self.program, "--profile", profile, *arguments)
        return self.run(argv, self.environment(env))

    def command(
        self,
        word: str,
        *arguments: str,
        profile: str = PROFILE,
        env: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run one of openclaude's commands, for this house's profile."""
        argv: tuple[str | Path, ...] = (self.program, word, "--profile", profile, *arguments)
        return self.run(argv, self.environment(env))

    # The stack ----------------------------------------------------------------------------------

    def record(self) -> dict[str, Any]:
        """The running stack's record: pid, port, main's local key."""
        return dict(json.loads((self.folder / "stack.json").read_bytes()))

    def status(self, profile: str = PROFILE) -> dict[str, Any]:
        """Return what `openclaude status` reports about the stack."""
        return dict(self.command("status", "--json", profile=profile).json()["data"]["stacks"][0])

    def pids(self) -> dict[str, int]:
        """The processes of the running stack."""
        status = self.status()
        units = {unit["name"]: unit["pid"] for unit in status["units"]}
        return {"supervisor": status["pid"], **units}

    def keys(self) -> dict[str, str]:
        """Return the local key of each instance; that of providers is only in memory.

        Searched only once, preferably before a test has sent a wrong key.
        """
        main = str(self.record()["main_key"])
        if self.known_keys.get("main") != main:
            held = memory(self.pids()["providers"])
            found = {key.decode() for part in held for key in re.findall(KEY, part)} - {main}
            assert len(found) == 1, f"{len(found)} keys in the memory of providers"
            self.known_keys = {"main": main, "providers": found.pop()}
        return self.known_keys

    def logs(self) -> str:
        """Everything the stack has logged."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log*")))
