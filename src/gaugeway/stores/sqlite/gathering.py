"""Figures by bucket and group, gathered from rollups and logs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
from msgspec import Struct, field

from gaugeway.core.analytics import EXACT, Bucket, Figures, Group, GroupBy, Point
from gaugeway.core.model import Outcome
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.log_rows import OUTCOMES, cost_of
from gaugeway.stores.sqlite.log_tallies import Key, Tally, facts_between, tally
from gaugeway.stores.sqlite.rollup_columns import BINS, COUNTS, HALF, HALVES, RESTS, SUMS
from gaugeway.stores.sqlite.spans import Rolled, Unrolled
from gaugeway.stores.sqlite.words import Word, Words

CACHED = OUTCOMES.index(Outcome.CACHED)
ALL = "0"
"""The SQL of a grouping that has one group."""
_ZERO = Decimal(0)
_PAIRS = np.dtype([("bin", "<u2"), ("logs", "<i4")])  # as rollups.PAIR


class Grouping(Struct, frozen=True):
    """How logs are grouped: a number of each group, as SQL over rollups and of a key, and the group's name."""

    sql: str
    code: Callable[[Key], int]
    name: Callable[[str, int], Group]  # given the gateway's id and the number


def grouping(group_by: GroupBy | None, words: Words, connection: Connection) -> Grouping:
    """What a question groups by; `name` reads by the connection."""

    def named(kind: Word) -> Callable[[str, int], Group]:
        return lambda _gateway, code: words.text(connection, kind, code) if code else None

    match group_by:
        case None:
            return Grouping(ALL, lambda _key: 0, lambda _gateway, _code: None)
        case GroupBy.GATEWAY:
            return Grouping(ALL, lambda _key: 0, lambda gateway, _code: gateway)
        case GroupBy.PROVIDER:
            return Grouping("provider", lambda key: key[1], named(Word.PROVIDER))
        case GroupBy.MODEL:
            return Grouping("model", lambda key: key[2], named(Word.MODEL))
        case GroupBy.OUTCOME:
            return Grouping("outcome", lambda key: key[3], lambda _gateway, code: OUTCOMES[code].value)
        case GroupBy.SUCCESS:
            return Grouping("outcome <= 1", lambda key: key[3] <= 1, lambda _gateway, code: bool(code))
        case GroupBy.CACHED:
            return Grouping("outcome = 1", lambda key: key[3] == CACHED, lambda _gateway, code: bool(code))


