"""What is done before the fork changes no answer of LiteLLM's.

Its model map matches its file, its tokenizers count as tiktoken's do, and its routes are found
however FastAPI stores those of an included router.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from openclaude.compile.litellm_configs import LITELLM_FLAGS

LOOK = """
from importlib.resources import files

import litellm
from litellm.llms.bedrock import common_utils as bedrock
from openclaude.gateway.litellm import warmup as warm

name = "model_prices_and_context_window_backup.json"
file = json.loads(files("litellm").joinpath(name).read_text())
own = [litellm.utils.get_bundled_model_cost_map(), bedrock._get_local_model_cost_map()]
warm.share_model_map()
shared = [litellm.utils.get_bundled_model_cost_map(), bedrock._get_local_model_cost_map()]
print(json.dumps({
    "litellm reads the file": own == [file, file],
    "and reads it no more": shared[0] is shared[1],
    "missing": sorted(file.keys() - shared[0].keys()),
    "different": [name for name, entry in shared[0].items() if dict(entry) != file[name]],
}))
"""


FLAT = """
import asyncio

from litellm.proxy.proxy_server import app
from openclaude.gateway.litellm import warmup as warm


def flat(routes):
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from flat(inner.routes) if inner else [route]


asyncio.run(warm.load_features())
app.router.routes[:] = flat(app.router.routes)
warm.warm_up()
print(json.dumps([[*route.methods, route.path] for route in app.router.routes[:2]]))
"""


TOKENS = """
import copy
import sys

import litellm
from litellm.utils import decode, encode
from openclaude.gateway.litellm import warmup as warm

MODELS = ("openclaude-haiku", "gpt-4o")  # cl100k_base, and o200k_base
TEXT = "Zwölf Boxkämpfer <|endoftext|> 12345 \U0001f600"
WHERE = "litellm.litellm_core_utils.default_encoding"

own = litellm.token_counter(model=MODELS[0], text=TEXT), litellm.token_counter(MODELS[1], text=TEXT)
loaded = [WHERE in sys.modules]
del sys.modules[WHERE]
warm.defer_tokenizers()
copied = copy.copy(litellm.encoding)
empty = [litellm.token_counter(model=name, text="") for name in MODELS]
loaded.append(WHERE in sys.modules)
counted = [litellm.token_counter(model=name, text=TEXT) for name in MODELS]
loaded.append(WHERE in sys.modules)
print(json.dumps({
    "loaded": loaded,
    "empty": empty,
    "the same": counted == list(own) and counted[0] != counted[1],
    "of a copy": copied.encode("of a copy") == litellm.encoding.encode("of a copy"),
    "both ways": decode(MODELS[0], tokens=encode(MODELS[0], text="both ways")),
}))
"""


def look(program: str) -> Any:
    """Return the JSON that a program prints in an instance's environment."""
    ran = subprocess.run(
        [sys.executable, "-P", "-c", f"import json\n{program}"],
        env={"PATH": "/usr/bin:/bin", **LITELLM_FLAGS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.variants
def test_routes_that_fastapi_keeps_flat_are_put_first_as_well() -> None:
    assert look(FLAT) == [["POST", "/v1/messages/count_tokens"], ["GET", "/v1/models"]]


@pytest.mark.variants
def test_a_tokenizer_is_loaded_for_a_text_and_counts_as_before() -> None:
    assert look(TOKENS) == {
        "loaded": [True, False, True],
        "empty": [0, 0],
        "the same": True,
        "of a copy": True,
        "both ways": "both ways",
    }


@pytest.mark.variants
def test_the_map_of_models_that_is_shared_is_the_files() -> None:
    assert look(LOOK) == {
        "litellm reads the file": True,
        "and reads it no more": True,
        "missing": ["fallback_generalizations"],  # not a model: rules, which LiteLLM removes itself
        "different": [],
    }
