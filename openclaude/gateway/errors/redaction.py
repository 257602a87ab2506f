"""Makes foreign text safe to show: no secrets, no control characters, bounded length.

Knows: what credentials look like, and what quota names look like, which are just as long.
Independent of: what a text means. Pure.

Every regular expression of this package sees only the `looked_at` part of a text and takes a
bounded number of steps per character (a test computes the bound), so that no text can keep an
instance busy.
"""

from __future__ import annotations

import re

LONGEST = 500  # characters of foreign text in one of our messages
LOOKED_AT = 4096  # characters of it that regular expressions see

SECRETS = re.compile(
    r"""
      (?:x-amz-security-token|x-amz-signature|authorization|x-api-key|cookie)\s{0,8}+[:=]\s{0,8}+
      [^\s,;]++(?:\s{1,8}+[A-Za-z0-9+/_.=-]{16,}+)?
    | [\w-]{0,40}(?:secret|password|api[_-]?key|access[_-]?key|token)["']?\s{0,8}+[:=]\s{0,8}+
      ["']?[^\s"',;]{8,}+
    | \b(?:Bearer|Basic)\s{1,8}+\S{8,}+
    | \b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,}+
    | \b(?:sk|pk|rk|gsk|xai|hf|ghp|glpat)[-_][\w-]{8,}+\S*
    | \bAIza[\w-]{20,}+
    | \beyJ[\w-]{8,400}\.\S+
    | (?P<base64>(?<![\w/+=.:-])[A-Za-z0-9/+=]{40}(?![\w/+=]))
    | (?P<long>[A-Za-z0-9+_=-]{40,}+)
    | \bssl:<[^>]{0,400}>
    """,
    re.VERBOSE | re.IGNORECASE,
)
HTML = re.compile(r"<html|<!doctype", re.IGNORECASE)
# AWS's signature errors go on to quote the request, including its session token
QUOTED_REQUEST = "The Canonical String for this request"
# These only look like keys: names of quotas, metrics and models consist of words, such as
# `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. A 40-letter key has almost no words: lower
# case after a capital, numbers, and short marks between hyphens.
WORDS = re.compile(r"(?:[A-Z]?[a-z]{2,20}+(?:[A-Z][a-z]{1,20})*+|[0-9]{1,8}|[A-Za-z0-9]{1,5})")
SEPARATORS = re.compile(r"[-_]")
FEWEST_WORDS = 3


def looked_at(text: str) -> str:
    """Truncate a text to what expressions see, at a word's end so that no secret is cut."""
    if len(text) <= LOOKED_AT:
        return text
    return text[:LOOKED_AT].rpartition(" ")[0] or text[:LOOKED_AT]


def presentable(text: str) -> str:
    """Return foreign text on one line: no secrets, no control characters, bounded length."""
    text = looked_at(text)
    if HTML.search(text):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line.partition(QUOTED_REQUEST)[0].strip()
    line = SECRETS.sub(removed, line)
    return line if len(line) <= LONGEST else line[:LONGEST].rstrip() + " ..."


def removed(found: re.Match[str]) -> str:
    """Return the placeholder for a match that looks like a secret."""
    name = found["long"] or found["base64"]
    return name if name and is_made_of_words(name) else "(removed)"


def is_made_of_words(name: str) -> bool:
    """Tell whether a long name consists of words, which a key never does."""
    parts = SEPARATORS.split(name)
    words = len(parts) + sum(letter.isupper() for letter in name[1:])
    return words >= FEWEST_WORDS and all(WORDS.fullmatch(part) for part in parts)
