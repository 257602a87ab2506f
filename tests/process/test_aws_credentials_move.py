"""Credentials that change under a running providers instance: rotation, roles, programs, SSO.

LiteLLM and botocore are the real ones. STS and IAM are moto's, IAM Identity Center is twenty lines
here; a Bedrock stand-in accepts only keys that these have issued and that have not expired.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.sts.models import sts_backends

from openclaude.standins.base.script import say
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.process.test_providers_instance import (
    FLAGS,
    KEY,
    REPOSITORY,
    Answer,
    deployment,
    request,
)

QWEN = "qwen.qwen3-next-80b-a3b"
PROFILES = ("static", "program", "endless", "role", "sso", "gone")
FIRST, SECOND = "AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Given(Mapping[str, Secret]):
    """The keys that are valid at this moment."""

    def __init__(self) -> None:
        self.static = {FIRST: Secret(SECRET)}

    def _now(self) -> dict[str, Secret]:
        roles = sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assumed_roles
        return self.static | {
            one.access_key_id: Secret(one.secret_access_key, one.session_token) for one in roles
        }

    def __getitem__(self, key: str) -> Secret:
        return self._now()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())


class Portal(http.server.ThreadingHTTPServer):
    """IAM Identity Center's GetRoleCredentials, for clients with the valid token."""

    def __init__(self, given: Given) -> None:
        super().__init__(("127.0.0.1", 0), PortalRequest)
        self.given = given
        self.token = "token-1"
        self.asked: list[str] = []
        self.lasts_s = 3600.0


