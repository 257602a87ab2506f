"""The environment of the programs that an instance starts."""

from __future__ import annotations

from openclaude.run.worker.children import child_environment

KEPT = {
    "HOME": "/home/a",
    "PATH": "/bin",
    "XDG_RUNTIME_DIR": "/run/user/1",
    "AWS_CONFIG_FILE": "/home/a/.aws/config",
    "AWS_VAULT_BACKEND": "pass",
    "LC_ALL": "C.UTF-8",
    "HTTPS_PROXY": "http://proxy:3128",
}
KEPT_BACK = {
    "OPENCLAUDE_SECRET_1": "sk-CANARY",
    "OPENCLAUDE_PROVIDERS_KEY": "sk-openclaude-CANARY",
    "LITELLM_MASTER_KEY": "sk-openclaude-CANARY",
    "ANTHROPIC_API_KEY": "sk-ant-CANARY",
    "AWS_BEARER_TOKEN_BEDROCK": "CANARY",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONPATH": "/opt/openclaude",
}


def test_a_child_gets_the_users_environment_and_nothing_of_ours() -> None:
    assert child_environment(KEPT | KEPT_BACK) == KEPT
