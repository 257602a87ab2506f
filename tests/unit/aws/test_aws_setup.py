"""`openclaude aws setup`: what it writes, what it leaves unchanged, and that botocore reads it."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest

from openclaude.aws.edit_files import plan_file_changes
from openclaude.cli import main

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OTHER_SECRET = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
START = "https://d-1234567890.awsapps.com/start"
SSO = (
    *("--method", "sso", "--sso-start-url", START, "--sso-region", "us-east-1"),
    *("--account", "123456789012", "--role", "Developer"),
)
ROLE = ("--method", "assume-role", "--role", "arn:aws:iam::123456789012:role/B")
CONFIG = """\
# company file, see the wiki
[default]
region=eu-central-1

[profile  work]
region : us-east-1
s3 =
    max_concurrent_requests = 20
    addressing_style = path
; nothing below is used
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1

#include ./other
[plugins]
cli_legacy_plugin_path = /opt"""
CREDENTIALS = f"""\
[default]
aws_access_key_id={KEY_ID}
aws_secret_access_key={OTHER_SECRET}

[work]
aws_access_key_id = AKIAI44QH8DHBEXAMPLE
aws_secret_access_key = {OTHER_SECRET}x
"""


class Said(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class Desk:
    """A home folder with a ~/.aws, and openclaude to change it."""

    def __init__(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = home / ".aws"
        self.config = self.folder / "config"
        self.credentials = self.folder / "credentials"
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def fill(self, config: str = CONFIG, credentials: str = CREDENTIALS) -> None:
        self.folder.mkdir(parents=True)
        self.config.write_bytes(config.encode())
        self.credentials.write_bytes(credentials.encode())

    def run(self, *arguments: str, stdin: str = "") -> Said:
        self.monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = main(["aws", "setup", *arguments])
        printed = self.capsys.readouterr()
        return Said(status, printed.out, printed.err)

    def keys(self, *arguments: str, secret: str = SECRET, token: str = "") -> Said:
        """Run with an access key on stdin."""
        lines = f"{KEY_ID}\n{secret}\n" + (f"{token}\n" if token else "")
        return self.run("--keys-from-stdin", *arguments, stdin=lines)

    def contents(self) -> dict[str, bytes]:
        """Return every file of the folder."""
        return {path.name: path.read_bytes() for path in self.folder.glob("*")}

    def session(self, name: str = "openclaude") -> botocore.session.Session:
        """Return botocore's session for it."""
        self.monkeypatch.setenv("AWS_CONFIG_FILE", str(self.config))
        self.monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(self.credentials))
        return botocore.session.Session(profile=name)


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "OPENCLAUDE_AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return Desk(home, monkeypatch, capsys)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- from nothing


def test_keys_make_both_files_in_a_private_folder(desk: Desk) -> None:
    said = desk.keys("--yes")

    assert said == (0, "wrote `~/.aws/credentials`\nwrote `~/.aws/config`\n", "")
    assert desk.contents() == {
        "config": b"[profile openclaude]\nregion = us-west-2\n",
        "credentials": f"[openclaude]\naws_access_key_id = {KEY_ID}\n"
        f"aws_secret_access_key = {SECRET}\n".encode(),
    }
    assert (mode(desk.folder), mode(desk.config), mode(desk.credentials)) == (0o700, 0o600, 0o600)
    found = desk.session()
    assert found.get_config_variable("region") == "us-west-2"
    assert found.get_credentials().get_frozen_credentials()[:2] == (KEY_ID, SECRET)


def test_a_session_token_goes_with_its_keys_and_leaves_with_them(desk: Desk) -> None:
    desk.keys("--yes", token="FwoGZXIvYXdzEXAMPLE")
    with_token = desk.session().get_credentials().token

    desk.keys("--yes", secret=OTHER_SECRET)

    assert with_token == "FwoGZXIvYXdzEXAMPLE"
    assert desk.session().get_credentials().token is None


