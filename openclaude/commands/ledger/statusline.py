"""`openclaude statusline`: the line below claude's input, with what claude cannot know.

Knows: the JSON that claude gives such a program (measured with 2.1.330), and how to give it, put
right, to the user's own. Independent of: the rest of openclaude: claude runs it after every answer,
so it imports as little as Python allows. What cannot be found out is left out.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost milliseconds
    import argparse
    from collections.abc import Mapping
    from typing import Any

    from openclaude.output import Result
    from openclaude.paths import Places

    Object = dict[str, Any]
    Environment = Mapping[str, str]

STEP = " \N{MIDDLE DOT} "
BUSY_S = 0.2  # for a writer that has the ledger
RECENT = 2000  # entries among which the plan's quota is looked for
SHELL = "/bin/sh"
PIPE = 16_000  # bytes that any pipe takes while nobody reads
SOON_S = 3600.0  # before credentials end
CHAIN = 5  # roles that are assumed one after the other
OTHERS = frozenset({"on-limit", "budget"})  # answers of another model than the tier's own


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    from openclaude.commands.help_page import STATE, HelpPage, add_page, add_profile

    page = HelpPage(
        text="""\
Print one line about a session: profile, the model that answers now, dollars on
slots, the plan's quota, when the AWS login ends. claude runs it after each answer
and gives it JSON on standard input. A launch sets it up, also around a status line
of your own; `[launch] statusline = false` turns that off.""",
        examples=(
            "openclaude statusline qwen",
            "openclaude statusline --profile qwen",
        ),
        variables=STATE,
        docs="docs/usage.md",
    )
    add_page(parser, page)
    add_profile(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """The line about the session on standard input. Raises UsageError."""
    from openclaude.errors import UsageError
    from openclaude.output import Result
    from openclaude.profile.names import profile_name
    from openclaude.run.stack.places import stack_folder

    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "`statusline` reads what claude tells a status line from standard input",
            hint="a launch sets it up: see `openclaude statusline --help`",
        )
    name = profile_name(arguments.profile, env, places)
    main([name, str(stack_folder(places.stacks, name))])
    return Result(text="")


def main(arguments: list[str] | None = None) -> int:
    """Print the line, or become the user's own program with claude's JSON put right.

    The arguments are the profile, its stack's folder, and the user's own command line, if any.
    """
    profile, folder, *theirs = sys.argv[1:] if arguments is None else arguments
    given = read_json(sys.stdin.buffer.read())
    plan = read_json(read_file(os.path.join(folder, "plan.json")))  # noqa: PTH118 - no pathlib
    known = look(given, plan, os.path.join(folder, "..", "..", "ledger", "requests.sqlite3"))  # noqa: PTH118
    if theirs:
        become_theirs(theirs[0], json.dumps(corrected(given, plan, known)).encode())
    sys.stdout.write(line(profile, given, plan, known) + "\n")
    return 0


def read_file(path: str) -> bytes:
    """A file's bytes, or nothing."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - no pathlib
            return file.read()
    except OSError:
        return b""


def read_json(text: bytes) -> Object:
    """A JSON object; an empty one for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def inner(values: Any, *keys: str) -> Any:
    """What is in nested objects, or None."""
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def tier_of(given: Object, plan: Object) -> Object:
    """The plan's tier for the model that claude says it uses; nothing if no slot has it."""
    model = inner(given, "model", "id")
    tiers = plan.get("tiers")
    for tier in tiers if isinstance(tiers, list) else ():
        names = {inner(tier, "slot"), inner(tier, "behaves_as")} - {"", None}
        if isinstance(model, str) and model.partition("[")[0] in names:
            return dict(tier)
    return {}


