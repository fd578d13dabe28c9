"""`/metrics`: what an account's gateways did, for Prometheus (an extension; docs/metrics.md).

Counted by the store over all processes. It tells names, traffic and costs, so it wants a token that may read them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from fastapi import APIRouter
from starlette.responses import Response

from gaugeway.core.model import Scope
from gaugeway.management.parts import Call, Caller
from gaugeway.management.paths import METRICS_PATH
from gaugeway.management.refusals import NO_QUERY

router = APIRouter(tags=["Metrics"])
FLUSH_TIMEOUT_S = 2.0  # a scrape must be done before Prometheus gives it up (10 s)
PAGE = 100


@router.get(METRICS_PATH, summary="Metrics for Prometheus", dependencies=[NO_QUERY])
async def metrics(call: Caller) -> Response:
    """Text in Prometheus' exposition format. Counters are of the account that the token belongs to."""
    began = time.monotonic()
    durable = await call.parts.sink.flush(timeout_s=FLUSH_TIMEOUT_S)
    took = time.monotonic() - began
    return await asyncio.to_thread(_answer, call, durable=durable, flush_seconds=took)


def _answer(call: Call, *, durable: bool, flush_seconds: float) -> Response:
    from gaugeway.management.exposition import CONTENT_TYPE, Reading, expose  # only who is scraped pays for it

    parts = call.parts
    scopes = list(_gateways(call))
    reading = Reading(
        totals=parts.analytics.totals(call.account_id),
        logs_refused={scope.gateway_id: parts.logs.refused(scope) for scope in scopes},
        evaluations={scope.gateway_id: _unfinished(call, scope) for scope in scopes},
        logs_lost=parts.losses.total(),
        behind=not durable,
        flush_seconds=flush_seconds,
    )
    headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(expose(reading), headers=headers)


def _gateways(call: Call) -> Iterator[Scope]:
    offset = 0
    while page := call.parts.gateways.list(call.account_id, search=None, offset=offset, limit=PAGE).items:
        yield from (gateway.scope for gateway in page)
        offset += len(page)


def _unfinished(call: Call, scope: Scope) -> int:
    """Evaluations that are queued or running."""
    part = call.parts.evaluations.list(scope, name=None, processed=False, search=None, offset=0, limit=1)
    return part.total or 0
