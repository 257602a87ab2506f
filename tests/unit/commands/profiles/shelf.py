"""A user with profiles, for tests of `openclaude profiles`.

Knows: how the command is run and which files are in the folders. Independent of: what is right.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from openclaude.commands.profiles import command as profiles
from openclaude.commands.runner import Parser
from openclaude.output import Result
from openclaude.paths import Places

BASE = '# Base.\nschema = 1\ndescription = "Claude"\n'
QWEN = """\
# Qwen.
schema = 1
extends = "base"

[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
label = "Qwen"

[aws]
profile = "p"
region = "us-west-2"
"""
CODER = "bedrock/qwen.qwen3-coder-next"


class Shelf:
    """Two built-in profiles, a folder for the user's own, and the command."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.places = Places(
            home=root,
            config=root / "config",
            state=root / "state",
            cache=root / "cache",
            shipped=root / "shipped",
        )
        self.folder = self.places.profiles
        for folder in (self.places.shipped, self.folder):
            folder.mkdir(parents=True)
        (self.places.shipped / "base.toml").write_text(BASE)
        (self.places.shipped / "qwen.toml").write_text(QWEN)
        self.patch = monkeypatch
        self.env: dict[str, str] = {}

    def run(self, *arguments: str) -> Result:
        """Run `openclaude profiles ARGUMENTS`."""
        parser = Parser(prog="openclaude profiles", allow_abbrev=False)
        profiles.add_arguments(parser)
        return profiles.run(parser.parse_args(arguments), self.places, self.env)

    def put(self, name: str, text: str) -> Path:
        """Write a profile of the user's."""
        path = self.folder / f"{name}.toml"
        path.write_text(text, newline="")
        return path

    def text(self, name: str) -> str:
        """Return the text of the user's profile."""
        return (self.folder / f"{name}.toml").read_bytes().decode()

    def names(self) -> list[str]:
        """Return the files in the user's folder."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != ".lock")

    def answer(self, *lines: str) -> None:
        """Let a user at a terminal type these lines, then Ctrl-D."""
        typed = "".join(f"{line}\n" for line in lines)
        self.patch.setattr("sys.stdin", io.StringIO(typed))
        for module in ("edit", "new", "move", "share"):
            self.patch.setattr(f"openclaude.commands.profiles.{module}.is_attended", lambda: True)


def written(path: Path) -> tuple[int, int]:
    """Return which file it is and when it was written; the rest of its stat changes by reading."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A user without profiles of their own."""
    return Shelf(tmp_path, monkeypatch)
