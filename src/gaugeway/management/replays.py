"""Replays: logged requests sent again to other models, beside what was logged (an extension; docs/replay.md)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec import structs
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import Dataset, Gateway
from gaugeway.core.replays import (
    MAX_COST,
    MAX_REPLAYED,
    Forecast,
    Replay,
    ReplayStatus,
)
from gaugeway.core.snapshots import SnapshotRef, reference
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
from gaugeway.management.replay_view import show, show_forecast
from gaugeway.management.validation import Body, Identifier, read_cap

router = APIRouter(prefix="/gateways/{gateway_id}/replays", tags=["Replays"])


class ReplayBody(TrialBody):
    """The body of POST."""

    dataset_id: Identifier | None = Field(
        None, description="The logs that this dataset selects now; or snapshot_id."
    )
    snapshot_id: Identifier | None = Field(None, description="The frozen logs of a snapshot.")
    max_cost: Annotated[float, Field(gt=0, le=MAX_COST)] = Field(
        description="Dollars that the candidates' calls never pass."
    )
    max_items: Annotated[int, Field(ge=1, le=MAX_REPLAYED)] = MAX_REPLAYED


class RetryBody(Body):
    """The body of retry and resume."""

    max_cost: Annotated[float, Field(gt=0, le=MAX_COST)] | None = Field(
        None, description="A new cap for the whole replay, what was spent included."
    )


class ReplayList(Paged):
    """The query of a list of replays."""

    name: str | None = None
    processed: bool | None = None


@router.get("", summary="List replays")
def list_replays(call: Caller, gateway: NamedGateway, query: Annotated[ReplayList, InQuery()]) -> Response:
    """Newest first."""
    part = call.parts.replays.list(
        gateway.scope, name=query.name, processed=query.processed, offset=query.offset, limit=query.per_page
    )
    return envelope.page([show(call, item) for item in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Create a replay, and run it", dependencies=[NO_QUERY])
async def create_replay(call: Caller, gateway: NamedGateway, body: ReplayBody) -> Response:
    """Forecasts, then answers at once; the calls are made from now on. A price that is not known is refused."""
    replay = await run_in_threadpool(_prepare, call, gateway, body)
    forecast = await call.parts.forecast_replay(replay)
    await check_prices(call, replay, forecast.candidates, more_will_come=False)
    replay = structs.replace(replay, forecast=forecast)
    try:
        await run_in_threadpool(call.parts.replays.create, replay)
    except Conflict as problem:
        message = f"This gateway has a replay named '{body.name}' already"
        raise Conflict(message, ("body", "name")) from problem
    call.parts.on_replay_created()
    return envelope.result(await run_in_threadpool(show, call, replay))


@router.post("/forecast", summary="Forecast what a replay would cost", dependencies=[NO_QUERY])
async def forecast_replay(call: Caller, gateway: NamedGateway, body: ReplayBody) -> Response:
    """The body is that of a creation; nothing is created, and nothing sent."""
    replay = await run_in_threadpool(_prepare, call, gateway, body)
    forecast: Forecast = await call.parts.forecast_replay(replay)
    return envelope.result(show_forecast(forecast, replay))


@router.get("/{replay_id}", summary="Get a replay", dependencies=[NO_QUERY])
def get_replay(call: Caller, gateway: NamedGateway, replay_id: str) -> Response:
    """How it stands; once it is completed, with its verdicts."""
    return envelope.result(show(call, _find(call, gateway, replay_id)))


@router.get("/{replay_id}/items", summary="List a replay's items")
def list_items(
    call: Caller, gateway: NamedGateway, replay_id: str, query: Annotated[ItemList, InQuery()]
) -> Response:
    """Each logged request with its answer, and each candidate's; in the order in which they are sent."""
    replay = _find(call, gateway, replay_id)
    return items_page(call, replay, partial(call.parts.replays.items, replay), query)


@router.post("/{replay_id}/cancel", summary="Cancel a replay", dependencies=[NO_QUERY])
def cancel_replay(call: Caller, gateway: NamedGateway, replay_id: str) -> Response:
    """Sends nothing more; calls that are under way are broken off. `resume` goes on where it was."""

    def cancelled(replay: Replay) -> Replay:
        if replay.processed:
            raise Conflict("This replay has ended already: there is nothing to cancel", _ID)
        return structs.replace(replay, status=ReplayStatus.CANCELLED, status_description="cancelled")

    return _change(call, gateway, replay_id, cancelled)


