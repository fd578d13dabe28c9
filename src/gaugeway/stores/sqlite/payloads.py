"""Bodies of logs, compressed, in `payloads.db`.

A payload has a number (`pid`) that its log's row names. Payloads are written before the rows, so what a crash
leaves is at most a payload that belongs to nobody; the next writer removes it (`put` says how it knows).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from msgspec import Struct

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import Bodies
from gaugeway.stores.sqlite.compression import Codec, Damaged, learn
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database

LEARN_AFTER = 1_000
"""Bodies after which the first dictionary is learnt."""

LEARN_AGAIN = 20
"""A new one is learnt when there have been so many times more bodies than at the last time."""

LOOK_EVERY = 256
"""Batches between looks for a dictionary that another process has learnt."""

DELETE_CHUNK = 10_000
"""Payloads deleted by one statement, which holds a number for each."""

SAMPLES = 1_500
SAMPLE_BYTES = 16 * 1024 * 1024
REQUEST_CUT, RESPONSE_CUT = 1, 2

Packed = tuple[int, int | None, int | None, int, bytes]
"""A payload's row without its number: zdict, request_size, response_size, cut, data."""

_INSERT = "INSERT INTO payloads VALUES(?,?,?,?,?,?)"  # pid and Packed, in the table's order: see log_rows.INSERT
_SELECT = "SELECT zdict, request_size, response_size, cut, data FROM payloads WHERE pid = ?"
_DELETE = "DELETE FROM payloads WHERE pid BETWEEN ? AND ? RETURNING zdict"


class Dictionary(Struct, frozen=True):
    """A compression dictionary; number 0 is none."""

    id: int
    learnt_at: int
    codec: Codec


