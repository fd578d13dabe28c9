"""One LogStore over two: the gateways' logs, and those that snapshots have frozen.

Frozen logs are in `snapshots/`, in files of the same kind as the gateways': so they are filtered, counted and
aggregated by the same code, and neither analytics nor a gateway's limit ever sees them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from gaugeway.core.aggregates import Aggregate, Aggregated, Column
from gaugeway.core.model import Bodies, Logged, LogRecord, Scope
from gaugeway.core.ports import Extremes, LogChange, Mark, Retention
from gaugeway.core.query import Grouping, Slice, Where
from gaugeway.core.snapshots import FROZEN
from gaugeway.stores.sqlite.logs import SqliteLogStore

FOLDER = "snapshots"


class AllLogs:
    """A LogStore. The files of frozen logs are opened when somebody first asks for one."""

    def __init__(self, live: SqliteLogStore, folder: Path) -> None:
        self._live = live
        self._folder = folder / FOLDER
        self._opening = threading.Lock()
        self._frozen: SqliteLogStore | None = None

    def _of(self, scope: Scope) -> SqliteLogStore:
        return self._frozen_logs() if scope.gateway_id.startswith(FROZEN) else self._live

    def _frozen_logs(self) -> SqliteLogStore:
        with self._opening:
            if self._frozen is None:
                self._frozen = SqliteLogStore(self._folder)
            return self._frozen

    def append(
        self,
        batch: Sequence[Logged],
        retention: Callable[[Scope], Retention],
        marks: Mapping[str, Mark] | None = None,
    ) -> None:
        """See LogStore. All of a batch is of gateways, or all of it is frozen; senders send none that are."""
        if batch:
            self._of(batch[0].record.scope).append(batch, retention, marks)

    def marks(self, living: Collection[str]) -> dict[str, Mark]:
        """See LogStore."""
        return self._live.marks(living)

    def get(self, scope: Scope, log_id: bytes) -> LogRecord | None:
        """See LogStore."""
        return self._of(scope).get(scope, log_id)

    def bodies(self, scope: Scope, log_id: bytes) -> Bodies | None:
        """See LogStore."""
        return self._of(scope).bodies(scope, log_id)

    def page(self, scope: Scope, where: Where, part: Slice) -> list[LogRecord]:
        """See LogStore."""
        return self._of(scope).page(scope, where, part)

    def ids(self, scope: Scope, where: Where, part: Slice) -> list[bytes]:
        """See LogStore."""
        return self._of(scope).ids(scope, where, part)

    def count(self, scope: Scope, where: Where, *, budget_ms: int | None = None) -> int | None:
        """See LogStore."""
        return self._of(scope).count(scope, where, budget_ms=budget_ms)

    def refused(self, scope: Scope) -> int:
        """See LogStore."""
        return self._of(scope).refused(scope)

    def extremes(self, scope: Scope, where: Where, *, budget_ms: int | None = None) -> Extremes | None:
        """See LogStore."""
        return self._of(scope).extremes(scope, where, budget_ms=budget_ms)

    def aggregate(self, scope: Scope, where: Where, wanted: Sequence[Aggregate]) -> Aggregated:
        """See LogStore."""
        return self._of(scope).aggregate(scope, where, wanted)

    def aggregate_by(
        self, scope: Scope, where: Where, wanted: Sequence[Aggregate], by: Grouping, limit: int
    ) -> dict[str | None, Aggregated] | None:
        """See LogStore."""
        return self._of(scope).aggregate_by(scope, where, wanted, by, limit)

    def items(
        self, scope: Scope, where: Where, columns: Sequence[Column], by: Grouping, limit: int
    ) -> list[tuple[Any, ...]] | None:
        """See LogStore."""
        return self._of(scope).items(scope, where, columns, by, limit)

    def patch(self, scope: Scope, log_id: bytes, change: LogChange) -> bool:
        """See LogStore."""
        return self._of(scope).patch(scope, log_id, change)

    def delete(self, scope: Scope, where: Where, part: Slice) -> int:
        """See LogStore."""
        return self._of(scope).delete(scope, where, part)

    def delete_scope(self, scope: Scope) -> None:
        """See LogStore."""
        self._of(scope).delete_scope(scope)

    def frozen_scopes(self) -> list[Scope]:
        """Those that frozen logs were ever put into; none where there are no files yet."""
        return self._frozen_logs().scopes() if self._folder.exists() else []

    def close(self) -> None:
        """Close the files. Nothing may be using them any more."""
        with self._opening:
            if self._frozen is not None:
                self._frozen.close()
        self._live.close()
