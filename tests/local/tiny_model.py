"""A model of some hundred kilobytes, as a GGUF file that llama.cpp loads and runs.

Knows: the least that a GGUF of the architecture `llama` must have. Its weights are random but for
what makes it predictable: each token has a direction of its own, and the output maps it to the
token that follows. So it calls a tool when it is asked, and says `Done.` once it has the result.
The markup of the call is text for its server, as with many open models. Usage: PATH.
"""

# mypy: ignore-errors
# (its packages are in an environment of their own)

from __future__ import annotations

import sys
from pathlib import Path

import gguf
import numpy as np

WIDTH, HEAD, INNER, CONTEXT = 320, 8, 32, 65_536
# What it says: behind the question a call in Hermes' markup, behind a tool's result a word
# (no piece is longer than the 32 bytes that llama-cpp-python has for one)
CALL = (
    *("<tool_call>", "\n", '{"name": "Bash", ', '"arguments": {', '"command": "echo hi"', "}}"),
    "</tool_call>",
)
ANSWER = ("Done.",)
ASKED, TOLD, END = "<|asked|>", "<|told|>", "<|im_end|>"
SPECIAL = ("<|endoftext|>", "<|im_start|>", END, ASKED, TOLD)
TEMPLATE = """{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content or "" }}<|im_end|>
{% endfor %}
{%- if messages | selectattr("role", "equalto", "tool") | list %}<|told|>
{%- else %}<|asked|>
{%- endif %}"""


def byte_letters() -> list[str]:
    """Return a letter for every byte, as GPT-2's tokenizer writes them."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in kept}
    others = (byte for byte in range(256) if byte not in letters)
    letters.update({byte: chr(256 + at) for at, byte in enumerate(others)})
    return [letters[byte] for byte in range(256)]


def write_model(path: Path) -> None:
    """Write the model to a file."""
    letters = byte_letters()
    written = ["".join(letters[byte] for byte in part.encode()) for part in (*CALL, *ANSWER)]
    said = [part for part in written if len(part) > 1]
    tokens = [*letters, *said, *SPECIAL]
    number = {token: at for at, token in enumerate(tokens)}
    random = np.random.default_rng(1)

    def noise(*shape: int) -> np.ndarray:
        return random.normal(0, 0.001, shape).astype(np.float32)

    embedding, output = noise(len(tokens), WIDTH), noise(len(tokens), WIDTH)
    embedding[np.arange(len(tokens)), np.arange(len(tokens))] = 1.0
    call, answer = written[: len(CALL)], written[len(CALL) :]
    for chain in ([ASKED, *call, END], [TOLD, *answer, END]):
        for one, after in zip(chain, chain[1:]):  # noqa: B905, RUF007
            output[number[after], number[one]] = 10.0

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.NORMAL] * (256 + len(said)) + [gguf.TokenType.CONTROL] * len(SPECIAL)
    writer.add_token_types(kinds)
    writer.add_token_merges(["h e"])
    writer.add_bos_token_id(number[SPECIAL[0]])
    writer.add_eos_token_id(number[END])
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    for norm in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{norm}.weight", np.ones(WIDTH, np.float32))
    for name in ("attn_q", "attn_k", "attn_v"):
        writer.add_tensor(f"blk.0.{name}.weight", noise(HEAD, WIDTH))
    writer.add_tensor("blk.0.attn_output.weight", noise(WIDTH, HEAD))
    writer.add_tensor("blk.0.ffn_gate.weight", noise(INNER, WIDTH))
    writer.add_tensor("blk.0.ffn_up.weight", noise(INNER, WIDTH))
    writer.add_tensor("blk.0.ffn_down.weight", noise(WIDTH, INNER))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    write_model(Path(sys.argv[1]))
