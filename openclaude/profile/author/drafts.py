"""Drafts: profiles as they would be with these texts, validated before saving.

Knows: texts in place of files. Independent of: the origin of the texts, saving.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from openclaude.profile.library import Library
from openclaude.profile.read.document import Document, decode_text, parse
from openclaude.profile.read.loaded import Loaded
from openclaude.profile.read.overrides import VARIABLES
from openclaude.profile.toml.scanner import locate_keys


class Drafts(Library):
    """A library in which some names refer to texts instead of files."""

    def __init__(self, library: Library, drafts: Mapping[str, Document]) -> None:
        super().__init__(library.user, library.shipped, catalog=library.catalog)
        self.drafts = drafts

    def _read(self, name: str, absent: list[Path]) -> Document | None:
        return self.drafts.get(name) or super()._read(name, absent)


def as_document(path: Path, content: bytes) -> Document:
    """A text as if it were read from `path`. Raises what reading a file raises."""
    text = decode_text(path, content)
    return Document(
        path=path,
        values=parse(path, text),
        lines=locate_keys(text),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def judge_draft(
    library: Library, name: str, path: Path, content: bytes, env: Mapping[str, str]
) -> Loaded:
    """The profile `name` as it would be with `content` in `path`. Raises ProfileMistakes."""
    return Drafts(library, {name: as_document(path, content)}).load(name, env=env)


def without_override(env: Mapping[str, str], key: tuple[object, ...]) -> dict[str, str]:
    """`env` without the variable that would hide what is written at `key`."""
    hiding = {variable for variable, place, _ in VARIABLES if place == key}
    return {name: value for name, value in env.items() if name not in hiding}
