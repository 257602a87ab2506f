"""What the table says about LiteLLM's list of providers, checked with LiteLLM itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from openclaude.providers.table import NO_CHATS, PROVIDERS
from tests.process.test_providers_instance import FLAGS, REPOSITORY

ASK = """
import json
import litellm
from litellm.exceptions import LiteLLMUnknownProvider
litellm.suppress_debug_info = True
from litellm.utils import ProviderConfigManager
hi = [{"role": "user", "content": "hi"}]
unmapped = []
for provider in litellm.LlmProviders:
    if ProviderConfigManager.get_provider_chat_config("x", provider) is not None:
        continue  # LiteLLM knows how to chat with it
    name = provider.value
    try:
        litellm.completion(
            f"{name}/x", hi, api_key="k", api_base="http://127.0.0.1:9", max_retries=0, timeout=3
        )
    except LiteLLMUnknownProvider:
        unmapped.append(name)
    except Exception:
        pass  # nobody listens there, which LiteLLM found out by asking
print(json.dumps(unmapped))
"""

# of the providers that are its arguments: those whose `max_retries` LiteLLM passes on
KEEPS = """
import json, sys
import litellm
params = {name: litellm.get_supported_openai_params("x", name) or [] for name in sys.argv[1:]}
print(json.dumps([name for name, supported in params.items() if "max_retries" in supported]))
"""


def ask(program: str, folder: Path, *arguments: str) -> list[str]:
    """Return the list that a program prints which asks LiteLLM, in a HOME of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**FLAGS, "HOME": str(folder), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_table_leaves_out_those_that_litellm_holds_no_chat_with(tmp_path: Path) -> None:
    assert set(ask(ASK, tmp_path)) == set(NO_CHATS)


def test_litellm_still_loses_max_retries_where_a_row_says_so(tmp_path: Path) -> None:
    rows = [one for one in PROVIDERS.values() if one.drops_max_retries]
    names = sorted({one.litellm_prefix.partition("/")[0] for one in rows})

    assert names
    assert ask(KEEPS, tmp_path, *names) == []
    assert ask(KEEPS, tmp_path, "openai", *names) == ["openai"], "the question finds nothing"
