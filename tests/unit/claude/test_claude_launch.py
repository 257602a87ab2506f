"""A launch: how the user's own settings and arguments are merged with ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest

from openclaude.claude.launch import (
    SETTINGS_PATH,
    Launch,
    LaunchFacts,
    SettingsConflict,
    SettingsFile,
    build_launch,
    folder_line,
    take_out,
)
from openclaude.contracts.plan import MAIN_KEY, MAIN_URL, LaunchPlan

KEY_LINE = "x-litellm-api-key: Bearer sk-k1"
ROW = {"model": "openclaude-haiku", "label": "Qwen", "behavesAs": "claude-3-5-haiku"}
PLAN = LaunchPlan(
    environment={
        "ANTHROPIC_BASE_URL": MAIN_URL,
        "ANTHROPIC_CUSTOM_HEADERS": f"x-litellm-api-key: Bearer {MAIN_KEY}",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "openclaude-haiku",
        "ANTHROPIC_API_KEY": "",
    },
    default_environment={},
    remove=("ANTHROPIC_API_KEY", "ANTHROPIC_UNIX_SOCKET"),
    picker=(ROW,),
    agents={},
)


def launch(
    plan: LaunchPlan = PLAN,
    *,
    arguments: tuple[str, ...] = (),
    own_settings: Mapping[str, Any] | None = None,
    own_agents: str = "",
    environment: Mapping[str, str] | None = None,
    settings: tuple[SettingsFile, ...] = (),
) -> Launch:
    facts = LaunchFacts(
        claude="/usr/bin/claude",
        arguments=arguments,
        own_settings=own_settings or {},
        own_agents=own_agents,
        environment=environment or {},
        settings=settings,
    )
    return build_launch(plan, facts, url="http://127.0.0.1:4000", key="sk-k1")


def test_settings_come_first_and_the_users_arguments_follow_in_order() -> None:
    made = launch(arguments=("mcp", "list", "--", "-p", ""))

    assert made.argv == ("claude", "--settings", SETTINGS_PATH, "mcp", "list", "--", "-p", "")


def test_the_settings_file_points_claude_at_main_with_the_local_key() -> None:
    made = launch()

    assert made.settings == {
        "apiKeyHelper": "",
        "env": {
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:4000",
            "ANTHROPIC_CUSTOM_HEADERS": KEY_LINE,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "openclaude-haiku",
            "ANTHROPIC_API_KEY": "",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        },
        "modelPicker": {"options": [ROW]},
    }


def test_the_process_environment_loses_only_what_would_hide_the_login() -> None:
    environment = {"PATH": "/bin", "ANTHROPIC_API_KEY": "k", "ANTHROPIC_UNIX_SOCKET": "/s", "X": ""}

    assert launch(environment=environment).environment == {"PATH": "/bin", "X": ""}


def test_the_users_own_settings_are_merged_not_replaced() -> None:
    own = {
        "permissions": {"allow": ["Bash(ls)"]},
        "env": {"MINE": "1", "ANTHROPIC_BASE_URL": "http://elsewhere"},
        "modelPicker": {"options": [{"model": "m1"}, {"model": "openclaude-haiku"}], "x": 1},
    }

    made = launch(own_settings=own)

    assert made.settings["permissions"] == {"allow": ["Bash(ls)"]}
    assert made.settings["env"]["MINE"] == "1"
    assert made.settings["env"]["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:4000"
    assert made.settings["modelPicker"] == {"options": [ROW, {"model": "m1"}], "x": 1}


def test_a_picker_from_a_settings_file_is_kept_because_ours_would_replace_it() -> None:
    user = SettingsFile("/s.json", "user", {"modelPicker": {"options": [{"model": "m2"}]}})

    assert launch(settings=(user,)).settings["modelPicker"] == {"options": [ROW, {"model": "m2"}]}


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({}, {"options": [{"model": "opus"}, ROW], "replaceBuiltInOptions": True}),
        (
            {"options": [{"model": "m2"}], "replaceBuiltInOptions": False},
            {"options": [{"model": "opus"}, ROW, {"model": "m2"}], "replaceBuiltInOptions": True},
        ),
        (
            {"options": [{"model": "m2"}], "replaceBuiltInOptions": True},
            {"options": [ROW, {"model": "m2"}], "replaceBuiltInOptions": True},
        ),
    ],
)
def test_claudes_own_rows_give_way_where_one_would_name_a_model_that_does_not_answer(
    theirs: dict[str, Any], expected: dict[str, Any]
) -> None:
    plan = PLAN._replace(claude_rows=({"model": "opus"},))
    user = SettingsFile("/s.json", "user", {"modelPicker": theirs})

    assert launch(plan, settings=(user,)).settings["modelPicker"] == expected


HEADERS = "ANTHROPIC_CUSTOM_HEADERS"


@pytest.mark.parametrize(
    ("environment", "own", "user", "expected"),
    [
        ({HEADERS: "A: 1\nB: 2"}, {}, {}, f"A: 1\nB: 2\n{KEY_LINE}"),
        ({HEADERS: "A: 1"}, {}, {HEADERS: "C: 3"}, f"C: 3\n{KEY_LINE}"),
        ({HEADERS: "A: 1"}, {HEADERS: "D: 4"}, {HEADERS: "C: 3"}, f"D: 4\n{KEY_LINE}"),
        ({HEADERS: "X-LiteLLM-API-Key: Bearer old\n\n"}, {}, {}, KEY_LINE),
    ],
)
def test_the_users_headers_go_along_from_where_claude_would_take_them(
    environment: dict[str, str], own: dict[str, str], user: dict[str, str], expected: str
) -> None:
    made = launch(
        environment=environment,
        own_settings={"env": own},
        settings=(SettingsFile("/s.json", "user", {"env": user}),),
    )

    assert made.settings["env"][HEADERS] == expected


@pytest.mark.parametrize(
    ("environment", "user", "expected"),
    [
        ({}, {}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "a.b"}, {}, "127.0.0.1,localhost,a.b"),
        ({"NO_PROXY": "a.b", "no_proxy": "c.d"}, {}, "127.0.0.1,localhost,c.d"),
        ({"NO_PROXY": "a.b"}, {"NO_PROXY": "e.f"}, "127.0.0.1,localhost,e.f"),
    ],
)
def test_loopback_is_put_before_the_users_own_proxy_exceptions(
    environment: dict[str, str], user: dict[str, str], expected: str
) -> None:
    made = launch(
        environment=environment, settings=(SettingsFile("/s.json", "user", {"env": user}),)
    )

    assert made.settings["env"]["NO_PROXY"] == made.settings["env"]["no_proxy"] == expected


def test_the_folder_is_one_line_whatever_its_name_and_that_of_an_outer_session_is_left_out() -> (
    None
):
    strange = "/home/u/a b\r\nx-api-key: 1/%41/\N{SNOWMAN}\udcff"

    line = folder_line(strange)

    name, _, value = line.partition(": ")
    assert (name, line.isascii(), line.isprintable(), " " in value) == (
        *("x-openclaude-folder", True, True),
        False,
    )
    assert unquote(value, errors="surrogateescape") == strange
    outer = f"x-mine: 1\n{line}\n{KEY_LINE}"
    assert launch(environment={HEADERS: outer}).settings["env"][HEADERS] == f"x-mine: 1\n{KEY_LINE}"


def test_a_default_gives_way_to_what_the_user_chose() -> None:
    plan = PLAN._replace(
        environment={HEADERS: ""}, default_environment={"ANTHROPIC_DEFAULT_HAIKU_MODEL": "ours"}
    )
    name = "ANTHROPIC_DEFAULT_HAIKU_MODEL"

    assert launch(plan).settings["env"][name] == "ours"
    assert name not in launch(plan, environment={name: "theirs"}).settings["env"]


SMALL, ALIAS = "ANTHROPIC_SMALL_FAST_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL"


@pytest.mark.parametrize("chosen", [SMALL, ALIAS])
def test_the_model_of_small_calls_is_the_users_if_they_chose_it_in_either_way(chosen: str) -> None:
    plan = PLAN._replace(environment={HEADERS: ""}, default_environment={SMALL: "ours"})

    assert launch(plan).settings["env"][SMALL] == "ours"
    assert SMALL not in launch(plan, environment={chosen: "theirs"}).settings["env"]


def test_an_alias_that_leads_past_a_slot_is_emptied_where_the_user_has_bound_it() -> None:
    plan = PLAN._replace(environment={HEADERS: ""}, unbound=(ALIAS,))
    user = SettingsFile("/s.json", "user", {"env": {ALIAS: "theirs"}})

    assert ALIAS not in launch(plan).settings["env"]
    assert launch(plan, environment={ALIAS: "theirs"}).settings["env"][ALIAS] == ""
    assert launch(plan, settings=(user,)).settings["env"][ALIAS] == ""


def test_an_alias_that_an_administrator_has_bound_past_a_slot_is_named() -> None:
    plan = PLAN._replace(environment={HEADERS: ""}, unbound=(ALIAS,))
    managed = SettingsFile("/m.json", "managed", {"env": {ALIAS: "theirs"}})

    with pytest.raises(SettingsConflict, match=f"`env.{ALIAS}` in the managed settings"):
        launch(plan, settings=(managed,))


def test_settings_by_model_keep_what_the_user_gave_for_it() -> None:
    plan = PLAN._replace(model_settings={"claude-haiku-5-5": {"autoCompactWindow": 256_000}})
    own = {
        "claude-haiku-5-5": {"effortLevel": "low", "autoCompactWindow": "auto"},
        "claude-opus-5-5": {"effortLevel": "high"},
    }

    made = launch(plan, own_settings={"modelSettings": own}).settings["modelSettings"]

    assert made == {
        "claude-haiku-5-5": {"effortLevel": "low", "autoCompactWindow": 256_000},
        "claude-opus-5-5": {"effortLevel": "high"},
    }
    assert "modelSettings" not in launch(PLAN).settings
    for odd in ("text", {"claude-haiku-5-5": 7}, None):
        made = launch(plan, own_settings={"modelSettings": odd}).settings["modelSettings"]
        assert made == plan.model_settings


EXPLORE = {"description": "d", "prompt": "p", "model": "haiku"}


@pytest.mark.parametrize(
    ("ours", "own", "expected"),
    [
        ({}, "", ()),
        ({}, '{"A":{}}', ("--agents", '{"A":{}}')),
        ({"Explore": EXPLORE}, "", ("--agents", json.dumps({"Explore": EXPLORE}))),
        (
            {"Explore": EXPLORE},
            '{"A": {"x": 1}}',
            ("--agents", json.dumps({"Explore": EXPLORE, "A": {"x": 1}})),
        ),
        (
            {"Explore": EXPLORE},
            '{"Explore": {"x": 1}}',
            ("--agents", json.dumps({"Explore": {"x": 1}})),
        ),
        ({"Explore": EXPLORE}, "{broken", ("--agents", "{broken")),
    ],
)
def test_agents_are_given_once_and_the_users_win(
    ours: dict[str, Any], own: str, expected: tuple[str, ...]
) -> None:
    made = launch(PLAN._replace(agents=ours), own_agents=own, arguments=("-p", "x"))

    assert made.argv[3:] == (*expected, "-p", "x")


@pytest.mark.parametrize(
    ("arguments", "kept", "value"),
    [
        (("-p", "hi"), ("-p", "hi"), ""),
        (("--settings", "a", "-p"), ("-p",), "a"),
        (("--settings=a", "-p"), ("-p",), "a"),
        (("--settings", "a", "--settings=b"), (), "b"),
        (("-p", "--", "--settings", "a"), ("-p", "--", "--settings", "a"), ""),
        (("--settings",), ("--settings",), ""),
        (("--settings-x", "a"), ("--settings-x", "a"), ""),
    ],
)
def test_the_last_of_a_repeated_flag_is_taken_out(
    arguments: tuple[str, ...], kept: tuple[str, ...], value: str
) -> None:
    assert take_out(arguments, "--settings") == (kept, value)


@pytest.mark.parametrize(
    ("settings", "environment", "message"),
    [
        (
            SettingsFile("/m.json", "managed", {"env": {"ANTHROPIC_BASE_URL": "http://x"}}),
            {},
            "`env.ANTHROPIC_BASE_URL` in the managed settings `/m.json` cannot be overridden",
        ),
        (
            SettingsFile("/m.json", "managed", {"apiKeyHelper": "/bin/k"}),
            {},
            "`apiKeyHelper` in the managed settings `/m.json` cannot be overridden",
        ),
        (
            SettingsFile("/m.json", "managed", {"env": {"no_proxy": "x"}}),
            {},
            "`env.no_proxy` in the managed settings `/m.json` cannot be overridden",
        ),
        (
            SettingsFile("/u.json", "user", {"env": {"ANTHROPIC_UNIX_SOCKET": "/s"}}),
            {},
            "`env.ANTHROPIC_UNIX_SOCKET` in `/u.json` hides your Claude login from openclaude",
        ),
        (
            SettingsFile("/u.json", "user", {}),
            {HEADERS: "Authorization: Bearer mine"},
            "your ANTHROPIC_CUSTOM_HEADERS set `authorization`, which replaces your Claude login",
        ),
    ],
)
def test_what_no_launch_can_undo_is_named(
    settings: SettingsFile, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsConflict) as caught:
        launch(settings=(settings,), environment=environment)

    assert caught.value.message == message
    assert caught.value.hint
    assert caught.value.launch_exit_code == 125


def test_settings_that_a_launch_does_undo_are_no_conflict() -> None:
    user = {
        "env": {"ANTHROPIC_BASE_URL": "http://x", "ANTHROPIC_API_KEY": "k"},
        "apiKeyHelper": "h",
    }
    managed = {"permissions": {}, "env": {"OTHER": "1"}}
    sources = (SettingsFile("/m.json", "managed", managed), SettingsFile("/u.json", "user", user))

    made = launch(settings=sources)

    assert made.settings["apiKeyHelper"] == ""
    assert made.settings["env"]["ANTHROPIC_API_KEY"] == ""


def test_odd_values_in_settings_files_are_left_to_claude() -> None:
    odd: dict[str, object] = {"env": ["x"], "modelPicker": "y"}

    made = launch(own_settings=odd, settings=(SettingsFile("/u.json", "user", odd),))

    assert made.settings["modelPicker"]["options"] == [ROW]


@pytest.mark.parametrize("model", [["x"], {"a": 1}, 7, None])
def test_a_row_whose_model_is_no_text_is_left_to_claude(model: object) -> None:
    row = {"model": model}
    project = SettingsFile("/s.json", "project", {"modelPicker": {"options": [row]}})

    assert launch(settings=(project,)).settings["modelPicker"] == {"options": [ROW, row]}
