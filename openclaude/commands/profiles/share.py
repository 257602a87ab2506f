"""`openclaude profiles export` and `import`: a profile as one file, from here and from elsewhere.

Knows: the steps, and what is shown before a foreign file is saved. Independent of: the rules of a
profile.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.commands.launch import as_claude_goes
from openclaude.commands.profiles.new import put_new
from openclaude.commands.profiles.store import MARK, check_free, save
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.prompt import confirm, is_attended, tell

if TYPE_CHECKING:
    from openclaude.profile.author.review import Exposed
    from openclaude.profile.library import Library

STDIN = "-"


# --- export


def export_profile(library: Library, name: str, out: Path | None) -> Result:
    """A profile and its parents as one text, on stdout or in a file; variables are ignored.

    Raises UsageError.

    """
    from openclaude.profile.author.export import export_text

    loaded = library.load(name, env={})
    text = export_text(loaded)
    sources = [source.name for source in loaded.sources]
    data = {"name": name, "text": text, "sources": sources, "path": str(out) if out else None}
    if out is None:
        return Result(text=text, data=data)
    if out.is_dir():
        raise UsageError(f"`{out}` is a directory", hint="name a file with `--out`")
    save(out, text)
    return Result(text=f"wrote `{out}`\n", data=data)


# --- import


def import_profile(
    places: Places,
    library: Library,
    file: str,
    name: str | None,
    env: Mapping[str, str],
    *,
    is_sure: bool,
) -> Result:
    """Save a foreign file as a profile, after a review."""
    from openclaude.commands.profiles.fetch import fetch_profile, is_remote
    from openclaude.compile.disclosure import disclose_profile
    from openclaude.profile.author.drafts import Drafts, as_document
    from openclaude.profile.author.review import find_exposed

    if is_remote(file):
        content, given = fetch_profile(file, as_claude_goes(env, places))
        name = name or given
        check_free(places, name)
    else:
        name = name or name_of(file)
        check_free(places, name)
        content = read_file(file)
    document = as_document(Path(file), content)
    loaded = Drafts(library, {name: document}).load(name, env=env)
    text = content.decode("utf-8").removeprefix(MARK)
    exposed = tuple(find_exposed(document.values))
    disclosures = disclose_profile(loaded, library.catalog)
    review = [exposed_line(one) for one in exposed] + [one.sentence for one in disclosures]
    if not is_sure:
        ask_first(file, name, text, review)
    source = "stdin" if file == STDIN else f"`{file if is_remote(file) else document.path}`"
    written = put_new(places, name, text, f"was imported unchanged from {source}")
    lines = "".join(f"note: {line}\n" for line in review) if is_sure else ""
    data = {
        **written.data,
        "exposed": [one._asdict() for one in exposed],
        "disclosures": [one._asdict() for one in disclosures],
    }
    return written._replace(text=written.text + lines, data=data)


def name_of(file: str) -> str:
    """The name that a file's name gives. Raises UsageError."""
    if file == STDIN:
        raise UsageError(
            "what comes from stdin needs a name", hint="`openclaude profiles import - NAME --yes`"
        )
    if not Path(file).name:  # `.` or `/`, of which no name could be made
        raise UsageError(f"`{file}` is a directory", hint="name a .toml file")
    return Path(file).stem


def read_file(file: str) -> bytes:
    """The bytes of a file of reasonable size, or of stdin. Raises UnreadableProfile."""
    from openclaude.profile.mistakes import UnreadableProfile
    from openclaude.profile.read.document import LARGEST_FILE, read_bytes

    if file == STDIN:
        content = sys.stdin.buffer.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise UnreadableProfile(Path(file), "it is larger than 1 MiB")
        return content
    found = read_bytes(Path(file))
    if found is None:
        raise UnreadableProfile(Path(file), "no such file")
    return found


def ask_first(file: str, name: str, text: str, review: Sequence[str]) -> None:
    """Show all of it, then what matters of it. Raise unless the user confirms."""
    from openclaude.contracts.printable import printable

    if file == STDIN or not is_attended():
        raise UsageError(
            "`openclaude profiles import` needs confirmation, but there is no terminal",
            hint="read the file, then add `--yes`",
        )
    tell(f"{printable(text).rstrip()}\n\n")
    tell("Check these before you save it:\n")
    tell("".join(f"  {line}\n" for line in review))
    if not confirm(f"save it as `{name}`?"):
        raise OpenclaudeError("nothing changed")


def exposed_line(exposed: Exposed) -> str:
    """One value to check."""
    return f"{exposed.key} = {exposed.value}: {exposed.why}"
