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
PORTABLE_CACHE = {"type": "ephemeral"}
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
    # nothing but these two: claude writes an `output_config` of its own into single turns
    turn = {key: message[key] for key in ("role", "content") if key in message}
    content = turn.get("content")
    if isinstance(content, str):
        return turn if content.strip() else {**turn, "content": NOTHING_SAID}
    if not isinstance(content, list):
        return turn
    return {**turn, "content": fit_blocks(content, limits) or [text(NOTHING_SAID)]}


def fit_blocks(content: list[Any], limits: Limits, *, inside: bool = False) -> list[Block]:
    """Every block the model may see, in order, but those that say nothing."""
    fitted = (fit_block(block, limits, inside=inside) for block in content)
    said = [portable(block) for block in fitted if block is not None and not is_blank(block)]
    return set_apart(said)


def set_apart(blocks: list[Block]) -> list[Block]:
    """The same blocks (none of them blank), no two texts in one line.

    For a provider that has one string for a turn LiteLLM puts the texts together with nothing
    between them (measured: Ollama, Gemini, Mistral, Moonshot), "ERROR:files".
    """
    after = [*blocks[1:], {}]
    return [
        {**block, "text": f"{block['text']}\n"} if runs_on(block, follower) else block
        for block, follower in zip(blocks, after, strict=False)
    ]


def runs_on(block: Block, follower: Block) -> bool:
    """Whether two blocks are texts that would be read as one line."""
    are_texts = block.get("type") == follower.get("type") == "text"
    return are_texts and not block["text"].endswith("\n")


def portable(block: Block) -> Block:
    """A block whose cache mark is the one every provider knows: no `ttl`, which some refuse."""
    if "cache_control" not in block or block["cache_control"] == PORTABLE_CACHE:
        return block
    return {**block, "cache_control": PORTABLE_CACHE}


def unmarked(part: Any) -> Any:
    """Blocks, tools or turns without a cache mark, on them or in a result inside."""
    if isinstance(part, list):
        return [unmarked(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    return {
        key: unmarked(value) if key == "content" else value
        for key, value in part.items()
        if key != "cache_control"
    }


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
    return fit_blocks(content, limits, inside=True) or NO_OUTPUT


def as_error(content: str | list[Block]) -> str | list[Block]:
    """The content of a failed tool's result, marked as one."""
    return f"{ERROR} {content}" if isinstance(content, str) else set_apart([text(ERROR), *content])


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
