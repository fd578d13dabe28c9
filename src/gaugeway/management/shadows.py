"""Shadows: a share of live requests is also sent to other models (an extension; docs/shadowing.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec import structs
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gaugeway.core import ids, timestamps
from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import Gateway
from gaugeway.core.replays import MAX_COST, ReplayStatus
from gaugeway.core.shadows import DAY_S, MAX_CALLED, MAX_DAYS, MIN_SHARE, USUAL_CALLED, USUAL_DAYS, Shadow
from gaugeway.management import envelope
from gaugeway.management.candidates import (
    ItemList,
    TrialBody,
    check_prices,
    check_through,
    items_page,
    read_candidates,
    read_judged,
    read_margins,
)
from gaugeway.management.datasets import find_enabled
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.shadow_view import show, show_forecast
from gaugeway.management.validation import Body, Identifier, read_cap

router = APIRouter(prefix="/gateways/{gateway_id}/shadows", tags=["Shadows"])


DailyCap = Annotated[
    float, Field(gt=0, le=MAX_COST, description="Dollars that the candidates' calls never pass in a day of UTC.")
]
Moment = Annotated[str, Field(max_length=64)]
MaxItems = Annotated[int, Field(ge=1, le=MAX_CALLED, description="It ends when so many requests were sent.")]
_ID = ("params", "shadow_id")


class ShadowBody(TrialBody):
    """The body of POST."""

    dataset_id: Identifier | None = Field(
        None, description="Only requests whose logs this dataset selects, as it is now. Default: all."
    )
    share: Annotated[float, Field(ge=MIN_SHARE, le=100)] = Field(
        description="Per cent of the requests that are sent, by lot."
    )
    daily_cap: DailyCap
    until: Moment | None = Field(
        None, description=f"Requests that arrive before this moment count. Default: {USUAL_DAYS} days from now."
    )
    max_items: MaxItems = USUAL_CALLED


class ResumeBody(Body):
    """The body of resume: what is not named stays as it was."""

    daily_cap: DailyCap | None = None
    until: Moment | None = None
    max_items: MaxItems | None = None


class ShadowList(Paged):
    """The query of a list of shadows."""

    name: str | None = None
    processed: bool | None = None


@router.get("", summary="List shadows")
def list_shadows(call: Caller, gateway: NamedGateway, query: Annotated[ShadowList, InQuery()]) -> Response:
    """Newest first."""
    part = call.parts.shadows.list(
        gateway.scope, name=query.name, processed=query.processed, offset=query.offset, limit=query.per_page
    )
    return envelope.page([show(call, item) for item in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Create a shadow, and begin", dependencies=[NO_QUERY])
async def create_shadow(call: Caller, gateway: NamedGateway, body: ShadowBody) -> Response:
    """Forecasts, then answers at once: requests that arrive from now on count. An unknown price is refused."""
    shadow = await run_in_threadpool(_prepare, call, gateway, body)
    forecast = await call.parts.forecast_shadow(shadow)
    await check_prices(call, shadow, forecast.candidates, more_will_come=True)
    shadow = structs.replace(_from_now_on(call, shadow), forecast=forecast)
    await run_in_threadpool(call.parts.shadows.create, shadow)
    call.parts.on_shadow_changed()
    return envelope.result(await run_in_threadpool(show, call, shadow))


@router.post("/forecast", summary="Forecast what a shadow would cost in a day", dependencies=[NO_QUERY])
async def forecast_shadow(call: Caller, gateway: NamedGateway, body: ShadowBody) -> Response:
    """The body is that of a creation; nothing is created, and nothing sent."""
    shadow = await run_in_threadpool(_prepare, call, gateway, body)
    return envelope.result(show_forecast(await call.parts.forecast_shadow(shadow), shadow))


@router.get("/{shadow_id}", summary="Get a shadow", dependencies=[NO_QUERY])
def get_shadow(call: Caller, gateway: NamedGateway, shadow_id: str) -> Response:
    """How it stands, with the verdicts over what was compared so far."""
    return envelope.result(show(call, _find(call, gateway, shadow_id)))


@router.get("/{shadow_id}/items", summary="List a shadow's items")
def list_items(
    call: Caller, gateway: NamedGateway, shadow_id: str, query: Annotated[ItemList, InQuery()]
) -> Response:
    """Each request that was called: what was logged, and each candidate's answer. Oldest first."""
    shadow = _find(call, gateway, shadow_id)
    return items_page(call, shadow, partial(call.parts.shadows.items, shadow), query)


