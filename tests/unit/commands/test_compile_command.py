"""`openclaude compile` prints claude's environment, and nothing that only the user may see."""

from __future__ import annotations

from openclaude.commands.compile import without_own_values

LOCAL = "x-litellm-api-key: Bearer <local key of main>"


def test_of_the_users_headers_only_the_names_are_shown() -> None:
    lines = ["x-a: hunter2", "hunter2 without a name", "x-b:hunter2:hunter3", LOCAL]
    environment = {"A": "1", "ANTHROPIC_CUSTOM_HEADERS": "\n".join(lines)}

    assert without_own_values(environment) == {
        "A": "1",
        "ANTHROPIC_CUSTOM_HEADERS": "x-a: <your own value>\n<your own value>\n"
        f"x-b: <your own value>\n{LOCAL}",
    }


def test_without_headers_of_the_users_nothing_changes() -> None:
    assert without_own_values({"ANTHROPIC_CUSTOM_HEADERS": LOCAL}) == {
        "ANTHROPIC_CUSTOM_HEADERS": LOCAL
    }
