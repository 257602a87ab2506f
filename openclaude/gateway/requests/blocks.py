"""Content blocks as the slot's model can read them: anything else becomes text that says so.

Knows: Anthropic's content blocks, and what LiteLLM 1.108.14 does with each on the way to Bedrock
Converse (measured: it drops unknown ones silently, and turns some into blocks that a text-only
model refuses, in this turn and in every later one). Independent of: the rest of the request; that
is request.py. Pure: nothing is changed in place, and a second pass changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.signatures import PROOFS, results_as_text
from openclaude.gateway.requests.thoughts.returning import fit_thought, prove_calls

Block = Mapping[str, Any]

NOTHING_SAID = "(no content)"  # claude's own text for an empty turn; it does not display it
NO_OUTPUT = "(no output)"
PORTABLE_CACHE = {"type": "ephemeral"}
ERROR = "ERROR:"

# Any model can read these through LiteLLM; a compaction block is for LiteLLM to handle
READABLE = frozenset({"text", "tool_use", "compaction"})
# Another model's calls
PRIVATE = frozenset({"server_tool_use", "mcp_tool_use"})


def fit_message(message: object, capabilities: Capabilities) -> object:
    """Return a turn with blocks that the model can read, never an empty turn.

    A turn of nothing but whitespace causes a 500 "messages is required" in LiteLLM (measured), and
    leaving it out would put two turns of one role next to each other.
    """
    if not isinstance(message, Mapping):
        return message
    # only these two keys: claude adds an `output_config` of its own to single turns
    turn = {key: message[key] for key in ("role", "content") if key in message}
    content = turn.get("content")
    if isinstance(content, str):
        return turn if content.strip() else {**turn, "content": NOTHING_SAID}
    if not isinstance(content, list):
        return turn
    return {**turn, "content": fit_blocks(content, capabilities) or [text(NOTHING_SAID)]}


def fit_blocks(
    content: list[Any], capabilities: Capabilities, *, inside: bool = False
) -> list[Block]:
    """Return every block the model may see, in order, except those without content."""
    if not inside:
        content = prove_calls(content, capabilities)
    fitted = (fit_block(block, capabilities, inside=inside) for block in content)
    said = [portable(block) for block in fitted if block is not None and not is_blank(block)]
    return set_apart(said)


def set_apart(blocks: list[Block]) -> list[Block]:
    """Return the same blocks (none of them blank), with no two texts on one line.

    For a provider with one string per turn LiteLLM joins the texts with nothing between them
    (measured: Ollama, Gemini, Mistral, Moonshot), "ERROR:files".
    """
    after = [*blocks[1:], {}]
    return [
        {**block, "text": f"{block['text']}\n"} if runs_on(block, follower) else block
        for block, follower in zip(blocks, after, strict=False)
    ]


def runs_on(block: Block, follower: Block) -> bool:
    """Tell whether two blocks are texts that would be read as one line."""
    are_texts = block.get("type") == follower.get("type") == "text"
    return are_texts and not block["text"].endswith("\n")


def portable(block: Block) -> Block:
    """Return a block whose cache mark every provider knows: without `ttl`, which some refuse."""
    if "cache_control" not in block or block["cache_control"] == PORTABLE_CACHE:
        return block
    return {**block, "cache_control": PORTABLE_CACHE}


def unmarked(part: Any) -> Any:
    """Return blocks, tools or turns without cache marks, on them or in a result inside."""
    if isinstance(part, list):
        return [unmarked(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    return {
        key: unmarked(value) if key == "content" else value
        for key, value in part.items()
        if key != "cache_control"
    }


def fit_block(block: object, capabilities: Capabilities, *, inside: bool) -> Block | None:
    """Return the block as the model can read it; None for one it must not see.

    `inside` is a tool's result, which contains no further result: this bounds the depth.
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
        case str(kind) if kind in PROOFS:
            return None if inside else fit_thought(block, capabilities)
        case "tool_result" if not inside:
            return fit_tool_result(block, capabilities)
        case "image":
            return fit_image(block, capabilities)
        case "document":
            return fit_document(block, capabilities)
        case "search_result":
            return text(search_result(block))
        case "tool_reference":
            return text(f"Tool loaded: {text_field(block, 'tool_name')} (now callable).")
        case "web_search_tool_result":
            return text(results_as_text(block))
        case _:
            return text(
                f"[A `{text_field(block, 'type')}` block was here; this model cannot read it.]"
            )