@router.post("/{replay_id}/resume", summary="Resume a cancelled replay", dependencies=[NO_QUERY])
def resume_replay(call: Caller, gateway: NamedGateway, replay_id: str, body: RetryBody | None = None) -> Response:
    """Goes on where it was cancelled; what was answered is not paid again."""

    def resumed(replay: Replay) -> Replay:
        if replay.status is not ReplayStatus.CANCELLED:
            raise Conflict("This replay is not cancelled", _ID)
        return _queued(replay, "queued again: resumed", body)

    return _change(call, gateway, replay_id, resumed)


@router.post("/{replay_id}/retry", summary="Retry a replay's failures", dependencies=[NO_QUERY])
def retry_replay(call: Caller, gateway: NamedGateway, replay_id: str, body: RetryBody | None = None) -> Response:
    """Sends again what failed, and judges again what an evaluator failed on. Answers that are there stay."""

    def retried(replay: Replay) -> Replay:
        if not replay.processed:
            raise Conflict("This replay has not ended yet; cancel it or wait", _ID)
        return _queued(replay, "queued again: failures are retried", body)

    return _change(call, gateway, replay_id, retried, forget_failures=True)


@router.delete("/{replay_id}", summary="Delete a replay", dependencies=[NO_QUERY])
def delete_replay(call: Caller, gateway: NamedGateway, replay_id: str) -> Response:
    """Deletes it with its items; one that is running stops. The logs of its calls stay."""
    return envelope.result(show(call, call.parts.replays.delete(gateway.scope, replay_id)))


_ID = ("params", "replay_id")


def _queued(replay: Replay, why: str, body: RetryBody | None) -> Replay:
    changed = structs.replace(replay, status=ReplayStatus.QUEUED, status_description=why, comparison=None)
    if body is not None and body.max_cost is not None:
        changed = structs.replace(changed, max_cost=read_cap(body.max_cost, ("body", "max_cost")))
    return changed


def _change(
    call: Call, gateway: Gateway, replay_id: str, change: Any, *, forget_failures: bool = False
) -> Response:
    now = call.parts.clock.now_ms()

    def stamped(replay: Replay) -> Replay:
        return structs.replace(change(replay), modified_at=max(replay.modified_at, now))

    replay = call.parts.replays.change(gateway.scope, replay_id, stamped, forget_failures=forget_failures)
    call.parts.on_replay_created()
    return envelope.result(show(call, replay))


def _find(call: Call, gateway: Gateway, replay_id: str) -> Replay:
    replay = call.parts.replays.get(gateway.scope, replay_id)
    if replay is None:
        raise NotFound(f"there is no replay {replay_id!r}")
    return replay


# --- from the body to a replay ----------------------------------------------------------------------------


def _prepare(call: Call, gateway: Gateway, body: ReplayBody) -> Replay:
    """What the body asks for, checked."""
    dataset, snapshot = _dataset(call, gateway, body)
    check_through(call, gateway, body.through)
    candidates = read_candidates(body.candidates)
    judged = read_judged(call, gateway, body.evaluation_type_ids)
    identifier = call.parts.new_id()
    now = max(call.parts.clock.now_ms(), ids.time_ms(ids.from_text(identifier) or bytes(16)))
    return Replay(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=identifier,
        name=body.name,
        created_at=now,
        modified_at=now,
        dataset=dataset,
        snapshot=snapshot,
        through=body.through,
        candidates=candidates,
        judged=judged,
        margins=read_margins(body.margins, body.evaluation_type_ids),
        max_cost=read_cap(body.max_cost, ("body", "max_cost")),
        max_items=body.max_items,
        concurrency=body.concurrency,
        accept_unknown_cost=body.accept_unknown_cost,
    )


def _dataset(call: Call, gateway: Gateway, body: ReplayBody) -> tuple[Dataset, SnapshotRef | None]:
    if (body.dataset_id is None) == (body.snapshot_id is None):
        raise BadInput("Name either a dataset or a snapshot", ("body", "dataset_id"))
    if body.snapshot_id is not None:
        snapshot = call.parts.snapshots.get(gateway.scope, body.snapshot_id)
        if snapshot is None:
            raise BadInput("This gateway has no snapshot with that id", ("body", "snapshot_id"))
        if not snapshot.is_ready:
            raise BadInput(f"The snapshot '{snapshot.name}' is not ready", ("body", "snapshot_id"))
        return snapshot.dataset, reference(snapshot)
    return find_enabled(call, gateway, body.dataset_id or ""), None
