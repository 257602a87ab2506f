"""Parses tool calls that a model wrote as text.

Knows: how each family writes a call. Independent of: where in a text it was. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openclaude.gateway.replies.calls import nearly_json
from openclaude.gateway.replies.events import ABSENT
from openclaude.gateway.replies.markup.pythonic import gemma_calls, pythonic_calls
from openclaude.gateway.replies.markup.written import Written, without_ending

Types = Callable[[str], Mapping[str, Any]]  # the properties of a tool's input, by its name

# An end counts if something follows that can follow it: a file may have the same marks in it.
# Repetitions are atomic: each way to divide a long text would be tried otherwise.
FUNCTION = re.compile(
    r"<function=([^>\n]+)>((?>(?:\s*<parameter=[^>\n]+>.*?</parameter>"
    r"(?=\s*(?:<parameter=|</function>)))*))\s*</function>",
    re.DOTALL,
)
ANY_FUNCTION = re.compile(
    r"<function=([^>\n]+)>(.*?)(?:</function>(?=\s*(?:</?tool_call>|<function=|$))|$)", re.DOTALL
)
PARAMETER = re.compile(
    r"<parameter=([^>\n]+)>(.*?)</parameter>(?=\s*(?:<parameter=|\Z))", re.DOTALL
)
ANY_PARAMETER = re.compile(
    r"<parameter=([^>\n]+)>(.*?)(?:</parameter>|(?=<parameter=)|(?=</function>)|$)", re.DOTALL
)
# JSON up to a mark that is not in one of its strings; or whatever it is
JSON = r"((?:[^\"]|\"(?:[^\"\\]|\\.)*\")*?)"
KIMI, ANY_KIMI = (
    re.compile(
        r"<\|tool_call_begin\|>(.*?)<\|tool_call_argument_begin\|>"
        + body
        + r"(?:<\|tool_call_end\|>|<\|tool_calls_section_end\|>|\Z)",
        re.DOTALL,
    )
    for body in (JSON, "(.*?)")
)
DEEPSEEK, ANY_DEEPSEEK = (
    re.compile(
        r"<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?(.*?)(?:<｜tool▁sep｜>|\n```json\n)"
        + body
        + r"(?:\n```)?<｜tool▁call▁end｜>",
        re.DOTALL,
    )
    for body in (JSON, "(.*?)")
)
PREFIX = r"[｜|]DSML[｜|]|[a-z]{1,20}:"  # before the names of tags
INVOKE, ANY_INVOKE = (
    re.compile(
        rf"<({PREFIX})?invoke name=\"([^\"\n]+)\">{body}\s*</(?:{PREFIX})?invoke>",
        re.DOTALL,
    )
    for body in (
        rf"((?>(?:\s*<(?:{PREFIX})?parameter name=[^>\n]+>.*?</(?:{PREFIX})?parameter>"
        rf"(?=\s*<(?:(?:{PREFIX})?parameter name=|/(?:{PREFIX})?invoke>)))*))",
        "(.*?)",
    )
)
NAMED = re.compile(
    rf"<(?:{PREFIX})?parameter name=\"([^\"\n]+)\"(?: string=\"(true|false)\")?>"
    rf"(.*?)</(?:{PREFIX})?parameter>",
    re.DOTALL,
)
TAGGED = re.compile(r"<(\w{1,64})>(.*?)</\1>", re.DOTALL)
GLM = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
HARMONY_TO = re.compile(r"to=(\S+?)(?:<\||\s|$)")
NAMES = ("name", "tool_name", "function", "tool")
INPUTS = ("arguments", "parameters", "input", "args")
OF_SCHEMAS = frozenset(
    ("type", "properties", "required", "additionalProperties", "$schema", "$defs", "description")
)


# A name alone, or with JSON behind it
NAMED_JSON = re.compile(
    r"(?:<tool_calls>\s*+)?<tool_call>\s*+(?P<name>[\w.-]{1,128})\s*+"
    r"(?:```json\s)?\s*+(?P<input>\{.*\})?\s*+(?:```)?\s*+</tool_call>(?:\s*+</tool_calls>)?",
    re.DOTALL,
)


MISTRAL = re.compile(
    r"\[TOOL_CALLS\]\s*(?P<name>[\w.:/-]{1,128})(?:\[CALL_ID\]\w{1,64})?(?:\[ARGS\])?\s*"
    r"(?P<input>\{.*\})",
    re.DOTALL,
)
# Qwen's form with attributes
FUNCTION_NAME = re.compile(r"\s*(?:<tool_call>\s*)?<function name=")
NAMED_TAG = re.compile(r"<(function|parameter) name=\"([^\"\n]+)\">")
APERTUS = "<|tools_prefix|>"


def calls_in(text: str, types: Types) -> list[Written]:
    """Return all calls of a part of a text, in the form whose mark is its first; or none.

    The other forms may be in what the model writes into a file.
    """
    if named := MISTRAL.fullmatch(text.strip()):
        return [Written(named["name"], named["input"])]
    if FUNCTION_NAME.match(text):
        text = NAMED_TAG.sub(r"<\1=\2>", text)
    if TAGS.sub("", text)[:1] not in ("{", "["):
        for _, read in sorted(
            ((at, read) for mark, read in FORMS if (at := text.find(mark)) >= 0),
            key=lambda pair: pair[0],
        ):
            if found := list(read(text, types)):
                return found
    if named := NAMED_JSON.fullmatch(text.strip()):
        return [Written(named["name"], named["input"] or "{}")]
    if text.startswith(APERTUS):
        return [Written(*pair) for one in documents(text) if is_object(one) for pair in one.items()]
    return [call for one in documents(text) for call in json_calls(one)] or pythonic_calls(text)


def kimi(text: str, _types: Types) -> Iterator[Written]:
    """`<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{...}<|tool_call_end|>`."""
    for name, arguments in KIMI.findall(text) or ANY_KIMI.findall(text):
        yield Written(name.strip(), arguments.strip())


def deepseek(text: str, _types: Types) -> Iterator[Written]:
    """Parse DeepSeek's older form."""
    for name, arguments in DEEPSEEK.findall(text) or ANY_DEEPSEEK.findall(text):
        yield Written(name.strip(), arguments.strip())


