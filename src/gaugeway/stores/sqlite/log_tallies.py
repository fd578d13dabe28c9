"""Logs counted into sums per period, provider, model and outcome: what analytics are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec import Struct, field

from gaugeway.core.analytics import EXACT
from gaugeway.core.model import LogRecord
from gaugeway.core.timings import bin_of
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.log_rows import Row, cost_columns, decode_rest

Facts = tuple[
    bytes,  # id
    int,  # outcome
    int | str,  # provider
    int | str,  # model
    int | None,  # cost
    str | None,  # cost_fraction
    int,  # duration
    int | None,  # feedback
    int | None,  # tokens_in
    int | None,  # tokens_out
    int | None,  # first_byte_ms
    int | None,  # cached_tokens_in
    Decimal | None,  # cost_saved
]
"""What is counted of a log, as its row has it."""

Key = tuple[int, int, int, int]
"""Number of the period, provider, model (0: any text that is no word), outcome."""

COLUMNS = (
    "id, outcome, provider, model, cost, cost_fraction, duration, feedback, tokens_in, tokens_out, first_byte_ms,"
    " rest"
)

_ZERO = Decimal(0)
_REST = COLUMNS.count(",")

CACHED = 1
"""The outcome of answers from the cache."""


class Tally(Struct):
    """Sums over logs of one key."""

    logs: int = 0
    tokens_in: int = 0
    tokens_in_known: int = 0
    tokens_out: int = 0
    tokens_out_known: int = 0
    cached_in: int = 0
    cost: int = 0  # 1e-12 dollars, each log's rounded down
    cost_known: int = 0
    saved: int = 0
    saved_known: int = 0
    thumbs_up: int = 0
    thumbs_down: int = 0
    duration: int = 0
    first_byte: int = 0
    first_byte_known: int = 0
    cost_rest: Decimal | None = None  # dollars that `cost` lacks, which is rare
    saved_rest: Decimal | None = None
    durations: dict[int, int] = field(default_factory=dict)  # logs by bin
    first_bytes: dict[int, int] = field(default_factory=dict)


def added(tallies: Iterable[Tally]) -> Tally:
    """Their sum."""
    total = Tally()
    for one in tallies:
        for name in _NUMBERS:
            setattr(total, name, getattr(total, name) + getattr(one, name))
        for mine, its in ((total.durations, one.durations), (total.first_bytes, one.first_bytes)):
            for number, logs in its.items():
                mine[number] = mine.get(number, 0) + logs
                if not mine[number]:
                    del mine[number]
        total.cost_rest = _sum_of_rests(total.cost_rest, one.cost_rest)
        total.saved_rest = _sum_of_rests(total.saved_rest, one.saved_rest)
    return total


_NUMBERS = Tally.__struct_fields__[: Tally.__struct_fields__.index("cost_rest")]


def _sum_of_rests(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return EXACT.add(one, other) or None


def facts_of(row: Row, record: LogRecord) -> Facts:
    """The facts of a log that is about to be written, given its row."""
    _, id_, cost, duration, feedback, outcome, provider, model, tokens_in, tokens_out, first_byte_ms = row[:11]
    return (
        id_,
        outcome,
        provider,
        model,
        cost,
        row[-1],
        duration,
        feedback,
        tokens_in,
        tokens_out,
        first_byte_ms,
        record.usage.cached_tokens_in,
        record.cost_saved,
    )


def read_facts(rows: Iterable[Row]) -> Iterator[Facts]:
    """From rows that begin with COLUMNS."""
    for row in rows:
        rest = decode_rest(row[_REST])
        yield (*row[:_REST], rest.cached_tokens_in, rest.cost_saved)


def facts_between(connection: Connection, gw: int, low: bytes, high: bytes) -> Iterator[Facts]:
    """The facts of a gateway's logs with ids from `low` up to, not including, `high`."""
    sql = f"SELECT {COLUMNS} FROM logs WHERE gw = ? AND id >= ? AND id < ?"  # noqa: S608 - constants
    return read_facts(connection.execute(sql, (gw, low, high)))


def facts_one(connection: Connection, gw: int, log_id: bytes) -> Facts | None:
    """The facts of one log."""
    sql = f"SELECT {COLUMNS} FROM logs WHERE gw = ? AND id = ?"  # noqa: S608 - constants
    return next(read_facts(connection.execute(sql, (gw, log_id))), None)


def tally(facts: Iterable[Facts], period_ms: int) -> dict[Key, Tally]:
    """Count logs by period, provider, model and outcome."""
    tallies: dict[Key, Tally] = {}
    for (
        id_,
        outcome,
        provider,
        model,
        cost,
        fraction,
        duration,
        feedback,
        tokens_in,
        tokens_out,
        first_byte,
        cached_tokens,
        saved,
    ) in facts:
        key = (
            int.from_bytes(id_[:6]) // period_ms,
            provider if isinstance(provider, int) else 0,
            model if isinstance(model, int) else 0,
            outcome,
        )
        into = tallies.get(key)
        if into is None:
            into = tallies[key] = Tally()
        into.logs += 1
        into.duration += duration
        number = bin_of(duration)
        into.durations[number] = into.durations.get(number, 0) + 1
        if cost is not None:
            into.cost += cost
            into.cost_known += 1
            if fraction is not None:
                into.cost_rest = _sum_of_rests(into.cost_rest, _beyond(fraction))
        if tokens_in is not None:
            into.tokens_in += tokens_in
            into.tokens_in_known += 1
        if tokens_out is not None:
            into.tokens_out += tokens_out
            into.tokens_out_known += 1
        if cached_tokens is not None:
            into.cached_in += cached_tokens
        if first_byte is not None:
            into.first_byte += first_byte
            into.first_byte_known += 1
            number = bin_of(first_byte)
            into.first_bytes[number] = into.first_bytes.get(number, 0) + 1
        if feedback is not None:
            if feedback > 0:
                into.thumbs_up += 1
            else:
                into.thumbs_down += 1
        if saved is not None:
            _add_saved(into, saved)
    return tallies


def _beyond(fraction: str) -> Decimal:
    """Dollars of decimal digits beyond 1e-12 dollars."""
    return Decimal(int(fraction)).scaleb(-12 - len(fraction), EXACT)


def _add_saved(into: Tally, saved: Decimal) -> None:
    columns = cost_columns(saved)
    if columns is None:
        return  # no amount that could be added up: not known
    whole, fraction = columns
    into.saved += whole
    into.saved_known += 1
    if fraction is not None:
        into.saved_rest = _sum_of_rests(into.saved_rest, _beyond(fraction))
