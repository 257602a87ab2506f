"""The payloads of `--json`: the keys of `data` for each command, in their order.

Knows: names and meanings; docs/json.md shows them, and tests compare them with what commands print.
Independent of: the commands. A key that goes, or means something else, makes a new version of the
envelope; a further key does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Keys = Mapping[str, str]

NAME: Keys = {"name": "the profile", "path": "its file"}
NOTES: Keys = {"notes": "what else there is to know, a sentence each"}
SESSIONS: Keys = {"sessions": "pids of the open claude sessions that use them"}
CHANGED: Keys = {
    **NAME,
    **{"key": "the first key", "keys": "all keys", "changed": "whether the file is another one"},
    **NOTES,
}
LIMITS: Keys = {
    "limits": "requests_per_minute, parallel, usd_per_day, usd_per_month; null is unlimited"
}
DISCLOSURES = "who receives which text and which key"
# command -> key -> what it says
PAYLOADS: Mapping[str, Keys] = {
    "--version": {
        "openclaude": "its version",
        "claude": "claude's, or null",
        "litellm": "LiteLLM's, or null",
        "python": "Python's",
        "lock": "SHA-256 of the lock that was tested, or null",
    },
    "profiles list": {
        "default": "the profile that a launch uses, or null",
        "profiles": "each with name, path, from, default, description, tiers, errors",
    },
    "profiles show": {
        "name": "the profile",
        "values": "every value, as tables",
        "from_map": "values that LiteLLM's map of models gives",
        "origins": "where each value comes from, by its dotted key",
        "sources": "its files, with their SHA-256",
    },
    "profiles validate": {"profiles": "each with name, valid, errors, warnings, disclosures"},
    "profiles new": NAME,
    "profiles copy": NAME,
    "profiles edit": {**NAME, "changed": "whether it was saved", **NOTES},
    "profiles set": CHANGED,
    "profiles unset": CHANGED,
    "profiles use": {"default": "the profile", "path": "the file that says so", **NOTES},
    "profiles rename": {
        **NAME,
        **{"was": "the name before", "extended_by": "profiles that name it as their parent"},
        **NOTES,
    },
    "profiles remove": {**NAME, **NOTES},
    "profiles diff": {"a": "one", "b": "the other", "differences": "each with key, a, b"},
    "profiles path": {
        "name": "the profile; not without one",
        "path": "its file; without a profile: the directory of your own",
        "from": "`user` or `shipped`; not without a profile",
    },
    "profiles export": {
        **{"name": "the profile", "text": "the file"},
        **{"sources": "the profiles in it", "path": "where it was written, or null"},
    },
    "profiles import": {
        **NAME,
        **{"exposed": "values to check, each with key, value, why", "disclosures": DISCLOSURES},
    },
    "compile": {
        "profile": "its name",
        "digest": "SHA-256 of the plan",
        "files": "the text of each file, by name",
        "written": "the files that were written",
        "disclosures": DISCLOSURES,
    },
    "export": {
        **{"profile": "its name", "manager": "what will run it"},
        **{"files": "the text of each file, by name", "written": "the files that were written"},
        "variables": "those that the service's environment must have",
    },
    "serve": {
        **{"name": "the person", "key": "that person's key, shown this once"},
        "path": "the file with its SHA-256",
    },
    "team add": {
        **{"name": "the person", "key": "that person's key, shown this once"},
        **{"path": "the file with its SHA-256", **LIMITS},
    },
    "team list": {
        "path": "the file",
        "people": "each with name, keys (how many), limits (as where one is added)",
    },
    "team revoke": {
        **{"name": "the person", "path": "the file"},
        "removed": "how many keys were removed",
    },
    "team limit": {"name": "the person", "path": "the file", **LIMITS},
    "team usage": {
        "by": "what the rows are grouped by",
        "rows": "each with that, requests, refused, errors, tokens_in, tokens_out, usd",
        "total": "the sums of all",
    },
    "start": {
        "profile": "its name",
        "port": "main's; providers has the next",
        "is_new": "whether they were started now",
        "changes": "what an edited profile has changed, a sentence each",
    },
    "stop": {
        **{"stopped": "profiles whose proxies ran", "not_running": "the others"},
        **SESSIONS,
        "demos": "with `--all`: what killed demos had left, removed",
    },
    "lock": {"locked": "profiles whose keys were revoked", "not_running": "the others", **SESSIONS},
    "restart": {"profile": "its name", "changes": "as in `start`"},
    "switch": {
        "profile": "its name",
        "changes": "the models exchanged, a sentence each",
        "saved": "whether the profile has it now",
        "switched": "what is switched until the proxies stop: tier and model",
        **SESSIONS,
        **NOTES,
    },
    "status": {
        "stacks": "each running stack: its units, sessions, tiers, memory, what is degraded",
        "recording": "until (of a recording that runs), files, bytes, folder",
    },
    "logs": {"profile": "its name", "files": "the files read", "lines": "each line"},
    "usage": {
        "by": "what the rows are grouped by",
        "rows": "a row for each group",
        "total": "the sums of all",
        "plan": "the plan's quota as Anthropic said last, or null",
        "spared": "what slots spared the plan",
        "html": "with `--html`, and then alone: the page's path, or null on stdout",
    },
    "requests": {"requests": "the last ones, oldest first, each as in `requests show`"},
    "requests show": {
        **{"id": "its number", "at": "when it came, in seconds of Unix time"},
        **{"profile": "the profile", "session": "claude's id of the session"},
        "agent": "the type of the subagent, which claude says with `first_party`; else its id",
        **{"tier": "the tier, or empty", "via": "who was asked: plan, slot and so on"},
        **{"asked": "the model that claude asked for", "answered": "the model that answered"},
        **{"provider": "the provider", "region": "Bedrock's, or empty"},
        "is_fallback": "1 if another model of the tier answered",
        **{"status": "of HTTP, 0 without an answer", "error": "Anthropic's word, or empty"},
        "is_cut": "1 if the reply did not reach its end",
        **{"first_ms": "to the first byte", "total_ms": "to the last"},
        **{"tokens_in": "neither from a cache nor into one", "tokens_out": "of the reply"},
        **{"cache_read": "tokens from the cache", "cache_write": "tokens into it"},
        **{"dollars": "the price, or null", "priced_by": "whose prices those are"},
        "request_id": "the provider's, or empty",
        **{"used_5h": "of the plan's five hours, 0 to 1", "used_7d": "of its week"},
        **{"resets_5h": "when they begin anew, in seconds of Unix time", "resets_7d": "the week"},
        "project": "the directory where claude was started",
        "attempts": "those that failed before, each with model, status, error, ms",
        "instance": "which process of main wrote it",
        "changes": "what was changed to fit the model, a sentence each",
        "agent_id": "claude's own id of the subagent",
    },
    "requests record": {
        "until": "when the recording ends, in seconds of Unix time; not with --stop or --remove",
        "folder": "where bodies are kept; not with --stop or --remove",
        "was_on": "with --stop or --remove: whether there was one",
        "removed": "with --stop or --remove: how many requests were removed",
    },
    "report": {"text": "the page", "file": "where it was written, or null"},
    "budget": {
        "profile": "its name",
        "budgets": "each with its limit and what was spent",
        "then": "what happens at the limit",
        "requests_per_minute": "the brake, or null",
    },
    "budget allow": {
        **{"period": "day, month or session", "which": "which of them"},
        **{"usd": "dollars allowed now", "allowed_usd": "allowed in all"},
    },
    "env": {
        **{"profile": "its name", "program": "whose key it is"},
        **{"url": "main's address; not with `--revoke`", "key": "a secret; not with `--revoke`"},
        "certificate": "path of main's certificate, or empty; not with `--revoke`",
        "variables": "what the program needs in its environment; not with `--revoke`",
    },
    "doctor": {
        "profile": "its name, or null",
        "counts": "diagnostics of each severity",
        "diagnostics": "everything that was looked at, see above",
        "findings": "the same in its old form, until the next release",
        "fixed": "what `--fix` did: code, command, and the problem if it failed",
    },
    "setup": {
        "ready": "whether a launch would work; not with `--guided`",
        "steps": "each with its status and fix; not with `--guided`",
        "profile": "with `--guided`: the profile that was chosen, or empty",
    },
    "aws policy": {
        **{"profile": "its name", "account": "the account, or null", "models": "the models in it"},
        **{"policy": "the IAM policy", "text": "the same in a format", "format": "which format"},
    },
    "aws setup": {
        "name": "the AWS profile; of a Bedrock API key: openclaude's profile",
        "method": "how it logs in",
        **{"region": "its region", "changed": "the files", "diff": "the change"},
        "reference": "in place of those three, of a Bedrock API key: where the profile finds it",
        "written": "whether it was made",
        "backups": "if it was made: copies of the files as they were; not of a Bedrock API key",
        "next": "if it was made: commands that are left to run; not of a Bedrock API key",
    },
    "models": {
        "map": "LiteLLM's map that was read",
        "models": "each with prices, limits, features",
    },
    "uninstall": {
        **{"is_done": "whether everything is gone", "stopped": "profiles that ran"},
        **{"removed": "paths", "kept": "paths", "program": "how to remove the program itself"},
    },
}
# `openclaude profiles` is `openclaude profiles list`
SAME_AS = {"profiles": "profiles list"}


def command_path(name: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """A command, with its action if the arguments begin with one; a profile's name is none."""
    first = arguments[0] if arguments else ""
    return (name, first) if f"{name} {first}" in PAYLOADS else (name,)


def keys_of(path: Sequence[str]) -> Keys:
    """The keys of a command's `data`."""
    name = " ".join(path)
    return PAYLOADS[SAME_AS.get(name, name)]
