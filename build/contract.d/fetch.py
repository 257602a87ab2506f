"""Download versions: claude from npm, LiteLLM from the Python package index, each into a folder.

Knows: the two registries' own clients, and .work/contract. Independent of: how they are used.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from openclaude.compile.litellm_configs import LITELLM_FLAGS
from tests.pinned import CLAUDE_VERSION
from tests.pinned import PACKAGE as PLATFORM

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".work/contract"
PACKAGE = "@anthropic-ai/claude-code"
OURS = ("openclaude", "profiles", "share", "build", "docs", "tests/e2e/claude")
FILES = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
FIRST = (2, 1, 110)  # the oldest claude that is tried
EVERY = 25


def output_of(*command: str | Path, cwd: Path = ROOT) -> str:
    """Return a command's output; raise with its own message if it fails."""
    argv = [str(part) for part in command]
    env = {**os.environ, **LITELLM_FLAGS}  # LiteLLM would download a newer model map
    ran = subprocess.run(argv, cwd=cwd, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return ran.stdout


# claude ------------------------------------------------------------------------------------------


def published_claudes() -> list[str]:
    """All versions on npm, oldest first."""
    said: Any = json.loads(output_of("npm", "view", PACKAGE, "versions", "--json"))
    return [said] if isinstance(said, str) else list(said)


def newest_claude() -> str:
    """The version that `npm install` takes."""
    return output_of("npm", "view", PACKAGE, "version").strip()


def sampled(versions: list[str], pinned: str) -> list[str]:
    """Return the newest, the pinned, and about every 25th back to the oldest that is tried."""
    tried = [one for one in versions if numbers(one) >= FIRST and re.fullmatch(r"[\d.]+", one)]
    chosen = [tried[0]]
    for one in tried:
        if numbers(one)[2] - numbers(chosen[-1])[2] >= EVERY:
            chosen.append(one)
    return sorted({*chosen, pinned, tried[-1]}, key=numbers)


def numbers(version: str) -> tuple[int, ...]:
    """Return a version in comparable form."""
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def claude(version: str) -> Path:
    """Install a client of this version beside the pinned one, unless it exists already."""
    inside = Path("node_modules", PLATFORM, "claude")
    if version == CLAUDE_VERSION and (ROOT / ".work/claude" / inside).exists():
        return ROOT / ".work/claude" / inside
    folder = WORK / f"claude-{version}"
    if not (folder / inside).exists():
        folder.mkdir(parents=True, exist_ok=True)
        options = ("--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", ".")
        output_of("npm", "install", *options, f"{PLATFORM}@{version}", cwd=folder)
    return folder / inside


def forget_claude(version: str) -> None:
    """Remove a client that is not the pinned one: each is 250 to 400 MB."""
    shutil.rmtree(WORK / f"claude-{version}", ignore_errors=True)


# LiteLLM -----------------------------------------------------------------------------------------


def newest_litellm() -> str:
    """The newest release of the index."""
    said = output_of(sys.executable, "-m", "pip", "index", "versions", "litellm")
    return said.partition("(")[2].partition(")")[0]


def openclaude_with(litellm: str, pinned: str) -> Path:
    """Return openclaude's program in its own environment, as if this LiteLLM were the pin.

    The lock's other packages keep their versions as far as this LiteLLM allows.
    """
    folder = WORK / f"litellm-{litellm}"
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for name in OURS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)
    for name in ("pyproject.toml", "openclaude/litellm_version.py"):
        text = (tree / name).read_text()
        (tree / name).write_text(text.replace(pinned, litellm))
    python = folder / "venv/bin/python"
    uv = Path(sys.executable).with_name("uv")
    lock = tree / "build/requirements.lock"
    if not python.exists():
        output_of(sys.executable, "-m", "venv", folder / "venv")
    options = ("--quiet", "--no-header", "--no-annotate", "--generate-hashes")
    upgrade = ("--upgrade-package", "litellm")
    output_of(uv, "pip", "compile", *options, *upgrade, "pyproject.toml", "-o", lock, cwd=tree)
    output_of(uv, "pip", "sync", "--quiet", "--python", python, lock)
    wheels = folder / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    output_of(*pip, "-w", wheels, tree)
    (wheel,) = wheels.glob("*.whl")
    output_of(uv, "pip", "install", "--quiet", "--python", python, "--no-deps", wheel)
    return python.with_name("openclaude")
