"""Removes from a process that will fork what must not be in it: LiteLLM's threads and Rust runtime.

Knows: LiteLLM's thread pools, its guard against a fork. Independent of: who forks, and when. A
thread does not survive a fork, and a lock that it held stays locked: the forkserver refuses to fork
while it has one, and then every instance would be a fresh process of 300 MB.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from openclaude.gateway.litellm.names import POOLS


def make_forkable() -> None:
    """Stop all of LiteLLM's threads; once per forkserver, as the last step.

    Raises what LiteLLM raises if its Rust runtime is already running: no fork could use that.
    """
    from litellm.rust_bridge.fork_guard import reserve_process_for_forking

    renew_pools()
    reserve_process_for_forking("the forkserver")


def renew_pools() -> None:
    """Replace each thread pool that LiteLLM has used with an empty one, if it has that pool.

    A pool starts its threads when there is work. One that was shut down would refuse work in the
    fork.
    """
    for path, names in POOLS.items():
        module = sys.modules.get(path)  # a module that is not imported has no threads
        for name in names:
            if isinstance(pool := getattr(module, name, None), ThreadPoolExecutor):
                pool.shutdown(wait=True)
                setattr(module, name, ThreadPoolExecutor(pool._max_workers, name))
