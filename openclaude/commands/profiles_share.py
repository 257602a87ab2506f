"""`openclaude profiles export` and `import`: a profile as one file, from here and from elsewhere.

Knows: the steps, what a person is shown before a file from elsewhere is kept. Refuses to know: the
rules of a profile.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.commands.profiles_ask import confirm, is_attended, tell
from openclaude.commands.profiles_new import put_new
from openclaude.commands.profiles_shelf import MARK, check_free, save
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.places import Places

if TYPE_CHECKING:
    from openclaude.profile.exposure import Exposed
    from openclaude.profile.library import Library

STDIN = "-"


# --- export


def export_profile(library: Library, name: str, out: Path | None) -> Result:
    """A profile and its parents as one text, on stdout or in a file; no variable has a say."""
    from openclaude.profile.export import export_text

    loaded = library.load(name, env={})
    text = export_text(loaded)
    sources = [source.name for source in loaded.sources]
    data = {"name": name, "text": text, "sources": sources, "path": str(out) if out else None}
    if out is None:
        return Result(text=text, data=data)
    if out.is_dir():
        raise UsageError(f"`{out}` is a folder", hint="name a file with `--out`")
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
    """Keep a file from elsewhere as a profile, once somebody has looked at it."""
    from openclaude.profile.drafts import Drafts, as_document
    from openclaude.profile.exposure import find_exposed

    name = name or name_of(file)
    check_free(places, name)
    content = read_file(file)
    document = as_document(Path(file), content)
    Drafts(library, {name: document}).load(name, env=env)
    text = content.decode("utf-8").removeprefix(MARK)
    exposed = tuple(find_exposed(document.values))
    if not is_sure:
        ask_first(file, name, text, exposed)
    written = put_new(places, name, text, f"is `{document.path}` as it was")
    lines = "".join(f"note: {line}\n" for line in map(exposed_line, exposed)) if is_sure else ""
    looked_at = [one._asdict() for one in exposed]
    return written._replace(text=written.text + lines, data={**written.data, "exposed": looked_at})


def name_of(file: str) -> str:
    """The name that a file's name gives."""
    if file == STDIN:
        raise UsageError(
            "what comes from stdin needs a name", hint="`openclaude profiles import - NAME --yes`"
        )
    return Path(file).stem


def read_file(file: str) -> bytes:
    """The bytes of a file of reasonable size, or of stdin."""
    from openclaude.profile.document import LARGEST_FILE, read_bytes
    from openclaude.profile.mistakes import UnreadableProfile

    if file == STDIN:
        content = sys.stdin.buffer.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise UnreadableProfile(Path(file), "it is larger than 1 MiB")
        return content
    found = read_bytes(Path(file))
    if found is None:
        raise UnreadableProfile(Path(file), "no such file")
    return found


def ask_first(file: str, name: str, text: str, exposed: tuple[Exposed, ...]) -> None:
    """Show all of it, then what matters of it. Raises unless a person says yes."""
    from openclaude.profile.exposure import printable

    if file == STDIN or not is_attended():
        raise UsageError(
            "`openclaude profiles import` shows the file and asks first, and nobody can be asked",
            hint="read it, then add `--yes` to keep it",
        )
    tell(f"{printable(text).rstrip()}\n\n")
    if exposed:
        tell("Look at these before you keep it:\n")
        tell("".join(f"  {exposed_line(one)}\n" for one in exposed))
    if not confirm(f"keep it as `{name}`?"):
        raise OpenclaudeError("nothing changed")


def exposed_line(exposed: Exposed) -> str:
    """One value to look at."""
    return f"{exposed.key} = {exposed.value}: {exposed.why}"
