"""`openclaude completion SHELL`: the completions of one shell, for its start-up file.

Knows: where they lie in a package and in a checkout. Independent of: what they say (`build/share`).
"""

from __future__ import annotations

import argparse
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import openclaude
from openclaude.commands.help_page import HelpPage, add_page
from openclaude.output import Result
from openclaude.paths import Places

# The file of each shell, below share/ in a checkout
FILES = {
    "bash": "bash-completion/completions/openclaude",
    "zsh": "zsh/site-functions/_openclaude",
    "fish": "fish/vendor_completions.d/openclaude.fish",
}
PAGE = HelpPage(
    text="""\
Print the completions of a shell. pipx and Nix put them where the shell looks;
after another installation, let your shell's start-up file read them.""",
    examples=(
        "openclaude completion bash > openclaude.bash",
        "openclaude completion fish | source",
    ),
    variables=(),
    docs="docs/install.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument("shell", choices=tuple(FILES), help="whose completions")


def run(arguments: argparse.Namespace, _places: Places, _env: Mapping[str, str]) -> Result:
    """The script."""
    return Result(text=find_script(arguments.shell).read_text(encoding="utf-8"))


def find_script(shell: str) -> Path:
    """The file: in the environment's share/, or in the one beside the package.

    The latter is so in a checkout, and in a zipapp once it is unpacked.
    """
    beside = Path(openclaude.__file__).parent.parent / "share" / FILES[shell]
    return beside if beside.is_file() else Path(sysconfig.get_path("data"), "share", FILES[shell])
