"""Search engines: who searches the web for a slot, one row for each.

Knows: those engines of LiteLLM's that need nothing but an address or a key, and where LiteLLM asks
each (read in 1.108.14). Independent of: how a search is asked, profiles. Pure.
"""

from __future__ import annotations

from openclaude.contracts.record import Record


class SearchEngine(Record):
    """One engine, by LiteLLM's name for it."""

    name: str
    title: str
    address: str = ""  # where LiteLLM asks it; "" where only the profile can say
    key: str = ""  # the variable in which its key is expected; "" where none is needed


ENGINES = {
    one.name: one
    for one in (
        SearchEngine(name="searxng", title="SearXNG"),
        SearchEngine(name="duckduckgo", title="DuckDuckGo", address="https://api.duckduckgo.com"),
        SearchEngine(
            name="brave", title="Brave", address="https://api.search.brave.com", key="BRAVE_API_KEY"
        ),
        SearchEngine(
            name="tavily", title="Tavily", address="https://api.tavily.com", key="TAVILY_API_KEY"
        ),
        SearchEngine(name="exa_ai", title="Exa", address="https://api.exa.ai", key="EXA_API_KEY"),
        SearchEngine(
            name="serper", title="Serper", address="https://google.serper.dev", key="SERPER_API_KEY"
        ),
        SearchEngine(
            name="linkup", title="Linkup", address="https://api.linkup.so", key="LINKUP_API_KEY"
        ),
        SearchEngine(
            name="perplexity",
            title="Perplexity",
            address="https://api.perplexity.ai",
            key="PERPLEXITYAI_API_KEY",
        ),
    )
}
