"""A program of the Agent SDK for Python: one question, with a claude and a model."""

from __future__ import annotations

import asyncio
import sys

from claude_agent_sdk import (  # type: ignore[import-not-found]  # fetched by the test
    ClaudeAgentOptions,
    ResultMessage,
    query,
)


async def main(claude: str, model: str) -> None:
    options = ClaudeAgentOptions(model=model, cli_path=claude)
    async for message in query(prompt="hi", options=options):
        if isinstance(message, ResultMessage):
            print(message.result)


asyncio.run(main(*sys.argv[1:]))
