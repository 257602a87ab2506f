"""The profile: its mistakes, its warnings, the secrets it refers to.

Knows: how they are told. Refuses to know: the rules of a profile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openclaude.doctor.finding import OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World
from openclaude.profile.mistakes import BadOverride


def check_profile(world: World) -> Iterator[Finding]:
    """Everything that `profiles validate` says, and the secrets."""
    wanted = world.wanted
    for entry in wanted.errors:
        why = "a launch ends with this error"
        yield told(entry, STOPS, str(entry["code"]), why, mend_of(entry, wanted.name))
    for entry in wanted.warnings:
        why = "the profile is valid, and this may disappoint"
        yield told(entry, WARNS, "profile-warning", why, f"see `openclaude models`; {edit(world)}")
    if not wanted.errors and not wanted.warnings:
        yield Finding("profile", OK, f"the profile `{wanted.name}` is valid")
    for reference, why in world.lost:
        yield Finding(
            "secret-missing",
            STOPS if reference.startswith("env:") else WARNS,
            f"the profile `{wanted.name}` needs the secret `{reference}`, and {why}",
            "the models it is for cannot be asked",
            mend_secret(reference, wanted.name),
        )


def told(entry: Mapping[str, object], severity: str, code: str, why: str, mend: str) -> Finding:
    """An entry of a `--json` document as a finding."""
    place = [str(entry[part]) for part in ("path", "line", "key") if entry.get(part)]
    return Finding(code, severity, str(entry["message"]), why, mend, ":".join(place))


def mend_of(entry: Mapping[str, object], name: str) -> str:
    """The hint that the mistake brings, and the command that opens its file."""
    hint = str(entry.get("hint") or "")
    if entry["code"] == BadOverride.code:
        variable = str(entry["message"]).partition(":")[0]
        return f"correct {variable}, or run `unset {variable}`"
    command = f"run `openclaude profiles edit {name}`" if entry.get("path") else ""
    return "; ".join(filter(None, (hint, command))) or f"run `openclaude profiles validate {name}`"


def edit(world: World) -> str:
    """The command that opens the profile's file."""
    return f"run `openclaude profiles edit {world.wanted.name}`"


def mend_secret(reference: str, name: str) -> str:
    """How a secret gets to where it is looked for."""
    kind, _, rest = reference.partition(":")
    if kind == "env":
        return (
            f"set {rest}, or say where else it is: `openclaude profiles set KEY file:PATH`, where "
            f"`openclaude profiles show {name}` tells the key"
        )
    if kind == "file":
        return f"put it there: `install -m 600 /dev/stdin {rest}`"
    return f"install `{rest.split()[0]}`, or say where else the secret is"
