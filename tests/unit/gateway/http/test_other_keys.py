"""Keys that are accepted beside the local one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from openclaude.contracts.worker import FORMER_KEYS, PROGRAM_KEYS
from openclaude.gateway.http.other_keys import OtherKeys
from openclaude.run.stack.program_keys import give_key, programs_file, revoke_all, revoke_key


@pytest.fixture
def others(tmp_path: Path) -> OtherKeys:
    return OtherKeys.of({PROGRAM_KEYS: str(programs_file(tmp_path)), FORMER_KEYS: ""})


def test_a_program_is_let_in_from_when_it_gets_a_key_until_that_is_revoked(
    others: OtherKeys, tmp_path: Path
) -> None:
    assert not others.has(b"")
    one, two = (give_key(tmp_path, name).encode() for name in ("one", "two"))
    assert (others.has(one), others.has(two), others.has(b"sk-openclaude-x")) == (True, True, False)
    again = give_key(tmp_path, "one").encode()
    assert (others.has(one), others.has(again)) == (False, True)
    assert revoke_key(tmp_path, "one")
    assert (others.has(again), others.has(two)) == (False, True)
    revoke_all(tmp_path)
    assert not others.has(two)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[1]", b'[["a", "b"]]', b"[" * 100_000, b"\xff", b'{"a": 1}']
)
def test_a_file_that_is_broken_lets_nobody_in(
    others: OtherKeys, tmp_path: Path, content: bytes
) -> None:
    key = give_key(tmp_path, "one").encode()
    assert others.has(key)
    programs_file(tmp_path).write_bytes(content)

    assert not others.has(key)


def test_a_file_that_is_replaced_within_one_tick_of_the_clock_is_read_again(
    others: OtherKeys, tmp_path: Path
) -> None:
    path = programs_file(tmp_path)
    first = give_key(tmp_path, "one").encode()
    assert others.has(first)
    before = path.stat()
    second = give_key(tmp_path, "one").encode()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert (others.has(first), others.has(second)) == (False, True)


def test_no_more_programs_are_kept_than_the_file_may_hold(tmp_path: Path) -> None:
    for number in range(105):
        give_key(tmp_path, f"program {number}")

    names = [name for name, _, _ in json.loads(programs_file(tmp_path).read_text())]
    assert names == [f"program {number}" for number in range(5, 105)]