def invoked(text: str, types: Types) -> Iterator[Written]:
    """Parse `<invoke name="NAME"><parameter name="KEY">...`, with or without DeepSeek's token."""
    for _, name, inner in INVOKE.findall(text) or ANY_INVOKE.findall(text):
        given = {}
        for key, is_string, value in NAMED.findall(inner):
            kind = {"true": {"type": "string"}, "false": {}}.get(is_string)
            given[key] = typed(value, types(name).get(key) if kind is None else kind)
        if not given and inner.strip():  # GLM: tags that are named as the parameters are
            given = {
                key: typed(value, types(name).get(key)) for key, value in TAGGED.findall(inner)
            }
        yield Written(name.strip(), given)


def functions(text: str, types: Types) -> Iterator[Written]:
    """`<function=NAME><parameter=KEY>...`."""
    found = [(name, PARAMETER.findall(inner)) for name, inner in FUNCTION.findall(text)]
    lenient = ((name, ANY_PARAMETER.findall(inner)) for name, inner in ANY_FUNCTION.findall(text))
    for name, given in found or lenient:
        if not given and isinstance(value := in_json(name, text), dict):
            yield Written(name.strip(), value)  # Llama's form
            continue
        named = types(name.strip())
        pairs = {key.strip(): unwrapped(value) for key, value in given}
        yield Written(
            name.strip(), {key: typed(value, named.get(key)) for key, value in pairs.items()}
        )


def in_json(name: str, text: str) -> Any:
    """Return the JSON that a call without parameters has in their place; None if it has none."""
    body = text.partition(f"<function={name}>")[2].lstrip()
    try:
        return json.JSONDecoder(strict=False).raw_decode(body)[0]
    except (ValueError, RecursionError):
        return None


