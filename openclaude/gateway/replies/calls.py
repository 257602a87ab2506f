"""One tool call, assembled from its pieces: which tool, which id, which input.

Knows: how providers alter names, ids and arguments. Independent of: dialects, the order of calls.
Pure.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

from openclaude.gateway.replies.events import ABSENT, CallPiece
from openclaude.gateway.replies.letters import may_be_halved, whole_letters

VALID_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
VALID_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# what models write before and after a tool's name (gpt-oss, Kimi, Gemini)
TOKENS = re.compile(r"<[|\uff5c][^|\uff5c<>]*[|\uff5c]>|</?[a-z_]+[=>]|\b(?:to|name)=")
PREFIX = re.compile(r"^(?:(?:functions?|tools?|default_api)[.:/]|functions_+)+", re.IGNORECASE)
SUFFIX = re.compile(r":\d+$")
AROUND = re.compile(r"^[^a-zA-Z0-9_]+|[^a-zA-Z0-9_-]+$")
# what may follow a complete input: surplus brackets, tokens of a chat template
CONTROLS = re.compile(r"[\x00-\x1f]")
TRAILER = re.compile(r"(?:[\s}\]]|<\|[^|<>]*\|>|</[a-z_:]{1,40}>|```)*")
# what may be before it: a byte order mark, a code fence
LEADER = re.compile(r"\A[\s\ufeff]*(?:```(?:json)?\s)?")
# a string, or a comma with nothing behind it
COMMA = re.compile(r"""("(?:[^"\\]|\\.?)*+(?:"|\Z))|,(?=\s*[}\]])""", re.DOTALL)
LARGEST_LITERAL = 1 << 16  # longest Python literal that is parsed, in characters
NOTHING = ("", "null", "None", "undefined")  # how JavaScript and Python write no input
KEPT_OF_ID = 30
LONGEST_NAME = 400  # characters of a spoken name that are looked at
# claude's own tools, and those of its MCP servers. Not all are offered all the time, and a model
# that knows one from earlier may call it: claude answers with what to do (`ToolSearch`) and the
# turn continues; text in its place would end the turn.
OF_CLAUDE = re.compile(
    r"mcp__[a-zA-Z0-9_-]+|Agent|AskUserQuestion|Bash|BashOutput|Edit|EnterPlanMode|ExitPlanMode"
    r"|Glob|Grep|KillShell|LS|LSP|MultiEdit|NotebookEdit|Read|Skill|Task[A-Za-z]*|TodoWrite"
    r"|ToolSearch|WebFetch|WebSearch|Write"
)
# The only key of an input that cannot be parsed. No tool has it, so claude answers the call with an
# error (`required parameter missing`, `unexpected parameter`): the model sees its own text and that
# error, and tries again. Text would have ended the turn; an error would make claude ask the same
# model ten times.
UNREADABLE = "_unreadable_arguments"


