"""The library: all profiles, loaded with their parents merged in.

Knows: the user's folder and the shipped one, `extends`, the order of precedence. Independent of:
processes, ports in use, LiteLLM's config.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from openclaude.diagnostics import Diagnostic
from openclaude.models.catalog import Catalog
from openclaude.profile.mistakes import (
    ProfileMistakes,
    UnreadableProfile,
    key_of,
    locate,
    mistake,
)
from openclaude.profile.names import UnknownProfile, check_name, is_name
from openclaude.profile.read.document import (
    Document,
    describe_os_error,
    read_document,
    text_document,
)
from openclaude.profile.read.loaded import Loaded, Source
from openclaude.profile.read.merge import Leaves, flatten, is_written, merge, nest, replace
from openclaude.profile.read.overrides import read_overrides
from openclaude.profile.read.provenance import trace
from openclaude.profile.schema import Profile
from openclaude.profile.validate.validator import (
    find_mistakes,
    in_order,
    parent_mistakes,
    place,
)

SUFFIX = ".toml"
SWITCHED = Path("openclaude switch")  # in place of a file, where mistakes are said


class Entry(NamedTuple):
    """One available profile."""

    name: str
    path: Path
    where: Literal["user", "shipped"]


class Chain(NamedTuple):
    """A profile's file, its parent's and so on, as far as they could be followed."""

    sources: list[Source]
    documents: list[Document]
    absent: list[Path]
    mistakes: list[Diagnostic]


class Library:
    """The profiles of one user, and the shipped ones behind them."""

    def __init__(self, user: Path, shipped: Path, *, catalog: Catalog | None = None) -> None:
        self.user = user
        self.shipped = shipped
        self.catalog = catalog or Catalog.bundled()

    def entries(self) -> tuple[Entry, ...]:
        """Every profile by name; a user's file hides the shipped one of the same name."""
        found = {
            path.stem: Entry(name=path.stem, path=path, where="shipped")
            for path in files_in(self.shipped)
        }
        found |= {
            path.stem: Entry(name=path.stem, path=path, where="user")
            for path in files_in(self.user)
        }
        return tuple(found[name] for name in sorted(found) if is_name(name))

    def misnamed(self) -> tuple[Path, ...]:
        """The user's files that no `--profile` can name."""
        return tuple(path for path in files_in(self.user) if not is_name(path.stem))

    def names(self) -> tuple[str, ...]:
        """What can be given to `--profile`."""
        return tuple(entry.name for entry in self.entries())

    def load(self, name: str, *, env: Mapping[str, str], switch: str = "") -> Loaded:
        """The profile of that name, merged with its parents and validated.

        Three variables of `env` replace a key: OPENCLAUDE_AWS_PROFILE, OPENCLAUDE_AWS_REGION,
        OPENCLAUDE_LITELLM_PORT. The region replaces `aws.region` only: a tier that names a region
        of its own keeps it. `switch` is TOML over the files, of `openclaude switch`. Raises
        UnknownProfile, UnreadableProfile, BadOverride, or ProfileMistakes with every mistake of all
        files involved.

        """
        overrides = read_overrides(env)
        absent: list[Path] = []
        document = self._read(check_name(name), absent)
        if document is None:
            raise UnknownProfile(name, self.names())
        chain = self._follow(name, document, absent)
        return self._judge(name, chain, overrides, switched(switch))

    def load_file(self, path: Path, *, env: Mapping[str, str]) -> Loaded:
        """The profile in a file that need not be in the library; its parents are looked up here.

        Raises UnreadableProfile.
        """
        overrides = read_overrides(env)
        document = read_document(path)
        if document is None:
            raise UnreadableProfile(path, "no such file")
        return self._judge(path.stem, self._follow("", document, []), overrides)

    def _judge(
        self, name: str, chain: Chain, overrides: Leaves, over: Document | None = None
    ) -> Loaded:
        """The profile of a chain of files, or every mistake in them."""
        merged = merge(flatten(document) for document in chain.documents)
        if over:
            replace(merged, flatten(over))
        replace(merged, overrides)
        values = nest(merged)
        mistakes = [*chain.mistakes, *parent_mistakes(chain.documents[1:])]
        mistakes += [
            place(finding, merged, chain.documents[0])
            for finding in find_mistakes(values, self.catalog)
            # what a parent that could not be read may well say is not missing
            if not chain.mistakes
            or key_of(finding) == ("schema",)
            or is_written(merged, key_of(finding))
        ]
        if mistakes:
            documents = [*chain.documents, *([over] if over else [])]
            raise ProfileMistakes(in_order(mistakes, documents))
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
        chain = Chain(sources=[], documents=[], absent=absent, mistakes=[])
        names: list[str] = []
        while True:
            names.append(name)
            chain.sources.append(Source(name=name, path=document.path, sha256=document.sha256))
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

    def _unknown_parent(self, document: Document, parent: str) -> Diagnostic:
        error = UnknownProfile(parent, self.names())
        return extends_mistake(document, error.message, error.hint)


def files_in(folder: Path) -> list[Path]:
    """The profile files of a folder; none where there is no folder. Raises UnreadableProfile."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableProfile(folder, describe_os_error(error)) from error


def switched(text: str) -> Document | None:
    """What `openclaude switch` puts over the files; None for nothing. Raises ProfileMistakes."""
    return text_document(SWITCHED, text) if text else None


def cycle_mistakes(names: list[str], parent: str, documents: list[Document]) -> list[Diagnostic]:
    """One mistake in each file of a circle of `extends`."""
    first = names.index(parent)
    circle = " -> ".join([*names[first:], parent])
    return [
        extends_mistake(document, f"profiles extend each other in a circle: {circle}")
        for document in documents[first:]
    ]


def extends_mistake(document: Document, message: str, hint: str = "") -> Diagnostic:
    """A mistake at a file's `extends`."""
    found = mistake(("extends",), message, fix=hint)
    return locate(found, document.path, document.line_of(("extends",)))
