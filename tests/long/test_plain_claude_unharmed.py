"""What a day with openclaude leaves in `~/.claude`, beside the same day with plain claude.

The same person does the same work twice, each time in a new HOME. Every file and every key that is
different afterwards is in a table here, with its reason: either plain claude makes it too, or the
reason says what it means for plain claude. Anything else fails. Measured with 2.1.330.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import need
from tests.e2e.conftest import Build
from tests.e2e.house import CLAUDE, PROFILE, House
from tests.e2e.terminal import Terminal
from tests.e2e.turns import turns
from tests.process.test_stack_upgrade import install, replace

PROMPT = r"❯\s*\n─"  # the empty input box above its lower border
RESUME = r"claude (--model \S+ )?--resume \S+"  # what claude prints at the end of a session
ALLOWED = ("--allowedTools", "Agent", "Bash(echo:*)")
HAIKU = "claude-haiku-5-5"
UPGRADED = "9.9.9"
SMALL = "[tiers.haiku]\ncontext_window = 60000\nmax_output_tokens = 8000\n"

# when claude last removed old files, which it does in a session that takes long enough
CLEANED = ".last-cleanup"
# a file or a key that a day changes -> why. Plain claude changes every one of these too.
EXPLAINED = {
    r"settings\.json( model)?$": "what `/model` saves: an alias, which plain claude knows",
    r"history\.jsonl": "the prompts that were typed",
    r"projects/PROJECT/ID\.jsonl": "the sessions",
    r"projects/PROJECT/ID/subagents/agent-ID\.(jsonl|meta\.json)": "the subagents of a session",
    r"plugins/store/": "claude's own plugins, unpacked",
    r"backups/": "claude's own copies of ~/.claude.json",
    r"telemetry/": "what claude could not send to Anthropic, since nobody answers there",
    r"\.claude\.json (numStartups|firstStart|userID|machineID|migrationVersion|lastRelease)": (
        "claude counts its starts, and names itself at the first"
    ),
    r"\.claude\.json (theme|closedIssuesLastChecked|cachedExtraUsage|opusProMigration)": (
        "claude's housekeeping at a start; the theme goes where newer versions keep it"
    ),
    r"\.claude\.json has(Seen|Reset)Auto": "the notice about auto mode was shown",
    r"\.claude\.json (officialMarketplace|pluginUsage)": "claude's plugins",
    r"\.claude\.json projects ~/project (hasCompleted|projectOnboarding)": "claude's housekeeping",
    r"\.claude\.json projects ~/project last": "the last session in numbers: see docs/usage.md",
    r"\.claude\.json tip": "tips that were shown; claude draws them",
}
# of these, the single keys and texts are drawn or counted, and differ from day to day
DRAWN = r"\.claude\.json (tip|projects ~/project lastSessionMetrics)|telemetry/|backups/|plugins/"
# a key of which the text differs from that of plain claude -> why, and what plain claude does then
OTHER_TEXTS = {
    r"projects/.* assistant message model": "the model that answered, by its name",
    r"projects/.* assistant message content \[\] signature": (
        "a slot's thought is marked as the slot's: plain claude sends no thought of another model"
    ),
    r"projects/.* user message content": "`Set model to ...`, and claude's farewell",
    r"projects/.* api-request-blob message (content|role)": "what of it claude has sent anew",
    r"projects/.* attachment (attachment|rendered)": "tokens left: each model counts them anew",
}
# a key that plain claude alone makes -> why
MISSING = {
    r"projects/.* assistant requestId$": "Anthropic's number of a request, which slots have not",
    r"projects/.* api-request-blob message content$": "what of it claude has sent anew, if any",
}
# texts of an openclaude that must be in no file of claude's, but for the mark of a slot's thought
OURS = re.compile(
    r"openclaude|sk-ant|127\.0\.0\.1|localhost|stack\.json|bedrock_url", re.IGNORECASE
)
MARK = re.compile(r"^openclaude:[0-9a-f]{12}(-call)?:")
NAMELESS = (  # what is different in each session
    (re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27,}"), "ID"),
    (re.compile(r"\b(msg_|toolu_|tooluse_|req_)[0-9A-Za-z-]+"), "ID"),
    (re.compile(r"\b(agent-)?[0-9a-f]{12,}\b"), r"\1ID"),
    (re.compile(r"\d+"), "N"),
)


class Person:
    """A user at work, with openclaude or with plain claude."""

    def __init__(self, house: House, socket: Path, *, is_plain: bool) -> None:
        self.house, self.is_plain = house, is_plain
        # a new one for each session: a server of tmux may still be on its way out
        self.sockets = (socket.with_name(f"{socket.name}{number}") for number in count())
        self.saved: list[str] = []  # the settings file after each `/model`
        self.resume_line = ""  # what claude printed at the end of the last session
        self.package = house.root / "site/openclaude"

    def ask(self, prompt: str, *arguments: str) -> str:
        """Ask with `-p`; return the session's id."""
        more = ("-p", prompt, *arguments, *ALLOWED, "--output-format", "json")
        ran = self.house.claude(*more) if self.is_plain else self.house.openclaude(*more)
        assert ran.code == 0, ran
        return str(ran.json()["session_id"])

    @contextmanager
    def at_the_terminal(self, *arguments: str) -> Iterator[Terminal]:
        """A session on the screen, ended with `/exit`."""
        house = self.house
        env = house.plain_environment() if self.is_plain else house.environment()
        argv = (CLAUDE,) if self.is_plain else (house.program, "--profile", PROFILE)
        with Terminal((*argv, *arguments), env, house.project, next(self.sockets)) as terminal:
            terminal.wait_for(PROMPT)
            yield terminal
            terminal.type("/exit")
            assert terminal.exit_status() == 0
            shown = re.search(RESUME, terminal.wait_for(RESUME))
            assert shown
            self.resume_line = shown[0]

    def choose(self, terminal: Terminal, model: str) -> None:
        """Choose another model with `/model`."""
        terminal.type(f"/model {model}")
        terminal.wait_for("Switch model")
        terminal.press("Enter")
        terminal.wait_for("Set model to")
        terminal.wait_for(PROMPT)
        self.saved.append((self.house.home / ".claude/settings.json").read_text())

    def work(self) -> None:
        """The day."""
        with self.at_the_terminal("--model", "sonnet") as terminal:
            say(terminal, "one")
            self.choose(terminal, "haiku")
            say(terminal, "two")
        with self.at_the_terminal("-c") as terminal:
            say(terminal, "three")
            self.choose(terminal, "sonnet")
            say(terminal, "four")
        session = self.ask(thoughtful("five"), "--model", "haiku")
        self.ask(script.say("six"), "-c")
        self.ask(script.say("seven"), "--resume", session)
        self.ask(handed_over(), "--model", "sonnet")
        with self.at_the_terminal("--resume", session) as terminal:
            say(terminal, "eight")
            self.stop_and_start()
            say(terminal, "nine")
            self.upgrade()
            self.ask(script.say("of the new version"), "--model", "haiku")
            say(terminal, "after it")
        self.edit_the_profile()
        self.ask(script.say("ten"), "-c")

    def stop_and_start(self) -> None:
        """Stop the proxies under an open session."""
        if not self.is_plain:
            assert self.house.command("stop", "--yes").code == 0
            assert self.house.command("start", "--wait").code == 0

    def install(self) -> None:
        """Give the user an openclaude that can be upgraded."""
        if not self.is_plain:
            folder = str(self.package.parent)
            install(self.package.parent)
            self.house.program = self.house.root / "openclaude"
            self.house.program.write_text(
                f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {folder!r})\n"
                "from openclaude.cli import main\nsys.exit(main())\n"
            )
            self.house.program.chmod(0o755)

    def upgrade(self) -> None:
        """Upgrade openclaude in place, under an open session; the next launch is of the new one."""
        if not self.is_plain:
            replace(self.package, UPGRADED)

    def edit_the_profile(self) -> None:
        """Give the slot another label."""
        if not self.is_plain:
            edit(self.house, '[tiers.haiku]\nlabel = "Edited"\n')


