"""Replies that nobody thought of: main's answer is a valid reply or a valid error.

500 examples in every run; OPENCLAUDE_FUZZ=20000, as `build/test fuzz` has it, for more. The way is
the real one: main, providers, and a provider that answers with anything.
"""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.test_e2e_quirks import SERVED, Running, running
from tests.fuzzed import check, fuzzed, made_up

__all__ = ["running"]  # the fixture
LIKE_OPENAI = ("openai", "openrouter")
DIALECTS = sorted(SERVED.keys() - {"openrouter"})


@fuzzed
@given(st.sampled_from(DIALECTS), st.booleans(), st.integers(0, 2**32 - 1))
def test_whatever_a_provider_answers_main_answers_with_a_message_or_an_error(
    running: Running, dialect: str, streams: bool, seed: int
) -> None:
    given_ = made_up(dialect, seed, streams=streams)
    served = LIKE_OPENAI if dialect == "openai" else (dialect,)
    running.replay.cut = given_.cut

    # its connection is read to the end: a reply that hangs or breaks off fails here
    told = running.ask(
        random.Random(seed).choice(served),  # noqa: S311 - a test's
        given_.response,
        streams=streams,
    )

    check(given_, told)


def test_no_instance_has_met_anything_that_it_did_not_expect(running: Running) -> None:
    logs = running.logs()

    assert "Exception in ASGI application" not in logs
    assert "the rehearsal failed" not in logs
