"""The AnalyticsStore over `logs.db`: whole hours and days from their rollups, the rest from the logs themselves."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from gaugeway.core.analytics import Bucket, Difference, Figures, Group, Point, Question, Total
from gaugeway.core.errors import TooMuchToRead
from gaugeway.core.model import Scope
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.recounting import differences, recount
from gaugeway.stores.sqlite.spans import Rolled, Unrolled, spans
from gaugeway.stores.sqlite.words import Words

MAX_READ = 1_000_000
"""Logs that are read one by one for an answer: some 3 s."""

_log = logging.getLogger(__name__)


class SqliteAnalytics:
    """Analytics of a data folder."""

    def __init__(self, logs: Database, words: Words) -> None:
        self._logs = logs
        self._words = words

    def answer(self, question: Question) -> dict[Point, Figures]:
        """See AnalyticsStore."""
        from gaugeway.stores.sqlite.gathering import Gathering, grouping  # numpy: not in the recorder's memory

        with self._logs.reading() as connection:
            grouped = grouping(question.group_by, self._words, connection)
            gathering = Gathering(connection, question.bucket, grouped, question.groups)
            for gw, gateway_id, span in _spans(connection, question, question.bucket):
                gathering.add(gw, gateway_id, span)
            return gathering.figures()

    def groups(self, question: Question) -> Counter[Group]:
        """See AnalyticsStore."""
        from gaugeway.stores.sqlite.gathering import grouping

        logs: Counter[Group] = Counter()
        with self._logs.reading() as connection:
            grouped = grouping(question.group_by, self._words, connection)
            for gw, gateway_id, span in _spans(connection, question, Bucket.DAY):
                for code, number in _count(connection, gw, grouped.sql, span):
                    logs[grouped.name(gateway_id, code)] += number
        return +logs

    def totals(self, account_id: str) -> Sequence[Total]:
        """See AnalyticsStore."""
        from gaugeway.stores.sqlite.totals import totals

        with self._logs.reading() as connection:
            return totals(connection, self._words, account_id)

    def recount(self, counted: Callable[[int], None]) -> None:
        """See AnalyticsStore."""
        for gw, _ in self._gateways():
            self._recount(gw, counted)

    def differences(self, counted: Callable[[int], None]) -> Iterator[Difference]:
        """See AnalyticsStore."""
        for gw, scope in self._gateways():
            for grain, number in differences(self._logs, gw, counted):
                yield Difference(scope, grain.bucket, number * grain.ms)

    def catch_up(self) -> None:
        """Count the logs that were written before there were rollups. Takes some 5 s for a million of them."""
        for gw, logs in self._logs.rows("SELECT gw, logs FROM unrolled JOIN gateways USING (gw)"):
            _log.warning("%s: counting %d logs for analytics, once after this upgrade", self._logs.path, logs)
            self._recount(gw, lambda _logs: None)

    def _recount(self, gw: int, counted: Callable[[int], None]) -> None:
        recount(self._logs, gw, counted)
        with self._logs.writing() as connection:
            connection.execute("DELETE FROM unrolled WHERE gw = ?", (gw,))

    def _gateways(self) -> list[tuple[int, Scope]]:
        rows = self._logs.rows("SELECT gw, account_id, gateway_id FROM gateways ORDER BY gw")
        return [(gw, Scope(account_id, gateway_id)) for gw, account_id, gateway_id in rows]


def _spans(
    connection: Connection, question: Question, bucket: Bucket
) -> Iterator[tuple[int, str, Rolled | Unrolled]]:
    """What to read for a question: the gateway's number and id, and a span of it."""
    left = MAX_READ
    for gw, gateway_id in _asked(connection, question):
        for span in spans(connection, gw, question.start_ms, question.end_ms, bucket):
            if isinstance(span, Unrolled):
                left -= _logs_in(connection, gw, span, left + 1)
                if left < 0:
                    raise TooMuchToRead(MAX_READ)
            yield gw, gateway_id, span


def _asked(connection: Connection, question: Question) -> list[tuple[int, str]]:
    """The gateways that are asked about, as far as they ever had a log."""
    sql = "SELECT gw, gateway_id FROM gateways WHERE account_id = ?"
    if question.gateway_id is None:
        return connection.execute(sql, (question.account_id,)).fetchall()
    return connection.execute(f"{sql} AND gateway_id = ?", (question.account_id, question.gateway_id)).fetchall()


def _logs_in(connection: Connection, gw: int, span: Unrolled, most: int) -> int:
    sql = "SELECT count(*) FROM (SELECT 1 FROM logs WHERE gw = ? AND id >= ? AND id < ? LIMIT ?)"
    return connection.execute(sql, (gw, span.low, span.high, most)).get


def _count(connection: Connection, gw: int, group: str, span: Rolled | Unrolled) -> list[tuple[int, int]]:
    """How many logs of each group stand in a span."""
    if isinstance(span, Rolled):
        queries = span.select(gw, f"{group}, sum(logs)", grouped_by="GROUP BY 1")
        return [row for query in queries for row in connection.execute(*query).fetchall()]
    sql = (
        f"SELECT {group}, count(*) FROM (SELECT"  # noqa: S608 - names of our own
        " CASE typeof(provider) WHEN 'integer' THEN provider ELSE 0 END AS provider,"
        " CASE typeof(model) WHEN 'integer' THEN model ELSE 0 END AS model,"
        " outcome FROM logs WHERE gw = ? AND id >= ? AND id < ?) GROUP BY 1"
    )
    return connection.execute(sql, (gw, span.low, span.high)).fetchall()
