"""The application of `providers` that notes each tokenizer LiteLLM loads.

The file that is named by TOKENIZER_LOADS gets a line for each.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any


def app() -> Any:
    """The factory: as an instance is warmed up and started, but for the note."""
    from litellm.rust_bridge import tokenizer

    from openclaude.gateway import providers
    from openclaude.gateway.litellm.warmup import warm_up

    load = tokenizer._python_encoding
    loads = Path(os.environ["TOKENIZER_LOADS"])

    def noted(name: str) -> Any:
        with loads.open("a") as file:
            file.write(f"{name}\n")
        return load(name)

    tokenizer._python_encoding = noted
    # it runs an event loop of its own, and the server's is running here
    warming = threading.Thread(target=warm_up)
    warming.start()
    warming.join()
    return providers.app()