def look(given: Object, plan: Object, path: str) -> Object:
    """What the ledger has of this session: its dollars, who answered last, the plan's quota."""
    known: Object = {"usd": None, "answered": "", "via": "", "used_5h": None, "used_7d": None}
    session, tier = inner(given, "session_id"), tier_of(given, plan).get("tier", "")
    try:
        connection = sqlite3.connect(f"file:{quoted(path)}?mode=ro", uri=True, timeout=BUSY_S)
    except sqlite3.Error:
        return known
    try:
        (known["usd"],) = connection.execute(
            "SELECT total(dollars) FROM requests WHERE session = ?", (session,)
        ).fetchone()
        last = connection.execute(
            "SELECT answered, CASE WHEN is_fallback THEN 'on-limit' ELSE via END FROM requests "
            "WHERE session = ? AND agent = '' AND tier = ? AND status = 200 "
            "ORDER BY id DESC LIMIT 1",
            (session, tier),
        ).fetchone()
        known["answered"], known["via"] = last or ("", "")
        quota = connection.execute(
            "SELECT used_5h, used_7d FROM requests WHERE used_5h IS NOT NULL AND "
            "id > (SELECT max(id) FROM requests) - ? ORDER BY id DESC LIMIT 1",
            (RECENT,),
        ).fetchone()
        known["used_5h"], known["used_7d"] = quota or (None, None)
    except sqlite3.Error:
        return known
    finally:
        connection.close()
    return known


def quoted(path: str) -> str:
    """A path in a URI of SQLite's."""
    signs = {"%": "%25", "?": "%3f", "#": "%23"}
    return "".join(signs.get(sign, sign) for sign in path)


def model_of(given: Object, plan: Object, known: Object) -> str:
    """The name of the model that answers now."""
    tier = tier_of(given, plan)
    name = inner(given, "model", "display_name") or inner(given, "model", "id") or ""
    own = tier.get("label") or name
    if known["via"] in OTHERS and known["answered"]:
        return f"{known['answered']}, not {own}"
    return str(own)


def corrected(given: Object, plan: Object, known: Object) -> Object:
    """Claude's JSON with what the ledger knows: the session's dollars, the model's name.

    Where an API key of Anthropic's pays, claude's own figure stays: the ledger has no price for it.
    """
    found = dict(given)
    model, cost = inner(given, "model"), inner(given, "cost")
    if isinstance(model, dict):
        found["model"] = {**model, "display_name": model_of(given, plan, known)}
    if known["usd"] is not None and auth_of(plan) != "api-key":
        mine = {"total_cost_usd": round(known["usd"], 9)}
        found["cost"] = {**cost, **mine} if isinstance(cost, dict) else mine
    return found


def auth_of(plan: Object) -> str:
    """Who pays at Anthropic."""
    units = plan.get("units")
    for unit in units if isinstance(units, list) else ():
        text = inner(unit, "environment", "OPENCLAUDE_ROUTES")
        if isinstance(text, str):
            return str(read_json(text.encode()).get("auth", "plan"))
    return "plan"


def line(profile: str, given: Object, plan: Object, known: Object) -> str:
    """The line of our own."""
    parts = [profile, model_of(given, plan, known)]
    if known["usd"]:
        parts.append(f"${known['usd']:.2f}" if known["usd"] >= 1 else f"${known['usd']:.4f}")
    if known["used_5h"] is not None and auth_of(plan) == "plan":
        week = f", {100 * known['used_7d']:.0f} % of 7 d" if known["used_7d"] is not None else ""
        parts.append(f"plan {100 * known['used_5h']:.0f} % of 5 h{week}")
    name = plan.get("aws_profile")
    if isinstance(name, str) and name:
        parts.append(credentials(name, os.environ, time.time()))
    return STEP.join(filter(None, map(shown, parts)))


def shown(text: str) -> str:
    """A text without what a terminal would obey."""
    return "".join(sign for sign in text if sign.isprintable())


def credentials(name: str, env: Environment, now: float) -> str:
    """When AWS's login ends, if that is soon or past and nobody renews it; else ""."""
    left = until(expiry(name, env, now), now)
    if left is None or left > SOON_S:
        return ""
    return f"AWS {left / 60:.0f} min" if left > 0 else "AWS login expired"


