"""Doctor's checks, for worlds that are hard to create, and how findings are displayed."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from openclaude import __version__
from openclaude.aws.files import AwsFacts
from openclaude.claude.login import Login
from openclaude.commands.doctor import apply_fixes, report, safe_command
from openclaude.compatibility import Outcome, Trial
from openclaude.contracts.plan import LaunchPlan, Plan
from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.checks.claude import check_claude
from openclaude.doctor.checks.disk import check_disk
from openclaude.doctor.checks.environment import check_environment, without_password
from openclaude.doctor.checks.kernel import check_kernel
from openclaude.doctor.checks.litellm import check_litellm
from openclaude.doctor.checks.stack import check_ports, check_stack
from openclaude.doctor.examination import examine
from openclaude.doctor.snapshot.packages import differences, find_lock
from openclaude.doctor.snapshot.world import (
    Claude,
    Folder,
    Package,
    PathMode,
    Port,
    ProfileSeen,
    StackSeen,
    World,
)
from openclaude.errors import UsageError
from openclaude.litellm_version import LITELLM_VERSION
from openclaude.paths import find_places
from openclaude.profile.names import UnknownProfile
from tests.pinned import CLAUDE_VERSION

PLAN = Plan(
    profile="mine",
    port=4000,
    strict=False,
    anthropic_url="",
    aws_profile="",
    tiers=(),
    units=(),
    files={},
    launch=LaunchPlan(
        environment={"ANTHROPIC_CUSTOM_HEADERS": ""},
        default_environment={},
        remove=(),
        picker=(),
        agents={},
    ),
    preload_environment={},
    digest="sha256:new",
)
WORLD = World(
    env={},
    claude=Claude(
        "/bin/claude", version=CLAUDE_VERSION, login=Login(is_logged_in=True, method="x")
    ),
    wanted=ProfileSeen("mine", plan=PLAN, auth="plan"),
    aws=AwsFacts("~/.aws/config", "~/.aws/credentials"),
    ports=(Port(4000, is_free=True, holder=""), Port(4001, is_free=True, holder="")),
    trials=(Trial(CLAUDE_VERSION, LITELLM_VERSION, Outcome.WORKS, "2026-11-29", "all"),),
    litellm=LITELLM_VERSION,
    lock="/x.lock",
    restore="pip install -r /x.lock",
    folders=(Folder("/state", free_bytes=10**9),),
)


def codes(findings: object) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (10**9, ("disk", Severity.OK)),
        (10**7, ("disk-full", Severity.WARNING)),
        (10**5, ("disk-full", Severity.ERROR)),
    ],
)
def test_a_disk_that_is_nearly_full_warns_and_a_full_one_stops(
    free: int, expected: tuple[str, str]
) -> None:
    world = WORLD._replace(folders=(Folder("/state", free_bytes=free),))

    assert codes(check_disk(world)) == [expected]


def test_permissions_matter_by_what_a_file_holds() -> None:
    files = (
        PathMode("/a.toml", 0o644),
        PathMode("/b.toml", 0o664),
        PathMode("/credentials", 0o600),
        PathMode("/keys", 0o640),
    )

    found = list(check_disk(WORLD._replace(modes=files)))

    assert [(one.code, one.fix) for one in found] == [
        ("profile-writable-by-others", "run `chmod go-w /b.toml`"),
        ("readable-by-others", "run `chmod 600 /keys`"),
    ]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (StackSeen(), ("stack", Severity.OK)),
        (StackSeen(is_recorded=True), ("stack-left-over", Severity.NOTE)),
        (
            StackSeen(True, True, "0.0.1", {"units": [], "digest": "sha256:new", "port": 1}),
            ("stack-of-another-version", Severity.NOTE),
        ),
        (
            StackSeen(True, True, __version__, {"units": [], "digest": "sha256:old", "port": 1}),
            ("stack-outdated", Severity.NOTE),
        ),
        (
            StackSeen(True, True, __version__, {"units": [], "digest": "sha256:new", "port": 1}),
            ("stack", Severity.OK),
        ),
    ],
    ids=["none", "left over", "another version", "outdated", "current"],
)
def test_a_stack_is_told_by_what_the_next_launch_makes_of_it(
    seen: StackSeen, expected: tuple[str, str]
) -> None:
    assert codes(check_stack(WORLD._replace(stack=seen))) == [expected]


def test_the_ports_of_a_running_stack_are_not_judged() -> None:
    busy = (Port(4000, is_free=False, holder=" by `x` (pid 1)"),)
    running = StackSeen(report={"units": []})

    assert codes(check_ports(WORLD._replace(ports=busy))) == [("port-taken", Severity.NOTE)]
    assert codes(check_ports(WORLD._replace(ports=busy, stack=running))) == []


def test_without_a_profile_what_needs_one_is_left_out() -> None:
    error = UnknownProfile("x", ())
    world = WORLD._replace(wanted=ProfileSeen("x", errors=error.diagnostics))

    found = codes(examine(world))

    assert ("profile-unknown", Severity.ERROR) in found
    assert not {code for code, _ in found} & {"ports", "stack", "aws"}


@pytest.mark.parametrize(
    ("confinable", "codes_found"), [(True, []), (None, []), (False, [("no-landlock", "note")])]
)
def test_a_kernel_that_confines_nothing_is_noted(
    confinable: bool | None, codes_found: list[tuple[str, str]]
) -> None:
    found = [
        (one.code, one.severity) for one in check_kernel(WORLD._replace(is_confinable=confinable))
    ]

    assert found == codes_found


@pytest.mark.parametrize(
    ("auth", "codes_found"),
    [("plan", ["key-in-environment"]), ("none", ["key-in-environment"]), ("api-key", [])],
)
def test_an_anthropic_key_is_in_order_where_the_profile_pays_with_it(
    auth: str, codes_found: list[str]
) -> None:
    world = WORLD._replace(env={"ANTHROPIC_API_KEY": "x"}, wanted=WORLD.wanted._replace(auth=auth))

    found = [one.code for one in check_environment(world) if one.severity != Severity.OK]

    assert found == codes_found


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:hunter2@proxy:3128/x", "http://proxy:3128/x"),
        ("http://proxy:3128", "http://proxy:3128"),
        ("http://[hunter2", "an address that cannot be read"),
        ("user:hunter2@proxy:3128", "an address with a password"),
    ],
)
def test_a_proxys_password_is_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


# The lock -----------------------------------------------------------------------------------------

LOCK = """\
a==1.0 \\
    --hash=sha256:x
