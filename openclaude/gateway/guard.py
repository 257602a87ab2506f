"""The guard: fits requests and replies of `providers` to the model and to claude, as a callback.

Knows: what a slot's model can take, and in which order a request or a reply is changed. Independent
of: how it is changed (`requests`, `replies`), LiteLLM (`litellm.callback`), how the instance was
started.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from openclaude.contracts.anthropic_error import AnthropicError
from openclaude.contracts.capabilities import NO_THOUGHTS, Capabilities
from openclaude.contracts.decode import Malformed
from openclaude.gateway.http.trail import note_changes, notice
from openclaude.gateway.litellm import router
from openclaude.gateway.litellm.callback import METADATA, Callback
from openclaude.gateway.replies.notice import (
    NamedEvents,
    NoticeEvents,
    with_notice,
)
from openclaude.gateway.replies.reply import StripEvents, strip_reply
from openclaude.gateway.replies.stream import ReplyStream
from openclaude.gateway.replies.whole_reply import as_stream
from openclaude.gateway.requests.capabilities import slot_capabilities, slot_name, slot_notice
from openclaude.gateway.requests.changes import changes, names
from openclaude.gateway.requests.request import fit_request
from openclaude.gateway.requests.shape import find_mistake
from openclaude.gateway.requests.signatures import signer_for
from openclaude.gateway.requests.thoughts.asking import wants_thoughts
from openclaude.gateway.requests.tools import PLACEHOLDER, Refused
from openclaude.gateway.requests.turns import is_asked_by_a_person

log = logging.getLogger("openclaude.guard")
SIGNER = "openclaude_signer"  # in what LiteLLM knows of a request: whose thoughts claude gets


class Guard:
    """Fits every request to its slot's model, and every reply to claude."""

    def __init__(self) -> None:
        self._told: set[tuple[object, str]] = set()  # tools already reported as left out

    def fit(self, body: dict[str, Any]) -> dict[str, Any] | AnthropicError:
        """Return the request as the slot's model can take it, or a refusal that claude shows."""
        if mistake := find_mistake(body):
            return AnthropicError(400, mistake)
        try:
            capabilities = capabilities_of(body.get("model"))
            fitted = fit_request(body, capabilities, is_judged=router.has_classifier())
        except Refused as refused:
            sentence = "; ".join(filter(None, (refused.message, refused.hint)))
            return AnthropicError(refused.status, sentence)
        except Malformed as malformed:
            return AnthropicError(Refused.status, str(malformed))
        self._log_left_out(body, fitted)
        note_changes(changes(body, fitted))
        if signer := own_signer(capabilities, body):
            metadata = fitted.get(METADATA)
            kept = metadata if isinstance(metadata, Mapping) else {}
            fitted[METADATA] = {**kept, SIGNER: signer}
        return fitted

    def _log_left_out(self, body: dict[str, Any], fitted: dict[str, Any]) -> None:
        """Log each tool that cannot be offered to the model, once."""
        slot = body.get("model")
        for name in names(body) - names(fitted) - {PLACEHOLDER}:
            if (slot, name) not in self._told:
                self._told.add((slot, name))
                log.warning("%s is not offered the tool `%s`; the model is told why", slot, name)

    def reply(self, body: dict[str, Any], message: dict[str, Any]) -> dict[str, Any] | bytes:
        """Return a whole reply as claude may keep it; a stream if one was requested."""
        reply = strip_reply(message, signer_of(body), cites=cites(body))
        if line := notice_for(body):
            reply = with_notice(reply, line)
        reply["model"] = name_for(body)
        return reply if body.get("stream") is not True else as_stream(reply)

    def stream(self, body: dict[str, Any]) -> ReplyStream:
        """Return a stage that does the same for a stream, event by event."""
        line = notice_for(body)
        stages = [NoticeEvents(line)] if line else []
        strip = StripEvents(signer_of(body), cites=cites(body))
        return ReplyStream(strip, NamedEvents(name_for(body)), *stages)


def notice_for(body: Mapping[str, Any]) -> str:
    """Return the notice to show before the answer to this request, or ""."""
    line = slot_notice(body.get("model"), router.deployments()) + notice()
    return line if line and is_asked_by_a_person(body) else ""


def name_for(body: Mapping[str, Any]) -> str:
    """Return the name of the model that answers this request, or what was requested."""
    slot = body.get("model")
    return slot_name(slot, router.deployments()) or str(slot)


def own_signer(capabilities: Capabilities, body: Mapping[str, Any]) -> str:
    """Return who signs the thoughts that a reply may have, or "" where claude is to get none.

    Claude signs its thoughts itself, and some of its models always think.
    """
    if capabilities.claude_signer:
        return capabilities.claude_signer if capabilities.thoughts != NO_THOUGHTS else ""
    is_asked = bool(capabilities.thoughts) and wants_thoughts(body)
    return signer_for(capabilities.thoughts or "") if is_asked else ""


def signer_of(body: Mapping[str, Any]) -> str:
    """Return who signs the thoughts that claude gets with the answer to this request, or ""."""
    metadata = body.get(METADATA)
    found = metadata.get(SIGNER) if isinstance(metadata, Mapping) else None
    return found if isinstance(found, str) else ""


def cites(body: Mapping[str, Any]) -> bool:
    """Tell whether a Claude answers this request, whose citations claude can read."""
    return bool(capabilities_of(body.get("model")).claude_signer)


def capabilities_of(slot_id: object) -> Capabilities:
    """Return what a slot can take, as the instance's LiteLLM router says. Raises Malformed.

    Fallbacks are not considered: each is asked with a request of its own (`fallbacks`).
    """
    return slot_capabilities(slot_id, router.deployments())


handler = Callback(Guard())  # LiteLLM finds it by this name, which is in providers.yaml