def test_sso_is_written_as_a_session_and_the_login_is_left_to_the_aws_cli(desk: Desk) -> None:
    said = desk.run(*SSO, "--yes")

    assert said == (
        0,
        "wrote `~/.aws/config`\nnext: `aws sso login --profile openclaude`\n",
        "",
    )
    assert desk.contents() == {
        "config": b"[profile openclaude]\n"
        b"sso_session = openclaude\nsso_account_id = 123456789012\nsso_role_name = Developer\n"
        b"region = us-west-2\n\n[sso-session openclaude]\n"
        b"sso_start_url = https://d-1234567890.awsapps.com/start\nsso_region = us-east-1\n"
        b"sso_registration_scopes = sso:account:access\n"
    }
    assert desk.session().get_credentials().method == "sso"


def test_a_role_is_assumed_with_another_profile(desk: Desk) -> None:
    desk.fill()

    said = desk.run(*ROLE, "--source-profile", "work", "--yes")

    assert said.status == 0
    assert desk.session().get_credentials().method == "assume-role"
    assert desk.credentials.read_text() == CREDENTIALS


def test_a_program_that_prints_credentials_is_written_as_it_was_given(desk: Desk) -> None:
    command = 'aws-vault export --format="json" "my profile" # [x] = ;'
    said = desk.run("--method", "process", "--command", command, "--yes")

    scoped = desk.session().get_scoped_config()
    assert said.status == 0
    assert scoped == {"credential_process": command, "region": "us-west-2"}


# --- with existing files


@pytest.mark.parametrize("arguments", [SSO, (*ROLE, "--source-profile", "work")])
def test_everything_else_in_both_files_stays_byte_for_byte(
    desk: Desk, arguments: tuple[str, ...]
) -> None:
    desk.fill()

    assert desk.run(*arguments, "--yes").status == 0

    assert desk.config.read_text().startswith(CONFIG)
    assert desk.credentials.read_text() == CREDENTIALS
    assert desk.contents()["config.openclaude-backup"] == CONFIG.encode()
    assert mode(desk.folder / "config.openclaude-backup") == 0o600


def test_a_profile_that_is_there_keeps_what_was_not_asked_about(desk: Desk) -> None:
    desk.fill()

    said = desk.run("--name", "work", *SSO, "--region", "us-west-2", "--yes")

    assert said.status == 0
    assert desk.config.read_text() == CONFIG.replace("us-east-1", "us-west-2").replace(
        "    addressing_style = path\n",
        "    addressing_style = path\n"
        "sso_session = work\nsso_account_id = 123456789012\nsso_role_name = Developer\n",
    ) + (
        f"\n\n[sso-session work]\nsso_start_url = {START}\nsso_region = us-east-1\n"
        "sso_registration_scopes = sso:account:access\n"
    )
    # the old keys would have stayed there, readable
    assert desk.credentials.read_text() == CREDENTIALS.partition("[work]\n")[0] + "[work]\n"
    assert desk.session("work").get_credentials().method == "sso"


def test_only_the_region_changes_where_only_the_region_is_given(desk: Desk) -> None:
    desk.fill()

    said = desk.run("--name", "work", "--region", "eu-west-1", "--yes")

    assert said.out == ("wrote `~/.aws/config` (backup: `~/.aws/config.openclaude-backup`)\n")
    assert desk.config.read_text() == CONFIG.replace("us-east-1", "eu-west-1")
    assert desk.credentials.read_text() == CREDENTIALS


@pytest.mark.parametrize(
    "arguments",
    [SSO, (*ROLE, "--source-profile", "work"), ("--method", "process", "--command", "x")],
)
def test_the_same_answers_again_change_nothing(desk: Desk, arguments: tuple[str, ...]) -> None:
    desk.fill()
    desk.run(*arguments, "--yes")
    (desk.folder / "config.openclaude-backup").unlink()
    before = desk.contents()

    said = desk.run(*arguments)

    nothing = "AWS profile `openclaude` is already set up that way; nothing changed\n"
    assert said == (0, nothing, "")
    assert desk.contents() == before


