"""Content blocks as the slot's model can read them: what it cannot becomes text that says so.

Knows: Anthropic's content blocks, and what LiteLLM 1.106.2 does with each on the way to Bedrock
Converse (measured: it drops what it does not know in silence, and turns some blocks into ones that
a text-only model refuses, in this turn and in every later one). Refuses to know: the rest of the
request; that is request.py. Pure: nothing is changed in place, and a second pass changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.gateway.guard_limits import Limits

Block = Mapping[str, Any]

NOTHING_SAID = "(no content)"  # claude's own words for an empty turn; it hides them
NO_OUTPUT = "(no output)"
ERROR = "ERROR:"

# Read by every model through LiteLLM; a compaction block is LiteLLM's to understand
READABLE = frozenset({"text", "tool_use", "compaction"})
# Another model's thoughts and calls. A signature is proof towards Anthropic only: forwarded, it
# would be a forged one (LiteLLM sends it as reasoningContent, measured), and unsigned thoughts
# would become the model's own words.
PRIVATE = frozenset({"thinking", "redacted_thinking", "server_tool_use", "mcp_tool_use"})


def fit_message(message: object, limits: Limits) -> object:
    """A turn with blocks the model can read, and never an empty one.

    A turn of nothing but blanks is a 500 "messages is required" in LiteLLM (measured), and leaving
    it out would put two turns of one role side by side.
    """
    if not isinstance(message, Mapping):
        return message
    content = message.get("content")
    if isinstance(content, str):
        return message if content.strip() else {**message, "content": NOTHING_SAID}
    if not isinstance(content, list):
        return message
    blocks = fit_blocks(content, limits)
    if all(is_blank(block) for block in blocks):
        blocks = [text(NOTHING_SAID)]
    return {**message, "content": blocks}


def fit_blocks(content: list[Any], limits: Limits, *, inside: bool = False) -> list[Block]:
    """Every block the model may see, in order."""
    fitted = (fit_block(block, limits, inside=inside) for block in content)
    return [block for block in fitted if block is not None]


def fit_block(block: object, limits: Limits, *, inside: bool) -> Block | None:
    """The block as the model can read it; None for what it must not see.

    `inside` is a tool's result, which holds no further one: that bounds the depth.
    """
    if isinstance(block, str):
        return text(block)
    if not isinstance(block, Mapping):
        return None
    match block.get("type"):
        case str(kind) if kind in READABLE:
            return block
        case str(kind) if kind in PRIVATE:
            return None
        case "tool_result" if not inside:
            return fit_tool_result(block, limits)
        case "image":
            return fit_image(block, limits)
        case "document":
            return fit_document(block, limits)
        case "search_result":
            return text(search_result(block))
        case "tool_reference":
            return text(f"Tool loaded: {word(block, 'tool_name')} (now callable).")
        case "web_search_tool_result":
            return text(web_search_result(block))
        case _:
            return text(f"[A `{word(block, 'type')}` block was here; this model cannot read it.]")


def fit_tool_result(block: Block, limits: Limits) -> Block:
    """A tool's result: never empty (Bedrock refuses blank text), and an error says that it is one.

    LiteLLM sends no status for `is_error` (measured), so the model would take an error for output.
    """
    fitted = {**block, "content": fit_output(block.get("content"), limits)}
    if fitted.get("is_error") is not True:
        return fitted
    del fitted["is_error"]
    return {**fitted, "content": as_error(fitted["content"])}


def fit_output(content: object, limits: Limits) -> str | list[Block]:
    """The content of a tool result, which may be missing, a text, or blocks."""
    if isinstance(content, str):
        return content if content.strip() else NO_OUTPUT
    if not isinstance(content, list):
        return NO_OUTPUT
    blocks = [block for block in fit_blocks(content, limits, inside=True) if not is_blank(block)]
    return blocks or NO_OUTPUT


def as_error(content: str | list[Block]) -> str | list[Block]:
    """The content of a failed tool's result, marked as one."""
    return f"{ERROR} {content}" if isinstance(content, str) else [text(ERROR), *content]


def fit_image(block: Block, limits: Limits) -> Block:
    """An image, for a model that sees.

    One by address becomes text even then: LiteLLM would fetch it (read), and `providers` opens no
    connection but to its providers.
    """
    if not limits.vision:
        return text("[An image was here; this model cannot see images.]")
    if source_type(block) != "base64":
        return text("[An image by address was here; it was not fetched.]")
    return block


def fit_document(block: Block, limits: Limits) -> Block:
    """A document: its text where it has some, a PDF for a model that reads PDFs, else a note."""
    title = f' "{block["title"]}"' if isinstance(block.get("title"), str) else ""
    match block.get("source"):
        case {"type": "text", "data": str(words)} | {"type": "content", "content": str(words)}:
            return text(f"Document{title}:\n{words}")
        case {"type": "content", "content": list(parts)}:
            return text(f"Document{title}:\n{plain(parts)}")
        case {"type": "base64", "media_type": "application/pdf"} if limits.pdf:
            return block
        case _:
            return text(f"[A document{title} was here; this model cannot read it.]")


def search_result(block: Block) -> str:
    """A search result as a text: title, source, what it says."""
    found = plain(block.get("content"))
    return f"Search result: {word(block, 'title')} ({word(block, 'source')})\n{found}"


def web_search_result(block: Block) -> str:
    """What another model's web search found; the pages themselves are encrypted for Anthropic."""
    content = block.get("content")
    hits = [hit for hit in content if isinstance(hit, Mapping)] if isinstance(content, list) else []
    lines = [f"- {word(hit, 'title')} ({word(hit, 'url')})" for hit in hits]
    return "\n".join(["Web search results:", *(lines or ["(none)"])])


def plain(content: object) -> str:
    """The texts among the blocks inside another block."""
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") for block in blocks if isinstance(block, Mapping)]
    return "\n".join(words if isinstance(words, str) else "[left out]" for words in texts)


def word(block: Block, key: str) -> str:
    """A text that a block brings, where it is one."""
    value = block.get(key)
    return value if isinstance(value, str) else "unknown"


def is_blank(block: Block) -> bool:
    """Whether a block is a text that says nothing."""
    said = block.get("text")
    return block.get("type") == "text" and not (isinstance(said, str) and said.strip())


def source_type(block: Block) -> object:
    """How a block brings its bytes: base64, url, file."""
    source = block.get("source")
    return source.get("type") if isinstance(source, Mapping) else None


def text(words: str) -> Block:
    """A text block."""
    return {"type": "text", "text": words}
