"""LiteLLM would account for a reply, but it does in our instances only for who reads that."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import variant

PROGRAM = """
import asyncio, json, sys
from datetime import datetime
from unittest.mock import patch
import httpx
from openclaude.gateway.litellm import accounting
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.proxy.pass_through_endpoints import streaming_handler
from litellm.proxy.pass_through_endpoints.success_handler import PassThroughEndpointLogging
from litellm.types.passthrough_endpoints.pass_through_endpoints import EndpointType

if sys.argv[1] == "without":
    accounting.keep_no_accounts()
Handler = streaming_handler.AnthropicPassthroughLoggingHandler
NAME = "handle_logging_anthropic_collected_chunks"
EVENTS = (
    b'event: message_start\\ndata: {"type": "message_start", "message": {"id": "msg_1", "type": '
    b'"message", "role": "assistant", "content": [], "model": "claude-opus-5-5", "usage": '
    b'{"input_tokens": 3, "output_tokens": 1}}}\\n\\n',
    b'event: message_stop\\ndata: {"type": "message_stop"}\\n\\n',
)

async def answer():
    logging = Logging(
        model="claude-opus-5-5", messages=[], stream=True, call_type="pass_through_endpoint",
        start_time=datetime.now(), litellm_call_id="1", function_id="1",
    )
    parts = streaming_handler.PassThroughStreamingHandler.chunk_processor(
        response=httpx.Response(200, content=b"".join(EVENTS)), request_body={},
        litellm_logging_obj=logging, endpoint_type=EndpointType.ANTHROPIC,
        start_time=datetime.now(), passthrough_success_handler_obj=PassThroughEndpointLogging(),
        url_route="https://api.anthropic.com/v1/messages",
    )
    taken = b"".join([part async for part in parts])
    await asyncio.sleep(0.2)  # LiteLLM accounts behind the answer
    return taken == b"".join(EVENTS)

with patch.object(Handler, NAME, side_effect=LookupError) as gathered:
    is_whole = asyncio.run(answer())
print(json.dumps({"is_whole": is_whole, "gathered": gathered.call_count}))
"""


@pytest.mark.slow
@pytest.mark.reaches_out
@pytest.mark.parametrize(("how", "gathered"), [variant("with", 1), ("without", 0)])
def test_a_reply_that_has_passed_is_not_put_together_for_its_price(how: str, gathered: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, timeout=120
    )

    assert ran.returncode == 0, ran.stderr[-2000:]
    assert json.loads(ran.stdout) == {"is_whole": True, "gathered": gathered}


CALLBACKS = """
import json, sys
import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.proxy import proxy_server
from litellm.proxy.utils import ProxyLogging
from litellm.router import Router
from openclaude.gateway.guard import handler
from openclaude.gateway.litellm import accounting

class Paying(CustomLogger):
    pass

limits = {"rpm": 5} if sys.argv[1] == "limited" else {}
params = {"model": "openai/m", "api_key": "sk-1", **limits}
proxy_server.llm_router = Router(model_list=[{"model_name": "m", "litellm_params": params}])
litellm.callbacks = [handler, *([Paying()] if sys.argv[1] == "paying" else [])]
proxy_server.proxy_logging_obj._init_litellm_callbacks(llm_router=proxy_server.llm_router)
before = len(litellm.callbacks)
accounting.account_for_callbacks()
lists = (litellm.callbacks, litellm.success_callback, litellm._async_success_callback)
print(json.dumps({
    "own": before - len(litellm.callbacks),
    "left": sorted({type(one).__name__ for found in lists for one in found}),
    "accounts": Logging.async_success_handler is not accounting.skip,
    "prices": Logging.response_cost_calculator is not accounting.skip_now,
    "texts": ProxyLogging._record_served_stream_output is not accounting.skip,
    "counts": Router.increment_deployment_usage_for_response is not accounting.skip,
}))
"""


@pytest.mark.slow
@pytest.mark.reaches_out
@pytest.mark.parametrize(
    ("what", "reader", "accounts", "counts"),
    [
        variant("nothing", [], False, False),
        ("paying", ["Paying"], True, True),
        variant("limited", [], False, True),
    ],
)
def test_litellm_accounts_in_providers_for_a_callback_of_the_config_alone(
    what: str, reader: list[str], accounts: bool, counts: bool
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CALLBACKS, what], capture_output=True, text=True, timeout=120
    )

    assert ran.returncode == 0, ran.stderr[-2000:]
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said.pop("own") > 5  # LiteLLM's
    assert [one for one in said.pop("left") if one != "method"] == ["Callback", *reader]
    assert said == {
        "accounts": accounts, "prices": accounts, "texts": accounts, "counts": counts
    }  # fmt: skip
