"""Help pages: what a command does, examples, the variables it reads, where its documentation is.

Knows: how a page is laid out, and the options and variables that several commands share.
Independent of: what any command does.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

PROFILE_HELP = "the profile (default: the one a launch uses)"
JSON_HELP = "print one JSON document"

# variable or variables, and what they do
Variables = tuple[tuple[str, str], ...]

PROFILE: Variables = (("OPENCLAUDE_PROFILE", "the profile, if none is named"),)
OVERRIDES: Variables = (
    ("OPENCLAUDE_AWS_PROFILE", "replaces the profile's `aws.profile`"),
    ("OPENCLAUDE_AWS_REGION", "replaces the profile's `aws.region`"),
    ("OPENCLAUDE_LITELLM_PORT", "replaces the profile's `listen.port`"),
)
CLAUDE: Variables = (("OPENCLAUDE_CLAUDE", "the claude to run (default: the first in PATH)"),)
CONFIG: Variables = (("XDG_CONFIG_HOME", "where your profiles are (default: ~/.config)"),)
STATE: Variables = (("XDG_STATE_HOME", "where logs and stacks are (default: ~/.local/state)"),)
CACHE: Variables = (("XDG_CACHE_HOME", "where compiled plans are (default: ~/.cache)"),)
AWS_FILES: Variables = (
    ("AWS_CONFIG_FILE", "default: ~/.aws/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "default: ~/.aws/credentials"),
)
COLOUR: Variables = (("NO_COLOR, FORCE_COLOR", "no colour, or colour everywhere"),)


class HelpPage(NamedTuple):
    """What `--help` says about a command besides its arguments."""

    text: str  # whole sentences, in lines of at most 80 letters
    examples: tuple[str, ...]  # command lines
    variables: Variables
    docs: str  # the page of documentation

    @property
    def epilog(self) -> str:
        """What follows the arguments."""
        width = max((len(name) for name, _ in self.variables), default=0)
        examples = "".join(f"  {line}\n" for line in self.examples)
        variables = "".join(f"  {name:<{width}}  {what}\n" for name, what in self.variables)
        named = f"environment variables:\n{variables}\n" if variables else ""
        return f"examples:\n{examples}\n{named}documentation: {self.docs}"


def add_page(parser: argparse.ArgumentParser, page: HelpPage) -> None:
    """Let a parser's `--help` show a page."""
    parser.description = page.text
    parser.epilog = page.epilog
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def add_profile(parser: argparse.ArgumentParser, help_text: str = PROFILE_HELP) -> None:
    """A profile's name, by itself or with `--profile`; parsed, it is `profile`."""
    parser.add_argument("named", metavar="NAME", nargs="?", help=help_text)
    add_profile_option(parser, help_text)


def add_profile_option(parser: argparse.ArgumentParser, help_text: str = PROFILE_HELP) -> None:
    """The option `--profile NAME`."""
    parser.add_argument("--profile", metavar="NAME", help=help_text)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option `--json`."""
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
