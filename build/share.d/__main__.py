"""Write share/: the completions and the man page. With --check, fail if one is stale instead."""

from __future__ import annotations

import sys

import bash
import fish
import grammar
import roff
import zsh

SHARE = grammar.ROOT / "share"
FILES = {
    "bash-completion/completions/openclaude": bash.script,
    "zsh/site-functions/_openclaude": zsh.script,
    "fish/vendor_completions.d/openclaude.fish": fish.script,
    "man/man1/openclaude.1": roff.script,
}


def main() -> None:
    """Write them all, or compare them all."""
    stale = []
    for name, make in FILES.items():
        path, text = SHARE / name, make()
        if sys.argv[1:] != ["--check"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            stale.append(name)
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; write them with build/share")


main()