def glm(text: str, types: Types) -> Iterator[Written]:
    """Parse `NAME`, then `<arg_key>` and `<arg_value>`."""
    if pairs := GLM.findall(text):
        name = re.sub(r"</?tool_call>", "", text.partition("<arg_key>")[0]).strip()
        named = types(name)
        yield Written(name, {key.strip(): typed(value, named.get(key)) for key, value in pairs})


def harmony(header: str, body: str) -> Written | None:
    """Parse a call in gpt-oss's commentary channel."""
    found = HARMONY_TO.search(header)
    return Written(found.group(1), body.strip()) if found else None


# what may be around a JSON document: tags, a code fence, tokens, surplus brackets
TAGS = re.compile(
    r"\A(?:\s|</?[a-z]{0,20}:?(?:tool_?calls?|function_?calls?|tool_code)>|```(?:json)?|;"
    r"|<\|/?[a-z_]+\|>|\[TOOL_CALLS\]|</s>)+",
    re.IGNORECASE,
)
ENDING_TAG = re.compile(r"</?[a-z_:]{1,40}>|<\|[a-z_]{1,40}\|>")
SURPLUS = re.compile(r"\A[\s}\]]+")


def documents(text: str) -> Iterator[Any]:
    """Return the JSON documents that follow one another, if there is nothing but tags between."""
    decoder = json.JSONDecoder(strict=False)
    found = []
    text = TAGS.sub("", text)
    while text:
        try:
            document, end = decoder.raw_decode(text)
        except (ValueError, RecursionError):
            document, end = nearly_json(without_ending(ENDING_TAG, text)), len(text)
            if document is ABSENT:
                return
        found.append(document)
        text = TAGS.sub("", SURPLUS.sub("", text[end:]))
    for one in found:
        yield from one if isinstance(one, list) else [one]


def is_object(document: Any) -> bool:
    """Tell whether a document is an object of objects."""
    return isinstance(document, dict) and all(isinstance(one, dict) for one in document.values())


def json_calls(document: Any) -> list[Written]:
    """Parse a call, a list of calls, or a message with some; none if there is anything else."""
    if isinstance(document, dict) and isinstance(document.get("tool_calls"), list):
        document = document["tool_calls"]
    found = [json_call(one) for one in (document if isinstance(document, list) else [document])]
    calls = [one for one in found if one]
    return calls if len(calls) == len(found) else []


def is_schema(given: Any) -> bool:
    """Tell whether the input of a call is a schema, as in the definition of a tool."""
    is_object_type = isinstance(given, dict) and given.get("type") == "object"
    return is_object_type and set(given) <= OF_SCHEMAS


def json_call(document: Any) -> Written | None:
    """Parse a call that is a JSON object with a name and an input."""
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("function"), dict):
        document = document["function"]
    is_action = "action_input" in document  # langchain's
    names, inputs = (("action",), ("action_input",)) if is_action else (NAMES, INPUTS)
    name = next((document[key] for key in names if isinstance(document.get(key), str)), None)
    given = next((document[key] for key in inputs if key in document), None)
    if name is None or not isinstance(given, dict | str) or is_schema(given):
        return None
    return Written(name, given)


def unwrapped(value: str) -> str:
    """Return a value without the line feeds that the template puts around it."""
    return value.removeprefix("\n").removesuffix("\n")


def typed(value: str, schema: Any) -> Any:
    """Convert a value that was written without quotes to the type in its schema."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "string":
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


# The mark of each form, and who reads it
FORMS: tuple[tuple[str, Callable[[str, Types], Iterator[Written]]], ...] = (
    ("<|tool_call_begin|>", kimi),
    ("<｜tool▁call▁begin｜>", deepseek),
    ("invoke name=", invoked),
    ("<function=", functions),
    ("<|tool_call>call:", lambda text, _: gemma_calls(text)),
    ("<arg_key>", glm),
)