@router.post("/{shadow_id}/stop", summary="Stop a shadow", dependencies=[NO_QUERY])
def stop_shadow(call: Caller, gateway: NamedGateway, shadow_id: str) -> Response:
    """Sends nothing more, and concludes; calls that are under way are broken off."""
    now = call.parts.clock.now_ms()

    def stopped(shadow: Shadow) -> Shadow:
        if shadow.processed or shadow.stopped_at is not None:
            raise Conflict("This shadow has ended already", _ID)
        return structs.replace(
            shadow,
            stopped_at=max(now, shadow.created_at),
            modified_at=max(shadow.modified_at, now),
            paused_until=None,
            status=ReplayStatus.QUEUED,
            status_description="stopping",
        )

    shadow = call.parts.shadows.change(gateway.scope, shadow_id, stopped)
    call.parts.on_shadow_changed()
    return envelope.result(show(call, shadow))


@router.post("/{shadow_id}/resume", summary="Resume a shadow", dependencies=[NO_QUERY])
def resume_shadow(call: Caller, gateway: NamedGateway, shadow_id: str, body: ResumeBody | None = None) -> Response:
    """One that has ended goes on: requests that arrive from now on count, and what was called stays."""
    called = call.parts.shadows.counts(_find(call, gateway, shadow_id)).called
    now, asked = call.parts.clock.now_ms(), body or ResumeBody()
    cap = None if asked.daily_cap is None else read_cap(asked.daily_cap, ("body", "daily_cap"))
    wanted_until = None if asked.until is None else _until(asked.until, now)

    def resumed(shadow: Shadow) -> Shadow:
        if not shadow.processed:
            raise Conflict("This shadow has not ended: there is nothing to resume", _ID)
        until, most = wanted_until or shadow.until, asked.max_items or shadow.max_items
        if until <= now:
            raise Conflict("Its time is over: name another until", ("body", "until"))
        if called >= most:
            raise Conflict(f"{most} requests were sent already: name a higher max_items", ("body", "max_items"))
        return structs.replace(
            shadow,
            daily_cap=shadow.daily_cap if cap is None else cap,
            until=until,
            max_items=most,
            stopped_at=None,
            paused_until=None,
            modified_at=max(shadow.modified_at, now),
            status=ReplayStatus.QUEUED,
            status_description="queued again: resumed",
        )

    shadow = call.parts.shadows.resume(gateway.scope, shadow_id, resumed, now)
    call.parts.on_shadow_changed()
    return envelope.result(show(call, shadow))


@router.delete("/{shadow_id}", summary="Delete a shadow", dependencies=[NO_QUERY])
def delete_shadow(call: Caller, gateway: NamedGateway, shadow_id: str) -> Response:
    """Deletes it with its items; one that is running stops. The logs of its calls stay."""
    shadow = _find(call, gateway, shadow_id)
    shown = show(call, shadow)
    call.parts.shadows.delete(gateway.scope, shadow_id)
    return envelope.result(shown)


def _find(call: Call, gateway: Gateway, shadow_id: str) -> Shadow:
    shadow = call.parts.shadows.get(gateway.scope, shadow_id)
    if shadow is None:
        raise NotFound(f"there is no shadow {shadow_id!r}")
    return shadow


# --- from the body to a shadow ----------------------------------------------------------------------------


def _prepare(call: Call, gateway: Gateway, body: ShadowBody) -> Shadow:
    """What the body asks for, checked."""
    dataset = None if body.dataset_id is None else find_enabled(call, gateway, body.dataset_id)
    check_through(call, gateway, body.through)
    candidates = read_candidates(body.candidates)
    judged = read_judged(call, gateway, body.evaluation_type_ids)
    margins = read_margins(body.margins, body.evaluation_type_ids)
    identifier = call.parts.new_id()
    now = max(call.parts.clock.now_ms(), ids.time_ms(ids.from_text(identifier) or bytes(16)))
    return Shadow(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=identifier,
        name=body.name,
        created_at=now,
        modified_at=now,
        dataset=dataset,
        through=body.through,
        candidates=candidates,
        judged=judged,
        margins=margins,
        share=Decimal(repr(body.share)),
        daily_cap=read_cap(body.daily_cap, ("body", "daily_cap")),
        max_items=body.max_items,
        until=_until(body.until, now),
        concurrency=body.concurrency,
        accept_unknown_cost=body.accept_unknown_cost,
    )


def _from_now_on(call: Call, shadow: Shadow) -> Shadow:
    """Forecasting has taken a while: requests that arrived meanwhile came before its creation was answered."""
    now = max(call.parts.clock.now_ms(), shadow.created_at)
    if shadow.until <= now:
        raise BadInput("This moment is past", ("body", "until"))
    return structs.replace(shadow, created_at=now, modified_at=now)


def _until(text: str | None, now: int) -> int:
    if text is None:
        return now + USUAL_DAYS * DAY_S * 1000
    until = timestamps.from_rfc3339(text)
    if until is None:
        example = datetime.fromtimestamp(now // 1000 + DAY_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise BadInput(f"Expected an RFC 3339 time, e.g. {example}", ("body", "until"))
    if not now < until <= now + MAX_DAYS * DAY_S * 1000:
        raise BadInput(f"Expected a time within the next {MAX_DAYS} days", ("body", "until"))
    return until
