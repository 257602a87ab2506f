"""Advice: what of a valid profile is worth a warning."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from openclaude.profile.advice import find_warnings
from openclaude.profile.library import Library

TODAY = datetime.date(2026, 11, 22)
AWS = '[aws]\nprofile = "p"\nregion = "us-west-2"\n'


def warnings(folder: Path, tier: str, today: datetime.date = TODAY) -> list[str]:
    """The warnings of a profile with this haiku tier, without the file's path."""
    path = folder / "x.toml"
    path.write_text(f"schema = 1\n[tiers.haiku]\n{tier}\n{AWS}")
    library = Library(folder, folder)
    found = find_warnings(library.load("x", env={}), library.catalog, today)
    return [str(warning).removeprefix(f"{path}:") for warning in found]


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ('model = "bedrock/qwen.qwen3-next-80b-a3b"', []),
        ('model = "claude"', []),
        (
            'model = "bedrock/mistral.voxtral-mini-3b-2507"',
            [
                "3: tiers.haiku.model: LiteLLM's map knows no tool support for this model, and "
                "claude needs tools",
                "3: tiers.haiku.context_window: 32768 tokens: claude's instructions and tools fill "
                "that quickly",
                "3: tiers.haiku.model: will be retired on 2027-03-30 (LiteLLM's map)",
            ],
        ),
        (
            'model = "bedrock/qwen.qwen3-next-80b-a3b"\ncontext_window = 63999',
            [
                "4: tiers.haiku.context_window: 63999 tokens: claude's instructions and tools fill "
                "that quickly"
            ],
        ),
        ('model = "bedrock/qwen.qwen3-next-80b-a3b"\ncontext_window = 64000', []),
        (
            'model = "bedrock/qwen.qwen3-next-80b-a3b"\nvision = true\ncontext_window = 262144',
            [
                "4: tiers.haiku.vision: LiteLLM's map says that this model cannot read images",
                "5: tiers.haiku.context_window: 262144 is more than the 256000 of LiteLLM's map",
            ],
        ),
        (
            'model = "bedrock/zai.glm-5.3"',
            [
                "3: tiers.haiku.model: AWS usually offers this model only under an id with a "
                "prefix: `bedrock/global.zai.glm-5.3`, `bedrock/us.zai.glm-5.3`"
            ],
        ),
        (
            'model = "bedrock/meta.llama4-maverick-17b-instruct-v1:0"',
            [
                "3: tiers.haiku.model: AWS usually offers this model only under an id with a "
                "prefix: `bedrock/us.meta.llama4-maverick-17b-instruct-v1:0`",
                "3: tiers.haiku.model: will be retired on 2027-03-30 (LiteLLM's map)",
            ],
        ),
        ('model = "bedrock/us.zai.glm-5.3"', []),
    ],
)
def test_a_tier_that_will_disappoint_is_warned_of(
    tmp_path: Path, tier: str, expected: list[str]
) -> None:
    assert warnings(tmp_path, tier) == expected


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (datetime.date(2026, 10, 1), True),  # 180 days before
        (datetime.date(2026, 9, 30), False),
        (datetime.date(2027, 3, 30), True),
    ],
)
def test_the_end_of_a_model_is_announced_half_a_year_before(
    tmp_path: Path, today: datetime.date, said: bool
) -> None:
    found = warnings(tmp_path, 'model = "bedrock/qwen.qwen3-coder-30b-a3b-v1:0"', today)

    assert found == (
        ["3: tiers.haiku.model: will be retired on 2027-03-30 (LiteLLM's map)"] if said else []
    )


def test_a_model_past_its_end_is_said_to_be(tmp_path: Path) -> None:
    after = datetime.date(2027, 3, 31)

    assert warnings(tmp_path, 'model = "bedrock/qwen.qwen3-coder-30b-a3b-v1:0"', after) == [
        "3: tiers.haiku.model: was to be retired on 2027-03-30 (LiteLLM's map)"
    ]


def test_a_warning_about_a_parents_line_names_the_parents_file(tmp_path: Path) -> None:
    (tmp_path / "parent.toml").write_text(f'schema = 1\ntiers.haiku = "bedrock/zai.glm-4.7"\n{AWS}')
    (tmp_path / "child.toml").write_text('schema = 1\nextends = "parent"\n')
    library = Library(tmp_path, tmp_path)

    (warning,) = find_warnings(library.load("child", env={}), library.catalog, TODAY)

    assert (warning.path, warning.line) == (tmp_path / "parent.toml", 2)
