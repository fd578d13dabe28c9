"""Analytics: requests, tokens, cost and times over time and by kind (an extension; docs/analytics.md)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec.structs import replace
from starlette.responses import Response

from gaugeway.core.analytics import Figures, Group, GroupBy, Point, Question
from gaugeway.core.errors import TooMuchToRead
from gaugeway.core.ports import AnalyticsStore
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.core.timings import RELATIVE_ERROR
from gaugeway.management import envelope
from gaugeway.management.analytics_query import AnalyticsQuery, Span, check_size, too_much
from gaugeway.management.analytics_view import AnalyticsAnswer, show, show_series
from gaugeway.management.freshness import catch_up, refused_logs
from gaugeway.management.parts import Call, Caller, NamedGateway

router = APIRouter(tags=["Analytics"])
ANSWER: dict[int | str, dict[str, Any]] = {200: {"model": AnalyticsAnswer}}
_MANY = (GroupBy.GATEWAY, GroupBy.PROVIDER, GroupBy.MODEL)  # kinds of groups that may be many


@router.get("/analytics", summary="Analytics of an account", responses=ANSWER)
async def account_analytics(call: Caller, query: Annotated[AnalyticsQuery, InQuery()]) -> Response:
    """Figures over the logs of all the account's gateways. Everything logged before this request came counts."""
    span = query.span(call.parts.clock.now_ms())
    messages = await catch_up(call.parts.sink)
    return envelope.result(await asyncio.to_thread(_answer, call, None, query, span), messages)


@router.get("/gateways/{gateway_id}/analytics", summary="Analytics of a gateway", responses=ANSWER)
async def gateway_analytics(
    call: Caller, gateway: NamedGateway, query: Annotated[AnalyticsQuery, InQuery()]
) -> Response:
    """Figures over the logs of one gateway. Everything logged before this request came counts."""
    span = query.span(call.parts.clock.now_ms())
    messages = await catch_up(call.parts.sink)
    messages += await asyncio.to_thread(refused_logs, call.parts.logs, gateway)
    return envelope.result(await asyncio.to_thread(_answer, call, gateway.id, query, span), messages)


def _answer(call: Call, gateway_id: str | None, query: AnalyticsQuery, span: Span) -> dict[str, Any]:
    question = Question(
        account_id=call.account_id,
        gateway_id=gateway_id,
        start_ms=span.start_ms,
        end_ms=span.end_ms,
        bucket=span.bucket,
        group_by=query.grouped_by(),
    )
    try:
        question = _bounded(call.parts.analytics, question, query.top, len(span.starts()))
        figures = call.parts.analytics.answer(question)
    except TooMuchToRead as problem:
        raise too_much(span, problem.most) from problem
    totals: dict[Group, Figures] = {} if question.group_by else {None: Figures()}
    for (_, group), more in figures.items():
        totals.setdefault(group, Figures()).add(more)
    everything = Figures()
    for of_group in totals.values():
        everything.add(of_group)
    return {
        "start": to_rfc3339(span.start_ms),
        "end": to_rfc3339(span.end_ms),
        "bucket": span.bucket.value,
        "group_by": query.group_by,
        "percentile_error": RELATIVE_ERROR,
        "buckets": [{"start": to_rfc3339(low), "end": to_rfc3339(high)} for low, high in span.bounds()],
        "totals": show(everything),
        "series": _series(span, figures, totals, grouped=question.group_by is not None),
    }


def _bounded(store: AnalyticsStore, question: Question, top: int | None, buckets: int) -> Question:
    """The question, about no more groups than can be answered; BadInput where those are too many."""
    if question.group_by not in _MANY:
        return question
    logs = store.groups(question)
    names = sorted((group for group in logs if group is not None), key=lambda group: (-logs[group], str(group)))
    chosen = names[:top]
    check_size(buckets, len(chosen) + (len(chosen) < len(logs)))
    # Named one by one: groups that appear from now on are among the others, and the bound holds
    return replace(question, groups=frozenset(chosen))


def _series(
    span: Span, figures: dict[Point, Figures], totals: dict[Group, Figures], *, grouped: bool
) -> list[dict[str, Any]]:
    """Every group with a point in every bucket: most requests first, the others last."""
    nothing = show(Figures())
    ordered = sorted(totals, key=lambda group: (group is None, -totals[group].requests, str(group)))
    series: list[dict[str, Any]] = []
    for group in ordered:
        found = [figures.get((start, group)) for start in span.starts()]
        points = [nothing if item is None else show(item) for item in found]
        series.append(show_series(group, totals[group], points, other=grouped and group is None))
    return series
