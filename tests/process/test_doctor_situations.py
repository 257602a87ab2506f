"""Everything that can break, broken on purpose: doctor finds each, and says how to fix it.

Real files, real ports, a claude of three lines. Each row breaks one thing in a healthy world, and
names the diagnostic that must appear.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.pinned import CLAUDE_VERSION
from tests.process.world import World, stopped, until

CLAUDE = f"""\
#!/bin/sh
case "$*" in
  --version) echo "{CLAUDE_VERSION} (Claude Code)" ;;
  "auth status") cat "$HOME/login.json" ;;
esac
"""
LOGIN = {"loggedIn": True, "authMethod": "claude.ai", "subscriptionType": "max"}
ROLE = "role_arn = arn:aws:iam::1:role/x\n"
SSO = (
    "[profile openclaude]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = x\n"
    "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp/start\n"
)
OVER = {"accessToken": "hunter2", "expiresAt": "2020-01-01T00:00:00Z"}
SETTINGS = ".claude/settings.json"
HAIKU = 'haiku = "bedrock/qwen.qwen3-next-80b-a3b"\n'
AWS = '[aws]\nprofile = "openclaude"\nregion = "us-west-2"\n'


class Broken(NamedTuple):
    """A situation: how it is caused, and what doctor must report."""

    code: str
    severity: str
    fix: str  # must be in its fix
    how: Callable[[World], dict[str, str] | None]  # returns environment variables, if it needs any
    where: str = ""  # how its location ends
    arguments: tuple[str, ...] = ()


# How to break things ----------------------------------------------------------------------------


def claude(text: str, mode: int = 0o755) -> Callable[[World], None]:
    def how(world: World) -> None:
        world.executable("claude", text).chmod(mode)

    return how


def no_claude(world: World) -> dict[str, str]:
    world.claude.unlink()
    return {"PATH": str(world.bin)}


def login(**said: Any) -> Callable[[World], None]:
    def how(world: World) -> None:
        (world.home / "login.json").write_text(json.dumps(said) if said else "what?")
        (world.home / ".claude.json").write_text("{}")  # one that was never started is not asked

    return how


def aws(config: str, tokens: dict[str, Any] | None = None) -> Callable[[World], None]:
    def how(world: World) -> None:
        (world.home / ".aws" / "config").write_text(config)
        cache = world.home / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        for session, token in (tokens or {}).items():
            name = hashlib.sha1(session.encode(), usedforsecurity=False).hexdigest()
            (cache / f"{name}.json").write_text(json.dumps(token))

    return how


def settings(values: object, name: str = SETTINGS) -> Callable[[World], None]:
    def how(world: World) -> None:
        path = world.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(values if isinstance(values, str) else json.dumps(values, indent=1))

    return how


def managed(world: World) -> dict[str, str]:
    settings({"env": {"ANTHROPIC_BASE_URL": "https://gateway.corp"}}, "managed.json")(world)
    return {"CLAUDE_CODE_MANAGED_SETTINGS_PATH": f"{world.home}/managed.json"}


def variables(**env: str) -> Callable[[World], dict[str, str]]:
    return lambda _world: env


def dead_url() -> str:
    """Return a loopback address without a listener."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def dead_settings(world: World) -> None:
    settings({"env": {"ANTHROPIC_BASE_URL": dead_url()}})(world)


def proxy_in_settings(world: World) -> None:
    path = world.home / SETTINGS
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"env": {"HTTP_PROXY": "http://user:hunter2@proxy.corp:3128"}}))


def lost_bundle_of_aws(world: World) -> None:
    aws_config(world, "ca_bundle = /no/such/company.pem\n")


def retries_of_aws(world: World) -> None:
    aws_config(world, "retry_mode = standard\n")


def aws_config(world: World, more: str) -> None:
    path = world.home / ".aws/config"
    path.write_text(
        path.read_text().replace("[profile openclaude]\n", f"[profile openclaude]\n{more}")
    )


def dead_proxy(world: World) -> dict[str, str]:
    return {"HTTPS_PROXY": dead_url().replace("//", "//user:hunter2@")}


def dead_base(world: World) -> dict[str, str]:
    return {"ANTHROPIC_BASE_URL": dead_url()}


def profile(text: str, mode: int = 0o644) -> Callable[[World], dict[str, str]]:
    def how(world: World) -> dict[str, str]:
        world.write_profile("mine", text).chmod(mode)
        return {"OPENCLAUDE_PROFILE": "mine"}

    return how


