"""Compare the locks with the snapshot of advisories; renew it where their index can be reached.

    audit.py [--renew] [--index URL] [--snapshot FILE] [LOCK...]

Knows: which locks there are, and the sentences. See build/audit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.with_name("setup.d")))
from advisories import Snapshot, applying, read_snapshot, write_snapshot  # noqa: E402
from locked import read_lock  # noqa: E402
from osv import URL, Unreachable, fetch  # noqa: E402

LOCKS = sorted(HERE.parent.glob("*.lock"))


def main(arguments: Sequence[str]) -> int:
    """Renew if requested, then compare; return 1 if an advisory applies."""
    parser = argparse.ArgumentParser(prog="build/audit", allow_abbrev=False)
    parser.add_argument("locks", nargs="*", type=Path, help="(default: build/*.lock)")
    parser.add_argument("--renew", action="store_true", help="fetch the snapshot anew first")
    parser.add_argument("--index", default=URL, help="(default: %(default)s)")
    parser.add_argument("--snapshot", type=Path, default=HERE / "advisories.json")
    options = parser.parse_args(arguments)
    pins = {(pin.name, pin.version) for lock in options.locks or LOCKS for pin in read_lock(lock)}
    if options.renew:
        renew(options.snapshot, options.index, sorted({name for name, _ in pins}))
    return compare(pins, read_snapshot(options.snapshot))


def renew(path: Path, url: str, names: Sequence[str]) -> None:
    """Replace the snapshot with the index's data; report if it cannot be reached."""
    try:
        found = fetch(url, names)
    except Unreachable as reason:
        taken = read_snapshot(path).taken
        say(f"cannot reach the advisories at {url}: {reason}; keeping the snapshot of {taken}")
        return
    today = datetime.now(UTC).date().isoformat()
    write_snapshot(path, Snapshot(taken=today, source=url, advisories=tuple(found)))


def compare(pins: set[tuple[str, str]], snapshot: Snapshot) -> int:
    """Print which advisories apply; return the exit status."""
    hits = applying(pins, snapshot.advisories)
    for version, one in hits:
        names = " ".join((one.id, *one.aliases))
        fixed = f"fixed in {one.fixed_in}" if one.fixed_in else "no fixed version is known"
        say(f"{one.package} {version}: {names}: {one.summary or 'no summary'} ({fixed})")
    known = f"{len(snapshot.advisories)} advisories of {snapshot.taken} ({snapshot.source})"
    result = f"{len(hits)} of {known} apply" if hits else f"none of {known} applies"
    say(f"{result} to {len(pins)} locked versions")
    if hits:
        say("upgrade with `build/lock --upgrade-package NAME`, then run this again")
    return int(bool(hits))


def say(what: str) -> None:
    """One line."""
    sys.stdout.write(f"audit: {what}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
