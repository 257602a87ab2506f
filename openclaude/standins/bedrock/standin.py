"""The stand-in for Bedrock: a Bedrock runtime on loopback that checks every signature.

Knows: its routes, its keys, its models. Independent of: LiteLLM, profiles, and how a reply is
written (reply.py).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from openclaude.standins.base.exchange import Recorded, Reply, json_reply
from openclaude.standins.base.standin import Standin
from openclaude.standins.bedrock.claude_rules import ClaudeRules, broken_by
from openclaude.standins.bedrock.control import control_operation, control_reply
from openclaude.standins.bedrock.counting import (
    COUNT,
    COUNT_AT_MANTLE,
    MANTLE_PATH,
    invoked,
    judge_count,
    judge_count_at_mantle,
    tokens_of,
)
from openclaude.standins.bedrock.invoke_reply import PromptCache, invoke_answer
from openclaude.standins.bedrock.reply import ConverseContext, answer, error_reply, scripted_error
from openclaude.standins.bedrock.rules import NOTES, REFUSALS, ModelRules, broken
from openclaude.standins.bedrock.scripts import claude_script, converse_script
from openclaude.standins.bedrock.shape import input_shape, violations, without_nulls
from openclaude.standins.bedrock.sigv4 import Secret, SignatureRefusal, check_signature, read_claim
from openclaude.standins.bedrock.thinking import thinking_problems

OPERATIONS = {
    "converse": "Converse",
    "converse-stream": "ConverseStream",
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
    "count-tokens": COUNT,
}
INVOKES = ("InvokeModel", "InvokeModelWithResponseStream")
ROUTE = re.compile(rf"/model/(?P<model>[^/]+)/(?P<operation>{'|'.join(OPERATIONS)})")

# The defaults: the key in AWS's documentation, and those models of LiteLLM's map that the built-in
# profiles use.
EXAMPLE_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
EXAMPLE_SECRET = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
EXAMPLE_MODELS: Mapping[str, ModelRules] = {
    "qwen.qwen3-next-80b-a3b": ModelRules(max_output_tokens=8000),
    "qwen.qwen3-coder-next": ModelRules(max_output_tokens=16000),
    "qwen.qwen3-vl-235b-a22b": ModelRules(max_output_tokens=8000, vision=True),
    "openai.gpt-oss-120b-1:0": ModelRules(max_output_tokens=16384),
    "us.zai.glm-5.3": ModelRules(max_output_tokens=128_000),
    "amazon.nova-lite-v1:0": ModelRules(max_output_tokens=10000, vision=True, caching=True),
}
API_KEY = "a Bedrock API key"  # in place of the id of an access key
BAD_KEY = SignatureRefusal(
    status=403,
    kind="AccessDeniedException",
    message="Authentication failed: Please make sure your API Key is valid.",
)
# Those models of Claude's that the built-in profiles use, in LiteLLM's map
EXAMPLE_CLAUDES: Mapping[str, ClaudeRules] = {
    f"us.anthropic.claude-{name}": ClaudeRules(max_output_tokens=128_000, window=1_000_000)
    for name in ("opus-5-5", "sonnet-5-5", "haiku-5-5", "fable-5-1")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockRecorded(Recorded):
    """A request, and everything recorded about it."""

    operation: str = ""  # Converse, InvokeModel ...; empty for an unknown route
    model_id: str = ""  # decoded
    region: str = ""  # of the credential's scope
    signed_by: str | None = None  # the access key id, if the signature is valid
    problems: tuple[str, ...] = ()  # why it was refused; `note: ...` if it was not
    refusal: SignatureRefusal | None = None

    def as_json(self) -> dict[str, object]:
        """Return the request as one line of a record file."""
        return Recorded.as_json(self) | {
            "operation": self.operation,
            "model_id": self.model_id,
            "region": self.region,
            "signed_by": self.signed_by,
            "problems": list(self.problems),
        }


class BedrockStandin(Standin[BedrockRecorded]):
    """A loopback Bedrock runtime."""

    name = "bedrock stand-in"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: Mapping[str, Secret] | None = None,
        models: Mapping[str, ModelRules] | None = None,
        claudes: Mapping[str, ClaudeRules] = EXAMPLE_CLAUDES,
        region: str | None = None,
        api_keys: frozenset[str] = frozenset(),
        places: Mapping[str, frozenset[str]] | None = None,
        disabled: frozenset[str] = frozenset(),
        uncounted: frozenset[str] = frozenset(),
        answer: Callable[[BedrockRecorded], Reply | None] | None = None,
        record: Path | None = None,
        keep: int | None = None,
    ) -> None:
        """Set up keys, models and region.

        `credentials` maps access key ids to their secrets, `models` maps ids to their capabilities,
        `claudes` those of Claude, asked with InvokeModel; `region`, if given, is the only one it
        answers for; `api_keys` are Bedrock API keys, admitted in place of a signature. For its
        control plane, `places` says which regions alone have a model, `disabled` which models the
        account may not use. `uncounted` are Claudes that CountTokens does not have.
        """
        super().__init__(host=host, port=port, answer=answer, record=record, keep=keep)
        self._credentials = credentials or {EXAMPLE_KEY_ID: EXAMPLE_SECRET}
        self._models = EXAMPLE_MODELS if models is None else models
        self._claudes = claudes
        self._api_keys = api_keys
        self._places = places or {}
        self._disabled = disabled
        self._uncounted = uncounted
        self._cache = PromptCache()
        self._region = region
        for operation in OPERATIONS.values():
            input_shape(operation)  # loaded now, so that no request waits for it

    def _inspect(self, request: Recorded) -> BedrockRecorded:
        seen: dict[str, Any] = {
            field.name: getattr(request, field.name) for field in fields(request)
        }
        if request.method == "GET" and (operation := control_operation(request.path)):
            return self._judge_control(request, operation)
        if request.method == "POST" and request.path == MANTLE_PATH:
            seen["operation"] = COUNT_AT_MANTLE
        elif request.method == "POST" and (route := ROUTE.fullmatch(request.path)):
            seen["operation"] = OPERATIONS[route["operation"]]
            seen["model_id"] = unquote(route["model"])
        else:
            return _refused(
                seen, SignatureRefusal(status=404, kind="UnknownOperationException", message="")
            )
        signer = self._admitted(request)
        if isinstance(signer, SignatureRefusal):
            return _refused(seen, signer)
        if seen["operation"] in (COUNT, COUNT_AT_MANTLE):
            return self._judge_count(request, seen | signer)
        return self._judge(seen | signer)

    def _judge_count(self, request: Recorded, seen: dict[str, Any]) -> BedrockRecorded:
        """Check a request for a count; it must not name what InvokeModel would refuse."""
        try:
            if seen["operation"] == COUNT:
                model, uncounted = seen["model_id"], self._uncounted
                refused = judge_count(request.body, model, self._claudes, uncounted)
            else:
                version = request.header("anthropic-version")
                refused = judge_count_at_mantle(request.body, self._claudes, version)
        except (ValueError, TypeError, KeyError, AttributeError):
            return _refused(seen, _invalid("Malformed input request, please reformat your input"))
        refusal = _invalid(refused[0]) if refused else None
        return BedrockRecorded(**seen, problems=refused, refusal=refusal)

    def _admitted(self, request: Recorded) -> dict[str, Any] | SignatureRefusal:
        """Who asks, by a Bedrock API key or by a signature."""
        scheme, _, key = (request.header("authorization") or "").partition(" ")
        if scheme == "Bearer" and self._api_keys:
            return {"signed_by": API_KEY} if key in self._api_keys else BAD_KEY
        return self._signer(request)

    def _judge_control(self, request: Recorded, operation: str) -> BedrockRecorded:
        """Check who asks the control plane."""
        seen: dict[str, Any] = {
            field.name: getattr(request, field.name) for field in fields(request)
        }
        seen["operation"] = operation
        signer = self._admitted(request)
        if isinstance(signer, SignatureRefusal):
            return _refused(seen, signer)
        return BedrockRecorded(**seen | signer)

    def _signer(self, request: Recorded) -> dict[str, str] | SignatureRefusal:
        """Return whose valid signature a request has, and for which region."""
        claim = read_claim(request)
        if isinstance(claim, SignatureRefusal):
            return claim
        problem = check_signature(
            request,
            claim,
            credentials=self._credentials,
            region=self._region,
            now=time.time(),
        )
        return problem or {"region": claim.region, "signed_by": claim.key_id}

    def _judge(self, seen: dict[str, Any]) -> BedrockRecorded:
        """Check an authenticated request against its model, the service model and the rules."""
        model_id = seen["model_id"]
        if seen["operation"] in INVOKES:
            return self._judge_claude(seen, model_id)
        rules = self._models.get(model_id) or self._models.get(model_id.rpartition("/")[2])
        if rules is None:
            return _refused(seen, _invalid("The provided model identifier is invalid."))
        try:
            body = json.loads(seen["body"])
        except ValueError:
            message = "The request body is not valid JSON"
            return _refused(
                seen, SignatureRefusal(status=400, kind="SerializationException", message=message)
            )
        shape = input_shape(seen["operation"])
        if misfits := tuple(violations(body, shape)):
            return BedrockRecorded(**seen, problems=misfits, refusal=_invalid(misfits[0]))
        body = without_nulls(body, shape)
        refused = (*broken(REFUSALS, body, rules), *thinking_problems(model_id, body))
        notes = tuple(f"note: {note}" for note in broken(NOTES, body, rules))
        refusal = _invalid(refused[0]) if refused else None
        return BedrockRecorded(**seen, problems=(*refused, *notes), refusal=refusal)

    def _judge_claude(self, seen: dict[str, Any], model_id: str) -> BedrockRecorded:
        """Check a body of InvokeModel against its model and Anthropic's rules."""
        rules = self._claudes.get(model_id)
        if rules is None:
            return _refused(seen, _invalid("The provided model identifier is invalid."))
        try:
            refused = broken_by(json.loads(seen["body"]), rules)
        except (ValueError, TypeError, KeyError, AttributeError):
            return _refused(seen, _invalid("Malformed input request, please reformat your input"))
        refusal = _invalid(refused[0]) if refused else None
        return BedrockRecorded(**seen, problems=refused, refusal=refusal)

    def _count(self, request: BedrockRecorded) -> int:
        """Return the tokens of a request, about."""
        return len(request.body) // 4

    def _invoked(self, request: BedrockRecorded) -> Reply:
        body = request.json()
        script = claude_script(body, request.model_id)
        if error := self._error_due(script):
            return scripted_error(error, wait_s=script.wait_s)
        return invoke_answer(
            script,
            body,
            model=request.model_id,
            tokens=len(request.body) // 4,
            wants_stream=request.operation == INVOKES[1],
            cache=self._cache,
        )

    def _reply(self, request: BedrockRecorded) -> Reply:
        if refusal := request.refusal:
            return error_reply(refusal.status, refusal.message, kind=refusal.kind)
        if control_operation(request.path):
            return control_reply(
                request.path,
                request.region,
                models={*self._models, *self._claudes},
                places=self._places,
                disabled=self._disabled,
            )
        if request.operation in INVOKES:
            return self._invoked(request)
        if request.operation == COUNT:
            return json_reply(200, {"inputTokens": tokens_of(invoked(request.json()))})
        if request.operation == COUNT_AT_MANTLE:
            return json_reply(200, {"input_tokens": tokens_of(request.json())})
        body = without_nulls(request.json(), input_shape(request.operation))
        script = converse_script(body, request.model_id)
        if error := self._error_due(script):
            return scripted_error(error, wait_s=script.wait_s)
        counts = self._cache.converse_counts(body)
        asked = ConverseContext(
            input_tokens=max(self._count(request) - sum(counts.values()), 1),
            wants_stream=request.operation == "ConverseStream",
            model_id=request.model_id,
            cached=counts,
        )
        return answer(script, asked)


def _refused(seen: dict[str, Any], refusal: SignatureRefusal) -> BedrockRecorded:
    problem = f"{refusal.kind}: {refusal.message}"
    return BedrockRecorded(**seen, problems=(problem,), refusal=refusal)


def _invalid(message: str) -> SignatureRefusal:
    return SignatureRefusal(status=400, kind="ValidationException", message=message)
