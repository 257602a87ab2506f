"""A slot's reply on its way to claude."""

from __future__ import annotations

from openclaude.gateway.asgi import Message, Send


class SlotReply:
    """Passes a reply on (errors are made readable in the next commit)."""

    def __init__(self, send: Send, model: str, context_window: int, aws_profile: str) -> None:
        self._send = send

    async def send(self, message: Message) -> None:
        await self._send(message)
