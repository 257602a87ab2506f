"""An import that leaves for later what most processes never need.

Knows: what can be left, and that it happens by itself when it is needed after all. Independent of:
what is imported; nothing of it is changed, and without this everything works as well, later. What
an instance's requests need is made before it is forked (`warmup`), so that no request waits for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from openclaude.gateway.late.adapters import late_adapters
from openclaude.gateway.late.exports import delay_exports
from openclaude.gateway.late.modules import absent_module, late_module
from openclaude.gateway.late.routes import late_routes

PASSING_ON = "openai.types"
# the length of sounds; with it comes numpy: 85 modules, 10 MB
UNUSED = "soundfile"
# httpx's command line, without which it can be imported: rich, pygments, click, 90 modules
COMMAND_LINE = "httpx._main"


@contextlib.contextmanager
def importing_less() -> Iterator[None]:
    """Import less in the context."""
    delay_exports(PASSING_ON)
    with late_module(UNUSED), absent_module(COMMAND_LINE), late_adapters(), late_routes():
        yield
