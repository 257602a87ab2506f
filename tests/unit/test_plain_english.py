"""Plain English: phrases that a reader of messages, documentation or code would stumble over.

Only mechanical kinds are caught, each with the better words beside it. A message still has to be
read by a person before it is good.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import openclaude
from tests.unit.source import parsed

PACKAGE = Path(openclaude.__file__).parent
REPOSITORY = Path(__file__).parents[2]
# what reads strangely, and better words for it
STRANGE = {
    r"(?<!there )(?:is|are|was|were) no (?!longer|more than)[a-z]+": "`is not a ...`",
    r"is none of": "`unknown X (choose from ...)`",
    r"mend(?:s|ed|ing)?": "fix",
    r"(?:some|any)body(?:'s| else)?": "say who: another user, a colleague",
    r"what (?:it|they|he) (?:is|are|was|were) told": "its input, its config",
    r"the house|in the house|house's": "the code base",
    r"so already": "ok",
    r"(?:is|are) there already": "already exists, appears twice",
    r"goes? before (?:it|them)": "takes precedence",
    r"as (?:it|they) stands?": "unchanged",
    r"stands? (?:in|behind|beside) (?:a|an|the|its|no)": "is in, is behind",
    r"of (?:ours|yours|mine)": "our ..., your ...",
    r"(?<!one )(?<!each )(?<!some )of (?:AWS|openclaude|LiteLLM)'s (?!own)": "AWS's ...",
    r"(?:impossible|not a possible) value": "invalid",
    r"shall": "will, must",
    r"without a word|in silence": "silently",
    r"do(?:es)? not end": "keeps running, cannot be stopped",
    r"by itself|by themselves": "automatically",
    r"lanes?": "route; in tables: Claude models, rerouted tiers",
    r"(?:is|are) to be": "must be, will be",
    r"room for|of room": "space, free",
    r"holds? no": "contains no",
    r"gives? away": "hand over",
    r"nobody can be asked|nobody is there": "there is no terminal",
    r"amid(?:st)?|in the midst": "during",
    r"what (?:it|they|he) said": "its output",
}
# the same in docstrings and comments, which only those who read the code see
STRANGE_IN_CODE = {
    **{
        kind: STRANGE[kind]
        for kind in (
            *("is none of", "so already", "shall", "without a word|in silence"),
            *("(?:is|are) there already", "goes? before (?:it|them)", "as (?:it|they) stands?"),
            *("room for|of room", "gives? away", "amid(?:st)?|in the midst", "holds? no"),
            *("what (?:it|they|he) said", "nobody can be asked|nobody is there"),
            *("(?:is|are) to be", "stands? (?:in|behind|beside) (?:a|an|the|its|no)"),
        )
    },
    r"mended|mends|to mend|is mended": "fix",
    r"(?:some|any|every)body(?:'s| else)?(?=[ ,.;:?])": "say who: another user, every provider",
    r"(?<!there )(?:is|are|was|were) no (?!longer|more than)[a-z]+": "`is not a ...`",
    r"of (?:its|their) own accord": "automatically; its own requests",
    r"in vain": "for nothing",
    r"but for (?!the most)": "except",
    r"the wish for": "a request for",
    r"nobody (?:listens|knows|stands|who|can be)": "there is no ...; it is unknown",
    r"thereof|therein|thereby|whereby|hereby|lest|whilst|nought": "(archaic)",
    r"begins? to speak|holds? its tongue": "sends its first byte; does not answer",
}
CODE = ("openclaude", "build", "tests")


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module with three words or more: messages and help, no docstrings."""
    passed_over = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed_over.update(id(part) for part in node.values)
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if id(node) not in passed_over and len(text.split()) >= 3:
            yield node.lineno, text


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a Markdown text that are neither code nor generated."""
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code and not line.startswith("    "):
            yield number, re.sub(r"`[^`]*`", "`...`", line)


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a TOML file."""
    for number, line in enumerate(text.splitlines(), 1):
        if (at := line.find("#")) >= 0:
            yield number, line[at:]


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, re.sub(r"`[^`]*`", "`...`", text)


@cache
def read_in_code() -> tuple[tuple[str, str], ...]:
    """Return every docstring and comment of ours, with its location."""
    found = []
    for path in sorted(path for folder in CODE for path in (REPOSITORY / folder).rglob("*.py")):
        where = path.relative_to(REPOSITORY)
        if path == Path(__file__) or "node_modules" in path.parts or "before" in path.parts:
            continue
        source = path.read_text("utf-8")
        found += [(f"{where}:{line}", text) for line, text in docstrings(parsed(path))]
        found += [
            (f"{where}:{token.start[0]}", re.sub(r"`[^`]*`", "`...`", token.string))
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        ]
    return tuple(found)


@cache
def read_by_users() -> tuple[tuple[str, str], ...]:
    """Return every text that users read, with its location."""
    return tuple(every_text())


def every_text() -> Iterator[tuple[str, str]]:
    """Yield messages and help, documentation, comments of the built-in profiles."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "standins" in path.parts:  # they write as the upstreams do
            continue
        for line, text in literals(parsed(path)):
            yield f"{path.relative_to(PACKAGE.parent)}:{line}", text
    pages = ("README.md", "CONTRIBUTING.md", *(f"docs/{one.name}" for one in docs()))
    for page in pages:
        for line, text in prose((REPOSITORY / page).read_text()):
            yield f"{page}:{line}", text
    for path in sorted((REPOSITORY / "profiles").glob("*.toml")):
        for line, text in comments(path.read_text()):
            yield f"profiles/{path.name}:{line}", text


def docs() -> list[Path]:
    """Return the pages of documentation."""
    return sorted((REPOSITORY / "docs").glob("*.md"))


@pytest.mark.parametrize("strange", STRANGE)
def test_what_users_read_has_no_strange_phrase(strange: str) -> None:
    pattern = re.compile(rf"\b(?:{strange})\b", re.IGNORECASE)

    found = [
        f"{where}: `{hit[0]}` in {text.strip()[:100]!r}; better: {STRANGE[strange]}"
        for where, text in read_by_users()
        if (hit := pattern.search(text))
    ]

    assert found == []


@pytest.mark.parametrize("strange", STRANGE_IN_CODE)
def test_docstrings_and_comments_have_no_strange_phrase(strange: str) -> None:
    pattern = re.compile(rf"\b(?:{strange})(?!\w)", re.IGNORECASE)

    found = [
        f"{where}: `{hit[0]}` in {text.strip()[:100]!r}; better: {STRANGE_IN_CODE[strange]}"
        for where, text in read_in_code()
        if (hit := pattern.search(text))
    ]

    assert found == []
