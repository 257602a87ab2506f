"""`openclaude status` says when the credentials of AWS end, without asking AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openclaude.commands.status.aws_login import aws_login, aws_text

NOW = 1_790_000_000.0


def written(tmp_path: Path, seconds: float, name: str = "work") -> Path:
    """A stack's folder, and credentials of its AWS profile that end."""
    ends = datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    (tmp_path / ".aws").mkdir(exist_ok=True)
    (tmp_path / ".aws/credentials").write_text(
        f"[{name}]\naws_secret_access_key = hunter2\nexpiration = {ends}\n[keys]\n"
    )
    (tmp_path / "plan.json").write_text(json.dumps({"aws_profile": name}))
    return tmp_path


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (42 * 60 + 5, "AWS login: 42 min left (work)\n"),
        (59, "AWS login: less than 1 min left (work)\n"),
        (8 * 3600, "AWS login: 8 h 0 min left (work)\n"),
        (
            0,
            "AWS login: expired (work); run `aws sso login --profile work` or "
            "`openclaude aws setup --name work`\n",
        ),
    ],
)
def test_the_time_that_is_left_is_counted_down(tmp_path: Path, seconds: int, said: str) -> None:
    found = aws_login(written(tmp_path, seconds), {"HOME": str(tmp_path)}, NOW)

    assert found is not None
    assert (found["aws_profile"], found["left_s"]) == ("work", seconds)
    assert aws_text([found, None, found]) == said
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("plan", ['{"aws_profile": "keys"}', '{"aws_profile": ""}', "[", "{}"])
def test_where_nothing_ends_nothing_is_said(tmp_path: Path, plan: str) -> None:
    folder = written(tmp_path, 60)
    (folder / "plan.json").write_text(plan)

    assert aws_login(folder, {"HOME": str(tmp_path)}, NOW) is None


def test_a_name_with_what_a_terminal_obeys_is_printed_without_it(tmp_path: Path) -> None:
    found = aws_login(written(tmp_path, 600, "a\x1b[2Jb"), {"HOME": str(tmp_path)}, NOW)

    assert found is None or aws_text([found]).replace("\n", "").isprintable()
    assert aws_text([{"aws_profile": "a\x1b[2Jb", "left_s": 600}]) == (
        "AWS login: 10 min left (a\\x1b[2Jb)\n"
    )
