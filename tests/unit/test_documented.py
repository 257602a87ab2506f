"""Every console block with installation commands is run by a test."""

from __future__ import annotations

import re

from openclaude import __version__
from tests.conftest import REPOSITORY
from tests.documented import BLOCK, blocks, documented

TESTS = (REPOSITORY / "tests/tomorrow", REPOSITORY / "tests/packages")


def run_by_tests() -> set[str]:
    """Return the blocks that the tests name."""
    texts = (path.read_text() for folder in TESTS for path in folder.glob("test_*.py"))
    return {name for text in texts for name in re.findall(r'as_script\("([\w-]+)"\)', text)}


def section(name: str) -> str:
    """Return a section of README.md."""
    _, _, rest = (REPOSITORY / "README.md").read_text().partition(f"\n## {name}\n")
    return rest.partition("\n## ")[0]


def test_every_block_that_installs_is_run_and_every_name_is_a_blocks() -> None:
    readme = [found["mark"] for found in BLOCK.finditer(section("Install"))]
    marks = [*readme, *(mark for mark, _ in blocks("docs/install.md"))]

    assert readme, "README.md has no console block under Install"
    assert None not in marks, "a console block has no `<!-- tested: NAME -->` above it"
    names = {mark.removeprefix("tested: ") for mark in marks}
    assert len(names) == len(marks)
    assert names == run_by_tests()


def test_readme_leads_with_two_commands_and_the_wheel_is_of_this_version() -> None:
    first, second = documented("pipx")

    assert first == "build/wheel"
    assert second.startswith("pipx install ")
    assert f"dist/openclaude-{__version__}-py3-none-any.whl" in second
