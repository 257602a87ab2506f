"""A file for compose: the providers of a profile in a container, for other machines.

Knows: what the compose specification reads. Independent of: plans. Pure. Every secret is a file or
a variable of whoever runs it, and none is in these files.
"""

from __future__ import annotations

from openclaude.export.redis import HOST, redis_address, redis_service
from openclaude.export.served import (
    AWS_PROFILE,
    FOLDER,
    KEYS_FOLDER,
    PLAN_FILE,
    PORT,
    STOP_S,
    USER,
    Served,
)
from openclaude.export.yaml_text import yaml_text

COMPOSE_FILE = "compose.yaml"


def compose(served: Served) -> dict[str, str]:
    """The files: the service, and the plan that it serves."""
    folders = ["tls", "people", *(["keys"] if served.files else [])]
    volumes = [f"./{name}:{FOLDER}/{name}:ro" for name in folders]
    variables: list[str] = list(served.variables)  # a name alone: its value is the caller's
    if served.needs_aws:
        volumes.append(f"./aws:{FOLDER}/aws:ro")
        variables += [
            f"AWS_CONFIG_FILE={FOLDER}/aws/config",
            f"AWS_SHARED_CREDENTIALS_FILE={FOLDER}/aws/credentials",
        ]
    service: dict[str, object] = {
        "image": doubled(served.image),
        "command": [doubled(one) for one in served.arguments(redis_address(HOST))],
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "stop_grace_period": f"{STOP_S}s",
        "ports": [f"{PORT}:{PORT}"],
        "volumes": [f"./{PLAN_FILE}:{FOLDER}/{PLAN_FILE}:ro", *volumes],
    }
    if variables:
        service["environment"] = variables
    document: dict[str, object] = {"name": served.name, "services": {"providers": service}}
    if served.has_redis:
        service["depends_on"] = [HOST]
        document["services"] = {"providers": service, HOST: redis_service()}
        document["volumes"] = {HOST: {}}
        service["networks"] = ["default", HOST]
        document["networks"] = {"default": {}, HOST: {"internal": True}}
    text = yaml_text(document)
    return {COMPOSE_FILE: header(served) + text, PLAN_FILE: served.plan}


def header(served: Served) -> str:
    """What must be beside the file."""
    lines = [
        f"# Made by `openclaude export compose {served.profile}`. Beside it must be, readable for",
        f"# user {USER} of the container:",
        "#   tls/tls.crt, tls/tls.key   the certificate of the server's name, and its key",
        "#   people/people.keys         openclaude team add NAME --keys people/people.keys",
    ]
    lines += [f"#   keys/{name:<21} the key of {whose}" for name, whose in served.files.items()]
    if served.needs_aws:
        lines.append(f"#   aws/config, aws/credentials with a profile `{AWS_PROFILE}`")
    if served.variables:
        lines += [
            "# and in the environment of compose, or in a file `.env` (0600) beside it:",
            *(f"#   {name}" for name in served.variables),
        ]
    if served.files:
        lines.append(f"# The container reads those keys in {KEYS_FOLDER}.")
    lines.append(f"# For example: sudo chown -R {USER} tls people keys aws")
    return "\n".join(lines) + "\n"


def doubled(text: str) -> str:
    """A text in which compose replaces no variable."""
    return text.replace("$", "$$")