class Payloads:
    """The payloads of a data folder."""

    def __init__(self, folder: Path) -> None:
        migrations = files("gaugeway.stores.sqlite") / "migrations" / "payloads"
        self.database = Database(folder / "payloads.db", migrations, checkpoint_pages=4000)
        self._packing = threading.Lock()
        self._newest = Dictionary(0, 0, Codec())
        self._used = {0: self._newest}
        self._packs = 0
        self._written = 0
        self._last_pid = 0
        self._of_thread = threading.local()

    def pack(self, bodies: Iterable[Bodies | None]) -> list[Packed | None]:
        """The rows of bodies; None where there is nothing to keep. Needs no turn to write."""
        with self._packing:
            newest = self._newest_dictionary()
            zdict, compress = newest.id, newest.codec.compress
            packed: list[Packed | None] = []
            for item in bodies:
                if item is None or (item.request is None and item.response is None):
                    packed.append(None)
                    continue
                request, response = item.request, item.response
                packed.append(
                    (
                        zdict,
                        None if request is None else len(request),
                        None if response is None else len(response),
                        REQUEST_CUT * item.request_cut + RESPONSE_CUT * item.response_cut,
                        compress((request or b"") + (response or b"")),
                    )
                )
            return packed

    def put(self, last_pid: int, rows: Sequence[Packed], dropped: Iterable[int]) -> None:
        """Write payloads under the numbers after `last_pid`, and delete the `dropped` ones.

        `last_pid` is the last number that a log has. A payload beyond it was left by a crash, and goes too.
        Call it in the turn of the one who writes the logs.
        """
        with self.database.writing() as connection:
            runs = _runs(dropped)
            newest = connection.execute("SELECT max(pid) FROM payloads").get or 0
            if newest > last_pid:
                runs.append((last_pid + 1, newest))
            if runs:
                _delete(connection, runs)
            connection.executemany(_INSERT, ((last_pid + n, *row) for n, row in enumerate(rows, 1)))
            self._count_users(connection, Counter(row[0] for row in rows))
        self._written += len(rows)
        self._last_pid = last_pid + len(rows)

    def get(self, pid: int) -> Bodies | None:
        """The bodies of a number; None where they are gone. StoreUnusable where they are damaged."""
        rows = self.database.rows(_SELECT, (pid,))
        if not rows:
            return None
        codec = self._codecs.get(rows[0][0])
        if codec is None:  # payload and dictionary may both go at any time: read at one moment
            with self.database.reading() as connection:
                rows = connection.execute(_SELECT, (pid,)).fetchall()
                if not rows:
                    return None
                codec = self._unpacker(connection, rows[0][0])
        _, request_size, response_size, cut, data = rows[0]
        try:
            whole = codec.decompress(data, (request_size or 0) + (response_size or 0))
        except Damaged as problem:
            raise StoreUnusable(f"{self.database.path}: payload {pid} is damaged: {problem}") from problem
        return Bodies(
            request=None if request_size is None else whole[:request_size],
            response=None if response_size is None else whole[request_size or 0 :],
            request_cut=bool(cut & REQUEST_CUT),
            response_cut=bool(cut & RESPONSE_CUT),
        )

    def should_learn(self) -> bool:
        """Whether it is time for a (new) dictionary."""
        if not self._newest.id:
            return self._written >= LEARN_AFTER
        return self._last_pid >= LEARN_AGAIN * max(self._newest.learnt_at, LEARN_AFTER)

    def learn(self) -> None:
        """Make a new dictionary from the newest payloads."""
        newest: int = self.database.reader().execute("SELECT max(pid) FROM payloads").get or 0
        samples: list[bytes] = []
        size = 0
        for pid in range(newest, max(newest - SAMPLES, 0), -1):
            bodies = self.get(pid)
            if bodies is not None:
                samples.append((bodies.request or b"") + (bodies.response or b""))
                size += len(samples[-1])
            if size > SAMPLE_BYTES:
                break
        dictionary = learn(samples)
        self._written = 0
        if dictionary:
            with self.database.writing() as connection:
                connection.execute("INSERT INTO zdicts (data, learnt_at) VALUES (?, ?)", (dictionary, newest))
            self._packs = 0

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def _newest_dictionary(self) -> Dictionary:
        """The dictionary to pack with. Another process may have learnt a better one, which is no hurry."""
        self._packs += 1
        if self._packs % LOOK_EVERY != 1:
            return self._newest
        connection = self.database.reader()
        newest: int = connection.execute("SELECT max(id) FROM zdicts").get or 0
        if newest != self._newest.id:
            found = self._used.get(newest) or _load(connection, newest)
            if found is not None:
                self._newest = self._used[newest] = found
        return self._newest

    def _count_users(self, connection: Connection, users: Counter[int]) -> None:
        for zdict, count in users.items():
            if not zdict:
                continue
            connection.execute(
                "INSERT INTO zdict_users (id, payloads) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET payloads = payloads + excluded.payloads",
                (zdict, count),
            )
            if connection.execute("SELECT 1 FROM zdicts WHERE id = ?", (zdict,)).get is None:
                # Another process deleted its last payload after these had been packed with it.
                used = self._used[zdict]
                connection.execute(
                    "INSERT INTO zdicts (id, learnt_at, data) VALUES (?, ?, ?)",
                    (zdict, used.learnt_at, used.codec.dictionary),
                )

    @property
    def _codecs(self) -> dict[int, Codec]:
        """Those that this thread has used."""
        return self._of_thread.__dict__.setdefault("codecs", {})

    def _unpacker(self, connection: Connection, zdict: int) -> Codec:
        """This thread's codec of a dictionary."""
        known = self._codecs
        codec = known.get(zdict)
        if codec is None:
            found = _load(connection, zdict)
            if found is None:
                raise StoreUnusable(f"{self.database.path}: dictionary {zdict} is gone; its payloads are lost")
            codec = known[zdict] = found.codec
        return codec


def _load(connection: Connection, zdict: int) -> Dictionary | None:
    if not zdict:
        return Dictionary(0, 0, Codec())
    row = connection.execute("SELECT data, learnt_at FROM zdicts WHERE id = ?", (zdict,)).fetchone()
    return None if row is None else Dictionary(zdict, row[1], Codec(row[0]))


def _delete(connection: Connection, runs: Iterable[tuple[int, int]]) -> None:
    users: Counter[int] = Counter()
    for begin, end in runs:
        for first in range(begin, end + 1, DELETE_CHUNK):
            last = min(first + DELETE_CHUNK - 1, end)
            users.update(zdict for (zdict,) in connection.execute(_DELETE, (first, last)))
    for zdict, count in users.items():
        connection.execute("UPDATE zdict_users SET payloads = payloads - ? WHERE id = ?", (count, zdict))
    if connection.execute("SELECT 1 FROM zdict_users WHERE payloads <= 0").get:
        connection.execute("DELETE FROM zdicts WHERE id IN (SELECT id FROM zdict_users WHERE payloads <= 0)")
        connection.execute("DELETE FROM zdict_users WHERE payloads <= 0")


def _runs(pids: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers as ranges of neighbours."""
    runs: list[tuple[int, int]] = []
    for pid in sorted(pids):
        if runs and pid == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], pid)
        else:
            runs.append((pid, pid))
    return runs