class Gathering:
    """Figures that grow with every span that is read. In one read transaction."""

    def __init__(self, connection: Connection, bucket: Bucket, grouped: Grouping, groups: frozenset[Group] | None):
        self._connection = connection
        self._bucket = bucket
        self._grouped = grouped
        self._groups = groups
        self._gathered: dict[Point, Gathered] = {}

    def add(self, gw: int, gateway_id: str, span: Rolled | Unrolled) -> None:
        """Count in what stands in a span."""
        if isinstance(span, Rolled):
            self._add_sums(gw, gateway_id, span)
            self._add_bins(gw, gateway_id, span)
        else:
            facts = facts_between(self._connection, gw, span.low, span.high)
            for key, sums in tally(facts, self._bucket.ms).items():
                point = self._at(key[0] * self._bucket.ms, gateway_id, self._grouped.code(key))
                _add_tally(point, key[3], sums)

    def figures(self) -> dict[Point, Figures]:
        """All that was gathered: of the points that have logs."""
        finished = {point: gathered.finish() for point, gathered in self._gathered.items()}
        return {point: figures for point, figures in finished.items() if figures.requests}

    def _at(self, moment: int, gateway_id: str, code: int) -> Gathered:
        group = self._grouped.name(gateway_id, code)
        if self._groups is not None and group not in self._groups:
            group = None
        point = (moment // self._bucket.ms * self._bucket.ms, group)
        there = self._gathered.get(point)
        if there is None:
            there = self._gathered[point] = Gathered()
        return there

    def _add_sums(self, gw: int, gateway_id: str, span: Rolled) -> None:
        columns = f"number, {self._grouped.sql}, {SQL_SUMS}"
        parted = "GROUP BY 1" if self._grouped.sql == ALL else "GROUP BY 1, 2"  # the former needs no sorting
        for query in span.select(gw, columns, grouped_by=parted):
            for number, code, *sums in self._connection.execute(*query):
                add_row(self._at(number * span.grain.ms, gateway_id, code), sums)

    def _add_bins(self, gw: int, gateway_id: str, span: Rolled) -> None:
        columns = f"number, {self._grouped.sql}, {', '.join((*BINS, *RESTS))}"
        known: dict[tuple[int, int], Gathered] = {}
        for query in span.select(gw, columns):
            for number, code, durations, first_bytes, cost_rest, saved_rest in self._connection.execute(*query):
                into = known.get((number, code))
                if into is None:
                    into = known[number, code] = self._at(number * span.grain.ms, gateway_id, code)
                into.add_packed(durations, first_bytes, cost_rest, saved_rest)


class Gathered(Struct):
    """Figures of a point, and the bins that are still to be added to them."""

    figures: Figures = field(default_factory=Figures)
    durations: list[bytes] = field(default_factory=list)
    first_bytes: list[bytes] = field(default_factory=list)

    def add_packed(
        self, durations: bytes, first_bytes: bytes, cost_rest: str | None, saved_rest: str | None
    ) -> None:
        """Count in bins and rests as they are stored."""
        self.durations.append(durations)
        self.first_bytes.append(first_bytes)
        if cost_rest is not None or saved_rest is not None:
            _add_money(self.figures, Decimal(cost_rest or 0), Decimal(saved_rest or 0))

    def finish(self) -> Figures:
        """All of it."""
        figures = self.figures
        figures.outcomes = +figures.outcomes  # what changes took away again is not there
        figures.duration.add(0, 0, _bins(self.durations))
        figures.first_byte.add(0, 0, _bins(self.first_bytes))
        return figures


def _bins(packed: list[bytes]) -> dict[int, int]:
    """Logs by bin. Exact, as there are fewer than 2^53 of them."""
    pairs = np.frombuffer(b"".join(packed), _PAIRS)
    logs = np.bincount(pairs["bin"], pairs["logs"]).astype(np.int64)
    (numbers,) = logs.nonzero()
    return dict(zip(numbers.tolist(), logs[numbers].tolist(), strict=True))


SQL_SUMS = ", ".join(
    [f"sum(logs) FILTER (WHERE outcome = {code})" for code in range(len(OUTCOMES))]
    + [f"sum({name})" for name in COUNTS]
    + [f"sum(logs - saved_known) FILTER (WHERE outcome = {CACHED})"]
    + [f"sum({name})" for name in HALVES]
)


def add_row(into: Gathered, row: list[Any]) -> None:
    """Count in a row of SQL_SUMS."""
    values = iter(row)
    figures = into.figures
    for outcome in OUTCOMES:
        logs = next(values)
        if logs:
            figures.outcomes[outcome] += logs
    counts = {name: next(values) for name in COUNTS}
    not_saved = next(values) or 0
    sums = {name: (next(values) << HALF) + next(values) for name in SUMS}
    _add(figures, Tally(**counts, **sums), not_saved)


def _add_tally(into: Gathered, outcome: int, sums: Tally) -> None:
    figures = into.figures
    figures.outcomes[OUTCOMES[outcome]] += sums.logs
    _add(figures, sums, sums.logs - sums.saved_known if outcome == CACHED else 0)
    figures.duration.add(0, 0, sums.durations)
    figures.first_byte.add(0, 0, sums.first_bytes)
    _add_money(figures, sums.cost_rest or _ZERO, sums.saved_rest or _ZERO)


def _add(figures: Figures, sums: Tally, not_saved: int) -> None:
    """Count in all but outcomes, bins and rests."""
    figures.tokens_in += sums.tokens_in
    figures.tokens_in_unknown += sums.logs - sums.tokens_in_known
    figures.tokens_out += sums.tokens_out
    figures.tokens_out_unknown += sums.logs - sums.tokens_out_known
    figures.cached_tokens_in += sums.cached_in
    figures.cost_unknown += sums.logs - sums.cost_known
    figures.cost_saved_unknown += not_saved
    figures.thumbs_up += sums.thumbs_up
    figures.thumbs_down += sums.thumbs_down
    figures.duration.add(sums.logs, sums.duration, _NO_BINS)
    figures.first_byte.add(sums.first_byte_known, sums.first_byte, _NO_BINS)
    _add_money(figures, cost_of(sums.cost, None) or _ZERO, cost_of(sums.saved, None) or _ZERO)


_NO_BINS: dict[int, int] = {}


def _add_money(figures: Figures, cost: Decimal, saved: Decimal) -> None:
    if cost:
        figures.cost = EXACT.add(figures.cost, cost)
    if saved:
        figures.cost_saved = EXACT.add(figures.cost_saved, saved)