def edit(house: House, more: str) -> None:
    """Write the profile again, with more lines."""
    urls = {"anthropic_url": house.anthropic_url, "bedrock_url": house.bedrock_url}
    house.write_profile(PROFILE, **urls, more=more)


def say(terminal: Terminal, word: str) -> None:
    """Ask for an answer, and wait until claude is done with it."""
    terminal.type(script.say(f"said {word}"))
    terminal.wait_for(rf"● said {word}\s+✻ .* done")


def thoughtful(word: str) -> str:
    """Return a script: think, call a tool, think again, answer."""
    after = script.reasoning(f"thinking after {word}") + script.say(f"said {word}")
    call = script.tool("Bash", {"command": f"echo {word}"})
    return script.reasoning(f"thinking of {word}") + call + script.then(after)


def handed_over() -> str:
    """Return a script: a subagent on the slot does a job with a tool."""
    call = {
        "description": "a small job",
        "prompt": thoughtful("job"),
        "subagent_type": "general-purpose",
        "model": "haiku",
        "run_in_background": False,
    }
    return script.tool("Agent", call) + script.then(script.say("all is done"))


# What a day has changed ---------------------------------------------------------------------------

Places = dict[str, set[str]]  # a file and a key, without names and numbers -> the texts there


def look(house: House) -> Places:
    """Return everything that claude has written."""
    found: Places = defaultdict(set)
    folder = house.home / ".claude"
    for path in (house.home / ".claude.json", *sorted(folder.rglob("*"))):
        if not path.is_file() or path.name == CLEANED:
            continue
        under = path.relative_to(folder if path.is_relative_to(folder) else house.home)
        slug = re.sub(r"[^A-Za-z0-9]", "-", str(house.project))
        name = nameless(str(under).replace(slug, "PROJECT"), house)
        text = path.read_text(errors="replace")
        if path.parent.name in ("telemetry", "backups", "store"):
            found[name].add(text if OURS.search(text) else "")
        elif path.suffix == ".jsonl":
            found[name].add("")
            for line in text.splitlines():
                said = json.loads(line)
                note(found, said, (name, str(said.get("type", ""))), house)
        else:
            found[name].add("")
            note(found, json.loads(text), (name,), house)
    return found


