"""`openclaude profiles validate`: every mistake of a profile, in one report.

Knows: how a verdict looks. Independent of: the rules of a profile.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from openclaude.diagnostics import Diagnostic
from openclaude.errors import OpenclaudeError
from openclaude.output import Result

if TYPE_CHECKING:
    from openclaude.compile.disclosure import Disclosure
    from openclaude.profile.library import Library
    from openclaude.profile.read.loaded import Loaded


class Checked(NamedTuple):
    """What `validate` found of one profile."""

    name: str
    error: OpenclaudeError | None
    warnings: tuple[Diagnostic, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()


def validate_profiles(
    library: Library, names: Iterable[str], env: Mapping[str, str], today: datetime.date
) -> Result:
    """Every mistake and every warning of these profiles; 2 if there is a mistake."""
    checked = [check_profile(library, name, env, today) for name in names]
    errors = [entry for one in checked if one.error for entry in one.error.entries()]
    return Result(
        text="".join(f"{line}\n" for one in checked for line in checked_lines(one)),
        data={"profiles": [checked_item(one) for one in checked]},
        exit_code=2 if errors else 0,
        errors=tuple(errors),
    )


def check_profile(
    library: Library, name: str, env: Mapping[str, str], today: datetime.date
) -> Checked:
    """One profile: what is wrong with it, or what is worth a warning."""
    from openclaude.compile.disclosure import disclose_profile
    from openclaude.profile.mistakes import ProfileMistakes, UnreadableProfile
    from openclaude.profile.names import BadProfileName, UnknownProfile
    from openclaude.profile.validate.warnings import find_warnings

    try:
        loaded = load(library, name, env)
    except (ProfileMistakes, UnreadableProfile, UnknownProfile, BadProfileName) as error:
        return Checked(name, error)
    return Checked(
        name=name,
        error=None,
        warnings=find_warnings(loaded, library.catalog, today),
        disclosures=disclose_profile(loaded, library.catalog),
    )


def load(library: Library, name: str, env: Mapping[str, str]) -> Loaded:
    """A profile by its name, or by the path of its file."""
    if "/" in name or name.endswith(".toml"):
        return library.load_file(Path(name), env=env)
    return library.load(name, env=env)


def checked_lines(checked: Checked) -> Iterator[str]:
    """The verdict on one profile, then its mistakes, or its warnings and who receives what."""
    if checked.error is None:
        yield f"`{checked.name}` is valid"
        yield from (f"warning: {warning.located}" for warning in checked.warnings)
        yield from (f"  {one.sentence}" for one in checked.disclosures)
    else:
        mistakes = checked.error.lines
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        yield f"`{checked.name}` has {count}"
        yield from (f"error: {mistake}" for mistake in mistakes)


def checked_item(checked: Checked) -> Mapping[str, object]:
    """The verdict on one profile as JSON."""
    return {
        "name": checked.name,
        "valid": checked.error is None,
        "errors": checked.error.entries() if checked.error else [],
        "warnings": [warning.entry() for warning in checked.warnings],
        "disclosures": [one._asdict() for one in checked.disclosures],
    }
