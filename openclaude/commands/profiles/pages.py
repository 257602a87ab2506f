"""The help pages of `openclaude profiles` and its actions.

Knows: the text of each page. Independent of: how it is done.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaude.commands.help_page import CONFIG, OVERRIDES, PROFILE, HelpPage, Variables

DOCS = "docs/profiles.md"
EDITORS: Variables = (("VISUAL, EDITOR", "the editor (default: vi)"),)


def page(text: str, *examples: str, variables: Variables = CONFIG) -> HelpPage:
    """A page of an action; each example follows `openclaude profiles`."""
    return HelpPage(
        text=text,
        examples=tuple(f"openclaude profiles {one}".rstrip() for one in examples),
        variables=variables,
        docs=DOCS,
    )


PROFILES = page(
    """\
List, show, create, change, check and share profiles. A profile is a TOML file
that says which model serves each of claude's tiers. Without an action, list
them.""",
    "",
    "set tiers.haiku bedrock/qwen.qwen3-coder-next --profile mine",
    variables=(*PROFILE, *CONFIG),
)
# action -> its line in the list of actions, its page
PAGES: Mapping[str, tuple[str, HelpPage]] = {
    "list": (
        "list all profiles and the models of their tiers",
        page(
            """\
List all profiles, your own and the built-in ones, with the model of each tier.
The default profile is marked with `*`.""",
            "list",
            "list --json",
            variables=(*PROFILE, *CONFIG),
        ),
    ),
    "show": (
        "show a profile, and where each value comes from",
        page(
            """\
Show every value of a profile, including inherited values and defaults, and
where it comes from: file and line, variable, default, or LiteLLM's model map.""",
            "show",
            "show qwen --json",
            variables=(*PROFILE, *OVERRIDES, *CONFIG),
        ),
    ),
    "validate": (
        "report every mistake in a profile",
        page(
            """\
Check profiles and report every mistake at once, with its line and what is
allowed. Warnings tell what may not work as expected. The exit status is 2 if
there are mistakes.""",
            "validate",
            "validate mine ./colleague.toml",
            "validate --all",
            variables=(*PROFILE, *OVERRIDES, *CONFIG),
        ),
    ),
    "diff": (
        "compare two profiles; exit status 1 if they differ",
        page(
            """\
Show the values in which two profiles differ. The exit status is 1 if they
differ.""",
            "diff qwen mine",
            "diff mine ./colleague.toml",
            variables=(*OVERRIDES, *CONFIG),
        ),
    ),
    "path": (
        "print the path of a profile, or of your profiles' directory",
        page(
            """\
Print the path of a profile's file. Without a name, print the directory of your
own profiles.""",
            "path",
            "path qwen",
        ),
    ),
    "new": (
        "create a profile; asks questions on a terminal",
        page(
            """\
Create a profile. On a terminal and without options, it asks a few questions.
The new file is commented and can be edited by hand.""",
            "new mine",
            "new mine --from qwen --tier haiku=openai/gpt-5.6-luna",
        ),
    ),
    "copy": (
        "copy a profile under a new name",
        page(
            "Copy a profile, your own or a built-in one, under a new name.",
            "copy qwen mine",
            "copy mine mine-at-work",
        ),
    ),
    "edit": (
        "edit a profile in your editor; saved only if valid",
        page(
            """\
Open a profile in your editor, and save it if it is valid. An invalid draft is
kept, and the next `edit` continues with it. Editing a built-in profile makes a
copy of your own, which is used instead of it.""",
            "edit",
            "edit mine",
            variables=(*PROFILE, *EDITORS, *CONFIG),
        ),
    ),
    "set": (
        "set keys; the rest of the file is unchanged",
        page(
            """\
Set keys of a profile; they are checked together. The rest of the file, comments
included, is unchanged. Changing a built-in profile makes a copy of your own,
which is used instead of it.""",
            "set mine tiers.haiku=bedrock/zai.glm-5 aws.region=us-west-2",
            "set openai tiers.sonnet.api_key=file:~/.openai-key",
            """set tiers.haiku.fallbacks='["openai/gpt-5.6-luna"]'""",
            variables=(*PROFILE, *CONFIG),
        ),
    ),
    "unset": (
        "remove keys; the rest of the file is unchanged",
        page(
            """\
Remove keys from a profile's own file. The rest of the file is unchanged; the
values are then inherited or the defaults.""",
            "unset tiers.haiku",
            "unset mine aws.region listen.port",
            variables=(*PROFILE, *CONFIG),
        ),
    ),
    "use": (
        "make a profile the default",
        page(
            """\
Make a profile the default for launches and commands. `--profile` and
OPENCLAUDE_PROFILE still take precedence.""",
            "use mine",
            "use --clear",
            variables=(*PROFILE, *CONFIG),
        ),
    ),
    "rename": (
        "rename a profile, and update profiles that extend it",
        page(
            "Rename one of your profiles, and update your profiles that extend it.",
            "rename mine work",
            "rename mine work --json",
        ),
    ),
    "remove": (
        "remove one of your profiles, after confirmation",
        page(
            """\
Remove one of your profiles, after confirmation. If it replaced a built-in
profile, that one is used again. Built-in profiles cannot be removed.""",
            "remove mine",
            "remove mine --yes",
        ),
    ),
    "export": (
        "write a profile and its parents as one file",
        page(
            """\
Write a profile, with everything it inherits, as one file for another machine.
It contains no secrets, only references to them.""",
            "export mine > mine.toml",
            "export mine --out mine.toml",
            variables=(*PROFILE, *CONFIG),
        ),
    ),
    "import": (
        "review a profile from elsewhere, then save it",
        page(
            """\
Show a profile from elsewhere, point out everything in it that can send
credentials somewhere or run a program, and save it after confirmation. It is a
file, an https address, or a file in a git repository: git+https://HOST/REPO.git
with @BRANCH and #PATH behind it, of which nothing else is taken.""",
            "import colleague.toml",
            "import https://example.com/team.toml",
            "import git+https://example.com/team.git#profiles/review.toml",
            "import - mine --yes < colleague.toml",
        ),
    ),
}
