"""Drafts: profiles as they would be if these texts were saved, judged before any is.

Knows: texts that stand in for files. Refuses to know: how texts come about, how they are saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from openclaude.profile.document import Document, decode, parse
from openclaude.profile.library import Library, Loaded
from openclaude.profile.locate import locate_keys
from openclaude.profile.overrides import VARIABLES


class Drafts(Library):
    """A library in which some names mean a text instead of a file."""

    def __init__(self, library: Library, drafts: Mapping[str, Document]) -> None:
        super().__init__(library.user, library.shipped, catalog=library.catalog)
        self.drafts = drafts

    def _read(self, name: str, absent: list[Path]) -> Document | None:
        return self.drafts.get(name) or super()._read(name, absent)


def as_document(path: Path, content: bytes) -> Document:
    """A text as if it were read from `path`. Raises what reading a file raises."""
    text = decode(path, content)
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
