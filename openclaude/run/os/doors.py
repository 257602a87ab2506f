"""Listening sockets that are watched while nobody accepts from them.

Knows: a selector, who is told of a connection. Independent of: what is then done about it.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Iterable


class Doors:
    """The sockets of a stack that sleeps."""

    def __init__(
        self,
        listeners: Iterable[socket.socket],
        selector: selectors.BaseSelector,
        on_connection: Callable[[], None],
    ) -> None:
        self.listeners = tuple(listeners)
        self.selector = selector
        self.on_connection = on_connection
        self.is_watching = False

    def watch(self, listeners: Iterable[socket.socket]) -> None:
        """Watch these; the connections stay in their backlog."""
        for listener in listeners:
            self.selector.register(listener, selectors.EVENT_READ, self.on_connection)
        self.is_watching = True

    def leave(self) -> None:
        """Leave the connections to who accepts them."""
        self.is_watching = False
        for listener in self.listeners:
            if listener in self.selector.get_map():
                self.selector.unregister(listener)