def test_another_method_leaves_nothing_that_botocore_would_take_instead(desk: Desk) -> None:
    desk.fill()
    ways = {
        "sso": SSO,
        "assume-role": (*ROLE, "--source-profile", "work"),
        "custom-process": ("--method", "process", "--command", "x"),
    }
    for first, second in ((a, b) for a in ways for b in ways if a != b):
        desk.keys("--yes")
        desk.run(*ways[first], "--yes")
        desk.run(*ways[second], "--yes")
        if second != "custom-process":  # that one would run
            assert desk.session().get_credentials().method == second
        desk.keys("--yes")
        assert desk.session().get_credentials().method == "shared-credentials-file"
        assert set(desk.session().full_config["profiles"]["openclaude"]) == {
            "region",
            "aws_access_key_id",
            "aws_secret_access_key",
        }


def test_a_login_that_is_there_is_shared(desk: Desk) -> None:
    desk.fill()
    corp = [one.replace(START, "https://corp.awsapps.com/start/") for one in SSO]
    corp[corp.index("us-east-1")] = "eu-west-1"

    desk.run(*corp, "--yes")

    assert "sso_session = corp" in desk.config.read_text()
    assert "[sso-session openclaude]" not in desk.config.read_text()


def test_a_login_of_others_is_never_changed(desk: Desk) -> None:
    theirs = "[profile a]\nsso_session = openclaude\n[sso-session openclaude]\nsso_region = b\n"
    desk.fill(theirs)

    desk.run(*SSO, "--yes")

    assert desk.config.read_text().startswith(theirs)
    assert "sso_session = openclaude-2" in desk.config.read_text()


def test_a_link_stays_one_and_its_file_is_changed(desk: Desk, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "aws-config").write_text(CONFIG)
    desk.folder.mkdir()
    desk.config.symlink_to(dotfiles / "aws-config")

    assert desk.run(*SSO, "--yes").status == 0

    assert desk.config.is_symlink()
    assert (dotfiles / "aws-config").read_text().startswith(CONFIG)
    assert mode(dotfiles / "aws-config") == 0o600