def openrouter(reference: str, **env: str) -> Callable[[World], dict[str, str]]:
    return lambda world: {
        **profile(
            'schema = 1\nextends = "base"\n[tiers.haiku]\nmodel = "openrouter/qwen/qwen3-coder"\n'
            f'api_key = "{reference}"\ncontext_window = 262144\nmax_output_tokens = 32000\n'
        )(world),
        **env,
    }


def file_in_place_of_a_folder(world: World) -> None:
    world.state.parent.mkdir(parents=True)
    world.state.write_text("in the way")


def home_of_everybody(world: World) -> None:
    world.home.chmod(0o777)


def another_default(world: World) -> None:
    (world.profiles.parent / "default").write_text("gone\n")


def package(name: str, version: str) -> Callable[[World], None]:
    """Make another version of an installed package, found before the real one."""

    def how(world: World) -> None:
        folder = world.root / "site" / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        # behind openclaude's own start, which takes what PYTHONPATH names away
        world.patch_client(f"import openclaude.cli\nsys.path.insert(0, {str(folder.parent)!r})")

    return how


def readable_keys(world: World) -> None:
    path = world.home / ".aws" / "credentials"
    path.write_text("[other]\n")
    path.chmod(0o644)


def left_over(world: World) -> None:
    world.folder().mkdir(parents=True)
    record = {"version": "0", "profile": "qwen", "pid": 2**30, "started": "0", "port": 4000}
    (world.folder() / "stack.json").write_text(json.dumps({**record, "main_key": "x"}))


