"""Which certificates a launched claude trusts beside the public ones: main's, and the user's own.

Knows: NODE_EXTRA_CA_CERTS and who may set it. Independent of: disk, how main's certificate is made.
Pure.
"""

from __future__ import annotations

from openclaude.claude.launch import LaunchFacts, texts

EXTRA = "NODE_EXTRA_CA_CERTS"  # one file; claude takes it from the settings too (2.1.330)


def is_managed(facts: LaunchFacts) -> bool:
    """Whether an administrator has set the file: no launch can add a certificate to it."""
    return any(
        EXTRA in texts(source.values.get("env"))
        for source in facts.settings
        if source.kind == "managed"
    )


def user_bundle(facts: LaunchFacts) -> str:
    """The path of the user's own file, "" where there is none.

    What a repository's settings say is left out: claude itself heeds them only when the user has
    trusted the folder, which has not been asked yet.
    """
    layers = [
        facts.own_settings.get("env"),
        *(source.values.get("env") for source in facts.settings if source.kind == "user"),
        dict(facts.environment),
    ]
    return next((values[EXTRA] for values in map(texts, layers) if EXTRA in values), "")
