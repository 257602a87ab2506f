"""`openclaude demo`, and the README's block that shows it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.e2e.house import CLAUDE, OPENCLAUDE

# its messages while it runs; on a terminal the lines replace each other
STEPS = """\
demo: starting two LiteLLM instances
demo: asking opus
demo: asking sonnet
demo: asking haiku
demo: asking fable
demo: stopping everything and removing its directory
"""
README = REPOSITORY / "README.md"
BLOCK = re.compile(r"(?<=<!-- generated: demo -->\n).*?(?=<!-- end -->)", re.DOTALL)
TIMES = re.compile(r"\d+\.\d s")


def demo(
    home: Path, *arguments: str, path: str = "/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    """Run the demo in an empty home; return what it printed."""
    home.mkdir(exist_ok=True)
    return subprocess.run(
        (OPENCLAUDE, "demo", *arguments),
        env={"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "TMPDIR": str(home.parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_demo_shows_the_main_job_and_leaves_nothing(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    done = demo(tmp_path / "home", path=f"{CLAUDE.parent}:/usr/bin:/bin")

    assert (done.returncode, done.stderr.replace(" through claude", "")) == (0, STEPS)
    assert list((tmp_path / "home").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    block = f"```console\n$ build/demo\n{done.stdout}```\n"
    if request.config.getoption("--update-golden"):
        README.write_text(BLOCK.sub(lambda _: block, README.read_text("utf-8"), count=1), "utf-8")
    shown = BLOCK.search(README.read_text("utf-8"))
    assert shown is not None
    assert mask(shown[0]) == mask(block)


def mask(text: str) -> str:
    """Return the text with all times equal, and with the spaces that align columns after them."""
    return TIMES.sub("N s", text)


@pytest.mark.variants
def test_the_demo_needs_no_claude(tmp_path: Path) -> None:
    done = demo(tmp_path / "home")

    assert (done.returncode, done.stderr) == (0, STEPS)
    assert "without `claude`, sending its requests" in done.stdout
    assert "each credential stayed on its own side" in done.stdout


@pytest.mark.variants
def test_the_demo_ignores_the_users_own_claude_and_aws_files(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in (".claude/settings.json", ".aws/credentials", ".config/openclaude/profiles/x.toml"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("not even valid")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    done = demo(home, "--direct", "--json")

    assert done.returncode == 0, done.stdout
    assert before == {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert not [name for name in os.listdir(tmp_path) if name != "home"]  # noqa: PTH208 - names