def fit_tool_result(block: Block, capabilities: Capabilities) -> Block:
    """Return a tool's result that is never empty (Bedrock refuses blank text) and marks an error.

    LiteLLM sends no status for `is_error` (measured), so the model would take an error for output.
    """
    fitted = {**block, "content": fit_output(block.get("content"), capabilities)}
    if fitted.get("is_error") is not True:
        return fitted
    del fitted["is_error"]
    return {**fitted, "content": as_error(fitted["content"])}


def fit_output(content: object, capabilities: Capabilities) -> str | list[Block]:
    """Return the content of a tool result, which may be missing, a text, or blocks."""
    if isinstance(content, str):
        return content if content.strip() else NO_OUTPUT
    if not isinstance(content, list):
        return NO_OUTPUT
    fitted = fit_blocks(content, capabilities, inside=True) or NO_OUTPUT
    return as_string(fitted) if capabilities.wants_strings else fitted


def as_string(content: Any) -> Any:
    """Return blocks that are only text as one string; anything else stays as it is."""
    if not isinstance(content, list) or not all(is_plain(block) for block in content):
        return content
    return "".join(block["text"] for block in content)


def is_plain(block: object) -> bool:
    """Tell whether a block is a text without a cache mark."""
    return (
        isinstance(block, Mapping) and block.keys() == {"type", "text"} and block["type"] == "text"
    )


def as_error(content: str | list[Block]) -> str | list[Block]:
    """Return the content of a failed tool's result, marked as an error."""
    return f"{ERROR} {content}" if isinstance(content, str) else set_apart([text(ERROR), *content])


def fit_image(block: Block, capabilities: Capabilities) -> Block:
    """Return an image, for a model with vision.

    An image given by URL becomes text even then: LiteLLM would fetch it (read), and `providers`
    must connect only to its providers.
    """
    if not capabilities.supports_vision:
        return text("[An image was here; this model cannot see images.]")
    if source_type(block) != "base64":
        return text("[An image URL was here; it was not fetched.]")
    return block


def fit_document(block: Block, capabilities: Capabilities) -> Block:
    """Return a document: its text if it has any, a PDF for a model that reads PDFs, else a note."""
    title = f' "{block["title"]}"' if isinstance(block.get("title"), str) else ""
    match block.get("source"):
        case {"type": "text", "data": str(words)} | {"type": "content", "content": str(words)}:
            return text(f"Document{title}:\n{words}")
        case {"type": "content", "content": list(parts)}:
            return text(f"Document{title}:\n{plain(parts)}")
        case {"type": "base64", "media_type": "application/pdf"} if capabilities.supports_pdf_input:
            return block
        case _:
            return text(f"[A document{title} was here; this model cannot read it.]")


def search_result(block: Block) -> str:
    """Return a search result as text: title, source, content."""
    found = plain(block.get("content"))
    return f"Search result: {text_field(block, 'title')} ({text_field(block, 'source')})\n{found}"


def plain(content: object) -> str:
    """Return the texts among the blocks inside another block."""
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") for block in blocks if isinstance(block, Mapping)]
    return "\n".join(words if isinstance(words, str) else "[left out]" for words in texts)


def text_field(block: Block, key: str) -> str:
    """Return a field of a block if it is a text."""
    value = block.get(key)
    return value if isinstance(value, str) else "unknown"


def is_blank(block: Block) -> bool:
    """Tell whether a block is a blank text."""
    said = block.get("text")
    return block.get("type") == "text" and not (isinstance(said, str) and said.strip())


def source_type(block: Block) -> object:
    """Return how a block provides its bytes: base64, url, file."""
    source = block.get("source")
    return source.get("type") if isinstance(source, Mapping) else None


def text(words: str) -> Block:
    """Return a text block."""
    return {"type": "text", "text": words}
