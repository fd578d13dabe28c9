"""Until every log accepted before now is in the store: to count fewer would be silently wrong."""

from __future__ import annotations

from gaugeway.core.errors import LogsNotDurable
from gaugeway.core.ports import LogSink


async def until_durable(sink: LogSink, timeout_s: float) -> None:
    """LogsNotDurable where that takes longer."""
    if not await sink.flush(timeout_s):
        raise LogsNotDurable(f"the recorder did not confirm within {timeout_s:g} s that all logs are written")
