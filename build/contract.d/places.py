"""Where to look when a name is new or gone: our file for names of its kind.

Knows: which file does what with a request. A test checks that every file named here exists.
"""

from __future__ import annotations

from typing import NamedTuple

ROUTES = "openclaude/gateway/routing/routes.py"
FIT = "openclaude/gateway/requests/request.py"


class Place(NamedTuple):
    """A file, and what it does with names of this kind."""

    file: str
    why: str


PASSED = "is passed on as it is; look whether the router reads it"
ON_CLAUDE = {
    "endpoint": Place("openclaude/gateway/main.py", "ROUTES and KEYLESS say what main answers"),
    "header": Place("openclaude/gateway/routing/router.py", PASSED),
    "beta": Place("openclaude/gateway/routing/router.py", PASSED),
    "model": Place(ROUTES, "decides which ids go to Anthropic"),
    "body key": Place("openclaude/gateway/routing/router.py", PASSED),
    "setting": Place("openclaude/gateway/routing/router.py", PASSED),
    "tool": Place("openclaude/gateway/routing/router.py", PASSED),
    "tool type": Place("openclaude/gateway/routing/router.py", PASSED),
    "tool key": Place("openclaude/gateway/routing/router.py", PASSED),
    "block": Place("openclaude/gateway/routing/router.py", PASSED),
    "block key": Place("openclaude/gateway/routing/router.py", PASSED),
    "role": Place("openclaude/gateway/routing/router.py", PASSED),
    "turn key": Place("openclaude/gateway/routing/router.py", PASSED),
    "status": Place("openclaude/gateway/routing/passthrough_reply.py", "what main answers itself"),
    "count": Place("build/contract.d/situations.py", "the situation asks more or fewer requests"),
    "exit": Place("build/contract.d/situations.py", "the situation ends otherwise"),
    "size": Place("build/contract.d/situations.py", "the requests of it are larger or smaller"),
    "gates": Place("build/contract.d/modes.py", "the mode `gates` turns it on, if it is off"),
    "betas": Place("openclaude/gateway/routing/router.py", PASSED),
    "endpoints": Place("openclaude/gateway/main.py", "ROUTES and KEYLESS say what main answers"),
    "models": Place(ROUTES, "decides which ids go to Anthropic"),
    "variables": Place(
        "openclaude/compile/claude_environment.py", "what a launch sets and removes"
    ),
}
ON_A_SLOT = {
    "header": Place("openclaude/gateway/routing/router.py", "CREDENTIALS are removed for a slot"),
    "beta": Place(FIT, "a slot's model knows no beta; what it allows may come in the body"),
    "body key": Place(FIT, "KNOWN says what a slot is given, anything else ends there"),
    "setting": Place(FIT, "`fit_reasoning` and its neighbours translate what a slot understands"),
    "tool": Place(FIT, "`fit_tools` takes out what only Anthropic's servers can run"),
    "tool type": Place(FIT, "SERVER_TOOLS are run by Anthropic's servers only"),
    "tool key": Place(FIT, "TOOL_KEYS says what of a tool a slot is given"),
    "block": Place("openclaude/gateway/requests/blocks.py", "says what becomes of each block"),
    "block key": Place("openclaude/gateway/requests/blocks.py", "says what of a block is kept"),
    "role": Place("openclaude/gateway/requests/turns.py", "makes turns that a slot understands"),
    "turn key": Place("openclaude/gateway/requests/turns.py", "makes turns for a slot"),
    "status": Place("openclaude/gateway/errors/slot_errors.py", "what claude is told of a slot"),
}
LITELLM = "openclaude/gateway/litellm"


def place(kind: str, *, is_of_slot: bool = False) -> Place:
    """Return the place for names of a kind."""
    return (ON_A_SLOT if is_of_slot else ON_CLAUDE).get(kind) or ON_CLAUDE[kind]
