"""Makes what openclaude knows fit for strangers' eyes: for a report of a bug.

Knows: what says who a person is, what in a log may be words of a prompt. Independent of: what a
report is made of. What looks like a credential is `gateway.errors.redact`'s.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from openclaude.gateway.errors.redact import NAMED, REMOVED, redacted

EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
ACCOUNT = re.compile(r"(?<![\w.])\d{12}(?![\w.])")  # of AWS
OTHER_HOME = re.compile(r"(/home/|/Users/|/var/home/)[^/\s\"'`:,)]{1,64}")
SHORTEST_NAME = 3
SHORTEST_SECRET = 6
NOT_PRIVATE = frozenset({"root", "user", "localhost", "home", "claude", "openclaude", "nobody"})
# of a log: an entry; the names of errors, and the places in code that a traceback names
ENTRY = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+) (.*)")
LOGGER = re.compile(r"[\w.-]{1,80}: ")
ERROR_NAME = re.compile(r"\b(?:[A-Za-z_]\w*\.){0,6}[A-Z]\w*(?:Error|Exception|Timeout|Warning)\b")
PLACE = re.compile(r'File "([^"]{1,300})", line \d+, in [\w<>]{1,80}')
OURS = re.compile(r"openclaude\.(?:requests|ledger|recording): ")


class Scrubber:
    """Takes out of a text what says who this user is, and what opens anything."""

    def __init__(
        self, env: Mapping[str, str], home: Path, names: Iterable[str], hosts: Iterable[str]
    ) -> None:
        """`names` and `hosts`: those of this user and this machine."""
        homes = {str(home), os.path.realpath(home), env.get("HOME", "")} - {"", "/"}
        self._homes = sorted(homes, key=len, reverse=True)
        self._words = {
            **dict.fromkeys(names, "(user)"),
            **dict.fromkeys(hosts, "(host)"),
        }
        # whatever a variable of that kind holds, also what does not look like a credential
        values = {
            value
            for name, value in env.items()
            if (NAMED.search(name) or name.endswith(("_KEY", "_TOKEN", "_HEADERS", "_SECRET")))
        }
        lines = {part.strip() for value in values for part in (value, *value.splitlines())}
        lines |= {line.partition(":")[2].strip() for line in lines if ": " in line}
        self._secrets = sorted(
            (one for one in lines if len(one) >= SHORTEST_SECRET), key=len, reverse=True
        )

    def __call__(self, text: str) -> str:
        """The text without them."""
        for secret in self._secrets:
            text = text.replace(secret, REMOVED)
        for home in self._homes:
            text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
        text = OTHER_HOME.sub(r"\1(user)", redacted(text))
        text = ACCOUNT.sub("(account)", EMAIL.sub("(e-mail)", text))
        for word, placeholder in self._words.items():
            if len(word) >= SHORTEST_NAME and word.lower() not in NOT_PRIVATE:
                text = re.sub(
                    rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])",
                    placeholder,
                    text,
                    flags=re.IGNORECASE,
                )
        return text


def log_facts(lines: Iterable[str], *, is_supervisors: bool = False) -> Iterator[str]:
    """What a log says without any word of a request or a reply.

    Of a library's entry only time, logger and the names of errors are kept: a provider's message
    may quote the prompt. Of a traceback only the places are.
    """
    for line in lines:
        if found := ENTRY.fullmatch(line):
            head, said = found.groups()
            if is_supervisors or OURS.match(said):
                yield f"{head} {said}"
                continue
            logger = LOGGER.match(said)
            names = " ".join(dict.fromkeys(ERROR_NAME.findall(said)))
            yield f"{head} {logger[0] if logger else ''}{names or '(text not shown)'}"
        elif place := PLACE.search(line):
            yield f"    | {place[0]}"