def test_the_variables_of_botocore_name_other_files(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "~/elsewhere/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))

    said = desk.keys("--yes")

    home = desk.folder.parent
    assert said.out == f"wrote `{tmp_path / 'keys'}`\nwrote `~/elsewhere/config`\n"
    assert (home / "elsewhere" / "config").exists()
    assert not desk.folder.exists()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_stay(desk: Desk, newline: str) -> None:
    text = CONFIG.replace("\n", newline)
    desk.fill(text)

    desk.run("--method", "process", "--command", "x", "--yes")

    assert (
        desk.config.read_bytes()
        == (
            f"{text}{newline}{newline}[profile openclaude]{newline}"
            f"credential_process = x{newline}region = us-west-2{newline}"
        ).encode()
    )


@pytest.mark.parametrize(
    ("name", "config", "wanted"),
    [
        ("default", "", "[default]\nregion = us-west-2\n"),
        ("default", "[default]\noutput=json\n", "[default]\noutput=json\nregion = us-west-2\n"),
        (
            "default",
            "[profile default]\noutput=json\n",
            "[profile default]\noutput=json\nregion = us-west-2\n",
        ),
        (
            "my own",
            '[profile "my own"]\nregion = x\n',
            '[profile "my own"]\nregion = us-west-2\n',
        ),
    ],
)
def test_a_profile_is_found_by_its_name_however_its_header_is_written(
    desk: Desk, name: str, config: str, wanted: str
) -> None:
    desk.fill(config, "")

    assert desk.keys("--name", name, "--region", "us-west-2", "--yes").status == 0

    assert desk.config.read_text() == wanted
    assert desk.session(name).get_config_variable("region") == "us-west-2"
    assert desk.session(name).get_credentials().access_key == KEY_ID


def test_what_the_credentials_file_says_against_the_answers_is_removed_too(desk: Desk) -> None:
    """botocore prefers it to the config file, whatever the key."""
    desk.fill(credentials="[openclaude]\nregion = eu-west-3\ncredential_process = y\nold = z\n")

    desk.run(*SSO, "--region", "us-west-2", "--yes")

    assert desk.credentials.read_text() == "[openclaude]\nold = z\n"
    assert desk.session().get_config_variable("region") == "us-west-2"
    assert desk.session().get_credentials().method == "sso"


# --- the confirmation


SHOWN = """\
--- ~/.aws/credentials
+++ ~/.aws/credentials
@@ -5,3 +5,7 @@
 [work]
 aws_access_key_id = AKIAI44QH8DHBEXAMPLE
 aws_secret_access_key = ****
+
+[openclaude]
+aws_access_key_id = AKIAIOSFODNN7EXAMPLE
+aws_secret_access_key = **** (new)
--- ~/.aws/config
+++ ~/.aws/config
@@ -15,3 +15,6 @@
 #include ./other
 [plugins]
 cli_legacy_plugin_path = /opt
+
+[profile openclaude]
+region = us-west-2
"""
UNASKED = (
    "\nerror: `openclaude aws setup` needs confirmation, but there is no terminal\n"
    "\nhint: review the change, then add `--yes`; nothing was changed\n"
)


def test_without_a_terminal_and_a_yes_the_change_is_shown_and_not_made(desk: Desk) -> None:
    desk.fill()
    before = desk.contents()

    assert desk.keys() == (2, "", SHOWN + UNASKED)
    assert desk.contents() == before


def test_a_dry_run_shows_the_same_on_stdout(desk: Desk) -> None:
    desk.fill()
    before = desk.contents()

    assert desk.keys("--dry-run", "--yes") == (0, SHOWN, "")
    assert desk.contents() == before


def test_no_secret_is_shown_in_any_form(desk: Desk) -> None:
    desk.fill()

    for more in ((), ("--dry-run",), ("--json",), ("--json", "--yes"), ("--yes",)):
        said = desk.keys(*more, token="FwoGZXIvYXdzEXAMPLE")
        assert SECRET not in said.out + said.err
        assert OTHER_SECRET not in said.out + said.err
        assert "FwoG" not in said.out + said.err


def test_json_says_what_would_change_and_what_did(desk: Desk) -> None:
    desk.fill()

    would, did, again = (
        json.loads(desk.run(*SSO, "--json", *more).out) for more in ((), ("--yes",), ())
    )

    assert (would["exit_code"], would["errors"][0]["code"]) == (2, "aws-setup-unasked")
    assert would["data"]["changed"] == [str(desk.config)]
    assert would["data"]["written"] is False
    assert (did["exit_code"], did["data"]["written"]) == (0, True)
    assert did["data"]["diff"] == would["data"]["diff"]
    assert did["data"]["backups"] == [f"{desk.config}.openclaude-backup"]
    assert did["data"]["next"] == ["aws sso login --profile openclaude"]
    assert (again["exit_code"], again["data"]["changed"]) == (0, [])


# --- what is not accepted


@pytest.mark.parametrize(
    ("arguments", "err"),
    [
        (
            (),
            "`--method` is missing\n\nhint: choose from keys, sso, assume-role, process, api-key\n",
        ),
        (("--region", "mars"), "`--region` must be an AWS region, not `mars`"),
        (
            ("--region", "us-wst-2"),
            "`--region` must be an AWS region, not `us-wst-2`\n\nhint: did you mean `us-west-2`?\n",
        ),
        (("--method", "keys"), "`--keys-from-stdin` is missing"),
        (("--method", "sso"), "`--sso-start-url` is missing"),
        (("--method", "process"), "`--command` is missing"),
        ((*SSO, "--region", "us-west-22"), "`--region` must be an AWS region, not `us-west-22`"),
        ((*SSO, "--account", "12"), "`--account` must have 12 digits, not `12`"),
        (
            (*SSO, "--sso-start-url", "http://x"),
            "`--sso-start-url` must begin with `https://`, not",
        ),
        ((*SSO, "--role", "arn:aws:iam::1:role/A"), "`--role` must be the name of a role"),
        ((*SSO, "--name", "a]b"), "`--name` may only contain letters"),
        ((*SSO, "--name", "a\nb"), "`--name` may only contain letters"),
        ((*ROLE, "--role", "Admin"), "`--role` must be the ARN of a role"),
        ((*ROLE, "--source-profile", "wrk"), "`--source-profile` must be another AWS"),
        ((*ROLE, "--source-profile", "openclaude"), "`--source-profile` must be another AWS"),
        (("--method", "process", "--command", "a 'b"), "`--command` must be a program"),
        (("--method", "process", "--command", "a\n[b]"), "`--command` must be a program"),
        (
            ("--method", "magic"),
            "unknown value for `--method`: `magic` (choose from keys, sso, assume-role, process, "
            "api-key)",
        ),
        (("--keys-from-stdin",), "`--keys-from-stdin` reads two lines or three"),
    ],
)
def test_an_answer_that_aws_would_not_take_is_refused_before_anything_is_written(
    desk: Desk, arguments: tuple[str, ...], err: str
) -> None:
    desk.fill()
    before = desk.contents()

    said = desk.run(*arguments, "--yes")

    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"error: {err}")
    assert desk.contents() == before


