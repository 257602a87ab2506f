"""Whose command line it is: one of our commands, or claude's.

Knows: our words and claude's, and which word is probably a mistake. Pure; every launch imports it.
`openclaude ARGUMENTS` is claude's command line unless the first argument is a command of
ours, so argv is split by hand before any parser sees it. A mistyped command must not become a
prompt, which claude would answer for money.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from openclaude.commands.registry import NAMES
from openclaude.errors import UsageError

PROFILE = "--profile"
EPHEMERAL = "--ephemeral"  # of a launch
HELP, VERSION = "--help", "--version"
# Other spellings of what is ours
SPELLINGS = {"-h": HELP, "-V": VERSION, "version": VERSION}
OURS = frozenset({*NAMES, HELP, VERSION, *SPELLINGS, "help"})
# The words in claude's own `--help` (2.1.330; a test compares them with the pinned version's)
CLAUDES = frozenset(
    {
        *("agents", "attach", "auth", "auto-mode", "doctor", "gateway", "import", "install"),
        *("kill", "logs", "mcp", "plugin", "plugins", "purge", "respawn", "rm", "setup-token"),
        *("stop", "ultrareview", "update", "upgrade"),
    }
)
UPDATES = frozenset({"update", "upgrade"})  # of claude; it has no word for ours
# What people type who expect another command line, and what they mean
EXPECTED = {
    **{"list": "profiles list", "ls": "profiles list", "ps": "status", "show": "profiles show"},
    **{"config": "profiles edit", "configure": "setup", "init": "setup", "login": "setup"},
    **{"use": "profiles use", "up": "start", "down": "stop"},
    **{"run": "start", "check": "doctor", "validate": "profiles validate"},
}
LONG_ENOUGH = 5  # letters of a command of which two may be wrong; of a shorter one, one


class Split(NamedTuple):
    """A command line, split: one of our commands with its arguments, or a launch."""

    command: str  # "" for a launch
    arguments: tuple[str, ...]
    profile: str | None = None  # of a launch
    is_verbatim: bool = False  # `--` said that all of it is for claude
    is_ephemeral: bool = False  # of a launch: its stack ends with it

    @property
    def updates_claude(self) -> bool:
        """Whether it is claude's own update, which may be taken for ours."""
        return not self.command and bool(UPDATES.intersection(self.arguments[:1]))


def split_arguments(arguments: Sequence[str]) -> Split:
    """Split a command line.

    Raises UsageError for a `--profile` without a name, and for a first word that is probably a
    mistyped command of ours.
    """
    is_ephemeral, rest = take_flag(tuple(arguments))
    profile, rest = take_profile(rest)
    if not is_ephemeral:
        is_ephemeral, rest = take_flag(rest)
    if rest and rest[0] in OURS:
        if is_ephemeral:
            raise UsageError(
                f"`{EPHEMERAL}` is for a launch, not for `{rest[0]}`",
                hint=f'for example `openclaude {EPHEMERAL} -p "..."`',
            )
        return command_of(profile, rest)
    if rest[:1] == ("--",):  # ours: `openclaude -- doctor` is claude's doctor
        return Split("", rest[1:], profile, is_verbatim=True, is_ephemeral=is_ephemeral)
    if rest and (meant := probably_meant(rest)):
        raise UsageError(
            f"`{rest[0]}` is not a command of openclaude; did you mean `openclaude {meant}`?",
            hint=f"`openclaude -- {rest[0]}` sends it to claude as a prompt",
        )
    return Split("", rest, profile, is_ephemeral=is_ephemeral)


def command_of(profile: str | None, rest: tuple[str, ...]) -> Split:
    """One of our commands; a `--profile` in front of it belongs to it."""
    named = () if profile is None else (PROFILE, profile)
    word, arguments = SPELLINGS.get(rest[0], rest[0]), rest[1:]
    if word == "help":  # `help status` is `status --help`, `help aws setup` is `aws setup --help`
        is_known = {*arguments[:1]} & {*NAMES}
        words = (one for one in arguments[1:] if not one.startswith("-"))
        return Split(arguments[0], (*words, HELP)) if is_known else Split(HELP, arguments[:1])
    return Split(word, (*named, *arguments) if word in NAMES else arguments)


def probably_meant(arguments: tuple[str, ...]) -> str:
    """The command of ours that the user wanted to type; "" for what may well be claude's.

    Only a word by itself can be one: letters and hyphens, and behind it no more than further words
    and options. A prompt of one word is rare, and `--` sends it.
    """
    word = arguments[0]
    if not is_word(word) or word in CLAUDES or any(" " in one for one in arguments[1:]):
        return ""
    return EXPECTED.get(word) or nearest_command(word)


def is_word(text: str) -> bool:
    """Whether a text could be a command's name."""
    return text.isascii() and text.replace("-", "").isalpha() and not text.startswith("-")


def nearest_command(word: str) -> str:
    """The command of ours that is a few slips of the keys away; "" if there is none."""
    near = [
        (edits(word.lower(), name), name)
        for name in (*NAMES, "help", "version")
        if abs(len(word) - len(name)) <= 2
    ]
    close = [(count, name) for count, name in near if count <= slips(name)]
    return min(close)[1] if close else ""


def slips(name: str) -> int:
    """How many edits away a word may be to be taken for this name."""
    return 2 if len(name) >= LONG_ENOUGH else 1


def edits(one: str, other: str) -> int:
    """Letters to insert, drop, change or swap with the next to get from one word to the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one):
        older, before, row = before, row, [i + 1]
        for j, wanted in enumerate(other):
            best = min(before[j] + (letter != wanted), before[j + 1] + 1, row[j] + 1)
            if i and j and letter == other[j - 1] and one[i - 1] == wanted:
                best = min(best, older[j - 1] + 1)
            row.append(best)
    return row[-1]


def take_flag(arguments: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    """Whether the arguments begin with `--ephemeral`, and what follows."""
    is_there = arguments[:1] == (EPHEMERAL,)
    return is_there, arguments[is_there:]


def take_profile(arguments: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """A leading `--profile NAME` or `--profile=NAME`, and what follows. Raises UsageError."""
    if not arguments or arguments[0].partition("=")[0] != PROFILE:
        return None, arguments
    _, equals, name = arguments[0].partition("=")
    rest = arguments[1:]
    if not equals and rest:
        name, rest = rest[0], rest[1:]
    if not name or name.startswith("-"):
        raise UsageError(
            "`--profile` needs a name",
            hint="list the profiles with `openclaude profiles list`",
        )
    return name, rest
