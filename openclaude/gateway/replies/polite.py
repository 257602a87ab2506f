"""Chooses the filter for a provider's reply, by the URL that was requested and by the model.

Knows: the paths of the APIs that LiteLLM uses for a slot; which models have been seen to start
their reasoning in the prompt. Independent of: LiteLLM, HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from openclaude.gateway.replies.asked import RequestContext
from openclaude.gateway.replies.dialects.anthropic import Messages
from openclaude.gateway.replies.dialects.base import ReplyDialect
from openclaude.gateway.replies.dialects.bedrock import Converse
from openclaude.gateway.replies.dialects.gemini import Gemini
from openclaude.gateway.replies.dialects.invoke import Invoke
from openclaude.gateway.replies.dialects.ollama import Ollama
from openclaude.gateway.replies.dialects.openai import OpenAIChat
from openclaude.gateway.replies.dialects.responses import Responses
from openclaude.gateway.replies.filter import ReplyFilter
from openclaude.gateway.replies.markup.rules import capability
from openclaude.gateway.replies.markup.scanner import MarkupScanner

DIALECTS: tuple[tuple[re.Pattern[str], Callable[[], ReplyDialect]], ...] = (
    (re.compile(r"/chat/completions$"), OpenAIChat),
    (re.compile(r"/converse(-stream)?$"), Converse),
    (re.compile(r"/invoke(-with-response-stream)?$"), Invoke),
    (re.compile(r":(generateContent|streamGenerateContent)$"), Gemini),
    (re.compile(r"/api/chat$"), Ollama),
    (re.compile(r"/messages$"), Messages),
    (re.compile(r"/responses$"), Responses),
)


class Filters:
    """The filters of one instance."""

    def __init__(
        self, token: Callable[[], str], markup_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        """`token` returns characters that make an id unique.

        `markup_of` returns the markup that is declared for a model.
        """
        self._token = token
        self._markup_of = markup_of
        self._begin_thoughts: set[str] = set()

    def __call__(self, path: str, body: bytes) -> ReplyFilter | None:
        """Return the filter for the reply to this request; None if it is in no dialect."""
        for pattern, dialect in DIALECTS:
            if pattern.search(path):
                asked = RequestContext(path, body)
                return ReplyFilter(dialect(), asked, self._token, self._scanner(asked))
        return None

    def _scanner(self, asked: RequestContext) -> MarkupScanner | None:
        found = capability(asked.model, self._markup_of(asked.model))
        if found is None:
            return None
        if asked.model in self._begin_thoughts:
            found = found._replace(begins_thoughts=True)

        def tell() -> None:
            self._begin_thoughts.add(asked.model)

        return MarkupScanner(found, lambda: asked.names, asked.types, tell)
