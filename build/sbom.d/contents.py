"""The packages in a zipapp, from their own metadata.

Knows: where the zipapp stores them, core metadata. Independent of: which licences are free.
"""

from __future__ import annotations

import lzma
import re
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

PARTS = ("site-packages/text.tar.xz", "site-packages/native.tar.xz")


class Package(NamedTuple):
    """One package in the zipapp."""

    name: str
    version: str
    summary: str
    says: str  # its statement about its licence: an SPDX expression, or text
    requires: tuple[str, ...]  # names, whatever the condition


class Contents(NamedTuple):
    """The contents of a zipapp."""

    packages: tuple[Package, ...]
    files: tuple[str, ...]


def read_contents(archive: Path) -> Contents:
    """Everything in it, without unpacking it to disk."""
    packages, files = [], []
    with zipfile.ZipFile(archive) as outer:
        for part in PARTS:
            with (
                outer.open(part) as packed,
                lzma.open(packed) as stream,
                tarfile.open(fileobj=stream, mode="r|") as members,
            ):
                for member in members:
                    files.append(member.name)
                    content = members.extractfile(member)
                    if content and re.fullmatch(r"[^/]+\.dist-info/METADATA", member.name):
                        packages.append(read_package(content.read().decode()))
    return Contents(tuple(sorted(packages, key=lambda one: one.name.lower())), tuple(files))


def read_package(text: str) -> Package:
    """A package from its METADATA."""
    metadata = Parser().parsestr(text, headersonly=True)
    return Package(
        name=normal(metadata["Name"]),
        version=metadata["Version"],
        summary=metadata.get("Summary", ""),
        says=licence_words(metadata),
        requires=tuple(
            normal(re.split(r"[^\w.-]", line, maxsplit=1)[0])
            for line in metadata.get_all("Requires-Dist", [])
        ),
    )


def licence_words(metadata: Message) -> str:
    """Return its statement about its licence, the most exact field first."""
    if expression := metadata.get("License-Expression"):
        return str(expression)
    lines = [line.strip() for line in str(metadata.get("License", "")).splitlines()]
    first = next((line for line in lines if line), "")
    classifiers = [
        line.rpartition("::")[2].strip()
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    return first or " OR ".join(classifiers)


def normal(name: str) -> str:
    """A package's name as indexes spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
