"""What Gemini's API refuses: one function for each rule.

Knows: generateContent's body, whose keys have two spellings. Independent of: HTTP. The rules are
from public reports and Google's documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from openclaude.standins.bedrock.rules import ModelRules
from tests.standins.tool_schema import unsound

Body = Mapping[str, Any]
Rule = Callable[[Body, str, ModelRules], Iterator[str]]

KEYS = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings"}
)
SCHEMA_KEYS = frozenset(
    {"type", "format", "title", "description", "nullable", "enum", "default", "example"}
    | {"properties", "required", "propertyOrdering", "items", "minItems", "maxItems", "anyOf"}
    | {"minimum", "maximum", "minLength", "maxLength", "pattern"}
)


def camel(value: Any) -> Any:
    """Return a body with its keys in Google's spelling; a tool's arguments stay as they are."""
    if isinstance(value, list):
        return [camel(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {renamed(key): inside(key, part) for key, part in value.items()}


def inside(key: str, value: Any) -> Any:
    """Return the value of a key; under these three, the keys are a tool's own."""
    if key in ("args", "response"):
        return value
    if key == "properties" and isinstance(value, dict):
        return {name: camel(part) for name, part in value.items()}
    return camel(value)


def renamed(key: str) -> str:
    """Return `function_call` as `functionCall`."""
    first, *rest = key.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def keys_known(body: Body, _model: str, _rules: ModelRules) -> Iterator[str]:
    """A key that the API does not have."""
    for key in body.keys() - KEYS:
        yield f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.'


def turns_sound(body: Body, _model: str, _rules: ModelRules) -> Iterator[str]:
    """Empty contents, an unknown role, or a turn without parts."""
    contents = body.get("contents")
    if not contents:
        yield "* GenerateContentRequest.contents: contents is not specified"
    for place, content in enumerate(contents or ()):
        if content.get("role") not in ("user", "model"):
            yield "Please use a valid role: user, model."
        if not content.get("parts"):
            yield f"* contents[{place}].parts: contents.parts must not be empty."
        for part in content.get("parts") or ():
            if not part.keys() & {"text", "inlineData", "functionCall", "functionResponse"}:
                yield f"contents[{place}].parts: required oneof field 'data' is missing"


def calls_answered(body: Body, _model: str, _rules: ModelRules) -> Iterator[str]:
    """A different number of answers than calls in the turn after the calls."""
    contents = [*(body.get("contents") or ()), {}]
    for turn, after in pairwise(contents):
        called = [part["functionCall"]["name"] for part in parts(turn, "functionCall")]
        answered = [part["functionResponse"]["name"] for part in parts(after, "functionResponse")]
        if called != answered:
            yield (
                "Please ensure that the number of function response parts is equal to the number "
                "of function call parts of the function call turn."
            )


def calls_signed(body: Body, model: str, _rules: ModelRules) -> Iterator[str]:
    """The first call of a turn without its signature, which the third generation requires."""
    for turn in body.get("contents") or ():
        first = next(parts(turn, "functionCall"), None)
        if model.startswith("gemini-3") and first and not first.get("thoughtSignature"):
            name = first["functionCall"]["name"]
            yield f"Function call `{name}` is missing a thought_signature in functionCall parts."


def output_cap(body: Body, _model: str, rules: ModelRules) -> Iterator[str]:
    """More output tokens than the model can produce."""
    wanted = (body.get("generationConfig") or {}).get("maxOutputTokens") or 0
    if wanted > rules.max_output_tokens:
        yield (
            f"Unable to submit request because it has a maxOutputTokens value of {wanted} but the "
            f"supported range is from 1 (inclusive) to {rules.max_output_tokens + 1} (exclusive)."
        )


def images_seen(body: Body, _model: str, rules: ModelRules) -> Iterator[str]:
    """An image for a text-only model; also inside a tool's answer."""
    for turn in body.get("contents") or ():
        answers = [part["functionResponse"] for part in parts(turn, "functionResponse")]
        for holder in (turn, *answers):
            if not rules.vision and any(parts(holder, "inlineData")):
                yield "Image input modality is not enabled for this model"


def schemas_known(body: Body, _model: str, _rules: ModelRules) -> Iterator[str]:
    """A tool whose parameters contain a keyword that the API does not have."""
    for tool in body.get("tools") or ():
        for declared in tool.get("functionDeclarations") or ():
            for problem in unsound(declared.get("parameters") or {}, ()):
                yield f"* GenerateContentRequest.tools[0].function_declarations: {problem}"
            for key in strange_keywords(declared.get("parameters") or {}):
                yield f'Invalid JSON payload received. Unknown name "{key}" at parameters.'


REFUSALS: tuple[Rule, ...] = (
    keys_known,
    turns_sound,
    calls_answered,
    calls_signed,
    output_cap,
    images_seen,
    schemas_known,
)


def broken(body: Body, model: str, rules: ModelRules) -> tuple[str, ...]:
    """Return the violations of the rules by a body."""
    return tuple(problem for rule in REFUSALS for problem in rule(body, model, rules))


def parts(holder: Body, kind: str) -> Iterator[Body]:
    """Return the parts of one kind."""
    return (part for part in holder.get("parts") or () if kind in part)


def strange_keywords(schema: Body) -> Iterator[str]:
    """Every keyword of a schema that Gemini does not know."""
    yield from schema.keys() - SCHEMA_KEYS
    for inner in (schema.get("properties") or {}).values():
        yield from strange_keywords(inner)
    if isinstance(schema.get("items"), Mapping):
        yield from strange_keywords(schema["items"])
