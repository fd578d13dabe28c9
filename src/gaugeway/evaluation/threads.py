"""Blocking calls from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`asyncio.to_thread`, but a cancelled caller waits for the thread, so that no store is closed under it."""
    return await in_thread_until(_nothing, function, *args, **kwargs)


async def in_thread_until(
    stop: Callable[[], None], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """The same; `stop` makes the thread end soon, and is called where the caller is cancelled."""
    call = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        stop()
        await asyncio.wait((call,))
        if not call.cancelled():
            call.exception()  # looked at, or asyncio complains that nobody did
        raise


def _nothing() -> None:
    """Let it end by itself."""
