"""The commands shown in the documentation, so that tests run exactly these.

Knows: `<!-- tested: NAME -->` above a console block names it for the test that runs it. Independent
of: what the commands do.
"""

from __future__ import annotations

import re

from openclaude import __version__
from tests.conftest import REPOSITORY

BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]+) -->\n)?```console\n(?P<text>.*?)```", re.DOTALL)


def blocks(document: str) -> list[tuple[str, str]]:
    """Every console block: the mark above it, or "", and its text."""
    text = (REPOSITORY / document).read_text("utf-8")
    return [(found["mark"] or "", found["text"]) for found in BLOCK.finditer(text)]


def documented(name: str) -> list[str]:
    """The commands of the block with that name, for a shell."""
    (text,) = (
        text
        for document in ("README.md", "docs/install.md")
        for mark, text in blocks(document)
        if mark == f"tested: {name}"
    )
    return [
        line.removeprefix("$ ").replace("VERSION", __version__)
        for line in text.splitlines()
        if line.startswith("$ ")
    ]


def as_script(name: str) -> str:
    """Return all of them as one script that ends with the first failure."""
    return "\n".join(("set -eux", *documented(name)))
