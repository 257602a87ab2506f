"""A user with profiles, for tests of `openclaude profiles`.

Knows: how the command is run and what lies in the folders. Refuses to know: what is right.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from openclaude.commands import profiles
from openclaude.commands.words import Parser
from openclaude.output import Result
from openclaude.places import Places

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
    """Two shipped profiles, a folder for the user's own, and the command."""

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
        """What `openclaude profiles ARGUMENTS` answers."""
        parser = Parser(prog="openclaude profiles", allow_abbrev=False)
        profiles.add_arguments(parser)
        return profiles.run(parser.parse_args(arguments), self.places, self.env)

    def put(self, name: str, text: str) -> Path:
        """A profile of the user's."""
        path = self.folder / f"{name}.toml"
        path.write_text(text, newline="")
        return path

    def text(self, name: str) -> str:
        """What the user's profile says."""
        return (self.folder / f"{name}.toml").read_bytes().decode()

    def names(self) -> list[str]:
        """The files in the user's folder."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != ".lock")

    def answer(self, *lines: str) -> None:
        """A person at a terminal who types these lines, then Ctrl-D."""
        typed = "".join(f"{line}\n" for line in lines)
        self.patch.setattr("sys.stdin", io.StringIO(typed))
        for module in ("edit", "new", "move", "share"):
            self.patch.setattr(f"openclaude.commands.profiles_{module}.is_attended", lambda: True)


def written(path: Path) -> tuple[int, int]:
    """Which file lies there, and when it was written; the rest of its stat changes by reading."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A user with no profiles of their own."""
    return Shelf(tmp_path, monkeypatch)
