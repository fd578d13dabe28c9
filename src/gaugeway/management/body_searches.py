"""Where logs are read for an answer: in the usual threads, unless text is looked for in bodies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from gaugeway.core.errors import BadInput, SearchTooLong
from gaugeway.core.query import Where
from gaugeway.management.filters import QUERY_PATH

MAX_SEARCHES = 2
"""That look into bodies at the same time in one process; the others wait, and hold up nobody else's answers."""

_threads = ThreadPoolExecutor(MAX_SEARCHES, thread_name_prefix="body-search")
P = ParamSpec("P")
T = TypeVar("T")


async def ask(where: Where, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function answers about the logs that `where` means. BadInput where that takes too long."""
    if not where.reads_bodies:
        return await asyncio.to_thread(function, *args, **kwargs)
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(_threads, lambda: function(*args, **kwargs))
    except SearchTooLong as problem:
        raise BadInput(problem.message, QUERY_PATH) from problem
