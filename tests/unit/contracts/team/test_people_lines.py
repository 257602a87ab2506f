"""The lines of the file of people's keys: a name, a digest, limits; anything else is refused."""

from __future__ import annotations

import pytest

from openclaude.contracts.decode import Malformed
from openclaude.contracts.team.people import Limits, Person, line_of, read_people

ONE, OTHER = "1" * 64, "2" * 64


@pytest.mark.parametrize(
    ("said", "limits"),
    [
        ("", Limits()),
        (" rpm=60", Limits(rpm=60)),
        ("\tmonth=60.00  parallel=8 rpm=60 day=5", Limits(60, 8, 5.0, 60.0)),
        (" day=0.01", Limits(day=0.01)),
    ],
)
def test_limits_follow_the_digest_in_any_order(said: str, limits: Limits) -> None:
    people = read_people(f"# the team\n\nann {ONE}{said}\n")

    assert people == {ONE: Person("ann", limits)}
    assert read_people(line_of(ONE, people[ONE])) == people


@pytest.mark.parametrize(
    "said",
    [
        *("rpm=0", "rpm=-1", "rpm=6.5", "rpm=1e3", "rpm=", "rpm", "rps=5", "RPM=60", "rpm=٦٠"),
        *("day=0", "day=0.00", "day=5,00", "day=5.001", "day=$5", "day=nan", "day=inf"),
        *("rpm=60 rpm=60", "rpm=60 # of the trial", "parallel=9999999"),
    ],
)
def test_a_limit_that_is_not_understood_lets_nobody_in(said: str) -> None:
    with pytest.raises(Malformed, match=r"line 2: `.*` is not a limit, or there twice"):
        read_people(f"bob {OTHER}\nann {ONE} {said}\n")


def test_a_person_has_several_keys_with_the_same_limits() -> None:
    both = f"ann {ONE} rpm=5\nann {OTHER} rpm=5\n"

    assert len(read_people(both)) == 2
    with pytest.raises(Malformed, match="line 2 gives `ann` other limits"):
        read_people(both.replace(f"{OTHER} rpm=5", OTHER))


def test_a_key_is_one_persons() -> None:
    with pytest.raises(Malformed, match="line 2 has the key of `ann`"):
        read_people(f"ann {ONE}\nbob {ONE}\n")
