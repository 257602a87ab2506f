"""The guided start: a few questions, a profile, one answer, claude.

Knows: the ways to begin, the order of the questions. Independent of: menus, the machine, TOML.
Nothing is written before everything has been said and agreed to; Ctrl-C leaves things as they were.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

from openclaude.commands.attended import run_attended
from openclaude.commands.guide import menus
from openclaude.commands.guide.drafts import NAME, Draft, for_bedrock, for_local
from openclaude.commands.guide.found import Surroundings, look_around
from openclaude.commands.guide.menus import Choice
from openclaude.commands.guide.offers import ModelOffer, offers
from openclaude.commands.guide.trial import try_tier
from openclaude.commands.ledger.words import money
from openclaude.commands.profiles.move import write_default
from openclaude.commands.profiles.new import put_new
from openclaude.commands.profiles.store import encoded, user_path
from openclaude.errors import OpenclaudeError, nearest
from openclaude.files import private_folder, write_private
from openclaude.output import progress, ticking
from openclaude.paths import Places
from openclaude.profile.author.drafts import judge_draft
from openclaude.profile.library import Library
from openclaude.prompt import tell
from openclaude.providers.regions import known_regions
from openclaude.providers.table import find_provider

REGION = "us-west-2"
LEAST = 0.0001  # dollars
NEW_AWS = "openclaude"
PLAN, BEDROCK, LOCAL, LOOK = "plan", "bedrock", "local", "look"
WAYS = (
    Choice("Keep my plan, add a cheap model for the small jobs", PLAN),
    Choice("Everything on AWS Bedrock, without a plan", BEDROCK),
    Choice("Keep my plan, with a model on this machine", LOCAL),
    Choice("Just look: a demo without account and network", LOOK),
)
AGAIN = "openclaude setup --guided"
NO_SERVER = """\
No server on this machine lists a model (Ollama on port 11434, LM Studio on 1234,
llama.cpp on 8080 and vLLM on 8000 were asked). Start one, for example
`ollama serve` with `ollama pull qwen3-coder:30b`, and choose again.
"""


def start_guide(places: Places, env: Mapping[str, str]) -> str | None:
    """Lead to a profile that works; its name if claude starts with it now, else None.

    Raises OpenclaudeError, and KeyboardInterrupt for Ctrl-C.
    """
    with progress("looking around") as say, ticking(say):
        found = look_around(places, env)
    tell(summary(found))
    draft = None
    while draft is None:
        way = menus.pick("What do you want?", WAYS)
        if way == LOOK:
            show_demo(env)
            return None
        draft = draft_for(way, found, places, env)
    name = write(draft, places, env)
    if name is None or not is_tried(name, draft, places, env):
        return None
    if not menus.agree("Start claude now?"):
        tell("start it any time with `openclaude`\n")
        return None
    return name


def summary(found: Surroundings) -> str:
    """What was found, a line each."""
    servers = {one.server for one in found.models}
    rows = [
        ("claude", found.claude),
        ("login", found.login or "-"),
        ("AWS profiles", ", ".join(found.aws[:6]) or "none"),
        ("keys", ", ".join(found.keys.values()) or "none in the environment"),
        ("local", ", ".join(sorted(servers)) or "no model server on this machine"),
    ]
    lines = "".join(menus.fitted(f"  {what:<13} {said}") + "\n" for what, said in rows)
    return f"Nothing is set up yet for openclaude. Found:\n{lines}\n"


def show_demo(env: Mapping[str, str]) -> None:
    """Run the demo."""
    from openclaude.commands.runner import result_of

    tell(result_of("demo", [], env).text)
    tell(f"\nTo set something up: `{AGAIN}`\n")


def draft_for(
    way: str, found: Surroundings, places: Places, env: Mapping[str, str]
) -> Draft | None:
    """The answers of one way; None to choose another. Raises KeyboardInterrupt."""
    if way != BEDROCK and not found.is_logged_in:
        log_in(found, env)
    match way:
        case "plan":
            return with_model(found, places, env)
        case "bedrock":
            name, region = aws_profile(found, env)
            return for_bedrock(name, region)
        case _:
            if not found.models:
                tell(NO_SERVER)
                return None
            choices = [Choice(f"{one.id}  ({one.server})", one) for one in found.models]
            return for_local(menus.pick("Which model?", choices, searched=True))


def log_in(found: Surroundings, env: Mapping[str, str]) -> None:
    """ModelOffer claude's own login, which the plan needs."""
    if not found.has_claude:
        tell(f"{found.claude}: install Claude Code before you start it\n")
    elif menus.agree(f"{found.login}. Run `claude auth login` now?"):
        from openclaude.claude.discovery import find_claude

        run_attended((find_claude(env), "auth", "login"), env)


