"""Keeping the columns current that figures come from."""

from __future__ import annotations

import asyncio
import logging

from gaugeway.core.errors import GaugewayError
from gaugeway.core.ports import Projection

EVERY_S = 5.0
"""Between looks at what is missing: a few queries where nothing is."""

_logger = logging.getLogger(__name__)


async def project_forever(columns: Projection, every_s: float = EVERY_S) -> None:
    """Every few seconds, make what is missing, in a thread. Of several processes one does it: the first to come."""
    said = ""
    while True:
        try:
            await asyncio.to_thread(columns.catch_up)
        except GaugewayError as problem:
            if str(problem) != said:
                _logger.warning("the columns of the logs could not be brought up to date: %s", problem)
            said = str(problem)
        except Exception:  # the logs themselves answer meanwhile
            _logger.exception("the columns of the logs could not be brought up to date")
        await asyncio.sleep(every_s)
