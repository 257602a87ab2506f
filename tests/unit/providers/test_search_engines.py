"""The search engines are as LiteLLM asks them: their names, addresses and variables."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from openclaude.providers.search import ENGINES

FOUND = importlib.util.find_spec("litellm")
LITELLM = Path(FOUND.origin).parent if FOUND and FOUND.origin else Path()


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_asked_where_the_table_says_with_the_key_it_names(name: str) -> None:
    engine = ENGINES[name]
    text = (LITELLM / "llms" / name / "search/transformation.py").read_text(encoding="utf-8")
    address = re.findall(r'_API_BASE = "(https://[^"]+)"', text)
    variables = re.findall(r'key_env_vars=\("(\w+)",\)', text)

    assert [urlsplit(one)._replace(path="").geturl() for one in address] == (
        [engine.address] if engine.address else []
    )
    assert engine.key in (*variables, "")
    assert bool(engine.key) is (
        f'raise ValueError("{variables[0]} is not' in text if variables else False
    )
