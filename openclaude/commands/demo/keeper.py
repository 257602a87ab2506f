"""The keeper: a process that outlives the demo and cleans up after it, however it ends.

Knows: that the demo has ended, by the pipe on its standard input. Independent of: how. Run as
`python -m openclaude.commands.demo.keeper FOLDER`, in a session of its own, so that it gets none
of the terminal's signals.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from openclaude.commands.demo.leftovers import clear, remove_demo, unborn


def main() -> None:
    """Wait for the demo's end, then clean up. Fails if something is left."""
    folder = Path(sys.argv[1])
    # who ends the demo and everything around it must still get it cleared
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    remove_demo(unborn(folder))
    clear(folder)


if __name__ == "__main__":
    main()
