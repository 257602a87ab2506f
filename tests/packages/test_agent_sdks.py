"""Programs of others on openclaude's proxies, over TLS: the Agent SDK, a status line.

Needs npm's and Python's package index; what is fetched is pinned in `sdk/`.
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

import pytest

from tests.conftest import REPOSITORY, need
from tests.e2e.house import CLAUDE
from tests.packages.conftest import ISOLATED

SDK = Path(__file__).with_name("sdk")
FETCH_S = 600.0
ANSWERS = {"opus": "anthropic stand-in: claude-opus-5-5", "haiku": "bedrock stand-in: qwen."}


def fetch_node(folder: Path) -> tuple[str, ...]:
    """Install the package for Node, without the claude that it brings along."""
    need(shutil.which("npm") and shutil.which("node"), "node and npm")
    for name in ("package.json", "ask.mjs"):
        shutil.copy(SDK / name, folder)
    npm = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--omit=optional")
    subprocess.run(npm, cwd=folder, check=True, timeout=FETCH_S)
    return ("node", str(folder / "ask.mjs"))


def fetch_python(folder: Path) -> tuple[str, ...]:
    """Install the package for Python, which has a claude of its own that is not used."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder)
    lock = ("--requirement", SDK / "requirements.txt")
    subprocess.run((*pip, *lock), check=True, timeout=FETCH_S)
    return ("env", f"PYTHONPATH={folder}", sys.executable, str(SDK / "ask.py"))


@pytest.mark.parametrize("fetch", [fetch_node, fetch_python], ids=["node", "python"])
def test_the_agent_sdk_asks_both_lanes_by_its_variables_and_as_its_claude(
    tmp_path: Path, fetch: Any
) -> None:
    program = fetch(tmp_path)

    seen = in_a_house("sdk", *program)

    assert len(seen["found"]) == 4
    for way, (code, out, err) in seen["found"].items():
        assert (code, err) == (0, ""), (way, out, err)
        assert out.startswith(ANSWERS[way.rpartition(" ")[2]]), (way, out)
    assert seen["requests"] == {"anthropic": 2, "bedrock": 2}
    assert seen["scheme"] == "https"


def test_a_status_line_of_the_users_is_shown_with_the_model_that_answers(tmp_path: Path) -> None:
    need(shutil.which("tmux"), "tmux")
    fetch_node(tmp_path)
    script = tmp_path / "node_modules/ccstatusline/dist/ccstatusline.js"

    seen = in_a_house("status-line", "node", str(script))

    assert re.search(r"Model:\sQwen3", seen["screen"])
    assert seen["requests"] >= 1


def in_a_house(*arguments: str) -> dict[str, Any]:
    """What `sdk/session.py` prints, where there is no network but loopback."""
    need(CLAUDE.exists(), "the pinned claude (build/setup fetches it with npm)")
    done = subprocess.run(
        (*ISOLATED, sys.executable, "-m", "tests.packages.sdk.session", *arguments),
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=FETCH_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
