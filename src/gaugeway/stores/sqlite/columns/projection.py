"""The projection of a data folder's logs: who asks, who builds, and who gives it up."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from gaugeway.core.aggregates import Aggregate, Aggregated
from gaugeway.core.errors import StoreFull, StoreUnusable
from gaugeway.core.model import Scope
from gaugeway.core.ports import Coverage
from gaugeway.core.query import Where
from gaugeway.stores.sqlite.columns import segments
from gaugeway.stores.sqlite.columns.planning import Sizes, next_span
from gaugeway.stores.sqlite.columns.segments import Segment, Span
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database, free_bytes
from gaugeway.stores.sqlite.log_counts import Gateways
from gaugeway.stores.sqlite.log_reading import Found, find
from gaugeway.stores.sqlite.words import Words

if TYPE_CHECKING:
    from gaugeway.stores.sqlite.columns.answering import MappedSegments
    from gaugeway.stores.sqlite.columns.files import Damaged

FOLDER = "columns"
LOG_BYTES = 128
"""Room that a log's columns may take, generously."""

SPARE_BYTES = 256 * 1024 * 1024
"""Room on the disk that is left to the logs themselves."""

GIVE_UP_AT = 500_000
"""Changed logs of a gateway whose segments cannot be made anew: beyond, all are given up, so that notes end."""

REST_S = 60
"""How long nothing is built after it could not be."""

_log = logging.getLogger(__name__)


class _Stopped(Exception):
    """Whoever builds is to end."""


class _Built(Struct):
    """What was built, or why not."""

    logs: int
    problem: str = ""


