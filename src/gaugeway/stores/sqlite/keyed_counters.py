"""Rates of many keys, in `rates.db`. The file can be deleted while nothing runs: every rate then starts anew."""

from __future__ import annotations

from array import array
from importlib.resources import files
from pathlib import Path

from gaugeway.core.ports import Rate
from gaugeway.stores.sqlite.counters import WORDS, count
from gaugeway.stores.sqlite.database import Database

SWEEP_EVERY = 1000
"""Requests that one process counts between looks for what no longer counts."""

BATCH = 2000
"""Keys forgotten at a time: others want to write, too."""


class KeyedCounters:
    """A KeyedCounterStore. A commit survives the death of any process; a power cut may undo the last ones."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(
            folder / "rates.db", files("gaugeway.stores.sqlite") / "migrations" / "rates", page_size=4096
        )
        self._taken = 0

    def take(self, key: bytes, rate: Rate, now_ms: int) -> int:
        """See KeyedCounterStore. Raises StoreUnusable."""
        with self._database.writing() as connection:
            kept: bytes = connection.execute("SELECT words FROM rates WHERE key = ?", (key,)).get or b""
            words = array("Q", kept.ljust(8 * WORDS, b"\0"))
            wait = count(words, rate, now_ms)
            if not wait:
                until = now_ms + 2000 * rate.interval  # nothing counts longer than its interval and a part
                packed = words.tobytes().rstrip(b"\0")
                packed = packed.ljust(-(-len(packed) // 8) * 8, b"\0")
                connection.execute(
                    "REPLACE INTO rates(key, expires_at, words) VALUES(?, ?, ?)", (key, until, packed)
                )
            self._taken += 1
            if self._taken % SWEEP_EVERY == 1:
                connection.execute(
                    "DELETE FROM rates WHERE key IN (SELECT key FROM rates WHERE expires_at <= ? LIMIT ?)",
                    (now_ms, BATCH),
                )
        return wait

    def close(self) -> None:
        """Close the file."""
        self._database.close()
