"""`openclaude serve --redis`: no password is taken from the command line."""

from __future__ import annotations

import pytest

from openclaude.commands.serve.command import redis_of
from openclaude.errors import UsageError
from openclaude.run.serving.foreground import is_address


@pytest.mark.parametrize(
    "said",
    ["redis://h:6379/0", "rediss://h/1", "unix:///run/redis.sock", "env:TEAM_REDIS", "file:/x/y"],
)
def test_an_address_or_where_it_is_is_taken_as_it_is(said: str) -> None:
    assert redis_of(said) == said


@pytest.mark.parametrize(
    "said",
    ["redis://:CANARY@h:6379/0", "rediss://u:CANARY@h", "unix:///r.sock?password=CANARY"],
)
def test_a_password_is_refused_and_not_repeated(said: str) -> None:
    with pytest.raises(UsageError, match="must not have a password") as refused:
        redis_of(said)

    assert "CANARY" not in refused.value.message + refused.value.hint


@pytest.mark.parametrize("said", ["h:6379", "http://h", "env:", "CANARY"])
def test_what_is_neither_is_refused_and_not_repeated(said: str) -> None:
    with pytest.raises(UsageError, match="or say where it is") as refused:
        redis_of(said)

    assert "CANARY" not in refused.value.message + refused.value.hint


def test_a_program_that_prints_an_address_is_not_one() -> None:
    assert not is_address("command:curl https://vault.example/redis")
