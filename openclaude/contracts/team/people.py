"""The file of people's keys: who may ask, by digest, and what each of them may use.

Knows: the form of a line, which limits there are. Independent of: who writes the file, how it is
counted what a person uses. A line is `NAME SHA256-OF-THE-KEY`, then limits in any order: `rpm=60`
requests in a minute, `parallel=8` at the same time, `day=5.00` and `month=60.00` US dollars.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from openclaude.contracts.decode import Malformed

LINE = re.compile(r"(?P<name>\S{1,100})\s+(?P<digest>[0-9a-f]{64})(?P<limits>(?:\s+\S+)*)")
WHOLE = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
DOLLARS = re.compile(r"(?=.*[1-9])[0-9]{1,7}(?:\.[0-9]{1,2})?", re.ASCII)
# limit -> what it may be, an example
LIMITS = {
    "rpm": (WHOLE, "60"),
    "parallel": (WHOLE, "8"),
    "day": (DOLLARS, "5.00"),
    "month": (DOLLARS, "60.00"),
}


class Limits(NamedTuple):
    """What a person may use; 0 is as much as there is."""

    rpm: int = 0  # requests in a minute
    parallel: int = 0  # requests at the same time
    day: float = 0.0  # US dollars in a day of UTC
    month: float = 0.0  # US dollars in a month of UTC


class Person(NamedTuple):
    """One who may ask."""

    name: str
    limits: Limits = Limits()


def read_people(text: str) -> dict[str, Person]:
    """The people in the text of a file of keys, by the digests of their keys. Raises Malformed.

    A line that is not understood lets nobody in, so that a slip of the pen is noticed. A person
    may have several keys, with the same limits.
    """
    people: dict[str, Person] = {}
    limits: dict[str, Limits] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        digest, person = read_line(said, number)
        if people.get(digest, person).name != person.name:
            raise Malformed(f"line {number} has the key of `{people[digest].name}`")
        if limits.setdefault(person.name, person.limits) != person.limits:
            raise Malformed(
                f"line {number} gives `{person.name}` other limits than a line before it"
            )
        people[digest] = person
    return people


def read_line(said: str, number: int) -> tuple[str, Person]:
    """A digest and whose it is. Raises Malformed."""
    found = LINE.fullmatch(said)
    if found is None:
        raise Malformed(
            f"line {number} must be `NAME SHA256-OF-THE-KEY`, then limits such as `{EXAMPLE}`"
        )
    given: dict[str, str] = {}
    for word in found["limits"].split():
        name, _, value = word.partition("=")
        rule = LIMITS.get(name)
        if rule is None or not rule[0].fullmatch(value) or name in given:
            raise Malformed(
                f"line {number}: `{word}` is not a limit, or there twice; limits are `{EXAMPLE}`"
            )
        given[name] = value
    return found["digest"], Person(found["name"], limits_of(given))


def limits_of(given: Mapping[str, str]) -> Limits:
    """Limits from texts that are valid."""
    return Limits(
        rpm=int(given.get("rpm", 0)),
        parallel=int(given.get("parallel", 0)),
        day=float(given.get("day", 0)),
        month=float(given.get("month", 0)),
    )


def shown_limits(limits: Limits) -> dict[str, str]:
    """Those that are set, as a line of the file has them."""
    said = {
        "rpm": str(limits.rpm),
        "parallel": str(limits.parallel),
        "day": f"{limits.day:.2f}",
        "month": f"{limits.month:.2f}",
    }
    return {name: text for name, text in said.items() if getattr(limits, name)}


def line_of(digest: str, person: Person) -> str:
    """The line of a key, without its end."""
    words = (f"{name}={text}" for name, text in shown_limits(person.limits).items())
    return " ".join([person.name, digest, *words])


EXAMPLE = " ".join(f"{name}={example}" for name, (_, example) in LIMITS.items())