class Call:
    """One tool call, as far as it is known."""

    def __init__(self) -> None:
        self.id = ""
        self.extra: Any = None
        self.is_whole = False
        self.held = 0  # pieces that came since the call was opened
        self._names: list[str] = []
        self._pieces: list[str] = []
        self._value = ABSENT
        self._pieces_before = 0  # how many came before the value

    def add(self, piece: CallPiece) -> None:
        """Add a piece."""
        self.id = self.id or piece.id
        self.extra = self.extra or piece.extra
        if piece.name and (not self._names or self._names[-1] != piece.name):
            self._names.append(piece.name)
        if piece.arguments:
            self._pieces.append(piece.arguments)
        if piece.value is not ABSENT:
            self._value = piece.value
            self._pieces_before = len(self._pieces)
        self.held += 1

    def is_continued_by(self, piece: CallPiece, offered: Collection[str]) -> bool:
        """Tell whether a piece with this call's key is part of it, and not of another call.

        Some servers give all calls of a reply one index (ollama/ollama#15457),
        or start a block without having stopped the last.
        """
        if self.is_whole:
            return False
        has_new_id = bool(piece.id and self.id and piece.id != self.id)
        has_new_name = piece.name not in ("", *self._names) and bool(self.name(offered))
        if not self._pieces and self._value is ABSENT:
            return not (has_new_name and piece.name in offered)  # or the name comes in pieces
        said = piece.arguments.strip()
        is_same = not (has_new_id or has_new_name)
        if is_same and piece.value is ABSENT and not (piece.name and said.startswith("{")):
            return True
        given = self._given()
        if not isinstance(given, dict):
            return True  # its input is not complete
        if not is_same:
            return False
        if not given:
            return True  # an empty object first, then the input
        if piece.value is not ABSENT:
            return bool(value_of(piece.value) == given)
        return "".join(self._pieces).lstrip().startswith(said)

    def _given(self) -> Any:
        """Return the input so far as a value; ABSENT if it is not complete.

        It is asked for with every piece where a server names the tool in each.
        """
        if self._value is not ABSENT:
            return value_of(self._value)
        is_closed = self._pieces[-1].rstrip().endswith("}")
        return decoded("".join(self._pieces)) if is_closed else ABSENT

    def is_restated_by(self, piece: CallPiece) -> bool:
        """Tell whether a piece with another key says this call again, from its beginning.

        LocalAI gives a call several indexes, with one id (mudler/LocalAI#9722).
        """
        if self.is_whole or piece.id != self.id or piece.name not in ("", self.spoken_name):
            return False
        if not self._pieces and self._value is ABSENT:
            return True
        given = self._given()
        return not isinstance(given, dict) and isinstance(decoded(piece.arguments), dict)

    @property
    def spoken_name(self) -> str:
        """Return the name as the provider sent it."""
        return "".join(self._names)

    def name(self, offered: Collection[str]) -> str:
        """Return the offered tool that the call means; "" if none."""
        for spoken in (self.spoken_name, *reversed(self._names)):
            if name := tool_named(spoken, offered):
                return name
        bare = without_prefix(TOKENS.split(self.spoken_name)[0].strip())
        return bare if OF_CLAUDE.fullmatch(bare) else ""

    def arguments(self) -> str:
        """Return the input as the text of a JSON object, whatever was sent."""
        if self._value is ABSENT or (not self._value and self._pieces):
            return object_text(self._pieces)
        # a block's start may have a part of its input, and the pieces behind it all of it
        behind = self._pieces[self._pieces_before :]
        if behind and isinstance(decoded("".join(behind)), dict):
            return object_text(behind)
        if isinstance(self._value, str):
            text = object_text([self._value])
            is_bad = self._pieces and object_is_bad(text)
            return object_text(self._pieces) if is_bad else text
        return as_object(self._value)

    @property
    def has_arguments(self) -> bool:
        """Tell whether the input has begun: then the name, which may come in pieces, is whole."""
        return bool(self._pieces)

    @property
    def is_cut(self) -> bool:
        """Tell whether the input has begun and is not JSON."""
        return not self.is_whole and bool(self._pieces) and object_is_bad(self.arguments())

    @property
    def is_empty(self) -> bool:
        """Tell whether the call has no name, id or input yet."""
        return not (self._names or self._pieces) and self._value is ABSENT


def tool_named(spoken: str, offered: Collection[str]) -> str:
    """Return the offered tool that a decorated name means; "" if none, or if it may be several."""
    if spoken in offered:
        return spoken
    written = [word for part in TOKENS.split(spoken[:LONGEST_NAME]) for word in part.split()]
    words = [re.split(r"[({]", word)[0] for word in written]
    for bare_of in (without_prefix, last_part):
        meant = {name for word in words if (name := alike(bare_of(word), offered))}
        if meant:
            return meant.pop() if len(meant) == 1 else ""
    return ""


def without_prefix(word: str) -> str:
    """Return a name without the namespace, number and marks that models put around it."""
    bare = AROUND.sub("", word)
    return AROUND.sub("", SUFFIX.sub("", PREFIX.sub("", bare)))


def last_part(word: str) -> str:
    """Return a name without any namespace."""
    return without_prefix(re.split(r"[.:/]", without_prefix(word))[-1])


def alike(bare: str, offered: Collection[str]) -> str:
    """Return the offered tool with this name, or the only one whose name looks like it."""
    if bare in offered:
        return bare
    found = [name for name in offered if plain(name) == plain(bare)]
    return found[0] if len(found) == 1 and bare else ""


