"""What the supervisor receives from a unit, however its lines are split."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from openclaude.contracts.decode import Malformed
from openclaude.run.supervisor.unit_process import LONGEST_LINE, Pipes, UnitProcess, make_pipes


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    made = make_pipes()
    yield made
    made.close((made.report_read, made.lifeline_read, made.lifeline_write))


def load(process: UnitProcess) -> tuple[int, int]:
    return process.in_flight, process.served


def test_the_last_whole_line_counts(pipes: Pipes) -> None:
    process = UnitProcess(os.getpid(), pipes)
    assert process.read_report()
    assert load(process) == (0, 0)

    os.write(pipes.report_write, b"1 0\n2 7\n12 3")
    assert process.read_report()
    assert load(process) == (2, 7)

    os.write(pipes.report_write, b"4\n")
    assert process.read_report()
    assert load(process) == (12, 34)

    os.close(pipes.report_write)
    assert not process.read_report()


def test_last_words_are_kept_beside_the_numbers(pipes: Pipes) -> None:
    process = UnitProcess(os.getpid(), pipes)

    os.write(pipes.report_write, b"1 0\n!the secret `env:A` is not set\n")
    assert process.read_report()

    assert (process.fatal_error, load(process)) == ("the secret `env:A` is not set", (1, 0))
    os.close(pipes.report_write)


def test_nonsense_is_refused_and_what_comes_after_it_is_heard(pipes: Pipes) -> None:
    process = UnitProcess(os.getpid(), pipes)

    os.write(pipes.report_write, b"hello\n")
    with pytest.raises(Malformed, match=r"^report of a unit: a line must be two whole numbers$"):
        process.read_report()

    os.write(pipes.report_write, b"3 4\n")
    assert process.read_report()
    assert load(process) == (3, 4)
    os.close(pipes.report_write)


def test_a_line_without_an_end_is_not_kept(pipes: Pipes) -> None:
    process = UnitProcess(os.getpid(), pipes)
    for _ in range(LONGEST_LINE // 4096):
        os.write(pipes.report_write, b"x" * 4096)
        assert process.read_report()

    os.write(pipes.report_write, b"x")
    with pytest.raises(Malformed, match=r"^report of a unit: a line is too long$"):
        process.read_report()

    assert process.rest == b""
    os.close(pipes.report_write)
