"""`vision` of a tier: whether it sees, or who describes images for it; never Claude."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.profile.test_profile_providers import AWS, report
from tests.unit.profile.test_profile_warnings import warnings

QWEN = 'model = "bedrock/qwen.qwen3-next-80b-a3b"\n'
HAIKU = f"[tiers.haiku]\n{QWEN}vision = "
NOVA = "bedrock/amazon.nova-lite-v1:0"
EXAMPLE = f"name a model that sees images, for example `{NOVA}`"
SHAPES = f"for example `{NOVA}`, or the name of a tier that sees images"
SEEING = f'[tiers.sonnet]\nmodel = "{NOVA}"\n'


@pytest.mark.parametrize(
    "text",
    [
        f"{HAIKU}true\n",
        f"{HAIKU}false\n",
        f'{HAIKU}"{NOVA}"\n',
        f'{HAIKU}"bedrock/us-east-1/amazon.nova-lite-v1:0"\n',
        f'{HAIKU}"openai/gpt-5.6-luna"\n',
        f'{HAIKU}"sonnet"\n{SEEING}',
        f'{HAIKU}"sonnet"\n{SEEING}vision = true\n',
    ],
)
def test_a_tier_sees_or_names_who_describes_images(tmp_path: Path, text: str) -> None:
    assert report(tmp_path, text + AWS) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"{HAIKU}'yes'\n", [f"must be `true`, `false`, a tier or a model; {SHAPES}"]),
        (f"{HAIKU}3\n", [f"must be `true`, `false`, a tier or a model; {SHAPES}"]),
        (
            f'{HAIKU}"claude"\n',
            [
                "must be a provider's model: your Claude login gets no images of other tiers; "
                f"{SHAPES}"
            ],
        ),
        (
            f'{HAIKU}"claude-opus-5-5"\n',
            [
                "must be a provider's model: your Claude login gets no images of other tiers; "
                f"{SHAPES}"
            ],
        ),
        (
            f'{HAIKU}"opus"\n',
            [f"`opus` is Claude, which gets no images of other tiers; {EXAMPLE}"],
        ),
        (
            f'{HAIKU}"opus"\n[tiers]\nopus = "claude-opus-5-5"\n',
            [f"`opus` is Claude, which gets no images of other tiers (x.toml:6); {EXAMPLE}"],
        ),
        (f'{HAIKU}"haiku"\n', [f"is the tier itself; {EXAMPLE}"]),
        (
            f'{HAIKU}"sonnet"\n{SEEING}vision = "openai/gpt-5.6-luna"\n',
            [f"`sonnet` does not see images either (x.toml:7); {EXAMPLE}"],
        ),
        (
            f'{HAIKU}"sonnet"\n{SEEING}vision = false\n',
            [f"`sonnet` does not see images either (x.toml:7); {EXAMPLE}"],
        ),
        (
            f'{HAIKU}"bedrock/amazon.nova-lite-v9:0"\n',
            [
                'no chat model named "bedrock/amazon.nova-lite-v9:0" in LiteLLM\'s map; did you '
                f"mean `{NOVA}` or `bedrock/amazon.nova-2-lite-v1:0` or "
                "`bedrock/us.amazon.nova-lite-v1:0`? a model that is not in the map needs "
                "`context_window` and `max_output_tokens`"
            ],
        ),
        (
            f'{HAIKU}"anthropic/claude-opus-5-5"\n',
            [
                "`anthropic/` needs settings that only a tier can have; use a model of `bedrock`",
            ],
        ),
    ],
)
def test_who_cannot_describe_images_is_refused_at_its_line(
    tmp_path: Path, text: str, lines: list[str]
) -> None:
    found = report(tmp_path, text + AWS)

    assert found == [f"x.toml:4: tiers.haiku.vision: {line}" for line in lines]


def test_a_model_that_describes_images_on_bedrock_needs_aws(tmp_path: Path) -> None:
    text = f'[tiers.haiku]\nmodel = "openai/gpt-5.6-luna"\nvision = "{NOVA}"\n'

    assert [line.partition(";")[0] for line in report(tmp_path, text)] == [
        "x.toml:1: aws.profile: is missing",
        "x.toml:1: aws.region: is missing",
    ]


BLIND = "according to LiteLLM's map, this model cannot read images"
DEEPSEEK = "bedrock/deepseek.v3.2"


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        (f'{QWEN}vision = "{NOVA}"', []),
        (f'{QWEN}vision = "{DEEPSEEK}"', [f"4: tiers.haiku.vision: `{DEEPSEEK}`: {BLIND}"]),
        (
            f'{QWEN}vision = "sonnet"\n[tiers.sonnet]\nmodel = "{DEEPSEEK}"',
            [f"4: tiers.haiku.vision: `sonnet`: {BLIND}"],
        ),
        (
            f'{QWEN}vision = "sonnet"\n[tiers.sonnet]\nmodel = "{DEEPSEEK}"\nvision = true',
            [f"7: tiers.sonnet.vision: {BLIND}"],
        ),
        (
            f'model = "{NOVA}"\nvision = "openai/gpt-5.6-luna"',
            [
                "4: tiers.haiku.vision: the tier's model reads images itself: it gets descriptions "
                "in their place"
            ],
        ),
    ],
)
def test_eyes_that_will_disappoint_are_warned_of(
    tmp_path: Path, tier: str, expected: list[str]
) -> None:
    assert warnings(tmp_path, tier) == expected
