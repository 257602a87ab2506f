"""The profile: its mistakes, its warnings, the secrets it refers to.

Knows: what each of them means for a launch. Must not depend on the rules of a profile.
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from openclaude.contracts.references import SecretKind, parse_secret
from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.snapshot.world import World


def check_profile(world: World) -> Iterator[Diagnostic]:
    """Everything that `profiles validate` reports, and the secrets."""
    wanted = world.wanted
    for error in wanted.errors:
        yield error._replace(
            why="every launch fails with this error", fix=fix_of(error, wanted.name)
        )
    for warning in wanted.warnings:
        yield warning._replace(
            why="the profile is valid, but it may not work as you expect",
            fix=f"see `openclaude models`; run `openclaude profiles edit {wanted.name}`",
        )
    if not wanted.errors and not wanted.warnings:
        message = f"the profile `{wanted.name}` is valid"
        yield Diagnostic(code="profile", severity=Severity.OK, message=message)
    for sentence in wanted.disclosures:
        yield Diagnostic(code="disclosure", severity=Severity.OK, message=sentence)
    for secret in world.lost:
        is_certain = parse_secret(secret.reference).variable
        yield Diagnostic(
            code="secret-missing",
            severity=Severity.ERROR if is_certain else Severity.WARNING,
            message=f"the profile `{wanted.name}` needs the secret `{secret.reference}`, but "
            f"{secret.why}",
            why="requests to the models that need it fail",
            fix=fix_secret(secret.reference, wanted.name),
        )


def fix_of(error: Diagnostic, name: str) -> str:
    """What the error itself suggests, and the command that opens its file."""
    location = error.location
    if location and location.variable:
        variable = location.variable
        return f"correct {variable}, or run `unset {variable}`"
    command = f"run `openclaude profiles edit {name}`" if location and location.path else ""
    both = "; ".join(filter(None, (error.fix, command)))
    return both or f"run `openclaude profiles validate {name}`"


def fix_secret(reference: str, name: str) -> str:
    """How to provide a secret."""
    secret = parse_secret(reference)
    if secret.variable:
        return (
            f"set {secret.variable}, or store the secret in a file: "
            f"`openclaude profiles set {name} KEY=file:PATH`; "
            f"`openclaude profiles show {name}` shows which KEY"
        )
    if secret.kind is SecretKind.FILE:
        return f"write it there: `install -m 600 /dev/stdin {quote(secret.target)}`"
    return f"install `{secret.program}`, or store the secret somewhere else"
