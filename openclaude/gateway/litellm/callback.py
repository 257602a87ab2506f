"""LiteLLM's callback: passes its three hooks on to a handler that does not depend on LiteLLM.

Knows: when LiteLLM calls which hook and what it does with the result (measured with 1.108.14,
Bedrock Converse, /v1/messages): the dict returned by the pre-call hook replaces the request; the
success hook gets the reply as a dict, and its result replaces it; the streaming iterator hook gets
whole SSE events as bytes. Independent of: how a request or a reply is changed. Calls of other
endpoints pass unchanged.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any, Protocol

from fastapi import HTTPException, Response
from litellm.constants import RETURN_RAW_MODEL_NAME_METADATA_KEY
from litellm.integrations.custom_logger import CustomLogger

from openclaude.contracts.anthropic_error import AnthropicError

MESSAGES = "anthropic_messages"  # LiteLLM's name for calls of /v1/messages
METADATA = "litellm_metadata"  # what LiteLLM itself knows of a request; it is not sent

# LiteLLM passes every argument by name, so the unused ones keep theirs.
# ruff: noqa: ARG002


class Stream(Protocol):
    """A streamed reply that is changed on its way through."""

    def feed(self, chunk: Any) -> Iterable[Any]:
        """Return what to send for a chunk."""

    def rest(self) -> bytes:
        """Return what is left at the end."""


class Handler(Protocol):
    """Changes requests and replies."""

    def fit(self, body: dict[str, Any]) -> dict[str, Any] | AnthropicError:
        """Return the request as its model can take it, or why it is refused."""

    def reply(self, body: dict[str, Any], message: dict[str, Any]) -> dict[str, Any] | bytes:
        """Return a whole reply to this request; the bytes of a stream if one was requested."""

    def stream(self, body: dict[str, Any]) -> Stream:
        """Return the stage that a streamed reply to this request goes through."""


class Callback(CustomLogger):
    """The object whose hooks LiteLLM calls for every request and every reply."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Return the request that LiteLLM continues with. Raises HTTPException to refuse it."""
        if call_type != MESSAGES:
            return data
        fitted = self._handler.fit(data)
        if isinstance(fitted, AnthropicError):
            raise HTTPException(status_code=fitted.status, detail=fitted.message)
        # LiteLLM would write the requested name over the one that the handler gives a reply
        metadata = {**(fitted.get(METADATA) or {}), RETURN_RAW_MODEL_NAME_METADATA_KEY: True}
        # LiteLLM would try the next model after any error, with the request fitted to this one:
        # turn that off
        return {**fitted, METADATA: metadata, "disable_fallbacks": True}

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any
    ) -> Any:
        """Return the whole reply that LiteLLM answers with."""
        if not isinstance(response, dict) or response.get("type") != "message":
            return response
        reply = self._handler.reply(data, response)
        if isinstance(reply, bytes):
            return Response(reply, media_type="text/event-stream")
        return reply

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: AsyncIterator[Any], request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """Yield the chunks of the stream that LiteLLM answers with."""
        stream = self._handler.stream(request_data)
        async for chunk in response:
            for part in stream.feed(chunk):
                yield part
        if rest := stream.rest():
            yield rest
