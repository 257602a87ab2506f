"""`openclaude setup`: from an empty home to a first launch by answering questions, once only.

The claude and the AWS CLI here are a few lines each, which do what is requested of the real ones.
"""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.pinned import CLAUDE_VERSION
from tests.process.test_profiles_authoring import talk
from tests.process.world import World

CLAUDE = """\
#!/bin/sh
case "$*" in
  --version) echo "VERSION (Claude Code)" ;;
  "auth status") cat "$HOME/login.json" ;;
  "auth login")
    echo "Paste the code:"
    read code
    echo '{"loggedIn": true, "authMethod": "claude.ai", "subscriptionType": "max"}' \\
      > "$HOME/login.json"
    echo '{}' > "$HOME/.claude.json" ;;
esac
""".replace("VERSION", CLAUDE_VERSION)
AWS_CLI = """\
import hashlib, json, pathlib, sys
assert sys.argv[1:] == ["sso", "login", "--profile", "openclaude"], sys.argv
cache = pathlib.Path.home() / ".aws" / "sso" / "cache"
cache.mkdir(parents=True)
name = hashlib.sha1(b"corp").hexdigest()
token = {"accessToken": "x", "expiresAt": "2099-01-01T00:00:00Z"}
(cache / f"{name}.json").write_text(json.dumps(token))
"""
SSO = (
    "[profile openclaude]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = x\n"
    "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp/start\n"
)
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
WHICH = "Which profile do you want to use? [qwen]: "
LOG_IN = "Run `claude auth login` now? (yes or no) [no]: "
SET_UP = "Run `openclaude aws setup --name openclaude` now? (yes or no) [no]: "
ASK_AWS = "for one token each (less than a US cent)? (yes or no) [no]: "
# a user with nothing: every question, and the input
FROM_NOTHING = (
    (WHICH, ""),
    (LOG_IN, "yes"),
    ("Paste the code:", "1234"),
    (SET_UP, "yes"),
    ("credentials come from? [sso]: ", "keys"),
    ("access key id: ", KEY_ID),
    ("secret access key: ", SECRET),
    ("session token, if there is one: ", ""),
    ("region [us-west-2]: ", ""),
    ("write this for AWS profile `openclaude`? (yes or no) [no]: ", "yes"),
    (ASK_AWS, ""),
)


@pytest.fixture
def method() -> str:
    """No stack is started."""
    return "fork"


@pytest.fixture
def nothing(empty_world: World) -> World:
    """A home with a claude without a login, and without an AWS profile."""
    empty_world.executable("claude", CLAUDE)
    (empty_world.home / "login.json").write_text('{"loggedIn": false}')
    shutil.rmtree(empty_world.home / ".aws")
    return empty_world


@pytest.fixture
def furnished(nothing: World) -> World:
    """The same with a login and an AWS profile."""
    (nothing.home / "login.json").write_text('{"loggedIn": true, "authMethod": "claude.ai"}')
    (nothing.home / ".claude.json").write_text("{}")
    (nothing.home / ".aws").mkdir(mode=0o700)
    keys = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
    path = nothing.home / ".aws" / "credentials"
    path.write_text(f"[openclaude]\n{keys}")
    path.chmod(0o600)
    return nothing


def states(out: str) -> dict[str, str]:
    """Return the result of each step, from the table."""
    rows = re.findall(r"^(ok|done|skipped|missing) +(\w+) ", out, re.MULTILINE)
    return {step: state for state, step in rows}


def test_a_person_with_nothing_gets_everything_by_answering(nothing: World) -> None:
    with talk(nothing, "setup") as one:
        for question, typed in FROM_NOTHING:
            one.wait_for(question)
            one.type(f"{typed}\n")
        status, out = one.finish()

    assert (status, out.splitlines()[-1]) == (0, "start with: openclaude")
    assert states(out) == {
        "claude": "ok",
        "login": "done",
        "aws": "done",
        "keys": "ok",
        "profile": "ok",
        "models": "skipped",
        "check": "ok",
    }
    assert SECRET not in one.shown + out
    assert nothing.run("doctor").status == 0


