"""Assigns a sampled stack to a group: LiteLLM, ours, the server, the HTTP client, JSON, TLS.

Knows: which files belong to which group. Independent of: how stacks are sampled. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

LITELLM = "LiteLLM"
OURS = "openclaude"
SERVER = "server (uvicorn, FastAPI)"
CLIENT = "HTTP client (httpx, aiohttp)"
JSON = "JSON"
MODELS = "pydantic, OpenAI's types"
AWS = "AWS (botocore)"
WIRE = "event loop, sockets"
OTHER = "other"
GROUPS = (LITELLM, OURS, SERVER, CLIENT, JSON, MODELS, AWS, WIRE, OTHER)

PACKAGES: Mapping[str, str] = {
    **dict.fromkeys(("litellm", "litellm_proxy_extras", "tiktoken", "tokenizers"), LITELLM),
    "openclaude": OURS,
    **dict.fromkeys(("uvicorn", "starlette", "fastapi", "h11", "httptools"), SERVER),
    **dict.fromkeys(("httpx", "httpcore", "aiohttp", "httpx_aiohttp", "yarl", "multidict"), CLIENT),
    **dict.fromkeys(("anyio", "aiosignal", "frozenlist", "h2", "urllib3", "certifi"), CLIENT),
    "orjson": JSON,
    **dict.fromkeys(("pydantic", "pydantic_core", "openai", "typing_extensions"), MODELS),
    **dict.fromkeys(("botocore", "boto3"), AWS),
    **dict.fromkeys(("asyncio", "uvloop"), WIRE),
}
# only these modules of the standard library form a group; the rest counts for its caller
LIBRARY: Mapping[str, str] = {"json": JSON, "asyncio": WIRE, "selectors": WIRE, "ssl": WIRE}


def group_of(stack: Sequence[str]) -> str:
    """Return the group of the innermost frame (FILE:FUNCTION) that has one."""
    for frame in stack:
        if group := owner(frame.rpartition(":")[0]):
            return group
    return OTHER


def owner(path: str) -> str | None:
    """Return the group of a file, if it has one."""
    _, is_installed, inside = path.rpartition("/site-packages/")
    if is_installed:
        return PACKAGES.get(inside.partition("/")[0].removesuffix(".py"), OTHER)
    *folders, name = path.split("/")
    if "openclaude" in folders:
        return OURS
    return LIBRARY.get(name.removesuffix(".py")) or LIBRARY.get(folders[-1] if folders else "")


def shares(stacks: Iterable[tuple[int, Sequence[str]]]) -> dict[str, float]:
    """Return the share of each group in all samples, in the order of `GROUPS`; the sum is one."""
    counts = dict.fromkeys(GROUPS, 0)
    for count, stack in stacks:
        counts[group_of(stack)] += count
    total = sum(counts.values()) or 1
    return {group: count / total for group, count in counts.items()}


def heaviest(stacks: Iterable[tuple[int, Sequence[str]]], most: int) -> list[tuple[str, float]]:
    """Return the functions in the most stacks, including their callees: FILE:FUNCTION, share."""
    counts: Counter[str] = Counter()
    total = 0
    for count, stack in stacks:
        total += count
        for frame in set(stack):
            counts[frame] += count
    return [(frame, count / total) for frame, count in counts.most_common(most)]
