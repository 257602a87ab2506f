"""docs/aws.md: its blocks are generated here, and the manual steps work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import boto3
import botocore.session
import pytest
from moto import mock_aws

from tests.conftest import REPOSITORY
from tests.unit.aws.iam import is_allowed
from tests.unit.aws.test_aws_policy import IDS, ON_BEDROCK, QWEN, every_check
from tests.unit.test_docs import BLOCK, find_block, run

PAGE = REPOSITORY / "docs" / "aws.md"
LARGEST_POLICY = 6144  # characters of a managed policy, without whitespace (IAM's quotas)


def console(*arguments: str) -> str:
    """Return one of our commands and its output."""
    status, text = run(*arguments)
    assert status == 0
    return f"```console\n$ openclaude {' '.join(arguments)}\n{text}```\n"


def setup_block() -> str:
    arguments = ("--method", "sso", "--sso-start-url", "https://d-1234567890.awsapps.com/start")
    more = ("--sso-region", "us-east-1", "--account", "123456789012", "--role", "Developer")
    return console("aws", "setup", *arguments, *more, "--dry-run")


BLOCKS: list[tuple[str, Callable[[], str]]] = [
    ("policy", lambda: console("aws", "policy", "--profile", "qwen")),
    (
        "policy-nova",
        lambda: console("aws", "policy", "--profile", "nova", "--account", "123456789012"),
    ),
    ("setup", setup_block),
]


@pytest.mark.parametrize(("name", "make"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_a_generated_block_is_fresh(
    request: pytest.FixtureRequest, name: str, make: Callable[[], str]
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    text = make()
    if request.config.getoption("--update-golden"):
        old = BLOCK.format(name=name, text=find_block(page, name))
        PAGE.write_text(page.replace(old, BLOCK.format(name=name, text=text)), "utf-8")
        page = PAGE.read_text(encoding="utf-8")

    assert find_block(page, name) == text


def by_hand(language: str) -> list[str]:
    """Return the blocks of one language under "By hand"."""
    part = PAGE.read_text(encoding="utf-8").partition("## By hand")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)


def test_the_policy_by_hand_allows_the_shipped_profile_and_nothing_else() -> None:
    (text,) = by_hand("json")
    policy = json.loads(text)

    allowed = {
        model_id
        for model_id in IDS
        if any(is_allowed(policy, check) for check in every_check(model_id))
    }
    assert allowed == {QWEN}
    assert all(is_allowed(policy, check) for check in every_check(QWEN))


@pytest.fixture
def by_hand_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home with the two files as the page shows them."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "OPENCLAUDE_AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home" / ".aws"
    folder.mkdir(parents=True)
    for text in by_hand("ini"):
        heading, _, content = text.partition("\n")
        (folder / heading.rpartition("/")[2]).write_text(content)
    return folder.parent


def test_botocore_reads_the_files_by_hand(by_hand_home: Path) -> None:
    found = botocore.session.Session(profile="openclaude")

    assert sorted(path.name for path in (by_hand_home / ".aws").iterdir()) == [
        "config",
        "credentials",
    ]
    assert found.get_config_variable("region") == "us-west-2"
    assert found.get_credentials().access_key == "AKIAIOSFODNN7EXAMPLE"
    assert found.get_credentials().secret_key in PAGE.read_text(encoding="utf-8")


def test_setup_finds_nothing_to_change_in_the_files_by_hand(by_hand_home: Path) -> None:
    nothing = "AWS profile `openclaude` is already set up that way; nothing changed\n"
    assert run("aws", "setup") == (0, nothing)


def test_the_commands_by_hand_are_taken_by_an_iam(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's IAM validates a policy's grammar; for every built-in profile and the page's own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    texts = [run("aws", "policy", "--profile", name)[1] for name in ON_BEDROCK]
    texts += by_hand("json")
    with mock_aws():
        iam = boto3.client("iam", region_name="us-east-1")
        iam.create_user(UserName="openclaude")
        for number, text in enumerate(texts):
            made = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=text)
            iam.attach_user_policy(UserName="openclaude", PolicyArn=made["Policy"]["Arn"])
        attached = iam.list_attached_user_policies(UserName="openclaude")["AttachedPolicies"]

    assert len(attached) == len(texts)
    assert max(len("".join(text.split())) for text in texts) < LARGEST_POLICY