# A model for the small jobs -----------------------------------------------------------------------


def with_model(found: Surroundings, places: Places, env: Mapping[str, str]) -> Draft:
    """The plan, with one other model for haiku."""
    tell(
        "haiku does claude's small jobs: titles, summaries, searches. US dollars per\n"
        "million tokens in/out, and the window in tokens:\n"
    )
    listed = offers(found, datetime.datetime.now(tz=datetime.UTC).date())
    offer: ModelOffer = menus.pick(
        "Which model?", [Choice(one.line, one) for one in listed], searched=True
    )
    model = offer.model
    haiku: dict[str, str | int] = {"model": model.name, "label": model.id[:60]}
    aws: dict[str, str] = {}
    secret = ("", "")
    if model.provider == "bedrock":
        name, region = aws_profile(found, env)
        aws = {"profile": name, "region": region}
    elif model.provider not in found.keys:
        variable = find_provider(model.provider).key_variable
        if key := menus.secret(f"{variable} (not shown; Enter to set it yourself later):"):
            path = places.config / "keys" / model.provider
            haiku["api_key"] = f"file:{path}"
            secret = (str(path), key)
    return Draft(
        parent="base",
        description=f"Claude plan; {model.id} for the small jobs",
        haiku=haiku,
        aws=aws,
        secret=secret,
    )


def aws_profile(found: Surroundings, env: Mapping[str, str]) -> tuple[str, str]:
    """An AWS profile and a region. Raises OpenclaudeError."""
    new = Choice("make a new one (`openclaude aws setup`)", None)
    name = menus.pick("Which AWS profile?", [*(Choice(one, one) for one in found.aws), new])
    if name is None:
        from openclaude.commands.runner import result_of

        names = (NEW_AWS, *(f"{NEW_AWS}-{number}" for number in range(2, 100)))
        name = next(one for one in names if one not in found.aws)
        tell(result_of("aws", ["setup", "--name", name], env).text)
    return name, aws_region(found.regions.get(name) or REGION)


def aws_region(likely: str) -> str:
    """A region that there is: a slip of the keys would otherwise end the guide at its last step."""
    known = known_regions()
    while True:
        said = menus.text("Which region?", likely) or likely
        if said in known:
            return said
        near = nearest(said, known)
        tell(f"AWS has no region `{said[:40]}`" + (f"; did you mean `{near}`?\n" if near else "\n"))


# Writing and trying -------------------------------------------------------------------------------


def write(draft: Draft, places: Places, env: Mapping[str, str]) -> str | None:
    """Show the profile and write it after a yes; its name, or None. Raises OpenclaudeError."""
    library = Library(places.profiles, places.shipped)
    taken = {*library.names()}
    name = next(one for number in range(1, 100) if (one := named(number)) not in taken)
    text = draft.text()
    tell(f"\n{text}\n")
    judge_draft(library, name, user_path(places, name), encoded(text), env)
    if not menus.agree(f"Write this as the profile `{name}`, and make it the default?"):
        tell("nothing was written\n")
        return None
    file, key = draft.secret
    if file:
        private_folder(Path(file).parent)
        write_private(Path(file), key + "\n")
    tell(put_new(places, name, text, f"extends `{draft.parent}`").text)
    write_default(places, name)
    return name


def named(number: int) -> str:
    """A name for a profile: `mine`, `mine-2` ..."""
    return NAME if number == 1 else f"{NAME}-{number}"


def cost(dollars: float | None) -> str:
    """What an answer has cost, in words where the number would say nothing."""
    if dollars is None:
        return "price unknown"
    return "less than $0.0001" if 0 < dollars < LEAST else money(dollars)


def is_tried(name: str, draft: Draft, places: Places, env: Mapping[str, str]) -> bool:
    """Ask the tier one question if the user likes; whether to go on."""
    question = f"Ask {draft.tier} one short question now? It costs less than a cent."
    if not menus.agree(question):
        return True
    try:
        done = try_tier(name, draft.tier, places, env)
    except OpenclaudeError as error:
        tell(f"{error.message}\n{error.hint}\n")
        return menus.agree("The profile is kept. Start claude all the same?")
    if done.error:
        tell(f"{draft.tier} does not answer: {done.error}\n")
        tell("the profile is kept; `openclaude doctor --online` looks for the reason\n")
        return menus.agree("Start claude all the same?")
    tell(
        f"{draft.tier} says: {done.answer}\n"
        f"  {done.seconds:.1f} s, {done.tokens_in} tokens in, {done.tokens_out} out, "
        f"{cost(done.dollars)}\n"
    )
    return True