IN_FILES = [
    Broken("claude-not-found", "error", "npm install -g @anthropic-ai/claude-code", no_claude),
    Broken("claude-not-executable", "error", "chmod +x", claude(CLAUDE, 0o644)),
    Broken("claude-broken", "error", "OPENCLAUDE_CLAUDE", claude("#!/nowhere/node\n")),
    Broken("claude-broken", "error", "reinstall", claude("#!/bin/sh\nexit 3\n")),
    Broken("claude-old", "warning", "`claude update`", claude("#!/bin/sh\necho 1.0.7\n")),
    Broken("claude-unknown", "warning", "OPENCLAUDE_CLAUDE", claude("#!/bin/sh\necho hello\n")),
    Broken("not-logged-in", "warning", "`claude auth login`", login(loggedIn=False)),
    Broken(
        "login-is-no-plan",
        "warning",
        'auth = "api-key"',
        login(loggedIn=True, authMethod="api_key"),
    ),
    Broken("login-unknown", "note", "`claude auth status`", login()),
    Broken("litellm-malicious", "error", "replace every key", package("litellm", "1.82.8")),
    Broken("litellm-version", "error", "its own lock", package("litellm", "1.90.0")),
    Broken(
        "lock-differs", "warning", "pip install --no-deps --require-", package("httpx", "0.0.1")
    ),
    Broken(
        "profile-unknown", "error", "did you mean `qwen`?", variables(OPENCLAUDE_PROFILE="qwem")
    ),
    Broken("profile-name", "error", "a name has a-z", variables(OPENCLAUDE_PROFILE="../x")),
    Broken("profile-default", "error", "`openclaude profiles use NAME`", another_default),
    Broken(
        "profile-invalid",
        "error",
        "run `openclaude profiles edit mine`",
        profile('schema = 1\nextends = "base"\n[aws]\nregoin = "x"\n'),
        where="mine.toml:4:aws.regoin",
    ),
    Broken("profile-invalid", "error", "a line is `key = value`", profile("schema = 1\n[tiers\n")),
    Broken(
        "profile-warning",
        "warning",
        "`openclaude profiles edit mine`",
        profile('schema = 1\nextends = "qwen"\n[tiers]\nhaiku = "bedrock/qwen.qwen3-32b-v1:0"\n'),
    ),
    Broken(
        "environment-invalid",
        "error",
        "`unset OPENCLAUDE_LITELLM_PORT`",
        variables(OPENCLAUDE_LITELLM_PORT="80"),
    ),
    Broken(
        "model-pinned",
        "warning",
        "`unset ANTHROPIC_MODEL`",
        variables(ANTHROPIC_MODEL="eu.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ),
    Broken(
        "model-pinned",
        "warning",
        "remove `env.CLAUDE_CODE_SUBAGENT_MODEL` from `",
        settings({"env": {"CLAUDE_CODE_SUBAGENT_MODEL": "gpt-5"}}),
    ),
    Broken(
        "model-of-openclaude",
        "warning",
        "remove `model` from `",
        settings({"model": "openclaude-haiku"}),
        where="settings.json",
    ),
    Broken(
        "models-limited",
        "warning",
        "add `opus`, `haiku` to `availableModels` in `",
        settings({"availableModels": ["sonnet"]}),
    ),
    Broken("secret-missing", "error", "set NO_SUCH_KEY", openrouter("env:NO_SUCH_KEY")),
    Broken("secret-missing", "warning", "install -m 600", openrouter("file:/nowhere/key")),
    Broken("secret-missing", "warning", "install `no-such`", openrouter("command:no-such show x")),
    Broken("aws-profile-missing", "error", "`openclaude aws setup --name openclaude`", aws("")),
    Broken("aws-file-broken", "error", "correct it", aws("region = x\n")),
    Broken(
        "aws-no-credentials",
        "error",
        "`openclaude aws setup --name openclaude`",
        aws("[profile openclaude]\naws_access_key_id = AKIATEST\n"),
        where=".aws/config",
    ),
    Broken("aws-sso-login", "error", "`aws sso login --profile openclaude`", aws(SSO)),
    Broken(
        "aws-sso-login",
        "error",
        "`aws sso login --profile openclaude`",
        aws(SSO, {"corp": OVER}),
    ),
    Broken(
        "aws-sso-session-missing",
        "error",
        "`aws configure sso --profile openclaude`",
        aws(SSO.partition("[sso-session")[0]),
    ),
    Broken(
        "aws-source-profile-missing",
        "error",
        "`openclaude aws setup --name gone`",
        aws(f"[profile openclaude]\n{ROLE}source_profile = gone\n"),
    ),
    Broken(
        "aws-credential-process",
        "error",
        "install it",
        aws("[profile openclaude]\ncredential_process = /nowhere/fetch --password hunter2\n"),
    ),
    Broken(
        "aws-mfa",
        "warning",
        "without `mfa_serial`",
        aws(
            f"[profile openclaude]\n{ROLE}source_profile = openclaude\nmfa_serial = x\n"
            "aws_access_key_id = AKIATEST\naws_secret_access_key = x\n"
        ),
    ),
    Broken("settings-conflict", "error", "ask the administrator", managed, "ANTHROPIC_BASE_URL"),
    Broken(
        "settings-conflict",
        "error",
        "remove `CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST`",
        settings({"env": {"CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST": "1"}}),
        where="settings.json:3:env.CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST",
    ),
    Broken(
        "settings-conflict",
        "error",
        "remove that line",
        variables(ANTHROPIC_CUSTOM_HEADERS="Authorization: hunter2"),
    ),
    Broken("settings-broken", "warning", "one JSON object", settings("{oops"), "settings.json"),
    Broken("settings-broken", "warning", "one JSON object", settings([]), "settings.json"),
    Broken(
        "settings-dead-address",
        "warning",
        "remove `env.ANTHROPIC_BASE_URL`",
        dead_settings,
        where="settings.json:3:env.ANTHROPIC_BASE_URL",
    ),
    Broken(
        "settings-api-key-helper",
        "warning",
        "remove `apiKeyHelper`",
        settings({"apiKeyHelper": "echo hunter2"}, ".claude/settings.local.json"),
        where="settings.local.json:2:apiKeyHelper",
    ),
    Broken(
        "settings-replaced",
        "note",
        "nothing to do",
        settings({"env": {"ANTHROPIC_BASE_URL": "https://gateway.corp"}}),
        where="env.ANTHROPIC_BASE_URL",
    ),
    Broken("python-path", "note", "`unset PYTHONPATH`", variables(PYTHONPATH="/opt/ros/lib")),
    Broken(
        "key-in-environment",
        "warning",
        "`unset ANTHROPIC_API_KEY`",
        variables(ANTHROPIC_API_KEY="hunter2"),
    ),
    Broken(
        "other-cloud-in-environment",
        "note",
        "`unset CLAUDE_CODE_USE_VERTEX`",
        variables(CLAUDE_CODE_USE_VERTEX="1"),
    ),
    Broken("environment-dead-address", "warning", "`unset ANTHROPIC_BASE_URL`", dead_base),
    Broken(
        "base-url-in-environment",
        "note",
        "`unset ANTHROPIC_BASE_URL`",
        variables(ANTHROPIC_BASE_URL="https://gateway.corp"),
    ),
    Broken("proxy-dead", "warning", "`unset HTTPS_PROXY`", dead_proxy),
    Broken(
        "proxy",
        "note",
        "nothing to do",
        variables(http_proxy="http://user:hunter2@proxy.corp:3128"),
    ),
    Broken("proxy-of-settings", "note", "nothing to do", proxy_in_settings),
    Broken(
        "proxy-unusable",
        "warning",
        "`export HTTPS_PROXY=http://HOST:PORT`",
        variables(ALL_PROXY="socks5://user:hunter2@proxy.corp:1080"),
    ),
    Broken(
        "authority-missing",
        "warning",
        "`unset NODE_EXTRA_CA_CERTS`",
        variables(NODE_EXTRA_CA_CERTS="/no/such/company.pem"),
    ),
    Broken("authority-missing", "warning", "put the certificate there", lost_bundle_of_aws),
    Broken(
        "aws-endpoint",
        "note",
        "aws.endpoint_url=https://HOST`",
        variables(AWS_USE_FIPS_ENDPOINT="true"),
    ),
    Broken(
        "aws-endpoint-plain",
        "warning",
        "`openclaude profiles set qwen aws.endpoint_url=https://HOST`",
        variables(AWS_ENDPOINT_URL="http://bedrock.corp"),
    ),
    Broken("aws-retries", "note", "nothing to do", retries_of_aws),
    Broken(
        "aws-variable-takes-over",
        "warning",
        "`unset AWS_BEARER_TOKEN_BEDROCK`",
        variables(AWS_BEARER_TOKEN_BEDROCK="hunter2"),
    ),
    Broken(
        "aws-variable-unused",
        "note",
        "OPENCLAUDE_AWS_PROFILE",
        variables(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="hunter2"),
    ),
    Broken(
        "start-method",
        "error",
        "`unset OPENCLAUDE_START_METHOD`",
        variables(OPENCLAUDE_START_METHOD="clone"),
    ),
    Broken("stack-left-over", "note", "`openclaude stop --profile qwen`", left_over),
    Broken("folder-unusable", "error", "XDG_STATE_HOME", file_in_place_of_a_folder),
    Broken("folder-exposed", "error", "chmod go-w", home_of_everybody),
    Broken(
        "profile-writable-by-others",
        "warning",
        "chmod go-w",
        profile('schema = 1\nextends = "qwen"\n', 0o666),
        where="mine.toml",
    ),
    Broken("readable-by-others", "warning", "chmod 600", readable_keys, ".aws/credentials"),
]


# The world in order, then broken ------------------------------------------------------------------


@pytest.fixture
def method() -> str:
    """The doctor starts no stack."""
    return "fork"


@pytest.fixture
def sound(empty_world: World, port: int) -> World:
    """A world with nothing wrong."""
    empty_world.executable("claude", CLAUDE)
    login(**LOGIN)(empty_world)
    (empty_world.home / ".aws" / "config").chmod(0o600)
    empty_world.write_profile(
        "qwen", f'schema = 1\nextends = "base"\n[tiers]\n{HAIKU}[listen]\nport = {port}\n{AWS}'
    )
    return empty_world


def ask(world: World, env: dict[str, str] | None = None, *arguments: str) -> dict[str, Any]:
    """Return doctor's JSON, and check its text too: no crash, no secret."""
    text = world.run("doctor", *arguments, env={**world.env, **(env or {})})
    assert text.err == ""
    done = world.run("doctor", "--json", *arguments, env={**world.env, **(env or {})})
    envelope: dict[str, Any] = json.loads(done.out)
    assert "hunter2" not in text.out + done.out
    assert done.status == text.status == envelope["exit_code"]
    for one in envelope["data"]["diagnostics"]:
        assert world.plain(one["message"]) in text.out
    return envelope


def test_nothing_is_found_in_a_world_that_is_in_order(sound: World) -> None:
    before = sound.files()

    envelope = ask(sound)

    assert [row for row in envelope["data"]["diagnostics"] if row["severity"] != "ok"] == []
    assert envelope["exit_code"] == 0
    assert envelope["data"]["profile"] == "qwen"
    assert sound.files() == before


def where(found: dict[str, Any]) -> str:
    """Return FILE:LINE:KEY, or environment:VARIABLE."""
    place = found["location"] or {}
    if "variable" in place:
        return f"environment:{place['variable']}"
    return ":".join(str(place[part]) for part in ("path", "line", "key") if place.get(part))


def identity(row: Broken) -> str:
    return f"{row.code} {row.fix[:20]}"


@pytest.mark.parametrize("row", IN_FILES, ids=identity)
def test_what_is_broken_is_found_with_its_fix(sound: World, row: Broken) -> None:
    env = row.how(sound) or {}
    before = sound.files()

    envelope = ask(sound, env)

    found = [one for one in envelope["data"]["diagnostics"] if one["code"] == row.code]
    assert found, envelope["data"]["diagnostics"]
    assert found[0]["severity"] == row.severity
    assert row.fix in found[0]["fix"]
    assert where(found[0]).endswith(row.where)
    assert found[0]["why"]
    assert envelope["exit_code"] == (1 if row.severity == "error" else 0)
    assert envelope["data"]["counts"][row.severity] >= 1
    assert sound.files() == before
    if row.severity == "error" and row.code != "claude-broken":  # it becomes that one, as requested
        launch = sound.run("-p", "hi", env={**sound.env, **env})
        assert launch.status in {125, 126, 127}
        same = sound.plain(found[0]["message"])
        if row.code == "folder-unusable":  # then each in its own words
            same = same.partition("`: ")[0]
        elif row.code == "folder-exposed":  # a launch looks at another of them first
            same = same.partition("`: ")[2]
        assert same in launch.err


def test_a_limit_of_open_files_is_named_and_what_it_names_raises_it(sound: World) -> None:
    def doctor(script: str) -> dict[str, Any]:
        argv = ["bash", "-c", f"{script}; exec {sound.program} doctor --json"]
        done = subprocess.run(
            argv, env=sound.env, cwd=sound.home, capture_output=True, check=False, timeout=60
        )
        return {one["code"]: one for one in json.loads(done.stdout)["data"]["diagnostics"]}

    few = doctor("ulimit -Sn 100")["few-open-files"]

    assert few["message"] == "this shell allows 100 open files"
    fix = few["fix"].removeprefix("run `").partition("`")[0]
    assert fix.startswith("ulimit -n ")
    assert "few-open-files" not in doctor(f"ulimit -Sn 100; {fix}")
    assert "container" in doctor("ulimit -n 100")["few-open-files"]["fix"]


def test_variables_that_are_no_text_crash_nothing(sound: World) -> None:
    names = ("ANTHROPIC_BASE_URL", "HTTPS_PROXY", "OPENCLAUDE_START_METHOD", "AWS_CONFIG_FILE")
    env = {os.fsencode(name): os.fsencode(value) for name, value in sound.env.items()}
    env |= {name.encode(): b"http://\xff\x1b[31m:x/" for name in names}

    done = sound.run("doctor", env=env)

    assert (done.status, done.err) == (1, "")
    assert "\x1b" not in done.out


def test_there_are_at_least_twenty_five_situations() -> None:
    assert len({row.code for row in IN_FILES}) >= 25


# Ports and stacks -------------------------------------------------------------------------------


@pytest.fixture
def holder(port: int) -> Iterator[socket.socket]:
    """Another program on the first port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield listener


def finding(envelope: dict[str, Any], code: str) -> dict[str, Any]:
    (found,) = (row for row in envelope["data"]["diagnostics"] if row["code"] == code)
    return dict(found)


def test_a_port_in_use_names_its_holder_and_stops_a_strict_profile_only(
    sound: World, port: int, holder: socket.socket
) -> None:
    loose = finding(ask(sound), "port-taken")
    path = sound.profiles / "qwen.toml"
    path.write_text(path.read_text().replace(f"port = {port}\n", f"port = {port}\nstrict = true\n"))
    strict = finding(ask(sound), "port-busy")

    assert (loose["severity"], strict["severity"]) == ("note", "error")
    assert f"(pid {os.getpid()})" in strict["message"]
    assert f"port {port} is in use by " in strict["message"]
    assert "`openclaude profiles set qwen listen.port=PORT`" in strict["fix"]


@pytest.fixture
def running(world: World, port: int) -> World:
    """A stack that runs on stubs."""
    world.up()
    return world


def test_a_running_stack_is_in_order_and_its_ports_are_its_own(running: World) -> None:
    found = ask(running)["data"]["diagnostics"]

    assert not [row for row in found if row["code"].startswith("port")]
    assert finding({"data": {"diagnostics": found}}, "stack-outdated")["severity"] == "note"


def test_a_supervisor_that_hangs_stops_a_launch(running: World) -> None:
    with stopped(running.record()["pid"]):
        found = finding(ask(running), "stack-unreachable")

    assert found["severity"] == "error"
    assert "`openclaude stop --profile qwen`" in found["fix"]


@pytest.mark.variants
def test_a_unit_that_failed_is_named_with_its_last_words(
    empty_world: World, plan: Callable[..., Any]
) -> None:
    empty_world.keep(plan(providers={"STUB_FAIL": "no such thing"}))
    empty_world.run("start", "--wait")

    found = finding(ask(empty_world), "unit-failed")

    assert "`providers`" in found["message"]
    assert "no such thing" in found["message"]
    assert "`openclaude logs --profile qwen`" in found["fix"]


def test_a_stack_that_was_killed_is_left_over(running: World) -> None:
    pid = running.record()["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists())

    assert finding(ask(running), "stack-left-over")["severity"] == "note"
