"""The guard: a LiteLLM callback that makes `providers` honest towards claude and the model.

Knows: LiteLLM's hooks and where its router keeps a deployment's limits. Refuses to know: what is
done to a request (request.py) or a reply (reply.py), and how the instance was started.

Measured with LiteLLM 1.106.2, Bedrock Converse, /v1/messages: the pre-call hook's dict replaces the
request; the success hook gets the reply as a dict and its answer replaces it; the streaming
iterator hook gets whole SSE events as bytes. Other routes pass untouched.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from typing import Any

from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger

from openclaude.gateway.guard_blocks import Limits
from openclaude.gateway.reply import ReplyEvents, strip_reply
from openclaude.gateway.reply_frames import Frames, read_event, write_event
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
            return fit_request(data, slot_limits(data.get("model")))
        except Refused as refused:
            sentence = "; ".join(filter(None, (refused.message, refused.hint)))
            raise HTTPException(status_code=refused.status, detail=sentence) from refused

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any
    ) -> Any:
        """A whole reply without reasoning and empty blocks."""
        is_message = isinstance(response, dict) and response.get("type") == "message"
        return strip_reply(response) if is_message else response

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: AsyncIterator[Any], request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """The same for a stream, event by event."""
        stream = StrippedStream()
        async for chunk in response:
            for stripped in stream.feed(chunk):
                yield stripped
        if rest := stream.rest():
            yield rest


class StrippedStream:
    """LiteLLM's chunks in, chunks for claude out: SSE bytes or text, or events as dicts.

    Bedrock's arrive as bytes (measured); LiteLLM's code has the other two for providers whose
    reply it turns into a stream itself (read).
    """

    def __init__(self) -> None:
        self._frames = Frames()
        self._events = ReplyEvents()

    def feed(self, chunk: Any) -> Iterable[Any]:
        """What claude gets for this chunk."""
        if isinstance(chunk, str):
            chunk = chunk.encode()
        if isinstance(chunk, bytes):
            return [part for frame in self._frames.feed(chunk) for part in self._frame(frame)]
        return self._events.feed(chunk) if isinstance(chunk, dict) else [chunk]

    def rest(self) -> bytes:
        """What an interrupted stream leaves behind."""
        return self._frames.rest()

    def _frame(self, frame: bytes) -> list[bytes]:
        event = read_event(frame)
        if event is None:
            return [frame]
        # an unchanged event keeps its bytes
        return [frame if kept is event else write_event(kept) for kept in self._events.feed(event)]


def slot_limits(slot_id: object) -> Limits:
    """What every model behind a slot can take, as the instance's own LiteLLM router has it."""
    from litellm.proxy.proxy_server import llm_router  # set when the app has read its config

    if llm_router is None:
        return Limits()
    groups = [slot_id, *fallbacks_of(slot_id, llm_router.fallbacks or [])]
    return common_limits(
        deployment.get("model_info") or {}
        for deployment in llm_router.model_list
        if deployment.get("model_name") in groups
    )


def fallbacks_of(slot_id: object, fallbacks: Iterable[Mapping[str, Any]]) -> list[object]:
    """The model groups that LiteLLM tries when a slot fails; they get the same request."""
    return [group for entry in fallbacks for group in entry.get(str(slot_id)) or []]


def common_limits(infos: Iterable[Mapping[str, Any]]) -> Limits:
    """The limits that hold for all of these models; the smallest ones for none at all.

    A request is fitted once, before LiteLLM chooses, so it must suit every model it may choose.
    """
    limits = [read_limits(info) for info in infos]
    return functools.reduce(narrower, limits) if limits else Limits()


def read_limits(info: Mapping[str, Any]) -> Limits:
    """A deployment's `model_info`, as compile writes it."""
    cap = info.get("max_output_tokens")
    return Limits(
        max_output_tokens=cap if isinstance(cap, int) and cap > 0 else Limits().max_output_tokens,
        vision=info.get("supports_vision") is True,
        pdf=info.get("supports_pdf_input") is True,
        reasoning=info.get("supports_reasoning") is True,
    )


def narrower(one: Limits, other: Limits) -> Limits:
    """What both can take."""
    return Limits(
        max_output_tokens=min(one.max_output_tokens, other.max_output_tokens),
        vision=one.vision and other.vision,
        pdf=one.pdf and other.pdf,
        reasoning=one.reasoning and other.reasoning,
    )


handler = Guard()
