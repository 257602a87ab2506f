"""The documentation's blocks are made here, so that none can be stale.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`; `--update-golden` (build/docs)
writes it. The demo's block is what a run printed; the end-to-end tests compare it with a fresh one.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from openclaude import cli
from openclaude.places import find_places, find_shipped
from openclaude.profile.library import Library
from openclaude.profile.providers import find_provider
from openclaude.profile.schema import Profile

ROOT = Path(__file__).resolve().parents[2]
BLOCK = "<!-- generated: {name} -->\n{text}<!-- end -->"

EXAMPLE = """\
schema = 1
description = "Opus from the plan; the rest on Bedrock"
extends = "qwen"                             # take over what is not said here

[tiers]
opus = "claude"                              # your plan, as it is for every tier left out
fable = "claude-opus-5-5"                    # a Claude model by its id

[tiers.sonnet]                               # the long form
model = "bedrock/qwen.qwen3-coder-next"      # LiteLLM's own provider/model name
region = "us-east-1"                         # this tier only
label = "Qwen3 Coder Next"                   # what claude shows
max_output_tokens = 12000                    # default: the model's cap in LiteLLM's map
fallbacks = ["openai/gpt-5.6-terra"]         # when the first is throttled or down; OPENAI_API_KEY

[aws]
profile = "openclaude"                       # a profile of ~/.aws, never a key
region = "us-west-2"

[listen]
port = 4100                                  # and 4101; the next free pair when one is in use

[agents]
explore = "haiku"                            # claude's own Explore agent
"""


def run(*arguments: str) -> tuple[int, str]:
    """openclaude's exit status and everything it prints."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        status = cli.main(list(arguments))
    return status, out.getvalue()


def profiles_folder() -> Path:
    folder = find_places(os.environ).profiles
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def example_block() -> str:
    return f"```toml\n{EXAMPLE}```\n"


def profiles_block() -> str:
    rows = ["| profile | what it is for |", "|---|---|"]
    shipped = find_shipped(ROOT / "openclaude")
    library = Library(Path("/nonexistent"), shipped)
    for entry in library.entries():
        profile: Profile = library.load(entry.name, env={}).profile
        rows.append(f"| `{entry.name}` | {profile.description} |")
    return "\n".join(rows) + "\n"


def help_block() -> str:
    _, text = run("--help")
    return f"```console\n$ openclaude --help\n{text}```\n"


def errors_block() -> str:
    folder = profiles_folder()
    (folder / "mine.toml").write_text(
        'schema = 1\n\n[tiers]\nhaiku = "bedrock/qwen.qwen4-next-80b"\nsonet = "claude"\n\n'
        '[aws]\nregion = "us-west-22"\n'
    )
    _, unknown = run("profiles", "show", "qwem")
    _, mistakes = run("profiles", "validate", "mine")
    shown = mistakes.replace(str(folder), "~/.config/openclaude/profiles")
    return (
        f"```console\n$ openclaude profiles show qwem\n{unknown}"
        f"$ openclaude profiles validate mine\n{shown}```\n"
    )


SHOWN_PROVIDERS = {
    "bedrock": "AWS Bedrock, Converse; the credentials of `aws.profile`",
    "openai": "OpenAI; with `api_base` any server like it",
    "gemini": "Google's Gemini API",
    "openrouter": "OpenRouter",
    "deepseek": "DeepSeek",
    "moonshot": "Moonshot AI (Kimi)",
    "zai": "Z.ai (GLM)",
    "groq": "Groq",
    "azure": "Azure OpenAI; MODEL is your deployment",
    "vertex_ai": "Google Vertex AI; Google's default credentials",
    "ollama": "Ollama",
    "hosted_vllm": "vLLM and others like OpenAI",
    "lm_studio": "LM Studio",
    "anthropic": "a third party that speaks Anthropic's language",
}


def providers_block() -> str:
    rows = ["| provider | is | key, unless `api_key` says | address, unless `api_base` says |"]
    rows += ["|---|---|---|---|"]
    for name, what in SHOWN_PROVIDERS.items():
        provider = find_provider(name)
        key = f"`{provider.key}`" if provider.key else "none" if not provider.needs_key else ""
        base = f"`{provider.base}`" if provider.base else "its own"
        needed = [f"`params.{one}`" for one in provider.params]
        said = "; needs ".join([what, *([" and ".join(needed)] if needed else [])])
        base = "must be said" if provider.needs_base else base
        rows.append(f"| `{name}/` | {said} | {key or 'must be said'} | {base} |")
    return "\n".join(rows) + "\n"


BLOCKS = [
    ("README.md", "example", example_block),
    ("README.md", "profiles", profiles_block),
    ("README.md", "help", help_block),
    ("README.md", "errors", errors_block),
    ("docs/profiles.md", "providers", providers_block),
]


def find_block(document: str, name: str) -> str:
    """The text of a generated block."""
    found = re.search(BLOCK.format(name=name, text="(.*?)"), document, re.DOTALL)
    assert found, f"no block `{name}`"
    return found[1]


@pytest.mark.parametrize(("file", "name", "make"), BLOCKS, ids=[name for _, name, _ in BLOCKS])
def test_a_generated_block_is_fresh(
    request: pytest.FixtureRequest, file: str, name: str, make: Callable[[], str]
) -> None:
    path = ROOT / file
    document = path.read_text(encoding="utf-8")
    text = make()
    if request.config.getoption("--update-golden"):
        old = BLOCK.format(name=name, text=find_block(document, name))
        path.write_text(document.replace(old, BLOCK.format(name=name, text=text)), "utf-8")
        document = path.read_text(encoding="utf-8")

    assert find_block(document, name) == text


def test_the_readmes_example_is_a_valid_profile() -> None:
    (profiles_folder() / "mine.toml").write_text(EXAMPLE)

    status, text = run("profiles", "validate", "mine")

    assert status == 0, text


def markdown_links(text: str) -> set[str]:
    return set(re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text))


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    missing = [
        link
        for link in markdown_links(path.read_text(encoding="utf-8"))
        if "://" not in link and not (path.parent / link).exists()
    ]

    assert missing == []


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_every_link_inside_the_readme_leads_to_a_heading() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors(text)
