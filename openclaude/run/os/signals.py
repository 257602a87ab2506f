"""Signals as something to be read: handlers take notes, loops act.

Knows: which signals end a process in order, which one calls for attention. Independent of: what
is then done.
"""

from __future__ import annotations

import signal
import socket


def catch_signals() -> socket.socket:
    """A socket that receives the number of each signal; the handlers themselves do nothing."""
    read, write = socket.socketpair()
    read.setblocking(False)
    write.setblocking(False)
    signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
    catch_signals.keep = write  # type: ignore[attr-defined]  # open for as long as the process
    # SIGCONT asks for a look at the folder (`control_socket.recover`): one that does not know it
    # takes no harm
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        signal.signal(number, lambda _number, _frame: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal it was started from may close
    return read
