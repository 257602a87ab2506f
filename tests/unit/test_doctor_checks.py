"""The doctor's checks, for worlds that are hard to bring about, and how findings are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaude import __version__
from openclaude.commands.doctor import report
from openclaude.compile.plan import LaunchPlan, Plan
from openclaude.doctor.checks import examine
from openclaude.doctor.disk import check_disk
from openclaude.doctor.environment import check_environment, without_password
from openclaude.doctor.finding import NOTE, OK, STOPS, WARNS, Finding
from openclaude.doctor.litellm import check_litellm
from openclaude.doctor.look_packages import differences, find_lock
from openclaude.doctor.stack import check_ports, check_stack
from openclaude.doctor.world import (
    Claude,
    Folder,
    Package,
    PathMode,
    Port,
    StackSeen,
    Wanted,
    World,
)
from openclaude.facts import LITELLM_VERSION
from openclaude.facts_aws import AwsFacts

PLAN = Plan(
    profile="mine",
    port=4000,
    strict=False,
    anthropic_url="",
    aws_profile="",
    tiers=(),
    units=(),
    files={},
    launch=LaunchPlan({"ANTHROPIC_CUSTOM_HEADERS": ""}, {}, (), (), {}),
    preload_environment={},
    digest="sha256:new",
)
WORLD = World(
    env={},
    claude=Claude("/bin/claude", version="2.1.330", login={"loggedIn": True, "authMethod": "x"}),
    wanted=Wanted("mine", plan=PLAN, auth="plan"),
    aws=AwsFacts("~/.aws/config", "~/.aws/credentials"),
    ports=(Port(4000, is_free=True, holder=""), Port(4001, is_free=True, holder="")),
    litellm=LITELLM_VERSION,
    lock="/x.lock",
    folders=(Folder("/state", free_bytes=10**9),),
)


def codes(findings: object) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("free", "expected"),
    [(10**9, ("disk", OK)), (10**7, ("disk-full", WARNS)), (10**5, ("disk-full", STOPS))],
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

    assert [(one.code, one.mend) for one in found] == [
        ("profile-writable-by-others", "run `chmod go-w /b.toml`"),
        ("readable-by-others", "run `chmod 600 /keys`"),
    ]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (StackSeen(), ("stack", OK)),
        (StackSeen(is_recorded=True), ("stack-left-over", NOTE)),
        (
            StackSeen(True, True, "0.0.1", {"units": [], "digest": "sha256:new", "port": 1}),
            ("stack-of-another-version", NOTE),
        ),
        (
            StackSeen(True, True, __version__, {"units": [], "digest": "sha256:old", "port": 1}),
            ("stack-outdated", NOTE),
        ),
        (
            StackSeen(True, True, __version__, {"units": [], "digest": "sha256:new", "port": 1}),
            ("stack", OK),
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

    assert codes(check_ports(WORLD._replace(ports=busy))) == [("port-taken", NOTE)]
    assert codes(check_ports(WORLD._replace(ports=busy, stack=running))) == []


def test_without_a_profile_what_needs_one_is_left_out() -> None:
    entry = {"code": "profile-unknown", "message": "no profile named `x`", "hint": "y"}
    world = WORLD._replace(wanted=Wanted("x", errors=(entry,)))

    found = codes(examine(world))

    assert ("profile-unknown", STOPS) in found
    assert not {code for code, _ in found} & {"ports", "stack", "aws"}


@pytest.mark.parametrize(
    ("auth", "codes_found"),
    [("plan", ["key-in-environment"]), ("none", ["key-in-environment"]), ("api-key", [])],
)
def test_an_anthropic_key_is_in_order_where_the_profile_pays_with_it(
    auth: str, codes_found: list[str]
) -> None:
    world = WORLD._replace(env={"ANTHROPIC_API_KEY": "x"}, wanted=WORLD.wanted._replace(auth=auth))

    found = [one.code for one in check_environment(world) if one.severity != OK]

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
        "openclaude.doctor.look_packages.installed_version", lambda name: installed.get(name, "")
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

    assert found.what.startswith("7 packages are not the locked one: p0 1 (locked: 2), ")
    assert found.what.endswith(", and 2 more")


def test_without_a_lock_nothing_is_claimed() -> None:
    assert codes(check_litellm(WORLD._replace(lock="")))[1] == ("lock-missing", NOTE)


# The report ---------------------------------------------------------------------------------------

FOUND = (
    Finding("a", OK, "all is well", where="/unsaid"),
    Finding("b", WARNS, "it is warm", "why not", "cool it", "/x:1:k"),
    Finding("c", STOPS, "it is broken", "it matters", "run `mend`"),
)


def test_a_report_says_what_where_why_and_how_to_mend_it() -> None:
    shown = report("mine", FOUND)

    assert shown.text == (
        f"openclaude {__version__}, profile `mine`\n\n"
        "ok     all is well\n"
        "warns  it is warm\n"
        "         where: /x:1:k\n"
        "         why: why not\n"
        "         mend: cool it\n"
        "stops  it is broken\n"
        "         why: it matters\n"
        "         mend: run `mend`\n"
        "\n1 would stop a launch, 1 to mend, 1 in order\n"
    )
    assert shown.exit_code == 1
    assert shown.data["counts"] == {"stops": 1, "warns": 1, "note": 0, "ok": 1}


def test_a_report_without_a_stop_is_a_yes() -> None:
    assert report("mine", FOUND[:2]).exit_code == 0
    assert report("", ()).data["profile"] is None


def test_nothing_that_a_terminal_obeys_is_shown() -> None:
    hostile = Finding("a", NOTE, "red \x1b[31m", "two\nlines", "\udcff", "/x\t")

    assert report("mine", (hostile,)).text.splitlines()[2:6] == [
        "note   red ?[31m",
        "         where: /x?",
        "         why: two?lines",
        "         mend: ?",
    ]
