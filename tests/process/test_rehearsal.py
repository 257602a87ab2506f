"""The warm-up requests use a key of their own, and restore the instance's."""

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
from openclaude.gateway.litellm import warmup_requests


def found():
    key = passthrough_endpoint_router.get_credentials("anthropic", None)
    return [key, os.environ["ANTHROPIC_API_BASE"]]


class Endpoints:
    async def anthropic(self, scope, receive, send):
        told.append(found())
        raise LookupError("as if it had failed")


told = []
failure = asyncio.run(warmup_requests.warm_up_main(Endpoints()))
print(json.dumps({"amid": told, "after": found(), "failure": failure}))
"""


def test_anthropics_key_is_not_in_the_warmup_requests_and_is_back_after_them() -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", LOOK],
        env={"PATH": "/usr/bin:/bin", **LITELLM_FLAGS, **OWN},
        capture_output=True,
        text=True,
        check=True,
    )

    told = json.loads(ran.stdout.splitlines()[-1])
    ((key, url),) = told["amid"]
    assert key == "sk-openclaude-warmup"
    assert url.startswith("http://127.0.0.1:")
    assert told["failure"] == "LookupError('as if it had failed')"
    assert told["after"] == [OWN["ANTHROPIC_API_KEY"], OWN["ANTHROPIC_API_BASE"]]


START = """
import asyncio
import json

from openclaude.gateway.litellm import endpoint


async def litellm_app(scope, receive, send):
    await send({"type": "lifespan.startup.complete"})


async def warm_up(endpoints):
    return "no answer"


async def send(message):
    sent.append(message["type"])


endpoint.litellm_app = litellm_app
warned, sent = [], []
start = endpoint.Endpoints("key", warm_up)
asyncio.run(start({"type": "lifespan", "openclaude.warn": warned.append}, None, send))
asyncio.run(start({"type": "lifespan"}, None, send))
print(json.dumps({"warned": warned, "sent": sent}))
"""


def test_an_instance_whose_warm_up_failed_serves_and_says_so() -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", START],
        env={"PATH": "/usr/bin:/bin", **LITELLM_FLAGS},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "warned": ["no answer"],
        "sent": ["lifespan.startup.complete"] * 2,
    }
