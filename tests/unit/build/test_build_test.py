"""build/test: which parts run, which run in parallel, and what is printed about them."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "build/test.d"
sys.path.insert(0, str(FOLDER))  # build/ is not a package: it has no __init__.py
import parts  # noqa: E402
import run  # noqa: E402
import texts  # noqa: E402

MakePart = Callable[..., None]


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MakePart:
    """Make a part that is a Python script; `told` is what its tests would report."""
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    monkeypatch.setattr(run, "LOOK_S", 0.01)
    monkeypatch.chdir(tmp_path)

    def make(name: str, script: str, told: str = "") -> None:
        write = f"from pathlib import Path\nPath({name!r}).write_text({told!r})\n"
        command = (sys.executable, "-c", write + script)
        made = parts.Part(name=name, what=f"what {name} does", minutes=1, commands=(command,))
        monkeypatch.setitem(parts.PARTS, name, made)

    return make


def run_parts(*stages: parts.Stage) -> int:
    return run.Run(stages, [], Path()).run()


@pytest.mark.parametrize(
    ("arguments", "stages", "options"),
    [
        ([], parts.ALL, []),
        (["all", "-x"], parts.ALL, ["-x"]),
        (["-k", "name"], parts.ALL, ["-k", "name"]),
        (
            ["--all"],
            (*parts.ALL, (("packages",), ("versions",)), parts.LONG),
            [],
        ),
        (["unit"], ((("unit",),),), []),
        (["unit", "properties", "-q"], ((("unit", "properties"),),), ["-q"]),
        (["unit", "tests/unit/test_x.py"], ((("unit",),),), ["tests/unit/test_x.py"]),
    ],
)
def test_what_is_asked_for(
    arguments: list[str], stages: tuple[parts.Stage, ...], options: list[str]
) -> None:
    assert parts.split(arguments) == (stages, options)


@pytest.mark.parametrize("arguments", [["units"], ["unit", "all"], ["unit", "nope", "-q"]])
def test_what_is_no_part_is_refused(arguments: list[str]) -> None:
    with pytest.raises(parts.UnknownPart):
        parts.split(arguments)


def test_every_test_belongs_to_one_part() -> None:
    folders = [path.name for path in (REPOSITORY / "tests").iterdir() if any(path.glob("test_*"))]
    marks: dict[str, list[str]] = {}
    for folder, *mark in (part.tests for part in parts.PARTS.values() if part.tests):
        marks.setdefault(folder, []).append(mark[-1] if mark else "")

    assert {*marks} >= {f"tests/{name}" for name in folders}
    assert marks.pop("tests/unit") == [parts.QUICK, parts.SLOW]
    assert f"not ({parts.QUICK}) and not variants" == parts.SLOW
    assert marks.pop("tests/process") == ["not shells and not variants", "shells"]
    assert marks.pop("tests") == ["variants"]
    assert marks.pop("tests/e2e") == ["not variants"]
    # the others run a folder, or some files of one once more, for longer
    assert all(
        last == "" or last.endswith(".py") for selection in marks.values() for last in selection
    )


def test_the_plan_says_the_parts_and_the_time() -> None:
    text = texts.plan(parts.ALL, 0.0, Path("logs"))

    assert "lint, then unit + properties + process beside shells + tomorrow + e2e" in text
    assert " min on two cores\n" in text
    assert all(f"\n  {name} " in text for stage in parts.ALL for half in stage for name in half)
    assert "; the last time here: 12:05\n" in texts.plan(parts.ALL, 725.0, Path("logs"))


@pytest.mark.reaches_out
@pytest.mark.slow
def test_halves_run_at_the_same_time_and_the_whole_is_told(
    part: MakePart, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    meet = (
        "import time\nPath('{0}.up').touch()\n"
        "while not Path('{1}.up').exists(): time.sleep(0.01)\n"  # would run for ever alone
        "print('what is printed')\nprint('=' * 9, '2 passed in 1s', '=' * 9)\n"
    )
    part("a", meet.format("a", "b"), "total\t2\nstart\tt::x\npassed\tt::x\npassed\tt::y\n")
    part("b", meet.format("b", "a"), "total\t1\npassed\tt::z\n")

    assert run_parts((("a",), ("b",))) == 0

    said = capsys.readouterr().out
    assert said.count("== 2 passed in 1s ==") == 2
    assert "what is printed" not in said
    assert "what is printed" in (tmp_path / "a.log").read_text()
    rows = [line.split()[:3] for line in said.splitlines()[-4:-1]]
    assert rows == [["part", "result", "passed"], ["a", "ok", "2"], ["b", "ok", "1"]]


@pytest.mark.reaches_out
@pytest.mark.slow
def test_a_failure_is_told_at_once_and_shown_and_ends_with_1(
    part: MakePart, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = ["." * 20, "=== FAILURES ===", "E  assert False", "=== 1 failed in 1s ==="]
    text = "\n".join(lines)
    part("a", f"print({text!r})\nraise SystemExit(1)", "failed\tt::x\nblocked\tt::y\n")
    part("b", "")
    part("after", "")

    assert run_parts((("a",), ("b",)), (("after",),)) == 1

    said = capsys.readouterr().out
    assert "0:00  FAILED t::x\n" in said
    assert "\n".join(("== a: FAILED", *lines[1:])) in said
    assert "." * 20 not in said
    assert said.endswith("\nFAILED t::x\n")
    assert not (tmp_path / "after").exists()


@pytest.mark.reaches_out
@pytest.mark.slow
def test_what_ends_without_a_report_is_shown_whole(
    part: MakePart, capsys: pytest.CaptureFixture[str]
) -> None:
    part("a", "print('Traceback')\nprint('x')\nraise SystemExit(3)")
    part("b", "")

    assert run_parts((("a",), ("b",))) == 1

    assert "== a: FAILED\nTraceback\nx\n" in capsys.readouterr().out


UNSTEADY = """
from pathlib import Path

