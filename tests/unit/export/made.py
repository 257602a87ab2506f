"""Plans to export, made from profiles of a few lines."""

from __future__ import annotations

import tempfile
from pathlib import Path

from openclaude.compile.compiler import compile_plan
from openclaude.contracts.plan import Plan
from openclaude.export.served import Served, serve_plan
from openclaude.models.catalog import Catalog
from openclaude.profile.library import Library

IMAGE = "registry.example/openclaude:1"
BEDROCK = """\
haiku = "bedrock/qwen.qwen3-next-80b-a3b"
[aws]
profile = "mine"
region = "us-west-2"
"""
# what YAML and compose would read as something else, where a name of a model can have it
ODD = "hosted_vllm/*odd:{model}#1-'q'&x!$HOME%s"
OTHERS = f"""\
[tiers.haiku]
model = "openai/gpt-5.6-luna"
[tiers.sonnet]
model = "{ODD}"
api_base = "https://models.example"
api_key = "file:/home/ann/groq-key"
context_window = 100000
max_output_tokens = 8000
[tiers.opus]
model = "hosted_vllm/big"
api_base = "http://10.1.2.3:8000/v1"
context_window = 100000
max_output_tokens = 8000
"""


def plan_of(text: str, name: str = "team") -> Plan:
    """The plan of a profile with these tiers."""
    body = text if text.startswith("[") else f"[tiers]\n{text}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{name}.toml").write_text(f"schema = 1\n{body}")
        catalog = Catalog.bundled()
        loaded = Library(Path(folder), Path(folder), catalog=catalog).load(name, env={})
        return compile_plan(name, loaded.profile, catalog.find, made_by="test")


def made(text: str, name: str = "team", *, has_redis: bool = False) -> Served:
    """What is served of it."""
    plan = plan_of(text, name)
    unit = next(one for one in plan.units if one.name == "providers")
    return serve_plan(plan, unit, image=IMAGE, made_by="test", has_redis=has_redis)
