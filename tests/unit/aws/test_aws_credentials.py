"""Cached credentials: never too long, never half of one and half of another."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import ProfileNotFound

from openclaude.aws.credentials import (
    LONGEST_S,
    ProfileCredentials,
    find_credentials,
    look_at_files,
)
from openclaude.gateway.litellm.aws_credentials import keep_credentials


class Desk:
    """A home with ~/.aws, a clock that stands still, and a count of requests."""

    def __init__(self, home: Path, find: Callable[[str], Any] = find_credentials) -> None:
        self.folder = home / ".aws"
        self.folder.mkdir(parents=True)
        self.now_s = 0.0
        self.asked: list[str] = []
        self.find = find
        self.kept = ProfileCredentials(self.count, look_at_files, lambda: self.now_s)

    def count(self, profile: str) -> Any:
        self.asked.append(profile)
        return self.find(profile)

    def key(self, profile: str = "work") -> str:
        return str(self.kept.get(profile).access_key)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def write_keys(self, key_id: str) -> None:
        self.write("credentials", f"[work]\naws_access_key_id={key_id}\naws_secret_access_key=s\n")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # LiteLLM would ask GitHub
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def desk(home: Path) -> Desk:
    return Desk(home)


def test_keys_in_a_file_are_read_once_until_the_file_changes(desk: Desk) -> None:
    desk.write_keys("AKIA1")

    first = [desk.key(), desk.key()]
    desk.write_keys("AKIA22")

    assert first == ["AKIA1", "AKIA1"]
    assert [desk.key(), desk.key()] == ["AKIA22", "AKIA22"]
    assert len(desk.asked) == 2


def test_a_file_of_the_same_size_that_replaces_another_is_noticed(desk: Desk) -> None:
    desk.write_keys("AKIA1")
    before = [desk.key()]
    (desk.folder / "new").write_text((desk.folder / "credentials").read_text().replace("1", "2"))
    (desk.folder / "new").replace(desk.folder / "credentials")

    assert [*before, desk.key()] == ["AKIA1", "AKIA2"]


@pytest.mark.parametrize("name", ["config", "sso/cache/abc.json", "login/cache/abc.json"])
def test_a_change_of_any_file_that_credentials_come_from_is_noticed(desk: Desk, name: str) -> None:
    desk.write_keys("AKIA1")
    desk.key()

    desk.write(name, "[profile other]\n")
    desk.key()
    desk.write(name, "[profile others]\n")
    desk.key()
    desk.key()

    assert len(desk.asked) == 3


def test_the_files_of_the_variables_are_the_ones_looked_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.write_keys("AKIA1")
    before = look_at_files()

    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").write_text("[work]\n")

    assert look_at_files() != before


def test_nothing_is_kept_longer_than_a_quarter_of_an_hour(desk: Desk) -> None:
    desk.write_keys("AKIA1")
    desk.key()
    desk.now_s = LONGEST_S - 1
    desk.key()
    almost = len(desk.asked)

    desk.now_s = LONGEST_S
    desk.key()

    assert (almost, len(desk.asked)) == (1, 2)


def test_two_profiles_are_kept_apart(desk: Desk) -> None:
    desk.write(
        "credentials",
        "[a]\naws_access_key_id=A\naws_secret_access_key=s\n"
        "[b]\naws_access_key_id=B\naws_secret_access_key=s\n",
    )

    assert [desk.key("a"), desk.key("b"), desk.key("a"), desk.key("b")] == ["A", "B", "A", "B"]
    assert desk.asked == ["a", "b"]


def test_a_profile_that_is_missing_is_looked_for_again(desk: Desk) -> None:
    with pytest.raises(ProfileNotFound):
        desk.key()
    with pytest.raises(ProfileNotFound):
        desk.key()

    desk.write_keys("AKIA1")

    assert desk.key() == "AKIA1"
    assert len(desk.asked) == 3


def test_a_profile_without_credentials_stays_without(home: Path) -> None:
    desk = Desk(home, lambda _: None)

    assert (desk.kept.get("work"), desk.kept.get("work")) == (None, None)
    assert len(desk.asked) == 2


# --- programs


def write_process(desk: Desk, lasts_s: float | None) -> Path:
    """Write a `credential_process` that counts its runs in the key it prints."""
    count = desk.folder / "runs"
    program = desk.folder / "program.py"
    program.write_text(
        "import datetime, json, pathlib\n"
        f"count = pathlib.Path({str(count)!r})\n"
        "count.write_text((count.read_text() if count.exists() else '') + 'x')\n"
        "said = {'Version': 1, 'AccessKeyId': f'AKIA{len(count.read_text())}',\n"
        "        'SecretAccessKey': 's', 'SessionToken': 't'}\n"
        f"lasts_s = {lasts_s!r}\n"
        "if lasts_s is not None:\n"
        "    end = datetime.datetime.now(datetime.timezone.utc)\n"
        "    end += datetime.timedelta(seconds=lasts_s)\n"
        "    said['Expiration'] = end.isoformat()\n"
        "print(json.dumps(said))\n"
    )
    desk.write("config", f"[profile work]\ncredential_process = {sys.executable} {program}\n")
    return count


@pytest.mark.reaches_out
def test_a_program_runs_once_for_credentials_that_hold(desk: Desk) -> None:
    count = write_process(desk, 3600)

    assert [desk.key() for _ in range(3)] == ["AKIA1"] * 3
    assert count.read_text() == "x"


@pytest.mark.reaches_out
@pytest.mark.parametrize(
    "lasts_s",
    [
        None,  # it may return different ones each time, without any sign of it
        120,  # about to expire
    ],
)
def test_a_program_runs_each_time_for_all_others(desk: Desk, lasts_s: float | None) -> None:
    count = write_process(desk, lasts_s)

    seen = []
    for _ in range(3):
        seen.append(desk.key())
        assert seen[-1] == f"AKIA{len(count.read_text())}"

    assert len(set(seen)) == 3


@pytest.mark.reaches_out
def test_credentials_that_are_over_are_an_error_and_never_used(desk: Desk) -> None:
    write_process(desk, -60)

    for _ in range(2):
        with pytest.raises(RuntimeError, match="still expired"):
            desk.key()


# --- renewal


class Renewing:
    """Credentials that renew themselves, and a clock to make them expire."""

    def __init__(self, lasts_s: float = 3600) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)
        self.number = 0
        self.lasts_s = lasts_s
        self.problem: Exception | None = None

    def renew(self) -> dict[str, str]:
        if self.problem:
            raise self.problem
        self.number += 1
        end = self.now + timedelta(seconds=self.lasts_s)
        number = str(self.number)
        names = ("access_key", "secret_key", "token")
        return {**dict.fromkeys(names, number), "expiry_time": end.isoformat()}

    def make(self, _: str) -> RefreshableCredentials:
        found = self.renew()
        return RefreshableCredentials(
            *(found[name] for name in ("access_key", "secret_key", "token")),
            expiry_time=self.now + timedelta(seconds=self.lasts_s),
            refresh_using=self.renew,
            method="assume-role",
            time_fetcher=lambda: self.now,
        )


@pytest.fixture
def renewing() -> Renewing:
    return Renewing()


@pytest.fixture
def renewed(home: Path, renewing: Renewing) -> Desk:
    return Desk(home, renewing.make)


def test_a_session_renews_its_credentials_before_they_end(
    renewed: Desk, renewing: Renewing
) -> None:
    seen = []
    for _ in range(12):
        seen.append(renewed.key())
        renewing.now += timedelta(minutes=10)

    assert seen == ["1", "1", "1", "1", "1", "2", "2", "2", "2", "2", "3", "3"]
    assert renewed.asked == ["work"]


def test_when_renewal_fails_the_old_ones_hold_until_they_are_about_to_end(
    renewed: Desk, renewing: Renewing
) -> None:
    renewed.key()
    renewing.problem = RuntimeError("the SSO session has expired")
    renewing.now += timedelta(minutes=47)
    still = renewed.key()

    renewing.now += timedelta(minutes=5)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the SSO session has expired"):
            renewed.key()
    renewing.problem = None

    assert still == "1"
    assert renewed.key() == "2"
    assert len(renewed.asked) == 3  # after a failure from the start, not from the cache


def test_a_request_is_signed_with_parts_that_belong_together(
    renewed: Desk, renewing: Renewing
) -> None:
    """botocore's own object may renew itself between the key and the secret."""
    credentials = renewed.kept.get("work")
    first = credentials.access_key
    renewing.now += timedelta(minutes=59)

    assert (first, credentials.secret_key, credentials.token) == ("1", "1", "1")
    assert type(credentials) is Credentials


