"""A rehearsal is made with a key of its own, and leaves the instance's where it was."""

from __future__ import annotations

import json
import subprocess
import sys

from openclaude.compile.litellm_configs import LITELLM_FLAGS

OWN = {"ANTHROPIC_API_BASE": "https://api.anthropic.com", "ANTHROPIC_API_KEY": "sk-ant-canary"}
LOOK = """
import asyncio
import json
import os

from litellm.proxy.pass_through_endpoints.llm_passthrough_endpoints import (
    passthrough_endpoint_router,
)
from openclaude.gateway import rehearsal


def found():
    key = passthrough_endpoint_router.get_credentials("anthropic", None)
    return [key, os.environ["ANTHROPIC_API_BASE"]]


class Endpoints:
    async def anthropic(self, scope, receive, send):
        told.append(found())
        raise LookupError("as if it had failed")


told = []
asyncio.run(rehearsal.rehearse_main(Endpoints()))
print(json.dumps({"amid": told, "after": found()}))
"""


def test_anthropics_key_is_not_in_the_rehearsal_and_is_back_after_it() -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", LOOK],
        env={"PATH": "/usr/bin:/bin", **LITELLM_FLAGS, **OWN},
        capture_output=True,
        text=True,
        check=True,
    )

    told = json.loads(ran.stdout.splitlines()[-1])
    ((key, url),) = told["amid"]
    assert key == "sk-openclaude-rehearsal"
    assert url.startswith("http://127.0.0.1:")
    assert told["after"] == [OWN["ANTHROPIC_API_KEY"], OWN["ANTHROPIC_API_BASE"]]
