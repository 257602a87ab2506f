"""The library: which profiles there are, and what one says when its parents are merged in.

Knows: the user's folder and the shipped one, `extends`, the order of precedence. Refuses to know:
processes, ports in use, LiteLLM's config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from openclaude.profile.catalog import Catalog
from openclaude.profile.document import Document, describe, read_document
from openclaude.profile.findings import Finding
from openclaude.profile.judge import find_mistakes, in_order, make_mistake, parent_mistakes, place
from openclaude.profile.merge import Leaves, flatten, is_written, merge, nest, replace
from openclaude.profile.mistakes import Mistake, ProfileMistakes, UnreadableProfile
from openclaude.profile.names import UnknownProfile, check_name, is_name
from openclaude.profile.overrides import read_overrides
from openclaude.profile.provenance import Origin, trace
from openclaude.profile.schema import Profile

SUFFIX = ".toml"


class Entry(NamedTuple):
    """One profile that can be named."""

    name: str
    path: Path
    where: Literal["user", "shipped"]


class Source(NamedTuple):
    """A file that a profile was made from."""

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A valid profile, and everything it was made from."""

    name: str
    profile: Profile
    sources: tuple[Source, ...]  # the profile's own file, its parent's, and so on
    absent: tuple[Path, ...]  # looked for and not there: once there, they would be read instead
    provenance: Mapping[str, Origin]


class Chain(NamedTuple):
    """A profile's file, its parent's and so on, as far as they could be followed."""

    sources: list[Source]
    documents: list[Document]
    absent: list[Path]
    mistakes: list[Mistake]


class Library:
    """The profiles of one user, and the shipped ones behind them."""

    def __init__(self, user: Path, shipped: Path, *, catalog: Catalog | None = None) -> None:
        self.user = user
        self.shipped = shipped
        self.catalog = catalog or Catalog.bundled()

    def entries(self) -> tuple[Entry, ...]:
        """Every profile by name; a user's file hides the shipped one of the same name."""
        found = {path.stem: Entry(path.stem, path, "shipped") for path in files_in(self.shipped)}
        found |= {path.stem: Entry(path.stem, path, "user") for path in files_in(self.user)}
        return tuple(found[name] for name in sorted(found) if is_name(name))

    def misnamed(self) -> tuple[Path, ...]:
        """The user's files that no `--profile` can name."""
        return tuple(path for path in files_in(self.user) if not is_name(path.stem))

    def names(self) -> tuple[str, ...]:
        """What can be given to `--profile`."""
        return tuple(entry.name for entry in self.entries())

    def load(self, name: str, *, env: Mapping[str, str]) -> Loaded:
        """The profile of that name, merged with its parents and judged.

        Three variables of `env` replace a key: OPENCLAUDE_AWS_PROFILE, OPENCLAUDE_AWS_REGION,
        OPENCLAUDE_LITELLM_PORT. The region replaces `aws.region` only: a tier that names a region
        of its own keeps it. Raises UnknownProfile, UnreadableProfile, BadOverride, or
        ProfileMistakes with every mistake of all files involved.
        """
        overrides = read_overrides(env)
        absent: list[Path] = []
        document = self._read(check_name(name), absent)
        if document is None:
            raise UnknownProfile(name, self.names())
        return self._judge(name, self._follow(name, document, absent), overrides)

    def load_file(self, path: Path, *, env: Mapping[str, str]) -> Loaded:
        """The profile in a file that need not be in the library; its parents are looked up here."""
        overrides = read_overrides(env)
        document = read_document(path)
        if document is None:
            raise UnreadableProfile(path, "no such file")
        return self._judge(path.stem, self._follow("", document, []), overrides)

    def _judge(self, name: str, chain: Chain, overrides: Leaves) -> Loaded:
        """The profile of a chain of files, or every mistake in them."""
        merged = merge(flatten(document) for document in chain.documents)
        replace(merged, overrides)
        values = nest(merged)
        mistakes = [*chain.mistakes, *parent_mistakes(chain.documents[1:])]
        mistakes += [
            place(finding, merged, chain.documents[0])
            for finding in find_mistakes(values, self.catalog)
            # what a parent that could not be read may well say is not missing
            if not chain.mistakes or finding.key == ("schema",) or is_written(merged, finding.key)
        ]
        if mistakes:
            raise ProfileMistakes(in_order(mistakes, chain.documents))
        profile = Profile.model_validate(values)
        return Loaded(
            name=name,
            profile=profile,
            sources=tuple(chain.sources),
            absent=tuple(chain.absent),
            provenance=trace(profile, merged, chain.documents[0]),
        )

    def _read(self, name: str, absent: list[Path]) -> Document | None:
        """The file of that name: the user's, else the shipped one."""
        for folder in (self.user, self.shipped):
            path = folder / f"{name}{SUFFIX}"
            document = read_document(path)
            if document is not None:
                return document
            absent.append(path)
        return None

    def _follow(self, name: str, document: Document, absent: list[Path]) -> Chain:
        """The chain of `extends` that begins with `document`."""
        chain = Chain([], [], absent, [])
        names: list[str] = []
        while True:
            names.append(name)
            chain.sources.append(Source(name, document.path, document.sha256))
            chain.documents.append(document)
            parent = document.values.get("extends")
            if not isinstance(parent, str) or not is_name(parent):
                return chain  # a value that cannot be a name is reported with the shape
            if parent in names:
                chain.mistakes.extend(cycle_mistakes(names, parent, chain.documents))
                return chain
            found = self._read(parent, absent)
            if found is None:
                chain.mistakes.append(self._unknown_parent(document, parent))
                return chain
            name, document = parent, found

    def _unknown_parent(self, document: Document, parent: str) -> Mistake:
        error = UnknownProfile(parent, self.names())
        return extends_mistake(document, error.message, error.hint)


def files_in(folder: Path) -> list[Path]:
    """The profile files of a folder; none where there is no folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableProfile(folder, describe(error)) from error


def cycle_mistakes(names: list[str], parent: str, documents: list[Document]) -> list[Mistake]:
    """One mistake in each file of a circle of `extends`."""
    first = names.index(parent)
    circle = " -> ".join([*names[first:], parent])
    return [
        extends_mistake(document, f"profiles extend each other in a circle: {circle}")
        for document in documents[first:]
    ]


def extends_mistake(document: Document, message: str, hint: str = "") -> Mistake:
    """A mistake at a file's `extends`."""
    return make_mistake(
        Finding(("extends",), message, hint), document, document.line_of(("extends",))
    )