def test_steady():
    pass

def test_unsteady():
    times = Path("times")
    times.write_text(times.read_text() + "." if times.exists() else ".")
    assert len(times.read_text()) >= {good}

def test_broken():
    assert {broken}
"""


@pytest.mark.reaches_out
@pytest.mark.slow
@pytest.mark.parametrize(
    ("good", "broken", "again", "status"),
    [(2, "True", True, 0), (2, "True", False, 1), (3, "True", True, 1), (2, "False", True, 1)],
)
def test_what_fails_is_run_once_more_where_a_part_says_so_and_is_told(
    part: MakePart,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    good: int,
    broken: str,
    again: bool,
    status: int,
) -> None:
    (tmp_path / "conftest.py").write_text((REPOSITORY / "tests/conftest.py").read_text())
    (tmp_path / "test_a.py").write_text(UNSTEADY.format(good=good, broken=broken))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    made = parts.Part(name="a", what="", minutes=1, tests=("test_a.py",), again=again)
    monkeypatch.setitem(parts.PARTS, "a", made)
    part("b", "")

    assert run.Run(((("a",), ("b",)),), [], tmp_path).run() == status

    said = capsys.readouterr().out
    assert said.count("FAILED test_a.py::test_unsteady") >= 1  # as it happens, whatever comes then
    assert ("\nUNSTEADY test_a.py::test_unsteady\n" in said) == (again and good == 2)
    assert said.count("UNSTEADY") <= 2
    assert ("\nFAILED test_a.py::test_unsteady\n" in said.partition("part ")[2]) == (
        not again or good == 3
    )
    assert ("\nFAILED test_a.py::test_broken" in said.partition("part ")[2]) == (broken == "False")


@pytest.mark.reaches_out
@pytest.mark.slow
def test_many_failures_are_no_bad_luck(
    part: MakePart, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = "".join(f"failed\tt::x{at}\n" for at in range(6))
    part("a", "raise SystemExit(1)", failures)
    monkeypatch.setitem(parts.PARTS, "a", dataclasses.replace(parts.PARTS["a"], again=True))
    part("b", "")

    assert run_parts((("a",), ("b",))) == 1
    assert "UNSTEADY" not in capsys.readouterr().out


@pytest.mark.reaches_out
@pytest.mark.slow
@pytest.mark.parametrize(("statuses", "status"), [((5, 5), 5), ((0, 5), 0), ((5, 1), 1)])
def test_no_tests_in_one_part_is_no_failure_but_in_all_of_them(
    part: MakePart, statuses: tuple[int, int], status: int
) -> None:
    for name, one in zip("ab", statuses, strict=True):
        part(name, f"raise SystemExit({one})")

    assert run_parts((("a",), ("b",))) == status


@pytest.mark.reaches_out
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("halves", [1, 2])
def test_tests_that_are_interrupted_clear_up(tmp_path: Path, number: int, halves: int) -> None:
    waiting = (
        "import time; from pathlib import Path\n"
        "try: Path('up').touch(); time.sleep(600)\n"
        "finally: time.sleep(0.3); Path('cleared').touch()\n"
    )
    driver = (
        f"import sys; sys.path.insert(0, {str(FOLDER)!r})\n"
        "import parts, run\n"
        "one = lambda name, text: parts.Part(name=name, what='', minutes=1,\n"
        "    commands=((sys.executable, '-c', text),))\n"
        f"parts.PARTS.update(unit=one('unit', {waiting!r}), lint=one('lint', ''))\n"
        f"parts.STAGES['all'] = ((('unit',), ('lint',))[:{halves}],)\n"
        "sys.argv[1:] = ['all']\nsys.exit(run.main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", driver],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while not (tmp_path / "up").exists():
            assert process.poll() is None
            time.sleep(0.01)
        # Ctrl-C is sent to every process of the terminal
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        out, err = process.communicate()

    assert process.returncode == 130, err
    assert (tmp_path / "cleared").exists()
    assert "interrupted" in out
