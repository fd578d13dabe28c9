"""Replays in `state.db`, and the queue of those to be run. Their items: `replay_items.py`."""

from __future__ import annotations

from collections.abc import Callable

from gaugeway.core.model import Scope
from gaugeway.core.replays import Replay
from gaugeway.stores.sqlite.replay_items import SqliteReplayItems, delete_failures


class SqliteReplays(SqliteReplayItems):
    """A ReplayStore."""

    def change(
        self, scope: Scope, replay_id: str, change: Callable[[Replay], Replay], *, forget_failures: bool = False
    ) -> Replay:
        """See ReplayStore."""
        with self._database.writing() as connection:
            changed = self._change(connection, scope, replay_id, change)
            if forget_failures:
                delete_failures(connection, changed.id)
        return changed
