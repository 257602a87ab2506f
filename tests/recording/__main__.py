"""`build/recording`: README's pictures of a real run, at stand-ins, in a real terminal.

Knows: what is typed, and when a screen is worth a look. Independent of: how it is drawn.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from tests.bench.scene import Scene, must, open_scene
from tests.e2e.house import OPENCLAUDE
from tests.e2e.terminal import Terminal
from tests.recording.picture import Screen, draw

COLUMNS, LINES = 96, 26
PROFILE = "mine"
SHELL_PROMPT = "$ "
INPUT = r"❯\s*\n─"  # claude's empty input box
FOLDER = Path("docs/recording")


def main() -> int:
    """Record, draw, and say which files were written."""
    with open_scene() as scene:
        house = scene.house
        house.write_profile(
            PROFILE,
            anthropic_url=house.anthropic_url,
            bedrock_url=house.bedrock_url,
            more="[budget]\nday = 5.00\nmonth = 60.00\n",
        )
        must(house.run((OPENCLAUDE, "profiles", "use", PROFILE), house.environment()))
        scene.start(PROFILE)
        with shell(scene) as terminal:
            pictures = {
                "first-minute": first_minute(terminal),
                "model": change_of_model(terminal),
                "usage": after_work(terminal),
                "requests": trail(terminal),
                "budget": budgets(terminal),
            }
            pictures |= at_work(scene, terminal)
    titles = {
        "first-minute": "openclaude",
        "model": "/model in openclaude",
        "usage": "openclaude usage",
        "requests": "openclaude requests",
        "budget": "openclaude budget",
        "status": "openclaude status",
        "top": "openclaude top",
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, screens in pictures.items():
        path = FOLDER / f"{name}.svg"
        path.write_text(draw(titles[name], screens, columns=COLUMNS))
        print(f"recording: wrote {path}, {path.stat().st_size // 1000} kB", file=sys.stderr)
    return 0


def shell(scene: Scene) -> Terminal:
    """A shell in the project's folder, with openclaude on its PATH."""
    path = f"{OPENCLAUDE.parent}:{scene.house.environment()['PATH']}"
    env = scene.house.environment(
        {"PATH": path, "PS1": SHELL_PROMPT, "COLORTERM": "truecolor", "TERM": "tmux-256color"}
    )
    socket = scene.house.root.parent / f"tmux-{time.monotonic_ns()}"
    argv = ("bash", "--norc", "--noprofile")
    return Terminal(argv, env, scene.house.project, socket, size=(COLUMNS, LINES))


def first_minute(terminal: Terminal) -> list[Screen]:
    """Start it, ask something, get an answer."""
    terminal.wait_for(r"\$ ")
    typed = typing(terminal, "openclaude")
    terminal.press("Enter")
    terminal.wait_for(INPUT)
    terminal.wait_for("mine")
    begun = shot(terminal, 2.5)
    asked = typing(terminal, "which model are you?")
    terminal.press("Enter")
    terminal.wait_for(r"● anthropic stand-in: [^\n]*")
    terminal.wait_for(INPUT)
    return [typed, begun, asked, shot(terminal, 4.0)]


def change_of_model(terminal: Terminal) -> list[Screen]:
    """Give the conversation to the slot's model."""
    typed = typing(terminal, "/model")
    terminal.press_until("Enter", "Select model")
    menu = shot(terminal, 3.5)
    terminal.press("Escape")
    terminal.wait_for(INPUT)
    terminal.type("/model haiku")
    terminal.wait_for("Switch model")
    terminal.press("Enter")
    terminal.wait_for("Set model to")
    asked = typing(terminal, "and now?")
    terminal.press("Enter")
    terminal.wait_for(r"● bedrock stand-in: [^\n]*")
    terminal.wait_for(INPUT)
    time.sleep(1.5)  # the status line is drawn after the answer
    return [typed, menu, asked, shot(terminal, 4.0)]


def after_work(terminal: Terminal) -> list[Screen]:
    """What it has used, and one line for each request."""
    terminal.type("/exit")
    terminal.wait_for(r"\$ $")
    terminal.type("clear")
    time.sleep(0.5)
    terminal.type("openclaude usage")
    terminal.wait_for(r"(?s)tier.*\$ \s*$")
    used = shot(terminal, 4.5)
    terminal.type("clear")
    time.sleep(0.5)
    terminal.type("openclaude requests")
    terminal.wait_for(r"(?s)openclaude requests.*\n\$ \s*$")
    return [used, shot(terminal, 4.5)]


def trail(terminal: Terminal) -> list[Screen]:
    """A line for each request, then all that is known of one."""
    listed = asked(terminal, "openclaude requests", 4.0)
    return [listed, asked(terminal, "openclaude requests show 2", 5.0)]


def budgets(terminal: Terminal) -> list[Screen]:
    """What is left, and one more allowance."""
    left = asked(terminal, "openclaude budget", 4.0)
    return [left, asked(terminal, "openclaude budget allow 2.00 --today", 4.0)]


def at_work(scene: Scene, terminal: Terminal) -> dict[str, list[Screen]]:
    """What is seen from another terminal while a session is open."""
    with shell(scene) as other:
        other.wait_for(r"\$ ")
        other.type("openclaude --model haiku")
        other.wait_for(INPUT)
        other.type("how is the weather?")
        other.wait_for(r"● bedrock stand-in: [^\n]*")
        other.wait_for(INPUT)
        time.sleep(1.5)
        people = asked(terminal, "openclaude status", 4.0)
        status = [people, asked(terminal, "openclaude status --processes", 4.5)]
        terminal.type("openclaude top")
        terminal.wait_for(r"quit")
        time.sleep(2.5)
        top = [shot(terminal, 3.0)]
        other.type("and tomorrow?")
        time.sleep(5.0)
        top.append(shot(terminal, 4.0))
        terminal.press("q")
        terminal.wait_for(r"\$ \s*$")
        other.type("/exit")
        other.wait_for(r"\$ $")
    return {"status": status, "top": top}


def asked(terminal: Terminal, command: str, seconds: float) -> Screen:
    """A command's whole output, on an empty screen."""
    terminal.type("clear")
    time.sleep(0.5)
    terminal.type(command)
    terminal.wait_for(rf"(?s){re.escape(command)}.*\n\$ \s*$")
    return shot(terminal, seconds)


def typing(terminal: Terminal, text: str) -> Screen:
    """Type something, without Enter."""
    terminal.put(text)
    terminal.wait_for(text.replace("?", r"\?"))
    return shot(terminal, 1.2)


def shot(terminal: Terminal, seconds: float) -> Screen:
    """What is on the screen now."""
    return Screen(terminal.coloured(), seconds)


if __name__ == "__main__":
    sys.exit(main())
