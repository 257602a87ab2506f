"""Thoughts of the Responses API: sealed on their way out, asked for on their way back.

Knows: `reasoning` items with `encrypted_content`, as OpenAI's guide on reasoning describes them.
Independent of: HTTP, what is thought. What was sealed for a call has to come back before that call,
as it was: the guide asks for that, and a model without it thinks anew. Where OpenAI may be more
patient, it is nowhere written. A session that was resumed has lost its thoughts: claude 2.1.330
sends none in its first request (measured). A new question without a single thought is let pass for
that, and counted. What is thought from then on has to come back.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

ENCRYPTED = "reasoning.encrypted_content"
UNFINISHED = "gAAAA-not-whole-yet"  # what an item has while it is still being written
Item = dict[str, Any]


class Thoughts:
    """What one stand-in has sealed.

    OpenAI tells no summary unless it is asked for one; some servers always do.
    """

    def __init__(self, *, always_told: bool = True) -> None:
        self.always_told = always_told
        self.resumed = 0  # questions without the thoughts before them
        self.sealed: dict[str, list[Item]] = {}  # content -> its summary
        self.needed: dict[str, list[str]] = {}  # a call's id -> what was thought before it

    def seal(self, items: Iterable[Item], asked: Mapping[str, Any]) -> list[Item]:
        """Return a reply's items with thoughts as the request wants them."""
        wants_content = ENCRYPTED in (asked.get("include") or ())
        is_told = self.always_told or bool((asked.get("reasoning") or {}).get("summary"))
        done, before = [], []
        for item in items:
            if item["type"] == "reasoning":
                item = item if is_told else {**item, "summary": []}
                if wants_content:
                    content = f"gAAAA{secrets.token_hex(40)}"
                    self.sealed[content] = item["summary"]
                    before.append(content)
                    item = {**item, "encrypted_content": content}
            elif item["type"] == "function_call" and before:
                self.needed[item["call_id"]] = [*before]
            done.append(item)
        return done

    def mistakes(self, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield what is wrong with the thoughts that a request gives back."""
        given: set[str] = set()
        said = body.get("input")
        self.forgive(said if isinstance(said, list) else [])
        for item in said if isinstance(said, list) else ():
            kind = item.get("type")
            if kind == "reasoning":
                content = item.get("encrypted_content")
                given.add(str(content))
                if content not in self.sealed:
                    yield f"The encrypted content {str(content)[:12]}... could not be verified."
                elif item.get("summary") != self.sealed[content]:
                    yield "The summary of a reasoning item is not the one that it came with."
            elif kind == "function_call":
                missing = set(self.needed.get(item["call_id"], ())) - given
                if missing:
                    yield (
                        f"Item '{item['call_id']}' of type 'function_call' was provided without "
                        "its required 'reasoning' item."
                    )

    def forgive(self, items: list[Any]) -> None:
        """Want nothing back of what was thought before a session was resumed."""
        kinds = [item.get("type") for item in items if isinstance(item, Mapping)]
        lost = [item["call_id"] for item in items if item.get("type") == "function_call"]
        lost = [call for call in lost if self.needed.get(call)]
        if lost and "reasoning" not in kinds and items[-1].get("role") == "user":
            self.resumed += 1
            for call in lost:
                del self.needed[call]