class PortalRequest(http.server.BaseHTTPRequestHandler):
    """One request to it."""

    server: Portal

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        role = f"{asked['account_id'][0]}/{asked['role_name'][0]}"
        self.server.asked.append(role)
        if self.headers["x-amz-sso_bearer_token"] != self.server.token:
            self.reply(401, {"message": "Session token not found or invalid"})
            return
        key_id = f"ASIASSO{len(self.server.asked):09}"
        self.server.given.static[key_id] = Secret(SECRET, f"session-{key_id}")
        ends = time.time() + self.server.lasts_s
        found = {"accessKeyId": key_id, "secretAccessKey": SECRET, "expiration": int(ends * 1000)}
        found["sessionToken"] = f"session-{key_id}"
        self.reply(200, {"roleCredentials": found})

    def reply(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        if status == 401:
            self.send_header("x-amzn-ErrorType", "UnauthorizedException")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        pass


class Home:
    """~/.aws of the instance, and what its programs have done."""

    def __init__(self, folder: Path, sts: str, sso: str) -> None:
        self.aws = folder / ".aws"
        self.logins = self.aws / "sso" / "cache"
        self.logins.mkdir(parents=True)
        self.endpoints = (
            f"[services here]\nsts =\n  endpoint_url = {sts}\nsso =\n  endpoint_url = {sso}\n"
        )
        self.write_config()
        self.write_keys(FIRST)

    def write_config(self) -> None:
        program = self.aws / "program.py"
        program.write_text(
            "import datetime, json, pathlib, sys\n"
            "runs = pathlib.Path(__file__).with_name(sys.argv[1] + '.runs')\n"
            "runs.write_text((runs.read_text() if runs.exists() else '') + 'x')\n"
            "key = {'Version': 1, 'AccessKeyId': 'AKIAIOSFODNN7EXAMPLE',\n"
            f"       'SecretAccessKey': {SECRET!r}}}\n"
            "end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)\n"
            "key.update({'Expiration': end.isoformat()} if sys.argv[1] == 'program' else {})\n"
            "print(json.dumps(key))\n"
        )
        run = f"credential_process = {sys.executable} {program}"
        role = f"role_arn = arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/bedrock"
        sections = {
            "profile static": "region = us-west-2",
            "profile program": f"{run} program",
            "profile endless": f"{run} endless",
            "profile role": f"{role}\nsource_profile = static\nservices = here\nregion = us-west-2",
            "profile sso": "sso_session = corp\nsso_account_id = 123456789012\n"
            "sso_role_name = Developer\nservices = here\nregion = us-west-2",
            "sso-session corp": "sso_start_url = https://corp.awsapps.com/start\n"
            "sso_region = us-west-2",
        }
        text = "".join(f"[{name}]\n{said}\n" for name, said in sections.items())
        self.aws.joinpath("config").write_text(text + self.endpoints)

    def write_keys(self, key_id: str) -> None:
        self.aws.joinpath("credentials").write_text(
            f"[static]\naws_access_key_id = {key_id}\naws_secret_access_key = {SECRET}\n"
        )

    def runs(self, name: str) -> int:
        path = self.aws / f"{name}.runs"
        return len(path.read_text()) if path.exists() else 0

    def log_in(self, token: str, lasts: timedelta = timedelta(hours=8)) -> None:
        """Write what `aws sso login` writes."""
        name = hashlib.sha1(b"corp", usedforsecurity=False).hexdigest()
        said = {
            "startUrl": "https://corp.awsapps.com/start",
            "region": "us-west-2",
            "accessToken": token,
            "expiresAt": (datetime.now(UTC) + lasts).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.logins.joinpath(f"{name}.json").write_text(json.dumps(said))


class World:
    """The instance and everything behind it."""

    def __init__(
        self, port: int, home: Home, bedrock: BedrockStandin, portal: Portal, given: Given
    ) -> None:
        self.port = port
        self.home = home
        self.bedrock = bedrock
        self.portal = portal
        self.given = given

    def send(self, profile: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        with contextlib.closing(connection):
            headers = {"x-litellm-api-key": f"Bearer {KEY}", "content-type": "application/json"}
            body = json.dumps(request(say("ok"), slot=profile))
            connection.request("POST", "/v1/messages", body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())

    def ask(self, profile: str) -> str:
        """Send a good request; return who signed it."""
        self.bedrock.clear()
        answer = self.send(profile)
        assert answer.status == 200, answer.body
        (seen,) = self.bedrock.requests
        assert seen.signed_by
        return seen.signed_by

    @property
    def assumed(self) -> int:
        """Return how often a role was assumed."""
        return len(sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assumed_roles)


def config(bedrock: BedrockStandin) -> dict[str, Any]:
    """Return providers.yaml: a slot for each AWS profile."""
    rows = [deployment(name, QWEN, bedrock) for name in PROFILES]
    for row in rows:
        row["litellm_params"]["aws_profile_name"] = row["model_name"]
    return {
        "model_list": rows,
        "litellm_settings": {
            "drop_params": True,
            "callbacks": ["openclaude.gateway.guard.handler"],
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "disable_model_info_refresh": True,
        },
    }


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("credentials")
    given = Given()
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    portal = Portal(given)
    threading.Thread(target=portal.serve_forever, daemon=True).start()
    with (
        BedrockStandin(credentials=given) as bedrock,
        socket.create_server(("127.0.0.1", 0)) as listener,
        folder.joinpath("log").open("wb") as log,
    ):
        sts = "http://{}:{}".format(*moto.get_host_and_port())
        home = Home(folder, sts, f"http://127.0.0.1:{portal.server_port}")
        path = folder / "providers.yaml"
        path.write_text(yaml.safe_dump(config(bedrock)))
        number = str(listener.fileno())
        command = (sys.executable, "-m", "uvicorn", "--no-access-log", "--fd", number)
        process = subprocess.Popen(
            (*command, "--factory", "openclaude.gateway.providers:app"),
            cwd=folder,
            env=environment(folder, path),
            pass_fds=(listener.fileno(),),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield World(listener.getsockname()[1], home, bedrock, portal, given)
        finally:
            process.terminate()
            process.wait(60)
            portal.shutdown()
            portal.server_close()
            moto.stop()
    told = folder.joinpath("log").read_text()
    assert SECRET not in told
    assert "session-" not in told


def environment(folder: Path, config_path: Path) -> dict[str, str]:
    return {
        **FLAGS,
        "HOME": str(folder),
        "PATH": os.defpath,
        "PYTHONPATH": str(REPOSITORY),
        "CONFIG_FILE_PATH": str(config_path),
        "LITELLM_MASTER_KEY": KEY,
    }


@pytest.fixture
def world(behind: World) -> World:
    behind.given.static = {FIRST: Secret(SECRET), SECOND: Secret(SECRET)}
    behind.portal.token = "token-1"
    behind.home.log_in("token-1")
    behind.home.write_keys(FIRST)  # a change of a file: nothing is cached from the test before
    return behind


def test_rotated_keys_sign_the_next_request(world: World) -> None:
    before = world.ask("static")
    world.home.write_keys(SECOND)
    del world.given.static[FIRST]

    assert (before, world.ask("static")) == (FIRST, SECOND)


def test_a_program_runs_once_for_many_requests(world: World) -> None:
    before = world.home.runs("program")

    for _ in range(5):
        world.ask("program")

    assert world.home.runs("program") - before == 1


def test_a_program_whose_credentials_say_no_end_runs_for_each(world: World) -> None:
    before = world.home.runs("endless")

    for _ in range(3):
        world.ask("endless")

    assert world.home.runs("endless") - before == 3


def test_a_role_is_assumed_once_for_many_requests(world: World) -> None:
    before = world.assumed

    signers = {world.ask("role") for _ in range(5)}

    assert world.assumed - before == 1
    assert [one[:4] for one in signers] == ["ASIA"]


def test_a_role_is_assumed_again_with_new_keys(world: World) -> None:
    first = world.ask("role")
    world.home.write_keys(SECOND)

    assert world.ask("role") != first


def test_sso_is_asked_once_for_many_requests(world: World) -> None:
    before = len(world.portal.asked)

    signers = {world.ask("sso") for _ in range(5)}

    assert world.portal.asked[before:] == ["123456789012/Developer"]
    assert len(signers) == 1


def test_an_sso_login_that_ends_is_an_error_until_the_next_login(world: World) -> None:
    world.portal.lasts_s = 60.0  # what the portal issues is always about to expire
    try:
        first = world.ask("sso")
        world.portal.token = "token-2"  # the login has expired
        refused = world.send("sso")
        world.home.log_in("token-2")
        second = world.ask("sso")
    finally:
        world.portal.lasts_s = 3600.0

    assert first != second
    assert refused.status >= 400
    assert b"SSO" in refused.body


def test_a_login_that_is_missing_is_found_once_it_is_made(world: World) -> None:
    for path in world.home.logins.glob("*"):
        path.unlink()

    refused = world.send("sso")
    world.home.log_in("token-1")

    assert refused.status >= 400
    assert b"Error loading SSO Token" in refused.body
    assert world.ask("sso").startswith("ASIASSO")


def test_a_profile_that_is_missing_is_found_once_it_is_made(world: World) -> None:
    refused = world.send("gone")
    with world.home.aws.joinpath("credentials").open("a") as file:
        file.write(f"[gone]\naws_access_key_id = {SECOND}\naws_secret_access_key = {SECRET}\n")

    assert b"could not be found" in refused.body
    assert world.ask("gone") == SECOND
