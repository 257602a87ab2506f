"""A launch whose AWS login has expired: it logs in on a terminal, as the profile says."""

from __future__ import annotations

import pytest

from tests.process.test_doctor_situations import SSO
from tests.process.test_profiles_authoring import talk
from tests.process.world import World

# what stands for the AWS CLI: it says how it was called, and leaves the token that a login leaves
LOGS_IN = """import hashlib, json, os, sys
print("logging in with", *sys.argv[1:])
folder = os.path.expanduser("~/.aws/sso/cache")
os.makedirs(folder, exist_ok=True)
name = hashlib.sha1(b"corp").hexdigest()
token = {"accessToken": "t", "expiresAt": "2099-01-01T00:00:00Z", "startUrl": "https://corp/start"}
open(f"{folder}/{name}.json", "w").write(json.dumps(token))
"""
QUESTION = "run `aws sso login --profile openclaude` now? (yes or no) [no]: "
PROFILE = 'schema = 1\nextends = "qwen"\n[aws]\n'


@pytest.fixture
def expired(empty_world: World) -> World:
    """A world whose AWS profile is one of SSO's, without a login."""
    (empty_world.home / ".aws" / "config").write_text(SSO)
    (empty_world.home / ".aws" / "credentials").unlink(missing_ok=True)
    empty_world.profiles.mkdir(parents=True, exist_ok=True)
    return empty_world


def profile(world: World, *lines: str) -> None:
    (world.profiles / "mine.toml").write_text(PROFILE + "\n".join(lines))


def test_a_person_is_asked_and_the_stack_starts_after_the_login(expired: World) -> None:
    expired.script("aws", LOGS_IN)
    profile(expired)
    with talk(expired, "start", "mine") as one:
        one.wait_for("AWS profile `openclaude` is not logged in to SSO")
        one.wait_for(QUESTION)
        one.type("yes\n")
        status, out = one.finish()
    expired.run("stop", "mine")

    assert status == 0
    assert "logging in with sso login --profile openclaude" in one.shown
    assert "logging in" not in out


@pytest.mark.parametrize(
    ("lines", "program", "said"),
    [
        (('on_expired = "login"',), "aws", "logging in with sso login --profile openclaude"),
        (
            ('on_expired = "login"', 'login = "command:corp-login --for work"'),
            "corp-login",
            "logging in with --for work",
        ),
    ],
)
def test_a_profile_can_log_in_without_a_question_and_with_a_program_of_its_own(
    expired: World, lines: tuple[str, ...], program: str, said: str
) -> None:
    expired.script(program, LOGS_IN)
    profile(expired, *lines)
    with talk(expired, "start", "mine") as one:
        one.wait_for(said)
        status, _ = one.finish()
    expired.run("stop", "mine")

    assert status == 0
    assert "(yes or no)" not in one.shown


@pytest.mark.parametrize(
    ("lines", "script"),
    [
        (('on_expired = "stop"',), LOGS_IN),
        (('on_expired = "login"',), "raise SystemExit(1)\n"),
        (('on_expired = "login"',), "print('no token was left')\n"),
        (('on_expired = "login"',), ""),
    ],
)
def test_without_a_login_nothing_starts_and_the_command_is_told(
    expired: World, lines: tuple[str, ...], script: str
) -> None:
    if script:
        expired.script("aws", script)
    profile(expired, *lines)
    with talk(expired, "start", "mine") as one:
        status, _ = one.finish()

    assert status == 1
    assert "run `aws sso login --profile openclaude`" in one.shown


def test_without_a_terminal_nobody_is_asked(expired: World) -> None:
    expired.script("aws", LOGS_IN)
    profile(expired, 'on_expired = "login"')

    ran = expired.run("start", "mine")

    assert ran.status == 1
    assert "logging in" not in ran.out + ran.err
    assert "run `aws sso login --profile openclaude`" in ran.err
