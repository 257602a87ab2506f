"""`openclaude aws setup` as a user sees it: questions, secrets that are not displayed, Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.test_profiles_authoring import Talk, talk
from tests.process.world import World

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
START = "https://d-1234567890.awsapps.com/start"
SSO = (
    *("--method", "sso", "--sso-start-url", START, "--sso-region", "us-east-1"),
    *("--account", "123456789012", "--role", "Developer"),
)


@pytest.fixture
def folder(empty_world: World) -> Path:
    return Path(empty_world.env["HOME"]) / ".aws"


def answer(one: Talk, *pairs: tuple[str, str | None]) -> None:
    """Wait for each line and type the answer to it, unless it is None.

    Where a secret is asked for, the terminal drops what was typed before the prompt.

    """
    for shown, typed in pairs:
        one.wait_for(shown)
        if typed is not None:
            one.type(f"{typed}\n")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*") if path.is_file()}


def test_a_person_makes_a_profile_with_keys_that_are_never_shown(
    empty_world: World, folder: Path
) -> None:
    before = contents(folder)
    with talk(empty_world, "aws", "setup", "--name", "fresh") as one:
        answer(
            one,
            ("credentials come from? [sso]: ", "magic"),
            ("error: please answer keys, sso, assume-role, process or api-key", None),
            ("credentials come from? [sso]: ", "keys"),
            ("access key id: ", "nonsense"),
            ("must have 16 or more capital letters and digits, not `nonsense`", None),
            ("access key id: ", KEY_ID),
            ("secret access key: ", SECRET),
            ("session token, if there is one: ", ""),
            ("region [us-west-2]: ", ""),
            ("write this for AWS profile `fresh`? (yes or no) [no]: ", "yes"),
        )
        status, out = one.finish()

    assert (status, "wrote `~/.aws/credentials`" in out) == (0, True)
    assert SECRET not in one.shown + out
    assert contents(folder)["credentials"] == before.get("credentials", "") + (
        "\n" if before.get("credentials") else ""
    ) + (f"[fresh]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")


def test_a_bedrock_api_key_is_asked_without_echo_and_only_in_its_own_file(
    empty_world: World, folder: Path
) -> None:
    before = contents(folder)
    key = "ABSKCANARY-bedrock-key-CANARY"
    with talk(empty_world, "aws", "setup", "--name", "fresh", "--profile", "bedrock") as one:
        answer(
            one,
            ("credentials come from? [sso]: ", "api-key"),
            ("Bedrock API key (not shown): ", "two words of it"),
            ("error: a Bedrock API key is one line", None),
            ("Bedrock API key (not shown): ", key),
            ("do this for the profile `bedrock`? (yes or no) [no]: ", "yes"),
        )
        status, out = one.finish()

    assert (status, contents(folder)) == (0, before)
    assert "CANARY" not in one.shown + out
    home = Path(empty_world.env["HOME"])
    holding = [
        path for path in home.rglob("*") if path.is_file() and b"CANARY" in path.read_bytes()
    ]
    assert [(path.name, path.stat().st_mode & 0o777) for path in holding] == [("bedrock", 0o600)]
    profile = (empty_world.profiles / "bedrock.toml").read_text()
    assert f'api_key = "file:{holding[0]}"' in profile


def test_no_is_no_and_writes_nothing(empty_world: World, folder: Path) -> None:
    before = contents(folder)
    with talk(empty_world, "aws", "setup", "--name", "fresh", *SSO) as one:
        answer(one, ("region [us-west-2]: ", ""), ("(yes or no) [no]: ", ""))
        status, out = one.finish()

    assert (status, out) == (1, "")
    assert one.shown.endswith("nothing changed\r\n")
    assert contents(folder) == before


@pytest.mark.parametrize("question", ["access key id: ", "secret access key: "])
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_an_interrupted_question_is_130_and_writes_nothing(
    empty_world: World, folder: Path, question: str, key: str
) -> None:
    before = contents(folder)
    with talk(empty_world, "aws", "setup", "--name", "fresh", "--method", "keys") as one:
        if question.startswith("secret"):
            answer(one, ("access key id: ", KEY_ID))
        one.wait_for(question)
        one.type(key)
        status, out = one.finish()

    assert (status, out) == (130, "")
    assert contents(folder) == before


def test_the_login_is_run_by_the_aws_cli_after_a_yes(empty_world: World, folder: Path) -> None:
    empty_world.script("aws", "import sys\nprint('logged in with', *sys.argv[1:])\n")
    with talk(empty_world, "aws", "setup", "--name", "fresh", *SSO) as one:
        answer(
            one,
            ("region [us-west-2]: ", ""),
            ("AWS profile `fresh`? (yes or no) [no]: ", "yes"),
            ("run `aws sso login --profile fresh` now? (yes or no) [no]: ", "yes"),
        )
        status, out = one.finish()

    assert status == 0
    assert "logged in with sso login --profile fresh" in one.shown
    assert "logged in" not in out
    assert "next:" not in out


def test_a_profile_that_is_there_is_shown_and_keeps_what_enter_takes(
    empty_world: World, folder: Path
) -> None:
    run = empty_world.run("aws", "setup", "--name", "fresh", *SSO, "--yes")
    assert run.status == 0
    before = contents(folder)
    with talk(empty_world, "aws", "setup") as one:
        answer(
            one,
            ("name of the AWS profile [openclaude]: ", "fresh"),
            ("`fresh` exists: IAM Identity Center (SSO)", None),
            ("credentials come from? [sso]: ", ""),
            (f"start URL [{START}]: ", ""),
            ("region of IAM Identity Center [us-east-1]: ", ""),
            ("AWS account [123456789012]: ", ""),
            ("role, by its name [Developer]: ", ""),
            ("region [us-west-2]: ", ""),
        )
        status, out = one.finish()

    assert "Existing AWS profiles: openclaude, fresh." in one.shown
    assert out == "AWS profile `fresh` is already set up that way; nothing changed\n"
    assert status == 0
    assert contents(folder) == before


def test_keys_that_are_there_stay_when_enter_is_pressed(empty_world: World, folder: Path) -> None:
    given = empty_world.root / "keys"
    given.write_text(f"{KEY_ID}\n{SECRET}\n")
    with given.open() as keys:
        run = empty_world.run(
            *("aws", "setup", "--name", "fresh", "--keys-from-stdin", "--yes"), stdin=keys
        )
    assert run.status == 0
    before = contents(folder)["credentials"]
    with talk(empty_world, "aws", "setup", "--name", "fresh") as one:
        answer(
            one,
            ("credentials come from? [keys]: ", ""),
            (f"access key id [{KEY_ID}]: ", ""),
            ("secret access key [unchanged]: ", ""),
            ("session token, if there is one: ", ""),
            ("region [us-west-2]: ", "eu-west-1"),
            ("(yes or no) [no]: ", "yes"),
        )
        status, _ = one.finish()

    assert (status, SECRET in one.shown) == (0, False)
    assert contents(folder)["credentials"] == before
    assert "region = eu-west-1\n" in contents(folder)["config"]
