"""Another user of the same machine, for the duration of a block.

The sockets and files created inside belong to that user. This requires root, which the tests have
in CI's container; for other users `need` reports that these tests did not run.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 - of what a socket needs: he may be unable to read it
import os
from collections.abc import Iterator

from tests.conftest import need

NOBODY = 65534


@contextlib.contextmanager
def second_user(uid: int = NOBODY) -> Iterator[None]:
    """Run the block as another user, in this thread's process."""
    before = os.geteuid()
    need(may_become(uid), "root, to be a second user")
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before)


def may_become(uid: int) -> bool:
    """Tell whether this process can become that user and return; not in a one-user namespace."""
    before = os.geteuid()
    try:
        os.seteuid(uid)
    except OSError:
        return False
    os.seteuid(before)
    return True
