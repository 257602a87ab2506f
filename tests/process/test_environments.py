"""Which variables reach which process, and where keys do not appear."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from openclaude.contracts.plan import Plan
from openclaude.run.launcher.certificate import make_certificate
from tests.process.world import World, about, package_environment

FLAGS = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "DISABLE_ADMIN_UI": "True",
    "REPEATED_STREAMING_CHUNK_LIMIT": "1000000",
    "OPENBLAS_NUM_THREADS": "1",
}
REMOVED = (
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "ANTHROPIC_UNIX_SOCKET",
    "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST",
)
CERTIFICATES = re.compile("-+BEGIN CERTIFICATE-+[^-]+-+END CERTIFICATE-+")
# what a user may have set, and no process of ours may see
CANARIES = {
    name: f"CANARY-{name}"
    for name in (
        *REMOVED,
        "CLAUDE_CODE_OAUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_PROFILE",
        "OPENAI_API_KEY",
        "OPENROUTER_API_KEY",
        "GEMINI_API_KEY",
        "LITELLM_MASTER_KEY",
        "LITELLM_LOG",
        "DATABASE_URL",
        "CONFIG_FILE_PATH",
        "LD_LIBRARY_PATH",
        "PYTHONSTARTUP",
        "PYTHONWARNINGS",
        "GITHUB_TOKEN",
    )
}


@pytest.fixture
def haunted(world: World) -> World:
    """A world whose stack was started by a launch with every canary set."""
    path = os.pathsep.join(filter(None, [world.env.get("PYTHONPATH", ""), "/CANARY-PYTHONPATH"]))
    done = world.run("-p", env={**world.env, **CANARIES, "PYTHONPATH": path})
    assert done.status == 0
    world.up()
    return world


def unit_environments(world: World) -> dict[str, dict[str, str]]:
    """Return the environment of each unit.

    Except the tests' own PYTHONPATH, and this machine's bundle of trusted authorities.
    """
    found = {name: dict(about(unit["port"])["environment"]) for name, unit in world.units().items()}
    for environment in found.values():
        del environment["PYTHONPATH"]
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"):
            if environment.get(name, "").startswith(str(world.folder())):
                del environment[name]
        assert environment.pop("NETRC") == os.devnull
    return found


def test_claude_finds_its_users_environment_less_what_would_lead_it_past_us(
    haunted: World,
) -> None:
    heard = haunted.heard()[0]["environment"]

    given = {**haunted.env, **CANARIES, "PYTHONPATH": heard["PYTHONPATH"]}
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        given[f"OPENCLAUDE_OUTER_{name}"] = given[name]  # for the user's own programs in a tool
    # the mark of a launch, and what a script of that name would be told
    kept = {name: value for name, value in heard.items() if name != "OPENCLAUDE_WAY"}
    assert kept == {name: value for name, value in given.items() if name not in REMOVED}


@pytest.mark.parametrize("locale", [{}, {"LANG": "C"}, {"LC_ALL": "C"}, {"LC_CTYPE": "C.UTF-8"}])
def test_claude_finds_nothing_that_python_has_set(world: World, locale: dict[str, str]) -> None:
    env = {name: value for name, value in world.env.items() if name != "LANG"} | locale

    world.run(env=env)

    # the stub is a Python as well, and is affected as our processes must not be
    coerced = {"LC_CTYPE", "OPENCLAUDE_WAY"} - locale.keys()
    heard = world.heard()[0]["environment"]
    assert {name: value for name, value in heard.items() if name not in coerced} == env
    world.executable("claude", "#!/bin/sh\ntr '\\0' '\\n' </proc/$$/environ | grep ^LC_\n")
    expected = "".join(f"{name}={env[name]}\n" for name in env if name.startswith("LC_"))
    assert world.run(env=env).out == expected


def test_a_variable_that_is_no_text_reaches_claude_as_it_is(world: World) -> None:
    world.run(env={**{os.fsencode(k): os.fsencode(v) for k, v in world.env.items()}, b"X": b"\xff"})

    assert world.heard()[0]["environment"]["X"] == "\xff"


def test_a_relative_home_is_the_one_that_claude_has_and_proxies_have_it_too(world: World) -> None:
    before = sorted(path.name for path in world.root.iterdir())

    done = world.run("-p", env={**world.env, "HOME": "home"}, cwd=world.root)

    assert (done.status, done.err) == (0, "")
    assert world.heard()[0]["environment"]["HOME"] == str(world.home)
    assert world.units()["providers"]["state"] == "ready" or world.up()
    assert unit_environments(world)["providers"]["HOME"] == str(world.home)
    beside = world.run("stop", env={**world.env, "HOME": "../home"}, cwd=world.bin)
    assert (beside.status, beside.out) == (0, "qwen: stopped\n")
    assert sorted(path.name for path in world.root.iterdir()) == before


def test_main_gets_exactly_this_environment(haunted: World, port: int) -> None:
    environment = unit_environments(haunted)["main"]

    environment.pop("OPENCLAUDE_WARM_UP_LISTENER", None)  # a descriptor, taken by the real unit
    key = environment.pop("OPENCLAUDE_PROVIDERS_KEY")
    slots = json.loads(environment.pop("OPENCLAUDE_ROUTES"))["slots"]
    assert environment == {
        **FLAGS,
        "HOME": f"{haunted.folder()}/empty",
        "CONFIG_FILE_PATH": f"{haunted.folder()}/main.yaml",
        "LITELLM_MASTER_KEY": haunted.record()["main_key"],
        "ANTHROPIC_API_BASE": "https://api.anthropic.com",
        "OPENCLAUDE_PROVIDERS_URL": f"https://127.0.0.1:{port + 1}",
        "OPENCLAUDE_HOP_CERTIFICATE": f"{haunted.folder()}/ca.pem",
        "OPENCLAUDE_PROGRAM_KEYS": f"{haunted.folder()}/programs.json",
        "OPENCLAUDE_MODEL_CHANGES": f"{haunted.folder()}/changes.json",
        "OPENCLAUDE_LEDGER": f"{haunted.folder()}/../../ledger/requests.sqlite3",
        "OPENCLAUDE_LEDGER_KEEP_S": "7.776e+06",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "LANG": "C.UTF-8",
    }
    assert list(slots) == ["openclaude-haiku"]
    assert key.startswith("sk-openclaude-")
    assert key != haunted.record()["main_key"]


def test_providers_gets_exactly_this_environment(haunted: World) -> None:
    environments = unit_environments(haunted)

    assert environments["providers"] == {
        **FLAGS,
        "HOME": str(haunted.home),
        "PATH": haunted.env["PATH"],
        "CONFIG_FILE_PATH": f"{haunted.folder()}/providers.yaml",
        "LITELLM_MASTER_KEY": environments["main"]["OPENCLAUDE_PROVIDERS_KEY"],
        "OPENCLAUDE_AWS_PROFILE": "openclaude",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "LANG": "C.UTF-8",
    }


def test_the_supervisor_gets_exactly_this_environment(haunted: World) -> None:
    environment = psutil.Process(haunted.record()["pid"]).environ()

    assert environment == {"LANG": "C.UTF-8", **package_environment()}


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_and_certificates_of_the_company_reach_the_units(world: World, name: str) -> None:
    company = world.root / "company.pem"
    _, certificate = make_certificate()
    company.write_text(certificate)
    given = {name: "127.0.0.1:9", "NO_PROXY": ".corp"}
    env = {**world.env, **given, "SSL_CERT_FILE": str(company)}
    assert world.run("start", "--wait", env=env).status == 0
    told = {name: about(unit["port"])["environment"] for name, unit in world.units().items()}
    trusted = {name: Path(one["SSL_CERT_FILE"]).read_text() for name, one in told.items()}

    assert trusted["providers"] == certificate
    hop = (world.folder() / "ca.pem").read_text()
    assert set(CERTIFICATES.findall(trusted["main"])) == {certificate.strip(), hop.strip()}
    for environment in told.values():
        assert environment["HTTPS_PROXY"] == "http://127.0.0.1:9"
        assert not {"HTTP_PROXY", "http_proxy", "ALL_PROXY", "AIOHTTP_TRUST_ENV"} & {*environment}
        assert environment["NO_PROXY"] == environment["no_proxy"] == "127.0.0.1,localhost,.corp"


def test_no_canary_reaches_a_process_of_ours_or_a_file(haunted: World) -> None:
    told = [
        (process.cmdline(), process.environ(), process.cwd()) for process in haunted.processes()
    ]
    written = [
        path.read_bytes()
        for folder in (haunted.state, haunted.cache)
        for path in folder.rglob("*")
        if path.is_file()
    ]

    assert len(told) == haunted.crew_size
    assert "CANARY" not in repr(told)
    assert b"CANARY" not in b"".join(written)


def test_no_argument_and_no_log_holds_a_key(haunted: World) -> None:
    environments = unit_environments(haunted)
    keys = [haunted.record()["main_key"], environments["providers"]["LITELLM_MASTER_KEY"]]
    argv = repr([process.cmdline() for process in haunted.processes()])
    argv += repr([heard["arguments"] for heard in haunted.heard()])
    logs = "".join(path.read_text() for path in haunted.folder().glob("*.log"))
    compiled = haunted.run("compile", "--json").out + haunted.run("status", "--json").out

    for key in keys:
        assert len(key) >= 64
        for text in (argv, logs, compiled, (haunted.folder() / "plan.json").read_text()):
            assert key not in text


@pytest.mark.parametrize("is_in_settings", [False, True])
def test_compile_prints_no_value_of_the_users_own_headers(
    empty_world: World, tmp_path: Path, *, is_in_settings: bool
) -> None:
    headers = "x-gateway: CANARY one\nCANARY without a name\nx-team:CANARY:two"
    if is_in_settings:
        settings = empty_world.home / ".claude/settings.json"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(json.dumps({"env": {"ANTHROPIC_CUSTOM_HEADERS": headers}}))
    env = {**empty_world.env, **({} if is_in_settings else {"ANTHROPIC_CUSTOM_HEADERS": headers})}

    told = [
        empty_world.run("compile", *more, env=env)
        for more in ((), ("--json",), ("--out", str(tmp_path / "out")))
    ]

    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert [one.status for one in told] == [0, 0, 0]
    for text in (*(one.out for one in told[:2]), written):
        assert "CANARY" not in text
        assert "x-gateway: <your own value>" in text
        assert "x-team: <your own value>" in text


def test_two_launches_share_keys_and_two_stacks_do_not(world: World) -> None:
    world.run("-p")
    first = world.heard()[0]["settings"]["env"]["ANTHROPIC_CUSTOM_HEADERS"]
    world.run("-p")
    second = world.heard()[1]["settings"]["env"]["ANTHROPIC_CUSTOM_HEADERS"]
    assert world.run("stop").status == 0
    world.run("-p")
    third = world.heard()[2]["settings"]["env"]["ANTHROPIC_CUSTOM_HEADERS"]

    assert first == second != third


def test_the_preloader_gets_the_offline_flags_and_nothing_else(
    compiled: Callable[[str], Plan],
) -> None:
    assert compiled("qwen").preload_environment == FLAGS


def test_the_preloader_finds_nothing_of_its_user(haunted: World) -> None:
    preloader = haunted.status()["preloader"]
    if haunted.method == "spawn":
        assert preloader is None
        return

    # (LiteLLM's flags are in the plan that compile makes; the stubs' plan has their path instead)
    assert list(psutil.Process(preloader["pid"]).environ()) == ["PYTHONPATH"]
