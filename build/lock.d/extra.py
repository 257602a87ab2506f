"""Leave in the lock of an extra what the lock of the base installation has not.

    extra.py EXTRA.lock BASE.lock

Knows: the form of a lock. Independent of: which packages, how a lock is made. Both locks together
are the whole environment, and each of its packages is in one of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "setup.d"))
from locked import Pin, read_lock


class OtherVersion(Exception):
    """A package would have two versions in one environment; the message names it."""


def added(extra: list[Pin], base: list[Pin]) -> list[Pin]:
    """The pins of the extra that are not in the base. Raises OtherVersion."""
    there: dict[str, set[str]] = {}
    for pin in base:
        there.setdefault(pin.name, set()).add(pin.version)
    for pin in extra:
        if pin.version not in there.get(pin.name, {pin.version}):
            raise OtherVersion(f"{pin.name} {pin.version} is {there[pin.name]} in the base lock")
    return [pin for pin in extra if pin.name not in there]


def main(extra: Path, base: Path) -> int:
    """Write the extra's lock again."""
    try:
        pins = added(read_lock(extra), read_lock(base))
    except OtherVersion as error:
        sys.stderr.write(f"build/lock: {error}\n")
        return 1
    extra.write_text("".join(pin.text for pin in pins), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
