"""Comparisons and breakdowns as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context
from typing import Any

from gaugeway.core.comparisons import (
    Breakdown,
    Comparison,
    Difference,
    NonInferiority,
    Pairs,
    Question,
    Side,
    Subject,
)
from gaugeway.core.metrics import LEVEL, Metric
from gaugeway.core.model import Evaluation
from gaugeway.core.money import plain
from gaugeway.core.query import Grouping
from gaugeway.core.samples import AnyEvaluator
from gaugeway.core.votes import PanelAgreement
from gaugeway.management.vote_view import show_agreement

_DIGITS = Context(prec=9)


def show_comparison(question: Question, answer: Comparison) -> dict[str, Any]:
    """Sides with their figures, then every difference. Figures and their differences are decimal texts."""
    return show_sides(question.sides, answer)


def show_sides(sides: Sequence[Side], answer: Comparison) -> dict[str, Any]:
    """The same, of these sides."""
    known = {subject.type_id: subject for subject in answer.subjects}
    labels = [side.label for side in sides]
    return {
        "baseline": labels[0],
        "sides": [
            {
                "label": label,
                "total_logs": total,
                "also_in_baseline": overlap,
                "results": [show_metric(known[type_id], metric) for type_id, metric in metrics.items()],
                "agreements": _show_agreements(agreements),
            }
            for label, total, overlap, metrics, agreements in zip(
                labels,
                answer.totals,
                answer.overlaps,
                answer.metrics,
                _agreements(answer),
                strict=True,
            )
        ],
        "differences": [_show(one, labels, known[one.type_id]) for one in answer.differences],
        "gate": answer.gate.value,
    }


def _agreements(answer: Comparison) -> Sequence[Mapping[str, PanelAgreement]]:
    """Of each side; of a comparison that was kept before there were any, none."""
    return answer.agreements or [dict[str, PanelAgreement]() for _ in answer.totals]


def _show_agreements(found: Mapping[str, PanelAgreement]) -> list[dict[str, Any]]:
    """How far the members of panels agree; none where nothing was judged by a panel."""
    return [{"evaluation_type_id": type_id, **(show_agreement(one) or {})} for type_id, one in found.items()]


def show_metric(subject: Subject, metric: Metric) -> dict[str, Any]:
    """A figure, what it was computed from, and how sure it is: the names are those of an evaluation's result."""
    interval = metric.interval
    why = "there is no value" if metric.value is None else metric.no_interval
    return {
        "evaluation_type_id": subject.type_id,
        "result": "" if metric.value is None else plain(metric.value),
        "total_logs": metric.n,
        "skipped": metric.skipped,
        "failed": metric.failed,
        "note": metric.note,
        "low": None if interval is None else plain(interval.low),
        "high": None if interval is None else plain(interval.high),
        "interval_level": None if interval is None else LEVEL,
        "interval_method": None if interval is None else interval.method,
        "interval_note": why if interval is None else None,
        "unit": subject.unit,
        "direction": subject.direction.value,
    }


def show_breakdown(
    evaluation: Evaluation, by: Grouping, answer: Breakdown, evaluators: Sequence[AnyEvaluator]
) -> dict[str, Any]:
    """The groups of an evaluation's logs."""
    known = {one.id: Subject(type_id=one.id, unit=one.unit, direction=one.direction) for one in evaluators}
    changed = evaluation.processed and answer.total != evaluation.total_logs
    return {
        "evaluation_id": evaluation.id,
        "by": str(by),
        "total_logs": answer.total,
        "note": f"the evaluation had {evaluation.total_logs} logs: some are gone or changed" if changed else None,
        "groups": [
            {
                "group": part.name,
                "total_logs": part.total,
                "results": [show_metric(known[type_id], metric) for type_id, metric in part.metrics.items()],
            }
            for part in answer.parts
        ],
        "not_broken_down": [
            result.evaluation_type_id
            for result in evaluation.results
            if answer.parts and result.evaluation_type_id not in answer.parts[0].metrics
        ],
        "other_groups": answer.other_groups,
        "other_logs": answer.other_logs,
    }


def _show(one: Difference, labels: Sequence[str], subject: Subject) -> dict[str, Any]:
    return {
        "evaluation_type_id": one.type_id,
        "baseline": labels[0],
        "side": labels[one.side],
        "verdict": one.verdict.value,
        "words": one.words,
        "gate": one.gate.value,
        "difference": _decimal(one.difference),
        "low": _decimal(one.low),
        "high": _decimal(one.high),
        "interval_level": None if one.low is None else LEVEL,
        "interval_method": one.method or None,
        "test": one.test or None,
        "p_value": one.p_value,
        "adjusted_p_value": one.adjusted_p,
        "smallest_detectable": _decimal(one.detectable),
        "more_needed": one.more_needed,
        "note": one.why or None,
        "paired": _show_pairs(one.pairs),
        "non_inferiority": _show_margin(one.non_inferiority),
        "unit": subject.unit,
        "direction": subject.direction.value,
    }


def _show_pairs(pairs: Pairs | None) -> dict[str, Any] | None:
    if pairs is None:
        return None
    return {
        "by": pairs.by,
        "items": pairs.items,
        "unmatched_in_baseline": pairs.unmatched[0],
        "unmatched_in_side": pairs.unmatched[1],
        "baseline_mean": _decimal(pairs.means[0]),
        "side_mean": _decimal(pairs.means[1]),
    }


def _show_margin(margin: NonInferiority | None) -> dict[str, Any] | None:
    if margin is None:
        return None
    return {"margin": _decimal(margin.margin), "verdict": str(margin.verdict), "more_needed": margin.more_needed}


def _decimal(number: float | None) -> str | None:
    return None if number is None else plain(_DIGITS.create_decimal(repr(number)))
