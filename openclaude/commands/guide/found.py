"""What a guided start finds on the machine: claude, its login, AWS profiles, keys, local servers.

Knows: where local servers listen by custom, and how each names its models. Independent of: what is
offered or asked. Nothing leaves the machine: servers are asked on loopback only.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openclaude.diagnostics import Severity
from openclaude.doctor.checks.claude import check_claude, check_login
from openclaude.doctor.snapshot.look import look
from openclaude.paths import Places, working_folder
from openclaude.providers.table import find_provider

# Providers whose keys are looked for: those of the built-in profiles, and the usual others
KEYED = (
    *("openai", "openrouter", "gemini", "deepseek", "moonshot", "zai", "minimax"),
    *("groq", "mistral", "xai", "together_ai", "fireworks_ai", "cerebras"),
)
# Name, port, path of the list, and openclaude's provider: the defaults in each server's own
# documentation
SERVERS = (
    ("Ollama", 11434, "/api/tags", "ollama"),
    ("LM Studio", 1234, "/v1/models", "openai"),
    ("llama.cpp", 8080, "/v1/models", "openai"),
    ("vLLM", 8000, "/v1/models", "openai"),
)
ANSWER_S = 0.5  # a server on this machine that takes longer to list its models is busy
LONGEST_LIST = 1 << 20  # bytes
MOST_MODELS = 200


class LocalModel(NamedTuple):
    """A model that a server on this machine offers."""

    server: str  # its name for people
    provider: str
    api_base: str
    id: str
    window: int = 0  # tokens, where the server says so


class Surroundings(NamedTuple):
    """What is there."""

    claude: str  # a sentence
    has_claude: bool
    login: str  # a sentence; "" without claude
    is_logged_in: bool
    aws: tuple[str, ...]  # names of AWS profiles
    regions: Mapping[str, str]  # of those that name one
    keys: Mapping[str, str]  # provider -> the variable that holds its key
    models: tuple[LocalModel, ...]


def look_around(places: Places, env: Mapping[str, str]) -> Surroundings:
    """Look at everything; takes a second, most of it in `claude auth status`."""
    world = look("base", places, env, working_folder())
    claude = next(iter(check_claude(world)))
    login = next(iter(check_login(world)), None)
    bad = {Severity.ERROR, Severity.WARNING}
    names = sorted(world.aws.names(), key=lambda name: (name != "openclaude", name))
    regions = {name: world.aws.merged(name).get("region", "") for name in names}
    return Surroundings(
        claude=claude.message,
        has_claude=claude.severity != Severity.ERROR,
        login=login.message if login else "",
        is_logged_in=login is not None and login.severity not in bad,
        aws=tuple(names),
        regions={name: region for name, region in regions.items() if region},
        keys={
            name: variable
            for name in KEYED
            if env.get(variable := find_provider(name).key_variable)
        },
        models=tuple(local_models()),
    )


def local_models() -> Iterator[LocalModel]:
    """The models of the servers that answer on this machine."""
    for server, port, path, provider in SERVERS:
        base = f"http://127.0.0.1:{port}" + ("" if provider == "ollama" else "/v1")
        for name, window in listed(ask_server(port, path)):
            yield LocalModel(server, provider, base, name, window)


def ask_server(port: int, path: str) -> Any:
    """What a server on loopback answers, as JSON; None where there is none, or another."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return json.loads(reply.read(LONGEST_LIST)) if reply.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()


def listed(document: Any) -> Iterator[tuple[str, int]]:
    """Id and window of each model in a server's list, in Ollama's form or OpenAI's."""
    rows = document if isinstance(document, dict) else {}
    found = rows.get("models") or rows.get("data")
    for row in found[:MOST_MODELS] if isinstance(found, list) else ():
        given = row if isinstance(row, dict) else {}
        name = given.get("name") or given.get("id")
        if isinstance(name, str) and name.isprintable() and 0 < len(name) < 200:
            yield name, window_of(given)


def window_of(row: Mapping[str, Any]) -> int:
    """Tokens: vLLM says `max_model_len`, llama.cpp `meta.n_ctx`; 0 where nothing is said."""
    meta = row.get("meta")
    said = row.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else 0)
    return said if isinstance(said, int) and 0 < said < 1 << 31 else 0