def note(found: Places, value: Any, place: tuple[str, ...], house: House) -> None:
    """Note each text under its keys."""
    if isinstance(value, dict):
        for key, below in value.items():
            note(found, below, (*place, nameless(key, house)), house)
    elif isinstance(value, list):
        for below in value:
            note(found, below, (*place, "[]"), house)
    else:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        text = "N" if is_number else nameless(json.dumps(value, ensure_ascii=False), house)
        found[" ".join(place)].add(text)


def nameless(text: str, house: House) -> str:
    """Return a text without what is different in each session and HOME."""
    text = text.replace(str(house.home), "~")
    text = text.replace(re.sub(r"[^A-Za-z0-9]", "-", str(house.project)), "PROJECT")
    if OURS.search(text):
        return text  # to be found
    for pattern, name in NAMELESS:
        text = pattern.sub(name, text)
    return text


def changes(before: Places, after: Places) -> set[str]:
    """Return the files and keys that are new, gone or different."""
    return {place for place in {*before, *after} if before.get(place) != after.get(place)}


def unexplained(places: set[str], table: dict[str, str]) -> list[str]:
    """Return the places that no row of a table explains."""
    return sorted(one for one in places if not any(re.match(row, one) for row in table))


def test_a_day_with_openclaude_changes_what_a_day_with_plain_claude_changes(
    build_house: Build, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    need(shutil.which("tmux"), "tmux")
    days = {}
    for name in ("plain", "ours"):
        with build_house(name) as house:
            person = Person(house, tmp_path / name, is_plain=name == "plain")
            person.install()
            before = look(house)
            person.work()
            if not person.is_plain:
                assert house.status()["version"] == UPGRADED
            days[name] = (changes(before, look(house)), look(house), person.saved)
    plain, plain_texts, plain_saved = days["plain"]
    ours, texts, saved = days["ours"]

    assert unexplained(ours, EXPLAINED) == []
    assert unexplained(plain, EXPLAINED) == []
    assert unexplained(ours - plain, {DRAWN: "", **OTHER_TEXTS}) == []
    assert unexplained(plain - ours, {DRAWN: "", **MISSING}) == []
    assert [row for row in EXPLAINED if not any(re.match(row, one) for one in ours)] == []

    # the texts at each of these places are those of plain claude, but for a few
    different = {one for one in ours & plain if texts[one] != plain_texts[one]}
    assert unexplained(different, {DRAWN: "", **OTHER_TEXTS}) == []
    assert saved == plain_saved
    assert [json.loads(one) for one in saved] == [{"model": "haiku"}, {"model": "sonnet"}]

    # nothing names openclaude, its address or a key
    named = {(one, text) for one in ours for text in texts[one] if OURS.search(text)}
    assert {text for one, text in named if not re.search("signature$", one)} == set()
    assert all(MARK.match(json.loads(text)) for _, text in named)
    assert named, "no slot has thought, and the day has shown nothing of it"


def test_the_line_that_claude_prints_at_the_end_goes_on_in_plain_claude(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    ours = Person(house, tmp_path / "ours", is_plain=False)
    plain = Person(house, tmp_path / "plain", is_plain=True)
    with ours.at_the_terminal("--model", "haiku", *ALLOWED) as terminal:
        terminal.type(thoughtful("one"))
        terminal.wait_for(r"● said one\s+✻ .* done")
    assert turns(anthropic) == []

    program, *arguments = shlex.split(ours.resume_line)
    assert program == "claude"
    with plain.at_the_terminal(*arguments) as terminal:
        say(terminal, "two")
    (turn,) = turns(anthropic)
    assert turn.json()["model"] == HAIKU
    assert "echo one" in turn.body.decode()
    assert "said one" in turn.body.decode()
    assert b"thinking of one" not in turn.body  # claude sends no thought of another model
    assert b"openclaude:" not in turn.body
    assert {reply.status for reply in anthropic.replies} == {200}

    bedrock.clear()
    with ours.at_the_terminal(*arguments) as terminal:  # and back, with the slot
        say(terminal, "three")
    assert any(b"said two" in request.body for request in bedrock.requests)
    assert turns(anthropic) == [turn]


def test_a_session_of_a_small_slot_needs_the_name_of_a_model_to_go_on(
    build_house: Build, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    with build_house("small") as house:
        edit(house, SMALL)
        session = Person(house, tmp_path / "ours", is_plain=False).ask("one", "--model", "haiku")
        told = house.command("doctor", "--json").json()["data"]["diagnostics"]
        (found,) = [one for one in told if one["code"] == "slot-not-resumed"]
        assert found["severity"] == "note"
        commands = re.findall("`([^`]+ID[^`]+)`", found["fix"])
        assert len(commands) == 2

        refused = house.claude("-p", "two", "--resume", session)
        assert refused.code == 1
        assert "There's an issue with the selected model (openclaude-haiku)" in refused.out

        anthropic.clear()
        bedrock.clear()
        for command in commands:
            program, *arguments = shlex.split(command.replace("ID", session))
            run = {"claude": house.claude, "openclaude": house.openclaude}[program]
            assert run("-p", "three", *arguments).code == 0
        assert [turn.json()["model"] for turn in turns(anthropic)] == [HAIKU]
        assert [b"three" in request.body for request in bedrock.requests] == [True]