def test_an_aws_profile_that_is_there_is_taken_by_its_name(furnished: World) -> None:
    credentials = furnished.home / ".aws" / "credentials"
    credentials.write_text(credentials.read_text().replace("[openclaude]", "[work]"))
    with talk(furnished, "setup") as one:
        one.wait_for(WHICH)
        one.type("\n")
        one.wait_for("You have: work.")
        one.type("work\n")
        one.wait_for(ASK_AWS)
        one.type("\n")
        status, out = one.finish()

    assert status == 0
    assert states(out)["aws"] == "done"
    assert "AWS profile `work`" in out
    assert 'profile = "work"' in (furnished.profiles / "qwen.toml").read_text()


def test_a_second_run_changes_no_byte(nothing: World) -> None:
    with talk(nothing, "setup") as one:
        for question, typed in FROM_NOTHING:
            one.wait_for(question)
            one.type(f"{typed}\n")
        assert one.finish()[0] == 0
    before = nothing.files()

    with talk(nothing, "setup") as one:
        for question in (WHICH, ASK_AWS):
            one.wait_for(question)
            one.type("\n")
        status, out = one.finish()

    assert status == 0
    assert set(states(out).values()) == {"ok", "skipped"}
    assert nothing.files() == before
    assert nothing.run("setup", "--yes").status == 0
    assert nothing.files() == before


@pytest.mark.parametrize("stop", range(len(FROM_NOTHING)))
def test_an_interrupted_setup_leaves_whole_files_and_can_go_on(nothing: World, stop: int) -> None:
    before = nothing.files()
    with talk(nothing, "setup") as one:
        for question, typed in FROM_NOTHING[:stop]:
            one.wait_for(question)
            one.type(f"{typed}\n")
        one.wait_for(FROM_NOTHING[stop][0])
        one.type("\x03")
        status, out = one.finish()

    assert (status, out) == (130, "")
    claudes = {"home/.claude.json"}  # written when it has logged in
    changed = {path for path in nothing.files() if path not in before} - claudes
    assert changed <= {"home/.aws", "home/.aws/config", "home/.aws/credentials"}
    assert bool(changed) == (stop == len(FROM_NOTHING) - 1)


def test_where_nobody_can_be_asked_it_says_what_is_missing_and_writes_nothing(
    nothing: World,
) -> None:
    before = nothing.files()

    done = nothing.run("setup")

    assert (done.status, done.err) == (1, "")
    assert done.out == (
        "STATE    STEP     WHAT\n"
        f"ok       claude   claude {CLAUDE_VERSION}\n"
        "missing  login    claude is not logged in\n"
        "missing  aws      AWS profile `openclaude` does not exist on this machine\n"
        "ok       keys     the profile needs no keys\n"
        "ok       profile  `qwen` is the default\n"
        "skipped  models   waiting for: login, aws\n"
        "skipped  check    waiting for: login, aws\n"
        "\nlogin: run `claude auth login`"
        "\naws: run `openclaude aws setup --name openclaude`\n"
        "\n2 steps left; then run `openclaude setup` again, or see `openclaude doctor`\n"
    )
    assert nothing.files() == before


def test_no_is_no(nothing: World) -> None:
    before = nothing.files()
    with talk(nothing, "setup") as one:
        for question in (WHICH, LOG_IN, SET_UP):
            one.wait_for(question)
            one.type("\n")
        status, out = one.finish()

    assert status == 1
    assert [step for step, state in states(out).items() if state == "missing"] == ["login", "aws"]
    assert nothing.files() == before


def test_another_profile_is_chosen_by_flag_and_used_from_then_on(furnished: World) -> None:
    before = furnished.files()

    done = furnished.run("setup", "--profile", "base", "--yes")

    assert done.status == 0
    assert states(done.out)["profile"] == "done"
    default = furnished.profiles.parent / "default"
    assert default.read_text() == "base\n"
    assert set(furnished.files()) - set(before) == {
        str(path.relative_to(furnished.root))
        for path in (default, default.parent, default.parent.parent)
    }
    assert json.loads(furnished.run("profiles", "--json").out)["data"]["default"] == "base"