class Projection:
    """A data folder's segments. See the port `Projection`.

    numpy is loaded with the first answer and the first build: the recorder, which does neither, goes without it.
    """

    def __init__(self, logs: Database, words: Words, gateways: Gateways, sizes: Sizes | None = None) -> None:
        self._logs = logs
        self._words = words
        self._gateways = gateways
        self._sizes = sizes or Sizes()
        self._folder = logs.path.parent / FOLDER
        self._stopped = threading.Event()
        self._building = threading.Lock()
        self._mapped: MappedSegments | None = None
        self._said: set[str] = set()
        self._rest_until = 0.0

    def aggregate(self, scope: Scope, where: Where, wanted: Sequence[Aggregate]) -> Aggregated | None:
        """See Projection."""
        with self._logs.reading() as connection:
            found = find(connection, self._words, self._gateways.find(connection, scope), where)
            return None if found is None else self.answer(connection, found, where, wanted)

    def answer(
        self, connection: Connection, found: Found, where: Where, wanted: Sequence[Aggregate]
    ) -> Aggregated | None:
        """The figures of the logs found; None where SQLite has to tell them. In a read transaction."""
        if not segments.read(connection, found.gw):
            return None
        from gaugeway.stores.sqlite.columns import answering

        return answering.answer(connection, self._files(), found, where, wanted, self._doubt)

    def answer_by(  # noqa: PLR0917 - as `answer`, and by what
        self,
        connection: Connection,
        found: Found,
        where: Where,
        wanted: Sequence[Aggregate],
        by: str,
        grouped: Callable[[Found], dict[str | None, Aggregated]],
    ) -> dict[str | None, Aggregated] | None:
        """The figures of each group by a column of texts; `grouped` is how SQLite tells them. See `answer`."""
        if not segments.read(connection, found.gw):
            return None
        from gaugeway.stores.sqlite.columns import answering

        return answering.answer_by(connection, self._files(), found, where, wanted, self._doubt, by, grouped)

    def _files(self) -> MappedSegments:
        if self._mapped is None:
            from gaugeway.stores.sqlite.columns.answering import MappedSegments

            self._mapped = MappedSegments(self._folder)
        return self._mapped

    def _doubt(self, problem: Damaged) -> None:
        """A file that is missing, or that says what was never written, is made anew when we next catch up."""
        if problem.is_wrong:
            self._say(f"{problem}. SQLite answers in its place until it is made anew")
            with contextlib.suppress(OSError):
                problem.path.unlink()

    def catch_up(self) -> int:
        """See Projection."""
        if time.monotonic() < self._rest_until or not any(map(self._due, self._candidates())):
            return 0
        with self._turn(wait=False) as has_turn:
            return self._build_all(lambda _logs: None) if has_turn else 0

    def rebuild(self, counted: Callable[[int], None]) -> None:
        """See Projection."""
        with self._turn(wait=True):
            for gw, _, _ in self._all():
                self.forget(gw)
            self._build_all(counted, or_raise=True)

    def coverage(self) -> list[Coverage]:
        """See Projection."""
        found: list[Coverage] = []
        for gw, scope, logs in self._all():
            with self._logs.reading() as connection:
                its = segments.read(connection, gw)
                changed = sum(segments.count_changed(connection, gw, one.low, one.high) for one in its)
            found.append(
                Coverage(
                    scope=scope,
                    logs=logs,
                    projected=sum(one.logs for one in its),
                    changed=changed,
                    bytes=sum(one.size for one in its),
                )
            )
        return found

    def forget(self, gw: int) -> None:
        """Give up a gateway's segments: before all its logs are deleted, or where they cannot be kept current."""
        with self._logs.reading() as connection:
            known = connection.execute("SELECT high <> x'' FROM projected WHERE gw = ?", (gw,)).get
        if known:
            with self._logs.writing() as connection:
                segments.forget(connection, gw)

    def close(self) -> None:
        """End what is being built."""
        self._stopped.set()
        with self._building:
            if self._mapped is not None:
                self._mapped.let_go()

    def _build_all(self, counted: Callable[[int], None], *, or_raise: bool = False) -> int:
        """Build segment after segment, a gateway's in turn with those of others, until nothing is left to build."""
        self._sweep()
        built = 0
        waiting = self._candidates()
        while waiting and not self._stopped.is_set():
            gw = waiting.pop(0)
            span = self._due(gw)
            if span is None:
                continue
            done = self._build(gw, *span, counted)
            built += done.logs
            if not done.problem:
                waiting.append(gw)
            elif or_raise:
                raise StoreUnusable(done.problem)
            else:
                self._rest(gw, done.problem)
        self._sweep()
        return built

    def _candidates(self) -> list[int]:
        """The gateways that have segments, or logs enough to get some."""
        sql = "SELECT gw FROM gateways WHERE logs >= ? UNION SELECT gw FROM segments"
        return [gw for (gw,) in self._logs.rows(sql, (self._sizes.least,))]

    def _due(self, gw: int) -> Span | None:
        """The span that needs a segment next: one whose file is gone or cut, before all others."""
        with self._logs.reading() as connection:
            its = segments.read(connection, gw)
            logs: int = connection.execute("SELECT logs FROM gateways WHERE gw = ?", (gw,)).get
            span = next_span(connection, gw, logs, self._sizes)
        return self._lost(its) or span

    def _lost(self, its: Sequence[Segment]) -> Span | None:
        for one in its:
            try:
                size = (self._folder / one.file).stat().st_size
            except FileNotFoundError:
                size = -1
            if size != one.size:
                return one.low, one.high
        return None

    def _build(self, gw: int, low: bytes, high: bytes, counted: Callable[[int], None]) -> _Built:
        """Make the segment of a span, which takes the place of those that are there."""
        from gaugeway.stores.sqlite.columns.files import write
        from gaugeway.stores.sqlite.columns.harvest import Unprojectable, harvest

        def go_on(logs: int) -> None:
            if self._stopped.is_set():
                raise _Stopped
            counted(logs)

        file = f"{gw}-{secrets.token_hex(8)}"
        try:
            if free_bytes(self._logs.path.parent) < SPARE_BYTES + LOG_BYTES * self._sizes.most:
                return _Built(0, f"{self._folder}: too little room on the disk for columns")
            with self._logs.writing() as connection:
                era = segments.begin(connection, gw, low, high, file)
            with self._logs.reading() as connection:
                logs, columns = harvest(connection, gw, low, high, self._words, go_on)
            parts, size = write(self._folder / file, columns) if logs else ({}, 0)
            with self._logs.writing() as connection:
                segments.put(connection, Segment(file, gw, low, high, logs, size, parts), era)
        except _Stopped:
            return _Built(0)
        except (OSError, Unprojectable, StoreFull) as problem:
            return _Built(0, f"{self._folder}: columns cannot be made ({problem}). SQLite answers in their place")
        return _Built(logs)

    def _rest(self, gw: int, problem: str) -> None:
        self._rest_until = time.monotonic() + REST_S
        self._say(problem)
        with self._logs.reading() as connection:
            number: int = connection.execute("SELECT count(*) FROM changed WHERE gw = ?", (gw,)).get
        if number > GIVE_UP_AT:
            self.forget(gw)

    def _sweep(self) -> None:
        """Delete the files of no segment. Only whoever builds makes files, and that is us now."""
        with self._logs.reading() as connection:
            known = segments.files(connection) | {_LOCK}
        for path in self._folder.iterdir():
            if path.name not in known:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _all(self) -> list[tuple[int, Scope, int]]:
        rows = self._logs.rows("SELECT gw, account_id, gateway_id, logs FROM gateways ORDER BY gw")
        return [(gw, Scope(account_id, gateway_id), logs) for gw, account_id, gateway_id, logs in rows]

    @contextlib.contextmanager
    def _turn(self, *, wait: bool) -> Generator[bool]:
        """Nobody else builds in this folder meanwhile, in this process or another. False where somebody does."""
        if not self._building.acquire(blocking=wait):
            yield False
            return
        try:
            lock = self._open_lock()
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True
            finally:
                os.close(lock)
        finally:
            self._building.release()

    def _open_lock(self) -> int:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            return os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise StoreUnusable(f"{self._folder}: cannot be made or written ({problem.strerror})") from problem

    def _say(self, problem: str) -> None:
        if problem not in self._said:
            self._said.add(problem)
            _log.warning("%s", problem)


_LOCK = "lock"
