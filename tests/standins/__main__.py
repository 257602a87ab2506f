"""A stand-in as a process: `python -m tests.standins anthropic|bedrock|openai|...`.

Knows: its command line. Independent of: what the stand-ins answer.
Prints one JSON line when it listens, and ends on SIGTERM, SIGINT or, with `--parent-pipe`, when
its standard input ends (its parent is gone).
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.standin import Standin
from openclaude.standins.bedrock.rules import ModelRules
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.standins.gemini.standin import GeminiStandin
from tests.standins.ollama import OllamaStandin
from tests.standins.openai.standin import OpenAIStandin

STANDINS: Mapping[str, Callable[..., Standin[Any]]] = {
    "anthropic": AnthropicStandin,
    "bedrock": BedrockStandin,
    "gemini": GeminiStandin,
    "ollama": OllamaStandin,
    "openai": OpenAIStandin,
}


def main(argv: list[str] | None = None) -> int:
    """Run one stand-in until it is told to stop."""
    options = _parser().parse_args(argv)
    ends: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda given, _: ends.put(given))
    if options.parent_pipe:
        threading.Thread(target=_wait_for_the_parent, args=(ends,), daemon=True).start()
    with _standin(options) as standin:
        address = {"name": options.name, "url": standin.url, "port": standin.port}
        sys.stdout.write(json.dumps(address) + "\n")
        sys.stdout.flush()
        ends.get()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.standins", allow_abbrev=False)
    parser.add_argument("name", choices=tuple(STANDINS))
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--record", type=Path, help="append a JSON line per request to this file")
    parser.add_argument("--setup", type=Path, help="JSON: the constructor's other arguments")
    parser.add_argument("--parent-pipe", action="store_true", help="end when stdin ends")
    return parser


def _standin(options: argparse.Namespace) -> Standin[Any]:
    """Return the stand-in of the command line; only its record file remembers requests."""
    setup = json.loads(options.setup.read_bytes()) if options.setup else {}
    given: dict[str, Any] = {"port": options.port, "record": options.record, "keep": 0, **setup}
    if options.name == "anthropic" and "credentials" in given:
        given["credentials"] = frozenset(given["credentials"])
    elif "credentials" in given:
        secrets = given["credentials"].items()
        given["credentials"] = {name: Secret(**values) for name, values in secrets}
    if "models" in given:
        models = given["models"].items()
        given["models"] = {name: ModelRules(**values) for name, values in models}
    return STANDINS[options.name](**given)


def _wait_for_the_parent(ends: queue.SimpleQueue[int]) -> None:
    # not through sys.stdin, whose lock this thread would still hold when the interpreter exits
    while os.read(0, 4096):
        continue
    ends.put(0)


if __name__ == "__main__":
    sys.exit(main())
