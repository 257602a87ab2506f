"""The documentation's generated blocks are made here, so that none can be stale.

A block is between `<!-- generated: NAME -->` and `<!-- end -->`; `--update-golden` (build/docs)
writes it. The demo's block is the output of a run; the end-to-end tests compare it with a new one.
"""

from __future__ import annotations

import ast
import io
import os
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from openclaude import cli
from openclaude.commands.payloads.table import PAYLOADS
from openclaude.compatibility import numbers, read_trials
from openclaude.errors import CODES
from openclaude.paths import find_places, find_shipped
from openclaude.profile.library import Library
from openclaude.profile.schema import Profile
from openclaude.providers.table import SHOWN
from tests.conftest import NOWHERE, REPOSITORY
from tests.unit.source import parsed

BLOCK = "<!-- generated: {name} -->\n{text}<!-- end -->"

EXAMPLE = """\
schema = 1
description = "Opus from the plan; the rest on Bedrock"
extends = "qwen"                             # inherit all other values

[tiers]
opus = "claude"                              # your plan, the default for every tier
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
    """Return openclaude's exit status and everything it prints."""
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
    shipped = find_shipped(REPOSITORY / "openclaude")
    library = Library(Path(NOWHERE), shipped)
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


def providers_block() -> str:
    rows = ["| provider | what it is | default key | default address |"]
    rows += ["|---|---|---|---|"]
    for provider in SHOWN:
        variable = provider.key_variable
        key = f"`{variable}`" if variable else "" if provider.needs_key else "none"
        base = f"`{provider.base}`" if provider.base else "its own"
        needed = [f"`params.{one}`" for one in provider.params]
        said = "; needs ".join([provider.title, *([" and ".join(needed)] if needed else [])])
        base = "required" if provider.needs_base else base
        rows.append(f"| `{provider.name}/` | {said} | {key or 'required'} | {base} |")
    return "\n".join(rows) + "\n"


def codes_block() -> str:
    rows = ["| code | meaning |", "|---|---|"]
    rows += [f"| `{code}` | {CODES[code]} |" for code in sorted(CODES)]
    return "\n".join(rows) + "\n"


def payloads_block() -> str:
    rows = ["| command | key | what it says |", "|---|---|---|"]
    for command, keys in PAYLOADS.items():
        rows += [f"| `{command}` | `{key}` | {said} |" for key, said in keys.items()]
    return "\n".join(rows) + "\n"


def compat_block() -> str:
    """Return a row for each claude, a column for each LiteLLM, newest first."""
    trials = read_trials()
    columns = sorted({one.litellm for one in trials}, key=numbers, reverse=True)
    outcome = {(one.claude, one.litellm): f"{one.outcome}, {one.date}" for one in trials}
    rows = ["| Claude Code | " + " | ".join(f"LiteLLM {one}" for one in columns) + " |"]
    rows += ["|---" * (len(columns) + 1) + "|"]
    for claude in dict.fromkeys(one.claude for one in trials):
        cells = [outcome.get((claude, litellm), "") for litellm in columns]
        rows += [f"| {claude} | " + " | ".join(cells) + " |"]
    return "\n".join(rows) + "\n"


# the order in which the source tree is read; what is not named here follows by name
FIRST: tuple[str, ...] = (
    "cli.py",
    "commands",
    "doctor",
    "compile",
    "profile",
    "models",
    "providers",
    "claude",
)
FIRST += ("aws", "contracts", "run", "gateway", "standins")


def summary(path: Path) -> str:
    """The first line of a module's docstring, or of a package's."""
    return (ast.get_docstring(parsed(path)) or "").partition("\n")[0]


def tree_lines(folder: Path, depth: int) -> list[str]:
    """A line for each folder in a folder, with what it contains below it."""
    lines = []
    for init in sorted(folder.glob("*/__init__.py"), key=in_reading_order):
        lines += [f"{'  ' * depth}{init.parent.name}/".ljust(20) + f" {summary(init)}"]
        lines += tree_lines(init.parent, depth + 1)
    return lines


def in_reading_order(path: Path) -> tuple[int, str]:
    """A key to sort by: as `FIRST` has it, then by name."""
    name = path.parent.name if path.name == "__init__.py" else path.name
    return (FIRST.index(name) if name in FIRST else len(FIRST), name)


def tree_block() -> str:
    """Each folder of openclaude/ and each module directly in it, with its own first sentence."""
    package = REPOSITORY / "openclaude"
    modules = sorted(
        (path for path in package.glob("*.py") if not path.name.startswith("__")),
        key=in_reading_order,
    )
    lines = [f"  {path.name}".ljust(20) + f" {summary(path)}" for path in modules]
    return "\n".join(("```", "openclaude/", *tree_lines(package, 1), *lines, "```", ""))


BLOCKS = [
    ("docs/architecture.md", "tree", tree_block),
    ("README.md", "compat", compat_block),
    ("README.md", "example", example_block),
    ("README.md", "profiles", profiles_block),
    ("README.md", "help", help_block),
    ("README.md", "errors", errors_block),
    ("docs/profiles.md", "providers", providers_block),
    ("docs/json.md", "codes", codes_block),
    ("docs/json.md", "payloads", payloads_block),
]


def find_block(document: str, name: str) -> str:
    """Return the text of a generated block."""
    found = re.search(BLOCK.format(name=name, text="(.*?)"), document, re.DOTALL)
    assert found, f"no block `{name}`"
    return found[1]


@pytest.mark.parametrize(("file", "name", "make"), BLOCKS, ids=[name for _, name, _ in BLOCKS])
def test_a_generated_block_is_fresh(
    request: pytest.FixtureRequest, file: str, name: str, make: Callable[[], str]
) -> None:
    path = REPOSITORY / file
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


@pytest.mark.parametrize(
    "path", [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
)
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
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors(text)


# -- docs/security.md ---------------------------------------------------------------------------

SECURITY = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
NAMED_TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)))


@pytest.mark.parametrize(("path", "name"), NAMED_TESTS)
def test_a_test_that_the_security_page_names_is_there(path: str, name: str) -> None:
    assert f"def {name}(" in (REPOSITORY / path).read_text(encoding="utf-8")


def test_each_line_about_an_attacker_names_a_test() -> None:
    section = SECURITY.partition("## Who could attack")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("|")][2:]

    assert len(rows) > 10
    assert [row for row in rows if "`tests/" not in row] == []
