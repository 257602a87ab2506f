"""Parses calls that a model wrote as Python, or in Gemma's own notation.

Knows: Python's syntax of a call (Llama 4, LFM2, Olmo), Gemma 4's of an object: keys without quotes,
and a token around each string. Independent of: where in a text they were. Pure: nothing is run.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from openclaude.gateway.replies.markup.written import Written, without_ending

LARGEST = 1 << 20  # longest text that is parsed, in characters
# JSON's names for these values, beside Python's
VALUES = {"true": True, "false": False, "null": None}
TOKENS = re.compile(r"\A\s*(?:<\|?[a-z_]+\|?>)+")
TOKEN = re.compile(r"</?\|?[a-z_]{1,40}\|?>")
GEMMA = re.compile(r"call:([\w.:-]{1,128})\s*(?=\{)")
# A string, a mark, or anything else up to the next mark
PIECES = re.compile(
    r"<\|\"\|>(?P<string>.*?)(?:<\|\"\|>|\Z)|(?P<json>\"(?:[^\"\\]|\\.?)*+(?:\"|\Z))"
    r"|(?P<mark>[{}\[\]:,])"
    r"|(?P<bare>[^{}\[\]:,<\"]+|.)",
    re.DOTALL,
)


def pythonic_calls(text: str) -> list[Written]:
    """Return the calls of a Python expression, or of a list of them; none if it is another."""
    bare = without_ending(TOKEN, TOKENS.sub("", text)).strip()
    if not bare or len(bare) > LARGEST:
        return []
    try:
        body = ast.parse(bare).body
        return [call for statement in body for call in calls_in_statement(statement)]
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return []


def calls_in_statement(statement: ast.stmt) -> Iterator[Written]:
    """Yield the calls in a statement. Raises ValueError if it is anything else."""
    if not isinstance(statement, ast.Expr):
        raise ValueError(statement)
    inner = statement.value
    for call in inner.elts if isinstance(inner, ast.List | ast.Tuple) else [inner]:
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError(statement)
        name = ast.unparse(call.func).removesuffix(".call")
        given = {word.arg: literal_value(word.value) for word in call.keywords if word.arg}
        yield Written(name, given)


def literal_value(node: ast.expr) -> Any:
    """Return a literal's value; JSON's names for some are taken too. Raises ValueError."""
    match node:
        case ast.Name(id=name) if name in VALUES:
            return VALUES[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [literal_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {str(literal_value(key)): literal_value(value) for key, value in pairs if key}
        case _:
            value = ast.literal_eval(node)
            json.dumps(value, allow_nan=False)
            return value


def gemma_calls(text: str) -> Iterator[Written]:
    """Yield the calls in `call:NAME{KEY:<|"|>VALUE<|"|>}`; none behind one that does not end."""
    past = 0
    while found := GEMMA.search(text, past):
        written, past = object_as_json(text, found.end())
        if not past:
            return
        try:
            given = json.loads(written, strict=False)
        except (ValueError, RecursionError):
            continue
        yield Written(found[1], given)


def object_as_json(text: str, at: int) -> tuple[str, int]:
    """Return an object in Gemma's notation as JSON, and where it ends; 0 if it does not."""
    pieces: list[str] = []
    depth = 0
    for piece in PIECES.finditer(text, at):
        pieces.append(piece_as_json(piece, text))
        depth += {"{": 1, "}": -1}.get(piece["mark"], 0)
        if depth == 0:
            return "".join(pieces), piece.end()
    return "", 0


def piece_as_json(piece: re.Match[str], text: str) -> str:
    """Return a piece of Gemma's notation as JSON."""
    if piece["string"] is not None:
        return json.dumps(piece["string"])
    bare = (piece["bare"] or "").strip()
    if piece["bare"] is None or not bare:
        return piece[0]
    is_key = text[piece.end() : piece.end() + 1] == ":"
    try:
        json.loads(bare)
    except ValueError:
        return json.dumps(bare)
    return json.dumps(bare) if is_key else bare