numpy==2.4 ; python_full_version < '3.12' \\
    --hash=sha256:x
numpy==2.5 ; python_full_version >= '3.12' \\
    --hash=sha256:x
colorama==0.4 ; sys_platform == 'win32' \\
    --hash=sha256:x
"""


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        ({"a": "1.0", "numpy": "2.5"}, []),
        ({"a": "1.0", "numpy": "2.4", "colorama": "0.4"}, []),
        ({"a": "1.1"}, [Package("a", "1.1", "1.0")]),
        ({}, [Package("a", "", "1.0")]),
        ({"a": "1.0", "numpy": "9"}, [Package("numpy", "9", "2.4 or 2.5")]),
    ],
)
def test_the_lock_is_compared_with_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], expected: list[Package]
) -> None:
    monkeypatch.setattr(
        "openclaude.doctor.snapshot.packages.installed_version",
        lambda name: installed.get(name, ""),
    )

    assert list(differences(LOCK)) == expected


def test_the_lock_is_found_in_the_package_before_the_checkout(tmp_path: Path) -> None:
    package = tmp_path / "openclaude"
    (tmp_path / "build").mkdir()
    package.mkdir()
    assert find_lock(package) is None
    (tmp_path / "build" / "requirements.lock").touch()
    assert find_lock(package) == tmp_path / "build" / "requirements.lock"
    (package / "requirements.lock").touch()
    assert find_lock(package) == package / "requirements.lock"


def test_many_differences_are_counted() -> None:
    packages = tuple(Package(f"p{number}", "1", "2") for number in range(7))

    found = list(check_litellm(WORLD._replace(packages=packages)))[1]

    assert found.message.startswith(
        "7 packages differ from the tested versions: p0 1 (tested: 2), "
    )
    assert found.message.endswith(", and 2 more")


def test_a_difference_is_mended_by_the_command_of_this_installation() -> None:
    packages = (Package("httpx", "0.0.1", "0.28.1"),)

    wrong = list(check_litellm(WORLD._replace(litellm="1.90.0", packages=packages)))

    assert [one.code for one in wrong] == ["litellm-version", "lock-differs"]
    assert all(one.fix.endswith("`pip install -r /x.lock`") for one in wrong)


def test_without_a_lock_nothing_is_claimed() -> None:
    assert codes(check_litellm(WORLD._replace(lock="")))[1] == ("lock-missing", Severity.NOTE)


# The report ---------------------------------------------------------------------------------------

FOUND = (
    Diagnostic(
        code="a",
        severity=Severity.OK,
        message="all is well",
        location=Location(path=Path("/unsaid")),
    ),
    Diagnostic(
        code="b",
        severity=Severity.WARNING,
        message="it is warm",
        why="why not",
        fix="cool it",
        location=Location(path=Path("/x"), line=1, key=("k", "l")),
    ),
    Diagnostic(
        code="c",
        severity=Severity.ERROR,
        message="it is broken",
        why="it matters",
        fix="run `fix`",
        location=Location(variable="HOME"),
    ),
)


def test_a_report_says_what_where_why_and_how_to_fix_it() -> None:
    shown = report("mine", FOUND)

    assert shown.text == (
        f"openclaude {__version__}, profile `mine`\n\n"
        "ok       all is well\n"
        "warning  it is warm\n"
        "           where: /x:1:k.l\n"
        "           why: why not\n"
        "           fix: cool it\n"
        "error    it is broken\n"
        "           where: environment:HOME\n"
        "           why: it matters\n"
        "           fix: run `fix`\n"
        "\n1 error, 1 warning, 1 ok\n"
    )
    assert shown.exit_code == 1


def test_a_report_as_json_has_the_old_names_beside_the_new_ones() -> None:
    data: Any = report("mine", FOUND).data

    assert data["counts"] == {
        **{"stops": 1, "warns": 1, "note": 0, "ok": 1},
        **{"error": 1, "warning": 1},
    }
    assert data["diagnostics"][1] == {
        "code": "b",
        "severity": "warning",
        "message": "it is warm",
        "why": "why not",
        "fix": "cool it",
        "location": {"path": "/x", "line": 1, "key": "k.l"},
    }
    assert data["findings"][1] == {
        "code": "b",
        "severity": "warns",
        "what": "it is warm",
        "why": "why not",
        "mend": "cool it",
        "fix": "cool it",
        "where": "/x:1:k.l",
    }
    assert [one["where"] for one in data["findings"]][2] == "environment:HOME"
    assert json.loads(json.dumps(data)) == data


def test_a_report_without_an_error_is_a_yes() -> None:
    assert report("mine", FOUND[:2]).exit_code == 0
    assert report("", ()).data["profile"] is None
    assert report("mine", (FOUND[1], FOUND[1])).text.endswith("\n2 warnings\n")


def test_nothing_that_a_terminal_obeys_is_shown() -> None:
    hostile = Diagnostic(
        code="a",
        severity=Severity.NOTE,
        message="red \x1b[31m",
        why="two\nlines",
        fix="\udcff",
        location=Location(path=Path("/x\t")),
    )

    assert report("mine", (hostile,)).text.splitlines()[2:6] == [
        "note     red ?[31m",
        "           where: /x?",
        "           why: two?lines",
        "           fix: ?",
    ]


def trial(claude: str, outcome: Outcome, litellm: str = LITELLM_VERSION) -> Trial:
    return Trial(claude, litellm, outcome, "2026-11-29", "all")


TRIALS = (
    trial("2.1.340", Outcome.BROKEN),
    trial("2.1.332", Outcome.DIFFERS),
    trial("2.1.331", Outcome.WORKS),
    trial("2.1.110", Outcome.WORKS),
    trial("2.1.345", Outcome.WORKS, "9.9.9"),
)


@pytest.mark.parametrize(
    ("version", "expected", "said"),
    [
        ("2.1.331", ("claude", Severity.OK), "claude 2.1.331"),
        ("2.1.332", ("claude", Severity.OK), "claude 2.1.332"),
        ("2.1.340", ("claude-incompatible", Severity.ERROR), "does not work"),
        ("2.1.345", ("claude-untested", Severity.NOTE), "neighbours: 2.1.340 (broken)"),
        ("2.1.333", ("claude-untested", Severity.NOTE), "2.1.332 (differs), 2.1.340 (broken)"),
        ("2.1.109", ("claude-old", Severity.WARNING), "older than 2.1.110"),
    ],
)
def test_a_claude_is_judged_by_what_was_tried(
    version: str, expected: tuple[str, str], said: str
) -> None:
    claude = Claude("/bin/claude", version=version)
    world = WORLD._replace(trials=TRIALS, claude=claude)

    (found,) = check_claude(world)

    assert (found.code, found.severity) == expected
    assert said in found.message
    if found.severity is Severity.ERROR:
        assert "npm install -g @anthropic-ai/claude-code@2.1.332" in found.fix


def test_a_claude_is_untested_where_nothing_was_tried_with_this_litellm() -> None:
    (found,) = check_claude(WORLD._replace(trials=(), claude=Claude("/c", version="2.1.331")))

    assert found.message.endswith("nor was any other version")


def test_what_is_safe_is_fixed_after_a_yes_and_nothing_else(tmp_path: Path) -> None:
    keys = tmp_path / "credentials"
    keys.write_text("x")
    keys.chmod(0o644)
    profile = tmp_path / "mine.toml"
    profile.write_text("schema = 1\n")
    profile.chmod(0o666)
    world = WORLD._replace(modes=(PathMode(str(keys), 0o644), PathMode(str(profile), 0o666)))
    found = tuple(check_disk(world))
    places = find_places({"HOME": str(tmp_path)})

    with pytest.raises(UsageError, match="needs confirmation"):
        apply_fixes(found, "mine", places, {}, is_agreed=False)
    fixed = apply_fixes(found, "mine", places, {}, is_agreed=True)

    assert [one.problem for one in fixed] == ["", ""]
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert stat.S_IMODE(profile.stat().st_mode) == 0o644
    assert "ran `chmod 600 " in report("mine", (), fixed=fixed).text


def test_a_fix_that_fails_is_said(tmp_path: Path) -> None:
    fifo = tmp_path / "credentials"
    os.mkfifo(fifo, 0o644)
    gone = tmp_path / "gone"
    modes = (PathMode(str(fifo), 0o644), PathMode(str(gone), 0o644))
    found = tuple(check_disk(WORLD._replace(modes=modes)))
    places = find_places({"HOME": str(tmp_path)})

    fixed = apply_fixes(found, "mine", places, {}, is_agreed=True)

    assert [bool(one.problem) for one in fixed] == [True, True]
    assert stat.S_IMODE(fifo.stat().st_mode) == 0o644
    assert "could not run `chmod 600 " in report("mine", (), fixed=fixed).text


def test_nothing_that_a_person_decides_is_fixed() -> None:
    notes = examine(WORLD._replace(env={"ANTHROPIC_API_KEY": "x"}))

    assert {one.code for one in notes if safe_command(one, "mine")} <= {
        "readable-by-others",
        "profile-writable-by-others",
        "stack-left-over",
        "unit-failed",
        "stack-environment",
    }
    assert not [one for one in notes if one.code == "key-in-environment" and safe_command(one, "x")]
