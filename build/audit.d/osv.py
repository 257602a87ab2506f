"""Ask OSV, an index of advisories, what is known about packages.

Knows: OSV's query and the format of its answers (documented at google.github.io/osv.dev). Standard
library only. Independent of: which packages are ours, and how the answers are used.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from advisories import Advisory, Span, is_version

URL = "https://api.osv.dev"
ECOSYSTEM = "PyPI"
TIMEOUT_S = 20.0


class Unreachable(Exception):
    """OSV cannot be reached; the message says why."""


def fetch(url: str, names: Iterable[str]) -> list[Advisory]:
    """Return every advisory about one of these packages, for any version. Raises Unreachable."""
    return [one for name in names for row in ask(url, name) for one in parse(row, name)]


def ask(url: str, name: str) -> Iterator[dict[str, Any]]:
    """Return what is known about one package, page by page."""
    query: dict[str, Any] = {"package": {"name": name, "ecosystem": ECOSYSTEM}}
    while True:
        answer = post(f"{url}/v1/query", query)
        try:
            yield from answer.get("vulns", ())
            page = answer.get("next_page_token")
        except AttributeError:
            raise Unreachable("it answers something else than OSV") from None
        if not page:
            return
        query["page_token"] = page


def post(url: str, query: dict[str, Any]) -> Any:
    """Send one query and return its answer."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(query).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310
            return json.load(reply)
    except urllib.error.HTTPError as error:
        raise Unreachable(f"it answers with status {error.code}") from None
    except urllib.error.URLError as error:
        raise Unreachable(str(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(str(error) or type(error).__name__) from None
    except ValueError:
        raise Unreachable("it answers something else than JSON") from None


def parse(row: dict[str, Any], name: str) -> Iterator[Advisory]:
    """Parse a row about a package; None if it was withdrawn."""
    if row.get("withdrawn"):
        return
    spans: list[Span] = []
    versions: set[str] = set()
    for affected in row.get("affected", ()):
        package = affected.get("package", {})
        if (package.get("ecosystem"), package.get("name")) != (ECOSYSTEM, name):
            continue
        found = [
            span
            for ranged in affected.get("ranges", ())
            if ranged.get("type") == "ECOSYSTEM"
            for span in spans_of(ranged.get("events", ()))
        ]
        spans += found
        # the list repeats the ranges, at length
        versions |= set() if found else set(affected.get("versions", ()))
    yield Advisory(
        id=row["id"],
        package=name,
        aliases=tuple(sorted(row.get("aliases", ()))),
        summary=row.get("summary", ""),
        spans=tuple(spans),
        versions=tuple(sorted(versions)),
    )


def spans_of(events: Iterable[dict[str, str]]) -> Iterator[Span]:
    """Return the affected ranges, from events in the order of their versions."""
    told = [(kind, at) for event in events for kind, at in event.items() if is_version(at)]
    for at, (kind, since) in enumerate(told):
        if kind == "introduced":
            ends = dict(takewhile(lambda event: event[0] != "introduced", told[at + 1 :]))
            yield Span(
                since=since, before=ends.get("fixed", ""), upto=ends.get("last_affected", "")
            )
