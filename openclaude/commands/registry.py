"""Our commands: one table for the command line, its help, completions and documentation.

Knows: each command's name, module and summary. Imports nothing of ours: every launch reads it.
"""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """One command of the command line."""

    name: str
    module: str  # answers it: `add_arguments` and `run`
    summary: str
    is_shared: bool = False  # its module implements several commands, and gets the name


COMMANDS = (
    Command(
        "profiles",
        "openclaude.commands.profiles.command",
        "list, show, create, change, check and share profiles",
    ),
    Command(
        "compile",
        "openclaude.commands.compile",
        "print what a profile becomes: both LiteLLM configs, claude's settings, the plan",
    ),
    Command(
        "start",
        "openclaude.commands.stacks",
        "start the proxies of a profile without claude",
        is_shared=True,
    ),
    Command("stop", "openclaude.commands.stacks", "stop the proxies of a profile", is_shared=True),
    Command(
        "lock",
        "openclaude.commands.stacks",
        "revoke the local keys at once: no open session can reach a model",
        is_shared=True,
    ),
    Command(
        "restart",
        "openclaude.commands.stacks",
        "restart the proxies of a profile; open sessions keep working",
        is_shared=True,
    ),
    Command(
        "switch",
        "openclaude.commands.switch.command",
        "give a tier of the running sessions another model",
    ),
    Command(
        "status",
        "openclaude.commands.status.command",
        "show open sessions: model, requests, cost, last error; --processes: the proxies",
    ),
    Command(
        "top",
        "openclaude.commands.status.top",
        "show open sessions live on the whole terminal",
    ),
    Command("logs", "openclaude.commands.logs", "show the logs of the proxies; -f follows them"),
    Command(
        "usage",
        "openclaude.commands.ledger.usage",
        "show tokens, dollars and errors by tier, model, session or day",
    ),
    Command(
        "requests",
        "openclaude.commands.ledger.requests",
        "show the last requests, one a line; -f follows them",
    ),
    Command(
        "statusline",
        "openclaude.commands.ledger.statusline",
        "print a status line for claude; a launch sets it up",
    ),
    Command(
        "budget",
        "openclaude.commands.ledger.budget",
        "show what slots may cost and have cost; allow more for once",
    ),
    Command(
        "env",
        "openclaude.commands.env",
        "print the address and a key for another program: the Agent SDK, an editor, a script",
    ),
    Command(
        "export",
        "openclaude.commands.export.command",
        "print files by which systemd, launchd, compose or Kubernetes runs a profile",
    ),
    Command(
        "serve",
        "openclaude.commands.serve.command",
        "serve a profile's models to other machines over TLS, with a key for each person",
    ),
    Command(
        "team",
        "openclaude.commands.serve.team",
        "say who may ask a team's server: add and revoke keys, set limits",
    ),
    Command(
        "doctor",
        "openclaude.commands.doctor",
        "find out what is wrong and how to fix it; --online also asks AWS",
    ),
    Command(
        "report",
        "openclaude.commands.report.command",
        "print a page for a bug report, without credentials, prompts or names",
    ),
    Command(
        "setup",
        "openclaude.commands.setup.command",
        "prepare a first launch: claude, login, AWS profile, keys, profile",
    ),
    Command(
        "aws",
        "openclaude.commands.aws.command",
        "print the IAM policy that a profile needs, or create an AWS profile for it",
    ),
    Command(
        "models",
        "openclaude.commands.models.command",
        "list the models that a tier can use: prices, context windows, features, regions",
    ),
    Command(
        "demo",
        "openclaude.commands.demo.command",
        "try the whole path on this machine: no account, no network, no configuration",
    ),
    Command(
        "completion",
        "openclaude.commands.completion",
        "print the completions of bash, zsh or fish",
    ),
    Command(
        "uninstall",
        "openclaude.commands.uninstall.command",
        "stop everything and remove openclaude's files; --purge also removes your profiles",
    ),
)
NAMES = tuple(command.name for command in COMMANDS)


def find_command(name: str) -> Command:
    """The command of that name. Raises StopIteration where there is none."""
    return next(command for command in COMMANDS if command.name == name)
