"""Deleting logs, also where the disk is full and there is no room to write what deleting writes."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable

from gaugeway.core.errors import StoreFull, StoreFullAfter
from gaugeway.stores.sqlite.ballast import Ballast
from gaugeway.stores.sqlite.database import Database, free_bytes
from gaugeway.stores.sqlite.log_removal import (
    CHUNK,
    VACUUM_PAGES,
    Remover,
    drop_payloads,
    give_back,
    give_some_back,
)
from gaugeway.stores.sqlite.payloads import Packed, Payloads

FIRST_STEP = 250
"""Logs removed at once where the disk is full; fewer where there is no room for that, more as it returns."""

NEARLY_FULL_BYTES = 64 * 1024 * 1024
WAITING_BYTES = 1024 * 1024
"""On a disk that is nearly full a write-ahead log is emptied beyond this."""

SPARE_BYTES = 1024 * 1024
"""What a batch may change beside its own rows: sums, indexes, lists of free pages."""

ROW_BYTES = 1024
"""What a log's row and its places in indexes take, generously."""


class Removal:
    """Removes logs and gives their space back."""

    def __init__(self, logs: Database, payloads: Payloads, ballast: Ballast) -> None:
        self._logs = logs
        self._payloads = payloads
        self._databases = (payloads.database, logs)
        self._ballast = ballast

    def run(self, remove: Remover) -> int:
        """Remove all that there is to remove; how many logs that were.

        StoreFullAfter where not even the ballast is room enough.
        """
        removed = 0
        try:
            while (some := remove(CHUNK)) is not None:
                removed += some
            drop_payloads(self._logs, self._payloads)
            give_back(self._logs)
            give_back(self._payloads.database)
        except StoreFull:
            return self._run_on_full_disk(remove, removed)
        return removed

    def _run_on_full_disk(self, remove: Remover, removed: int) -> int:
        """The same in small steps, each of which returns its room before anybody else may write."""
        step = FIRST_STEP
        is_done = False
        while not is_done:
            try:
                with self._room():
                    some = remove(step)
                    removed += some or 0
                    drop_payloads(self._logs, self._payloads, step)
                    is_done = some is None
                    self._give_back(step, is_last=is_done)
            except StoreFull as problem:
                if step == 1:
                    raise StoreFullAfter(removed, str(problem)) from problem
                step = max(step // 4, 1)
            else:
                step = min(2 * step, CHUNK)
        return removed

    @contextlib.contextmanager
    def _room(self) -> Generator[None]:
        """The turn to write, and the ballast's room for it."""
        with self._logs.holding():
            self._ballast.let_go()
            try:
                for database in self._databases:
                    database.checkpoint_where_it_fits()
                yield
            finally:
                self._ballast.take_back()

    def _give_back(self, step: int, *, is_last: bool) -> None:
        """Return to the file system what the removed logs had, as far as there is room for moving pages.

        Where the write-ahead log cannot be emptied, what moves stays in it: that is for the end, when least moves.
        """
        for database in self._databases:
            with contextlib.suppress(StoreFull):
                while (database.checkpoint_where_it_fits() or is_last) and give_some_back(
                    database, min(step, VACUUM_PAGES)
                ):
                    pass
            database.checkpoint_where_it_fits()


def check_room(folder: str, packed: Iterable[Packed | None], logs: int) -> None:
    """StoreFull where a batch does not fit into the write-ahead logs, and once more into the files.

    To begin it all the same would leave a write-ahead log that cannot be emptied, and no room for deleting.
    """
    needed = SPARE_BYTES + 2 * (logs * ROW_BYTES + sum(len(payload[-1]) for payload in packed if payload))
    if free_bytes(folder) < needed:
        raise StoreFull(f"{folder}: no room left on the disk for the logs that wait. Make room and try again.")


def before_it_is_full(databases: Iterable[Database]) -> None:
    """To be called after writing: on a disk that is nearly full write-ahead logs are emptied while they can be."""
    some = [database for database in databases if database.waiting_bytes > WAITING_BYTES]
    if some and free_bytes(some[0].path.parent) < NEARLY_FULL_BYTES:
        for database in some:
            database.checkpoint_where_it_fits()