def test_requests_at_the_same_time_ask_once(home: Path, renewing: Renewing) -> None:
    together = threading.Barrier(8)
    desk = Desk(home, renewing.make)
    seen: list[str] = []

    def ask() -> None:
        together.wait()
        seen.append(desk.key())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == ["1"] * 8
    assert desk.asked == ["work"]


# --- assumptions about LiteLLM and botocore


@pytest.mark.slow
def test_litellm_still_asks_with_the_method_that_is_replaced(home: Path) -> None:
    from litellm.llms.bedrock.base_aws_llm import BaseAWSLLM

    asked = inspect.getsource(BaseAWSLLM.get_credentials)
    assert list(inspect.signature(BaseAWSLLM._auth_with_aws_profile).parameters) == [
        "self",
        "aws_profile_name",
    ]
    assert "credentials, _cache_ttl = self._auth_with_aws_profile(" in asked


@pytest.mark.slow
def test_litellm_gets_what_is_kept_and_a_login_is_looked_for_at_home(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.credentials import SSOProvider
    from botocore.tokens import SSOTokenProvider
    from litellm.llms.bedrock.base_aws_llm import BaseAWSLLM

    monkeypatch.setattr(
        BaseAWSLLM, "_auth_with_aws_profile", BaseAWSLLM._auth_with_aws_profile
    )  # restored at the end
    for one in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(one, "_SSO_TOKEN_CACHE_DIR", "/nowhere")
    desk.write_keys("AKIA1")

    keep_credentials()
    found = BaseAWSLLM().get_credentials(aws_profile_name="work")

    assert (found.access_key, found.secret_key, found.token) == ("AKIA1", "s", None)
    logins = str(desk.folder / "sso" / "cache")
    assert {one._SSO_TOKEN_CACHE_DIR for one in (SSOProvider, SSOTokenProvider)} == {logins}
