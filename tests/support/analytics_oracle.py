"""What analytics count, in plain Python over LogRecords: slow and obvious."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from gaugeway.core.analytics import Figures, Group, GroupBy, Point, Question
from gaugeway.core.model import LogRecord
from gaugeway.core.timings import Timings, bin_of

Plain = dict[str, Any]


def answer(logs: Iterable[LogRecord], question: Question) -> dict[Point, Plain]:
    """Every bucket and group in which there is a log, as `plain` shows them."""
    points: dict[Point, list[LogRecord]] = {}
    for log in logs:
        if log.account_id != question.account_id or question.gateway_id not in (None, log.gateway_id):
            continue
        if not question.start_ms <= log.created_at < question.end_ms:
            continue
        start = log.created_at // question.bucket.ms * question.bucket.ms
        group = group_of(log, question.group_by)
        if question.groups is not None and group not in question.groups:
            group = None
        points.setdefault((start, group), []).append(log)
    return {point: count(its) for point, its in points.items()}


def group_of(log: LogRecord, group_by: GroupBy | None) -> Group:
    match group_by:
        case None:
            return None
        case GroupBy.GATEWAY:
            return log.gateway_id
        case GroupBy.OUTCOME:
            return log.outcome.value
        case _:
            return getattr(log, group_by.value)


def count(logs: list[LogRecord]) -> Plain:
    """Figures over logs."""

    def known(values: Iterable[Any]) -> list[Any]:
        return [value for value in values if value is not None]

    costs = known(log.cost for log in logs)
    saved = known(log.cost_saved for log in logs)
    tokens_in = known(log.usage.tokens_in for log in logs)
    tokens_out = known(log.usage.tokens_out for log in logs)
    return {
        "outcomes": {outcome: len([log for log in logs if log.outcome is outcome]) for outcome in _outcomes(logs)},
        "tokens_in": sum(tokens_in),
        "tokens_in_unknown": len(logs) - len(tokens_in),
        "tokens_out": sum(tokens_out),
        "tokens_out_unknown": len(logs) - len(tokens_out),
        "cached_tokens_in": sum(known(log.usage.cached_tokens_in for log in logs)),
        "cost": sum(map(Fraction, costs)),
        "cost_unknown": len(logs) - len(costs),
        "cost_saved": sum(map(Fraction, saved)),
        "cost_saved_unknown": len([log for log in logs if log.cached and log.cost_saved is None]),
        "thumbs_up": len([log for log in logs if log.feedback == 1]),
        "thumbs_down": len([log for log in logs if log.feedback == -1]),
        "duration": _timings([log.duration for log in logs]),
        "first_byte": _timings(known(log.first_byte_ms for log in logs)),
    }


def _outcomes(logs: list[LogRecord]) -> set[Any]:
    return {log.outcome for log in logs}


def _timings(times: list[int]) -> tuple[int, int, dict[int, int]]:
    bins = [bin_of(time) for time in times]
    return len(times), sum(times), {number: bins.count(number) for number in set(bins)}


def plain(figures: Figures) -> Plain:
    """A store's figures, to be compared."""

    def of(timings: Timings) -> tuple[int, int, dict[int, int]]:
        return timings.count, timings.total, timings.bins

    shown = {name: getattr(figures, name) for name in figures.__struct_fields__}
    return shown | {
        "outcomes": dict(figures.outcomes),
        "cost": Fraction(figures.cost),
        "cost_saved": Fraction(figures.cost_saved),
        "duration": of(figures.duration),
        "first_byte": of(figures.first_byte),
    }