def test_a_profile_is_chosen_from_a_list_that_says_what_each_needs(furnished: World) -> None:
    with talk(furnished, "setup") as one:
        one.wait_for(WHICH)
        one.type("opnai\n")
        one.wait_for("no profile named `opnai`; did you mean `openai`?")
        one.type("openai\n")
        status, out = one.finish()

    assert "Claude plan, OPENAI_API_KEY" in one.shown
    assert "AWS profile `openclaude`" in one.shown
    assert (status, states(out)["keys"]) == (1, "missing")
    assert "keys: set OPENAI_API_KEY, or store the secret in a file" in out


def test_a_key_that_is_there_is_enough(furnished: World) -> None:
    env = {**furnished.env, "OPENAI_API_KEY": "hunter2"}

    done = furnished.run("setup", "--profile", "openai", "--yes", env=env)

    assert (done.status, states(done.out)["keys"]) == (0, "ok")
    assert "hunter2" not in done.out


def test_a_profile_that_needs_no_login_asks_for_none(nothing: World) -> None:
    done = nothing.run("setup", "--profile", "bedrock", "--yes")

    assert states(done.out)["login"] == "ok"


@pytest.mark.parametrize(("name", "why"), [("nope", "no profile named"), ("../x", "cannot be")])
def test_a_profile_that_there_is_not_is_a_usage_error(nothing: World, name: str, why: str) -> None:
    done = nothing.run("setup", "--profile", name)

    assert (done.status, done.out) == (2, "")
    assert why in done.err


def test_steps_can_be_left_out(nothing: World) -> None:
    skip = ("--skip", "login", "--skip", "aws", "--skip", "check")

    done = nothing.run("setup", *skip)

    assert done.status == 0
    found = states(done.out)
    assert [found[step] for step in ("login", "aws", "check")] == ["skipped"] * 3
    assert nothing.run("setup", "--skip", "everything").status == 2


def test_without_claude_it_says_how_to_get_one(nothing: World) -> None:
    nothing.claude.unlink()

    done = nothing.run("setup", env={**nothing.env, "PATH": str(nothing.bin)})

    assert done.status == 1
    assert "claude: install Claude Code (`npm install -g @anthropic-ai/claude-code`)" in done.out


def test_an_sso_login_is_left_to_the_aws_cli(furnished: World) -> None:
    (furnished.home / ".aws" / "credentials").unlink()
    (furnished.home / ".aws" / "config").write_text(SSO)
    furnished.script("aws", AWS_CLI)
    with talk(furnished, "setup", "--skip", "models") as one:
        one.wait_for(WHICH)
        one.type("\n")
        one.wait_for("Run `aws sso login --profile openclaude` now? (yes or no) [no]: ")
        one.type("yes\n")
        status, out = one.finish()

    assert (status, states(out)["aws"]) == (0, "done"), one.shown


def test_json_tells_the_same(nothing: World) -> None:
    envelope = nothing.json("setup")

    assert envelope["exit_code"] == 1
    assert envelope["data"]["ready"] is False
    steps = {row["step"]: row for row in envelope["data"]["steps"]}
    assert list(steps) == ["claude", "login", "aws", "keys", "profile", "models", "check"]
    assert steps["aws"]["fix"] == "run `openclaude aws setup --name openclaude`"
    assert (steps["aws"]["status"], steps["keys"]["status"]) == ("missing", "ok")
    # their former names
    assert steps["aws"]["mend"] == steps["aws"]["fix"]
    assert (steps["aws"]["state"], steps["keys"]["state"]) == ("missing", "so already")


def test_a_variable_that_goes_before_the_choice_is_named(furnished: World) -> None:
    env = {**furnished.env, "OPENCLAUDE_PROFILE": "bedrock"}

    done = furnished.run("setup", "--profile", "base", "--yes", env=env)

    assert "`base` is the default, but OPENCLAUDE_PROFILE is set and takes precedence" in done.out


def test_a_default_that_is_broken_is_fixed(furnished: World) -> None:
    folder = furnished.profiles.parent
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    (folder / "default").write_text("gone\n")

    done = furnished.run("setup", "--yes")

    assert (done.status, (folder / "default").read_text()) == (0, "qwen\n")
