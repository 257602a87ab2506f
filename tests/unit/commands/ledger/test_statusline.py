"""The status line: what it says, what the user's own program is told, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest

from openclaude.commands.ledger import statusline
from openclaude.ledger.entry import Via
from openclaude.ledger.store import add, ledger_file, open_to_write
from tests.unit.ledger.entries import entry

PACKAGE = Path(__file__).resolve().parents[4]
PLAN = {
    "aws_profile": "openclaude",
    "tiers": [
        {"tier": "opus", "slot": "", "behaves_as": "", "label": "Claude"},
        {
            "tier": "haiku",
            "slot": "openclaude-haiku",
            "behaves_as": "claude-haiku-5-5",
            "label": "Qwen3 Next 80B",
        },
    ],
    "units": [{"name": "main", "environment": {"OPENCLAUDE_ROUTES": '{"auth": "plan"}'}}],
}
GIVEN = {
    "session_id": "s1",
    "model": {"id": "claude-haiku-5-5", "display_name": "Haiku 5.5"},
    "cost": {"total_cost_usd": 9.99, "total_duration_ms": 5},
    "cwd": "/p",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a stack's folder with its plan, beside a ledger."""
    made = tmp_path / "stacks" / "qwen"
    made.mkdir(parents=True)
    (made / "plan.json").write_text(json.dumps(PLAN))
    connection = open_to_write(ledger_file(tmp_path))
    quota = {"via": Via.PLAN, "tier": "opus", "dollars": None, "used_5h": 0.17, "used_7d": 0.05}
    slots = (entry(dollars=0.01), entry(dollars=0.0023), entry(session="s2", dollars=5.0))
    add(connection, [*slots, entry(**quota)])
    connection.close()
    return made


def printed(folder: Path, given: Any = GIVEN, *theirs: str) -> str:
    """Return what it prints, run as claude runs it."""
    code = f"import sys;sys.path[:0]=[{str(PACKAGE)!r}]"
    code += ";from openclaude.commands.ledger.statusline import main;main()"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code, "qwen", str(folder), *theirs],
        input=json.dumps(given) if not isinstance(given, bytes) else given.decode("latin-1"),
        env={"HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    return ran.stdout


@pytest.mark.reaches_out
def test_it_says_profile_model_dollars_and_quota(folder: Path) -> None:
    assert printed(folder) == "qwen · Qwen3 Next 80B · $0.0123 · plan 17 % of 5 h, 5 % of 7 d\n"


@pytest.mark.reaches_out
@pytest.mark.parametrize("size", [10, 500_000])
def test_the_users_own_program_is_told_true_figures(folder: Path, size: int) -> None:
    told = json.loads(printed(folder, {**GIVEN, "x": "y" * size}, "cat"))

    assert told["model"] == {"id": "claude-haiku-5-5", "display_name": "Qwen3 Next 80B"}
    assert told["cost"] == {"total_cost_usd": 0.0123, "total_duration_ms": 5}
    assert (told["session_id"], told["cwd"], len(told["x"])) == ("s1", "/p", size)


@pytest.mark.reaches_out
def test_without_a_plan_a_ledger_or_json_it_says_what_it_knows(tmp_path: Path) -> None:
    nowhere = tmp_path / "stacks" / "gone"

    assert printed(nowhere) == "qwen · Haiku 5.5\n"
    assert printed(nowhere, b"not json") == "qwen\n"
    assert json.loads(printed(nowhere, GIVEN, "cat"))["cost"]["total_cost_usd"] == 9.99


@pytest.mark.reaches_out
def test_it_imports_next_to_nothing() -> None:
    code = f"""import sys; sys.path[:0]=[{str(PACKAGE)!r}]
before = set(sys.modules)
import openclaude.commands.ledger.statusline
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(len(set(sys.modules) - before), *sorted(new & {{"argparse", "typing", "pathlib", "re",
    "subprocess", "dataclasses", "enum", "logging", "hashlib", "asyncio", "pydantic"}}))"""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )

    number, *heavy = ran.stdout.split()
    assert set(heavy) <= {"re", "enum"}  # json's own
    assert int(number) <= 45


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"via": "on-limit", "answered": "bedrock/x"}, "bedrock/x, not Qwen3 Next 80B"),
        ({"via": "slot", "answered": "bedrock/x"}, "Qwen3 Next 80B"),
    ],
)
def test_the_model_is_the_one_that_answers_now(changed: dict[str, str], said: str) -> None:
    known = {"usd": None, "used_5h": None, "used_7d": None, **changed}

    assert statusline.model_of(GIVEN, PLAN, known) == said


