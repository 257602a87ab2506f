"""The guard: a LiteLLM callback that makes `providers` honest towards claude and the model.

Knows: LiteLLM's hooks and where its router keeps a deployment's limits. Refuses to know: what is
done to a request (request.py) or a reply (reply.py), and how the instance was started.

Measured with LiteLLM 1.106.2, Bedrock Converse, /v1/messages: the pre-call hook's dict replaces the
request; the success hook gets the reply as a dict and its answer replaces it; the streaming
iterator hook gets whole SSE events as bytes. Other routes pass untouched.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from fastapi import HTTPException, Response
from litellm.integrations.custom_logger import CustomLogger

from openclaude.gateway.announce import AnnouncedStream, announced, is_asked_by_a_person
from openclaude.gateway.guard_limits import Limits, slot_limits
from openclaude.gateway.reply import StrippedStream, strip_reply
from openclaude.gateway.reply_whole import as_stream
from openclaude.gateway.request import Refused, fit_request

ROUTE = "anthropic_messages"


# LiteLLM passes every argument by name, so the unused ones keep theirs.
# ruff: noqa: ARG002


class Guard(CustomLogger):
    """Fits every request to its slot's model, and every reply to claude."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """The request as the slot's model can take it, or a refusal claude shows."""
        if call_type != ROUTE:
            return data
        try:
            return fit_request(data, limits_of(data.get("model")))
        except Refused as refused:
            sentence = "; ".join(filter(None, (refused.message, refused.hint)))
            raise HTTPException(status_code=refused.status, detail=sentence) from refused

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any
    ) -> Any:
        """A whole reply without reasoning and empty blocks, as a stream where one was asked for."""
        if not isinstance(response, dict) or response.get("type") != "message":
            return response
        reply = strip_reply(response)
        if notice := notice_for(data):
            reply = announced(reply, notice)
        if data.get("stream") is not True:
            return reply
        named = {**reply, "model": data.get("model")}  # a mock's own is a model of Anthropic
        return Response(as_stream(named), media_type="text/event-stream")

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: AsyncIterator[Any], request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """The same for a stream, event by event."""
        stream = StrippedStream()
        notice = notice_for(request_data)
        told = AnnouncedStream(notice) if notice else None
        async for chunk in response:
            for stripped in stream.feed(chunk):
                for part in told.feed(stripped) if told else [stripped]:
                    yield part
        rest = stream.rest()
        if rest := told.feed_rest(rest) if told else rest:
            yield rest


def notice_for(body: Mapping[str, Any]) -> str:
    """What to say before the answer to this request, or ""."""
    notice = limits_of(body.get("model")).notice
    return notice if notice and is_asked_by_a_person(body) else ""


def limits_of(slot_id: object) -> Limits:
    """A slot's limits, as the instance's own LiteLLM router has them."""
    from litellm.proxy.proxy_server import llm_router  # set when the app has read its config

    if llm_router is None:
        return Limits()
    return slot_limits(slot_id, llm_router.model_list, llm_router.fallbacks or [])


handler = Guard()
