"""The words of ours: each one's parser, run, and result on stdout.

Knows: which module answers which word. Refuses to know: what they do. Only the chosen word's
module is imported and only its options are built.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from openclaude import __version__
from openclaude.cli import WORDS
from openclaude.errors import OpenclaudeError, UsageError, nearest
from openclaude.output import Result, envelope
from openclaude.places import find_places

MODULES = {
    "profiles": "openclaude.commands.profiles",
    "compile": "openclaude.commands.compile",
    "start": "openclaude.commands.stacks",
    "stop": "openclaude.commands.stacks",
    "restart": "openclaude.commands.stacks",
    "status": "openclaude.commands.status",
    "logs": "openclaude.commands.logs",
    "doctor": "openclaude.commands.doctor",
    "setup": "openclaude.commands.setup",
    "models": "openclaude.commands.models",
    "aws": "openclaude.commands.aws",
    "demo": "openclaude.commands.demo",
    "uninstall": "openclaude.commands.uninstall",
}
SHARED = {"start", "stop", "restart"}  # words of one module, which must be told the word
SUMMARIES = {
    "profiles": "list, show, make, change, check and share profiles",
    "compile": "print what a profile becomes: both LiteLLM configs, claude's settings, the plan",
    "start": "start the proxies of a profile, without claude",
    "stop": "stop them",
    "restart": "replace them; open sessions go on",
    "status": "show who uses them, what they cost, the model behind each tier; --watch",
    "logs": "show what they logged; -f to follow",
    "setup": "go from nothing to a first launch: claude, login, AWS profile, keys, profile",
    "doctor": "show what could go wrong, and the command that mends it; --online asks AWS too",
    "aws": "print the least-privilege IAM policy of a profile; set up an AWS profile for it",
    "models": "list what can be put in a tier: prices, windows, abilities, regions",
    "demo": "run the whole path on this machine: no account, no network, no configuration",
    "uninstall": "stop everything and remove openclaude's own files; --purge: your profiles too",
}


class Parser(argparse.ArgumentParser):
    """argparse with our kind of error."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(reword(message), hint=f"see `{self.prog} --help`")


# What argparse says (3.11 to 3.14), and what we say; its flags are shown by their last name.
REWORDED = (
    (r"unrecognized arguments: (-\S*).*", r"unknown option: \1"),
    (r"unrecognized arguments: (\S*).*", r"unexpected argument: \1"),
    (r"argument (?:\S+/)?(\S+): expected one argument", r"`\1` needs a value"),
    (r"argument (?:\S+/)?(\S+): invalid int value: '(.*)'", r"`\1` takes a number, not `\2`"),
)


def reword(message: str) -> str:
    """argparse's complaint in our words."""
    choice = re.fullmatch(r"argument \S+: invalid choice: '(.*)' \(choose from (.*)\)", message)
    if choice:
        known = [name.strip("'") for name in choice[2].split(", ")]
        near = nearest(choice[1], known)
        meant = f" (did you mean `{near}`?)" if near else ""
        return f"`{choice[1]}` is none of {', '.join(known)}{meant}"
    for pattern, ours in REWORDED:
        if re.fullmatch(pattern, message):
            return re.sub(pattern, ours, message)
    return message


def run(word: str, arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run one word; its exit status. With `--json`, a failure is in the envelope on stdout."""
    as_json = "--json" in arguments
    try:
        result = run_word(word, arguments, env)
    except OpenclaudeError as error:
        if not as_json:
            raise
        result = Result(exit_code=error.exit_code, errors=tuple(error.entries()))
    text = envelope((word, *command_words(arguments)), result) if as_json else result.text
    sys.stdout.write(text)
    sys.stdout.flush()  # here, so that a reader who left is met before the interpreter's own end
    return result.exit_code


def command_words(arguments: Sequence[str]) -> list[str]:
    """The subcommand, as far as the arguments name one."""
    return [argument for argument in arguments[:1] if not argument.startswith("-")]


def run_word(word: str, arguments: Sequence[str], env: Mapping[str, str]) -> Result:
    """The word's result. Raises OpenclaudeError."""
    if word in {"--help", "-h"}:
        return Result(text=help_text())
    if word == "--version":
        return versions(env, arguments)
    module, parser = word_parser(word)
    said = parser.parse_args(arguments)
    if word in SHARED:
        return module.run(word, said, find_places(env), env)  # type: ignore[no-any-return]
    return module.run(said, find_places(env), env)  # type: ignore[no-any-return]


def word_parser(word: str) -> tuple[ModuleType, Parser]:
    """The module that answers a word, and the word's parser."""
    module = importlib.import_module(MODULES[word])
    parser = Parser(
        prog=f"openclaude {word}", description=SUMMARIES[word] + ".", allow_abbrev=False
    )
    if word in SHARED:
        module.add_arguments(parser, word)
    else:
        module.add_arguments(parser)
    return module, parser


def help_text() -> str:
    """The page behind `openclaude --help`, from the table of words."""
    words = "\n".join(f"  {word:<10} {SUMMARIES[word]}" for word in WORDS)
    return f"""\
openclaude: Claude Code on the models you choose, one profile at a time

  openclaude [--profile NAME] [ARGUMENTS FOR claude ...]

becomes claude with the profile's models behind its tiers. The profile is `--profile`, then
OPENCLAUDE_PROFILE, then what `openclaude profiles use` chose, then `qwen`. Everything else on the
line is claude's, unless the first argument is one of these words:

{words}

Each has its own `--help`.
`openclaude -- WORD` gives a word to claude: `openclaude -- --help` is claude's help.
"""


def versions(env: Mapping[str, str], arguments: Sequence[str]) -> Result:
    """Our version, and those of the two programs we stand between."""
    from openclaude.facts import installed_litellm

    unknown = [argument for argument in arguments if argument != "--json"]
    if unknown:
        raise UsageError(f"unknown option: {unknown[0]}", hint="see `openclaude --help`")
    claude = claude_version(env)
    litellm = installed_litellm()
    python = ".".join(str(part) for part in sys.version_info[:3])
    return Result(
        text=f"openclaude {__version__} (claude {claude or 'not found'}, "
        f"LiteLLM {litellm}, Python {python})\n",
        data={
            "openclaude": __version__,
            "claude": claude or None,
            "litellm": None if litellm == "none" else litellm,
            "python": python,
            "lock": lock_digest() or None,
        },
    )


def lock_digest() -> str:
    """The SHA-256 of the lock this openclaude was tested with, or "" where it has none."""
    import hashlib

    from openclaude.doctor.look_packages import find_lock

    lock = find_lock(Path(__file__).parents[1])
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock else ""


def claude_version(env: Mapping[str, str]) -> str:
    """What `claude --version` says, or "" where there is none."""
    import subprocess

    from openclaude.facts import find_claude

    try:
        found = subprocess.run(
            (find_claude(env), "--version"),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OpenclaudeError, OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.split(" ")[0].strip() if found.returncode == 0 else ""
