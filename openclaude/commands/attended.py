"""Running another program on the user's terminal, in the middle of a command of ours.

Knows: where its output goes. Independent of: which program it is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from openclaude.prompt import tell


def run_attended(argv: tuple[str, ...], env: Mapping[str, str]) -> None:
    """Run an interactive program, with its stdout on stderr: stdout is our own result."""
    try:
        subprocess.run(argv, env=dict(env), stdout=sys.stderr, check=False)
    except OSError as error:
        tell(f"cannot run `{Path(argv[0]).name}`: {error.strerror}\n")
