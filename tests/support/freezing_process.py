"""A process that freezes a snapshot and stops half-way, for a test that kills it.

    python -m support.freezing_process DATA OWNER

It says `half` once 70 logs were read, and reads no more.
"""

from __future__ import annotations

import asyncio
import sys
import time

from gaugeway.evaluation.freezing.freezer import Freezer, FreezingPace
from gaugeway.stores import open_stores
from support.laboratory import ReadySink, SystemClock

READ = 70


class SlowLogs:
    """A LogStore that hangs after so many logs whose bodies were asked for."""

    def __init__(self, store) -> None:
        self._store = store
        self._read = 0
        self.get, self.ids, self.append = store.get, store.ids, store.append

    def bodies(self, scope, log_id):
        self._read += 1
        if self._read > READ:
            print("half", flush=True)
            time.sleep(3600)
        return self._store.bodies(scope, log_id)


async def main(data: str, owner: str) -> None:
    stores = open_stores(data)
    freezer = Freezer(
        snapshots=stores.snapshots,
        logs=SlowLogs(stores.logs),
        frozen_scopes=stores.frozen_scopes,
        sink=ReadySink(),
        clock=SystemClock(),
        owner=owner,
        pace=FreezingPace(rest=0, lease_ms=1),
    )
    await freezer.step()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