def test_a_bad_secret_is_refused_without_being_repeated(desk: Desk) -> None:
    said = desk.keys("--yes", secret="too-short")

    assert (said.status, said.out) == (2, "")
    assert "too-short" not in said.err
    assert not desk.folder.exists()


@pytest.mark.parametrize(
    "text", ["region = x\n", "[default]\nregion\n", "[a]\n[a]\n", "[a]\ns3 =\n   x\n"]
)
def test_a_file_that_botocore_cannot_read_is_left_for_the_user_to_mend(
    desk: Desk, text: str
) -> None:
    desk.fill(text)

    said = desk.run(*SSO, "--yes")

    assert said.status == 1
    assert said.err.startswith(f"error: AWS's own programs cannot read `{desk.config}`: ")
    assert "nothing was changed" in said.err
    assert desk.config.read_text() == text


def test_a_file_that_is_not_utf_8_is_left_too(desk: Desk) -> None:
    desk.fill()
    desk.config.write_bytes(b"[default]\nregion = \xff\n")

    said = desk.run(*SSO, "--yes")

    assert (said.status, said.out) == (1, "")
    assert said.err.startswith(f"error: cannot read `{desk.config}`: ")


def test_what_would_change_more_than_was_shown_is_not_written(desk: Desk) -> None:
    """A header with a deeper indent than our lines would become part of their value."""
    text = "[profile openclaude]\n  [profile b]\nregion = x\n"
    desk.fill(text)

    said = desk.run("--method", "process", "--command", "x", "--yes")

    assert said.status == 1
    assert said.err == (
        f"error: `{desk.config}` is written in a way that openclaude cannot change safely\n\n"
        "hint: make the change by hand; nothing was changed\n"
    )
    assert desk.contents() == {"config": text.encode(), "credentials": CREDENTIALS.encode()}


def test_a_file_that_changes_while_it_is_looked_at_is_not_overwritten(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fill()

    def while_somebody_writes(*arguments: Any) -> Any:
        desk.config.write_text("[default]\n")
        return plan_file_changes(*arguments)

    monkeypatch.setattr("openclaude.commands.aws.setup.plan_file_changes", while_somebody_writes)

    said = desk.run(*SSO, "--yes")

    assert said.status == 1
    assert "was changed by another program meanwhile" in said.err
    assert desk.contents() == {"config": b"[default]\n", "credentials": CREDENTIALS.encode()}


def test_a_folder_that_is_none_is_said(desk: Desk) -> None:
    desk.folder.write_text("")

    said = desk.run(*SSO, "--yes")

    assert said == (
        1,
        "",
        f"error: cannot read `{desk.config}`: Not a directory\n\n"
        "hint: correct it by hand, then try again; nothing was changed\n",
    )


def test_a_crash_at_the_last_moment_leaves_the_old_files(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fill()

    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)

    said = desk.run(*SSO, "--yes")

    assert said.status == 1
    assert "No space left on device" in said.err
    assert {name for name in desk.contents() if "new" in name or "tmp" in name} == set()
    assert desk.config.read_text() == CONFIG


@pytest.mark.parametrize("profile", ["qwen", "base"])
def test_the_profile_says_which_aws_profile_is_meant(
    desk: Desk, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCLAUDE_AWS_PROFILE", "from-env")
    monkeypatch.setenv("OPENCLAUDE_AWS_REGION", "eu-west-3")

    said = desk.keys("--profile", profile, "--dry-run")

    assert "+[from-env]" in said.out
    assert "+region = eu-west-3" in said.out