def plain(name: str) -> str:
    """Return a name without the characters that providers change."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def valid_id(spoken: str, used: Collection[str], token: Callable[[], str]) -> str:
    """Return an id that Anthropic accepts, and that no other call of the conversation has."""
    if VALID_ID.fullmatch(spoken) and spoken not in used:
        return spoken
    stem = re.sub(r"[^a-zA-Z0-9_-]", "_", spoken)[:KEPT_OF_ID] or "call"
    return f"{stem}_{token()}"


def object_is_bad(text: str) -> bool:
    """Tell whether an input could not be read."""
    return text.startswith(f'{{"{UNREADABLE}"')


def object_text(pieces: list[str]) -> str:
    """Return the JSON object in a call's pieces as text; unchanged if it is one already."""
    text = "".join(pieces)
    value = decoded(text)
    if isinstance(value, dict):
        # a control character in a string is JSON to us, and to no strict parser; nor is a text with
        # half a letter one that Anthropic takes
        return written(value) if CONTROLS.search(text) or may_be_halved(text) else text
    if value is ABSENT:
        value = mended(pieces, text)
    return as_object(value, text)


def decoded(text: str) -> Any:
    """Return the JSON value of a text, ABSENT if it is not JSON; None for a blank text."""
    if text.strip() in NOTHING:
        return None
    try:
        return json.loads(text, strict=False, parse_constant=not_json)
    except (ValueError, RecursionError):
        return ABSENT


def value_of(given: Any) -> Any:
    """Return an input as a value, if it came as one or as its text."""
    return decoded(given) if isinstance(given, str) else given


def not_json(constant: str) -> Any:
    """Raise ValueError: Python reads NaN and Infinity, no other parser does."""
    raise ValueError(constant)


def mended(pieces: list[str], text: str) -> Any:
    """Repair an input whose pieces are not JSON together: snapshots, or text after the end."""
    filled = [piece for piece in pieces if piece.strip()]
    grown = all(later.startswith(one) for one, later in pairwise(filled))
    if len(filled) > 1 and grown:
        return decoded(filled[-1])
    stripped = LEADER.sub("", text)
    decoder = json.JSONDecoder(strict=False, parse_constant=not_json)
    try:
        value, end = decoder.raw_decode(stripped)
    except (ValueError, RecursionError):
        return nearly_json(stripped)
    rest = stripped[end:]
    if value == {} and (behind := decoded(rest)) is not ABSENT:
        return behind  # an empty object first, then the input
    return value if TRAILER.fullmatch(rest) or is_said_again(value, rest) else ABSENT


def is_said_again(value: Any, rest: str) -> bool:
    """Tell whether a text says an input once more, encoded twice perhaps.

    (Reported: BerriAI/litellm#20480.)
    """
    return value in (again := decoded(rest), value_of(again))


def nearly_json(text: str) -> Any:
    """Return an object with a comma too many, or one in Python's notation; ABSENT if it is none."""
    value = decoded(COMMA.sub(lambda found: found[1] or "", text))
    if isinstance(value, dict):
        return value
    if not re.match(r"\{\s*'", text) or len(text) > LARGEST_LITERAL:
        return ABSENT
    try:
        value = ast.literal_eval(text.strip())
        json.dumps(value, allow_nan=False)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return ABSENT
    return value if isinstance(value, dict) else ABSENT


def as_object(value: Any, text: str = "") -> str:
    """Return a value as the text of a JSON object, undoing repeated encoding, or as unreadable."""
    for _ in range(3):
        if not isinstance(value, str):
            break
        text = value
        value = decoded(value)
    if value is None or value == []:  # PHP writes an empty object as a list
        return "{}"
    if isinstance(value, dict):
        with contextlib.suppress(ValueError):  # NaN
            return written(value)
    if value is ABSENT or isinstance(value, str):
        return written({UNREADABLE: text})
    return written({UNREADABLE: json.dumps(value)})


def written(value: Any) -> str:
    """Write a value as JSON that every parser takes. Raises ValueError for NaN."""
    text = json.dumps(value, allow_nan=False)
    if not may_be_halved(text):
        return text
    return json.dumps(json.loads(whole_letters(json.dumps(value, ensure_ascii=False))))
