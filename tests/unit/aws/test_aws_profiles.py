"""An AWS profile's credentials: checked from files alone, always with the same result as botocore.

Every row is given to botocore too, whose connections and processes are refused here: if it gets
that far, the profile was valid.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import botocore.credentials
import botocore.exceptions
import botocore.session
import botocore.tokens
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaude.aws.files import AwsFacts, is_past, look_at_aws
from openclaude.aws.profile_check import find_aws_fault, resolve_credentials
from openclaude.diagnostics import Diagnostic

NOW = time.time()
KEYS = "aws_access_key_id = AKIATEST\naws_secret_access_key = hunter2\n"
ROLE = "role_arn = arn:aws:iam::1:role/x\n"
SSO_ROLE = "sso_account_id = 1\nsso_role_name = x\n"
SESSION = "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp/start\n"
SSO = f"[profile work]\nsso_session = corp\n{SSO_ROLE}{SESSION}"
OLD_SSO = f"[profile work]\nsso_start_url = https://corp/start\nsso_region = us-east-1\n{SSO_ROLE}"
FETCH = """sh -c 'echo {\\"Version\\": 1, \\"AccessKeyId\\": 1, \\"SecretAccessKey\\": 2}'"""
PAST, FUTURE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
TOKEN = {"accessToken": "x", "expiresAt": FUTURE}
OVER = {"accessToken": "x", "expiresAt": PAST}
RENEWABLE = {
    **OVER,
    "refreshToken": "x",
    "clientId": "x",
    "clientSecret": "x",
    "registrationExpiresAt": FUTURE,
}

# the files, the SSO cache -> the fault's code, or "" for none, and the method
GOOD: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "keys in credentials": ("", f"[work]\n{KEYS}", {}, "a key in `CREDENTIALS`"),
    "keys in config": (f"[profile work]\n{KEYS}", "", {}, "a key in `CONFIG`"),
    "a region there, keys here": (
        "[profile work]\nregion = x\n",
        f"[work]\n{KEYS}",
        {},
        "a key in `CREDENTIALS`",
    ),
    "nested settings": (
        f"[profile work]\ns3 =\n  addressing_style = path\n{KEYS}",
        "",
        {},
        "a key in `CONFIG`",
    ),
    "a process": (f"[profile work]\ncredential_process = /bin/{FETCH}\n", "", {}, "the program"),
    "a process on PATH": (f"[profile work]\ncredential_process = {FETCH}\n", "", {}, "the program"),
    "a role": (
        f"[profile work]\n{ROLE}source_profile = keys\n",
        f"[keys]\n{KEYS}",
        {},
        "a role, with the credentials of `keys`",
    ),
    "a role of a role": (
        f"[profile work]\n{ROLE}source_profile = two\n"
        f"[profile two]\n{ROLE}source_profile = keys\n[profile keys]\n{KEYS}",
        "",
        {},
        "a role, with the credentials of `two`",
    ),
    "a role with its own keys": (
        f"[profile work]\n{ROLE}source_profile = work\n{KEYS}",
        "",
        {},
        "a role, with the credentials of `work`",
    ),
    "SSO": (SSO, "", {"corp": TOKEN}, f"SSO, until {FUTURE}"),
    "SSO that is renewed": (
        SSO,
        "",
        {"corp": RENEWABLE},
        f"SSO, until {PAST}, renewed automatically",
    ),
    "SSO in its older form": (OLD_SSO, "", {"https://corp/start": TOKEN}, f"SSO, until {FUTURE}"),
    "a role by SSO": (
        f"[profile work]\n{ROLE}source_profile = sso\n{SSO.replace('work', 'sso')}",
        "",
        {"corp": TOKEN},
        "a role, with the credentials of `sso`",
    ),
}
BAD: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "no files": ("", "", {}, "aws-profile-missing"),
    "another profile": ("[profile other]\n", "[other]\n", {}, "aws-profile-missing"),
    "a section without `profile`": (f"[work]\n{KEYS}", "", {}, "aws-profile-missing"),
    "a comment": ("# [profile work]\n", "[working]\n", {}, "aws-profile-missing"),
    "nothing but a region": ("[profile work]\nregion = x\n", "", {}, "aws-no-credentials"),
    "half a key in credentials": (
        "",
        "[work]\naws_access_key_id = x\n",
        {},
        "aws-no-credentials",
    ),
    "half a key in config": (
        "[profile work]\naws_access_key_id = x\n",
        "",
        {},
        "aws-no-credentials",
    ),
    "the other half": ("", "[work]\naws_secret_access_key = x\n", {}, "aws-no-credentials"),
    "a role without a source": (f"[profile work]\n{ROLE}", "", {}, "aws-role-without-source"),
    "a source that is not there": (
        f"[profile work]\n{ROLE}source_profile = gone\n",
        "",
        {},
        "aws-source-profile-missing",
    ),
    "a source without credentials": (
        f"[profile work]\n{ROLE}source_profile = two\n[profile two]\nregion = x\n",
        "",
        {},
        "aws-no-credentials",
    ),
    "roles in a circle": (
        f"[profile work]\n{ROLE}source_profile = two\n[profile two]\n{ROLE}source_profile = work\n",
        "",
        {},
        "aws-role-circle",
    ),
    "no SSO login": (SSO, "", {}, "aws-sso-login"),
    "an SSO login that is over": (SSO, "", {"corp": OVER}, "aws-sso-login"),
    "an SSO login whose client is over too": (
        SSO,
        "",
        {"corp": {**RENEWABLE, "registrationExpiresAt": PAST}},
        "aws-sso-login",
    ),
    "no SSO login in its older form": (OLD_SSO, "", {}, "aws-sso-login"),
    "an SSO cache that is broken": (SSO, "", {"corp": {"accessToken": "x"}}, "aws-sso-login"),
    "no such SSO session": (
        f"[profile work]\nsso_session = gone\n{SSO_ROLE}",
        "",
        {},
        "aws-sso-session-missing",
    ),
    "half an SSO profile": (
        "[profile work]\nsso_account_id = 1\nsso_start_url = x\nsso_region = x\n",
        "",
        {},
        "aws-sso-incomplete",
    ),
    "a role by SSO without a login": (
        f"[profile work]\n{ROLE}source_profile = sso\n{SSO.replace('work', 'sso')}",
        "",
        {},
        "aws-sso-login",
    ),
    "aws login": (
        "[profile work]\nlogin_session = arn:aws:iam::1:user/x\n",
        "",
        {},
        "aws-login-unsupported",
    ),
    "twice the same": ("[profile work]\n[profile work]\n", "", {}, "aws-file-broken"),
    "no section": ("region = x\n", "", {}, "aws-file-broken"),
    "not text": ("[profile work]\n\udcff = x\n", "", {}, "aws-file-broken"),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for botocore and for us."""
    home = tmp_path / "user"
    (home / ".aws" / "sso" / "cache").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    cache = str(home / ".aws" / "sso" / "cache")  # botocore has read HOME when it was imported
    monkeypatch.setattr(botocore.credentials.SSOProvider, "_SSO_TOKEN_CACHE_DIR", cache)
    monkeypatch.setattr(botocore.tokens.SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", cache)
    return home


def furnish(home: Path, config: str, credentials: str, tokens: dict[str, Any]) -> None:
    for name, text in (("config", config), ("credentials", credentials)):
        if text:
            (home / ".aws" / name).write_text(text, errors="surrogateescape")
    for key, token in tokens.items():
        name = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
        (home / ".aws" / "sso" / "cache" / f"{name}.json").write_text(json.dumps(token))


def look(home: Path) -> AwsFacts:
    return look_at_aws({"PATH": "/usr/bin:/bin"}, home, NOW)


def ask_botocore() -> str:
    """Return botocore's result: an exception of its own, or that it would contact a server."""
    try:
        session = botocore.session.Session(profile="work")
        found = session.get_credentials()
        if found is None:
            return "NoCredentials"
        found.get_frozen_credentials()
    except (AssertionError, botocore.exceptions.EndpointConnectionError):
        return "the world"
    except botocore.exceptions.HTTPClientError:  # in that directory
        return "the world"
    except botocore.exceptions.BotoCoreError as error:
        return type(error).__name__
    return "credentials"


@pytest.mark.parametrize("row", GOOD.values(), ids=GOOD)
def test_a_profile_that_can_work_has_no_fault_and_names_its_method(
    home: Path, row: tuple[str, str, dict[str, Any], str]
) -> None:
    config, credentials, tokens, method = row
    furnish(home, config, credentials, tokens)

    found = resolve_credentials(look(home), "work")

    assert found.fault is None
    shown = found.method.replace(str(home / ".aws"), "~").replace("~/credentials", "CREDENTIALS")
    assert shown.replace("~/config", "CONFIG").startswith(method)
    assert ask_botocore() in {"credentials", "the world"}


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
def test_a_profile_that_cannot_work_is_known_by_its_files(
    home: Path, row: tuple[str, str, dict[str, Any], str]
) -> None:
    config, credentials, tokens, code = row
    furnish(home, config, credentials, tokens)

    fault = find_aws_fault(look(home), "work")

    assert isinstance(fault, Diagnostic)
    assert (fault.code, bool(fault.fix)) == (code, True)
    assert ask_botocore() not in {"credentials", "the world"}


def test_an_older_sso_login_that_is_over_is_not_renewed(home: Path) -> None:
    # botocore contacts AWS with it, and AWS refuses
    furnish(home, OLD_SSO, "", {"https://corp/start": {**RENEWABLE}})

    fault = find_aws_fault(look(home), "work")

    assert fault is not None
    assert fault.sentence == (
        "AWS profile `work` is not logged in to SSO; run `aws sso login --profile work`"
    )


@pytest.mark.parametrize("line", ["/nowhere/fetch --now", "no-such-program", "'unclosed"])
def test_a_credential_process_that_cannot_be_run_is_a_fault(home: Path, line: str) -> None:
    furnish(home, f"[profile work]\ncredential_process = {line}\n", "", {})

    fault = find_aws_fault(look(home), "work")

    if line.startswith("'"):  # botocore's own business
        assert fault is None
    else:
        assert fault is not None
        assert fault.code == "aws-credential-process"
        assert f"`{line.split()[0]}`" in fault.message


def test_a_program_relative_to_nobody_knows_where_is_no_fault(home: Path) -> None:
    furnish(home, "[profile work]\ncredential_process = bin/fetch\n", "", {})

    assert find_aws_fault(look(home), "work") is None


def test_what_a_credential_process_is_told_is_not_shown(home: Path) -> None:
    furnish(home, "[profile work]\ncredential_process = sh --password hunter2\n", "", {})

    assert "hunter2" not in str(resolve_credentials(look(home), "work"))


def test_a_boto_file_may_hold_what_the_profile_lacks(home: Path) -> None:
    furnish(home, "[profile work]\nregion = x\n", "", {})
    (home / ".boto").write_text(f"[Credentials]\n{KEYS}")

    assert resolve_credentials(look(home), "work").method == "boto's own configuration file"
    assert ask_botocore() == "credentials"


def test_awss_own_variables_say_where_its_files_are(home: Path) -> None:
    (home / "elsewhere").write_text(f"[work]\n{KEYS}")
    env = {"AWS_SHARED_CREDENTIALS_FILE": "~/elsewhere"}

    assert find_aws_fault(look_at_aws(env, home, NOW), "work") is None


@pytest.mark.parametrize(
    ("written", "is_over"),
    [
        ("2026-11-22T20:00:00Z", True),
        ("2026-11-22T20:00:00UTC", True),
        ("2026-11-22T20:00:01.5Z", False),
        ("2026-11-22T22:00:00+02:00", True),
        ("2026-11-22T19:00:01-01:00", False),
        ("2026-11-22T20:00:00", True),
        ("whenever", False),
    ],
)
def test_the_end_of_a_login_is_read_in_every_form(written: str, is_over: bool) -> None:
    now = 1795377600.0  # 2026-11-22T20:00:00Z

    assert is_past(written, now) is is_over


def test_no_secret_is_kept(home: Path) -> None:
    furnish(home, SSO, f"[work]\n{KEYS}aws_session_token = hunter2\n", {"corp": RENEWABLE})

    assert "hunter2" not in repr(look(home))


LINES = (
    *("[profile work]", "[profile two]", "[default]", "[sso-session corp]", "[work]", "[two]"),
    *("aws_access_key_id = x", "aws_secret_access_key = x", "region = us-west-2", "[profile work"),
    *("role_arn = arn:aws:iam::1:role/x", "source_profile = two", "source_profile = work"),
    *("credential_source = Environment", "web_identity_token_file = /x", "mfa_serial = x"),
    *("sso_session = corp", "sso_account_id = 1", "sso_role_name = x", "sso_region = us-west-2"),
    *("sso_start_url = https://corp/start", "login_session = x", f"credential_process = {FETCH}"),
    *("s3 =", "  addressing_style = path", "  nonsense", "# a comment", "", "nonsense"),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.sampled_from(LINES), max_size=10),
    st.lists(st.sampled_from(LINES), max_size=5),
    st.booleans(),
)
def test_no_launch_is_stopped_that_botocore_would_not_stop(
    home: Path, config: list[str], credentials: list[str], is_logged_in: bool
) -> None:
    shutil.rmtree(home / ".aws")
    (home / ".aws" / "sso" / "cache").mkdir(parents=True)
    written = "\n".join(["[profile work]", *config]), "\n".join(["[work]", *credentials])
    furnish(home, *written, {"corp": TOKEN} if is_logged_in else {})

    if find_aws_fault(look(home), "work"):
        assert ask_botocore() not in {"credentials", "the world"}