def test_where_a_key_pays_claudes_own_figure_stays() -> None:
    plan = {"units": [{"environment": {"OPENCLAUDE_ROUTES": '{"auth": "api-key"}'}}]}
    known = {"usd": 0.5, "answered": "", "via": ""}

    assert statusline.corrected(GIVEN, plan, known)["cost"]["total_cost_usd"] == 9.99


@pytest.mark.parametrize(
    ("when", "left"),
    [
        ("2026-11-30T12:34:56Z", 600),
        ("2024-02-29T00:00:00UTC", 86400),
        ("2026-01-01T00:00:00.000Z", -5),
        ("2000-03-01T00:00:00+00:00", 1),
        ("soon", None),
        ("2026-11-30T12:34:56+05:00", None),
    ],
)
def test_a_time_of_awss_is_read_without_a_calendar(when: str, left: float | None) -> None:
    at = 0.0
    if left is not None:
        at = datetime.fromisoformat(when[:19]).replace(tzinfo=UTC).timestamp()

    assert statusline.until(when, at - (left or 0)) == left


@pytest.mark.parametrize(
    ("minutes", "said"), [(43, "AWS 43 min"), (-1, "AWS login expired"), (600, "")]
)
def test_the_end_of_awss_login_is_said_if_it_is_near(
    tmp_path: Path, minutes: int, said: str
) -> None:
    now = 1_790_000_000.0
    ends = datetime.fromtimestamp(now + 60 * minutes, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    aws = tmp_path / ".aws"
    (aws / "sso/cache").mkdir(parents=True)
    (aws / "config").write_text("[ sso-session a ]\n[profile  mine]\n  sso_session = mine-sso\n")
    cached = aws / "sso/cache" / f"{sha1(b'mine-sso').hexdigest()}.json"  # noqa: S324
    cached.write_text(json.dumps({"accessToken": "secret", "expiresAt": ends}))
    env = {"HOME": str(tmp_path)}

    assert statusline.credentials("mine", env, now) == said
    renewable = {"expiresAt": ends, "refreshToken": "r", "clientId": "c", "clientSecret": "s"}
    cached.write_text(json.dumps(renewable | {"registrationExpiresAt": "2030-01-01T00:00:00Z"}))
    assert statusline.credentials("mine", env, now) == ""  # it is renewed
    cached.write_text(json.dumps(renewable | {"registrationExpiresAt": "2020-01-01T00:00:00Z"}))
    assert statusline.credentials("mine", env, now) == said  # it was, once
    (aws / "credentials").write_text("[role]\nrole_arn=r\nsource_profile=mine\n")
    assert statusline.credentials("role", env, now) == said
    (aws / "credentials").write_text(
        "[a]\nrole_arn=r\nsource_profile=b\n[b]\nrole_arn=r\nsource_profile=a\n"
    )
    assert statusline.credentials("a", env, now) == ""
    (aws / "credentials").write_text(f"[mine]\naws_expiration={ends}\n")
    assert statusline.credentials("mine", env, now) == said


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    given = {"model": {"id": "x", "display_name": "a\x1b[31m\nb"}}
    known = {"usd": None, "answered": "", "via": "", "used_5h": None, "used_7d": None}

    assert statusline.line("qwen", given, {}, known) == "qwen · a[31mb"