def login_end(folder: str, env: Environment, now: float) -> tuple[str, str, float] | None:
    """The AWS profile of a stack's folder, when its credentials end, in how many seconds."""
    plan = read_json(read_file(os.path.join(folder, "plan.json")))  # noqa: PTH118 - no pathlib
    name = plan.get("aws_profile")
    if not isinstance(name, str) or not name:
        return None
    ends = expiry(name, env, now)
    left = until(ends, now)
    return None if left is None else (name, ends, left)


def expiry(name: str, env: Environment, now: float) -> str:
    """What AWS's files say about the end of a profile's credentials, as it is written there.

    Nothing of `aws login`, which is always renewed until an end that only AWS knows.
    """
    home = env.get("HOME") or ""
    config = sections(at_home(env.get("AWS_CONFIG_FILE") or "~/.aws/config", home))
    keys = sections(at_home(env.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials", home))
    own: dict[str, str] = {}
    for _ in range(CHAIN):
        own = {**config.get(f"profile {name}", config.get(name, {})), **keys.get(name, {})}
        if "role_arn" not in own or own.get("source_profile", name) == name:
            break
        name = own["source_profile"]  # whose credentials the role is assumed with, again and again
    for key in ("aws_expiration", "x_security_token_expires", "expiration"):
        if key in own:
            return own[key]
    login = own.get("sso_session") or own.get("sso_start_url")
    if not login:
        return ""
    from hashlib import sha1  # the name of the file in which botocore keeps the login

    cached = f"{home}/.aws/sso/cache/{sha1(login.encode()).hexdigest()}.json"  # noqa: S324
    token = read_json(read_file(cached))
    is_renewed = (
        "sso_session" in own  # the older form is never renewed
        and all(token.get(key) for key in ("refreshToken", "clientId", "clientSecret"))
        and (until(str(token.get("registrationExpiresAt")), now) or 0) > 0
    )
    return "" if is_renewed else str(token.get("expiresAt") or "")


def at_home(path: str, home: str) -> str:
    """A path with `~` replaced, as AWS's programs do."""
    return home + path[1:] if path.startswith("~/") else path


def sections(path: str) -> dict[str, dict[str, str]]:
    """The sections of an AWS file, as far as they are needed."""
    found: dict[str, dict[str, str]] = {}
    own: dict[str, str] = {}
    for row in read_file(path).decode("utf-8", "replace").splitlines():
        text = row.strip()
        if text.startswith("[") and "]" in text:
            own = found.setdefault(" ".join(text[1 : text.index("]")].split()), {})
        elif "=" in text and text[0] not in "#;":
            key, _, value = text.partition("=")
            own[key.strip()] = value.strip()
    return found


def until(text: str, now: float) -> float | None:
    """Seconds until a time in UTC as AWS's programs write it; None if it is another text."""
    try:
        year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
        hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
    except ValueError:
        return None
    if text[19:] not in ("", "Z", "UTC", "+00:00") and not text[19:].startswith("."):
        return None
    # days since 1970 (Hinnant's "days from civil"): `calendar` and `datetime` cost milliseconds
    year -= month <= 2
    of_year = (153 * (month + (9 if month <= 2 else -3)) + 2) // 5 + day - 1
    era, of_era = divmod(year, 400)
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return days * 86400 + hour * 3600 + minute * 60 + second - now


def become_theirs(command: str, document: bytes) -> None:
    """Become the user's own program, with a document on its standard input."""
    read, write = os.pipe()
    if len(document) <= PIPE or os.fork() == 0:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(document)
        if len(document) > PIPE:
            os._exit(0)
    else:
        os.close(write)
    os.dup2(read, 0)
    os.execv(SHELL, (SHELL, "-c", command))  # noqa: S606 - the user's own, which claude would run so
