"""Gateways (contract 1.5)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from starlette.responses import Response

from gaugeway.core.errors import Conflict
from gaugeway.core.model import Gateway, Scope
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.envelope import ApiError
from gaugeway.management.freshness import catch_up, catch_up_or_make_room, catch_up_or_refuse
from gaugeway.management.gateway_settings import GatewaySettings, NewGateway
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY, Refused
from gaugeway.management.unenforced import check_enforced
from gaugeway.management.validation import SearchText

router = APIRouter(prefix="/gateways", tags=["Gateways"])


class GatewayList(Paged):
    """The query of a gateway list."""

    search: SearchText = None


def show(gateway: Gateway) -> dict[str, Any]:
    """A gateway as the API shows it."""
    names = [name for name in gateway.__struct_fields__ if name != "account_id"]
    shown: dict[str, Any] = {name: getattr(gateway, name) for name in names}
    shown["created_at"] = to_rfc3339(gateway.created_at)
    shown["modified_at"] = to_rfc3339(gateway.modified_at)
    shown["store_id"] = gateway.store_id or ""
    return shown


@router.get("", summary="List gateways")
def list_gateways(call: Caller, query: Annotated[GatewayList, InQuery()]) -> Response:
    """Newest first; `search` is part of the id."""
    part = call.parts.gateways.list(
        call.account_id, search=query.search or None, offset=query.offset, limit=query.per_page
    )
    return envelope.page([show(item) for item in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Create a gateway", dependencies=[NO_QUERY])
def create_gateway(call: Caller, body: NewGateway) -> Response:
    """The id is the caller's choice and cannot be changed later."""
    gateway = _checked(call, body, body.id, created_at=None)
    try:
        call.parts.gateways.create(gateway)
    except Conflict as problem:
        raise Conflict(f"A gateway with the id '{body.id}' exists already", ("body", "id")) from problem
    return envelope.result(show(gateway))


@router.get("/{gateway_id}", summary="Get a gateway", dependencies=[NO_QUERY])
def get_gateway(gateway: NamedGateway) -> Response:
    """One gateway with all its settings."""
    return envelope.result(show(gateway))


@router.put("/{gateway_id}", summary="Replace a gateway's settings", dependencies=[NO_QUERY])
def replace_gateway(call: Caller, before: NamedGateway, body: GatewaySettings) -> Response:
    """Replaces all of them: an optional setting that is left out returns to its default.

    With `cache_invalidate_on_update`, before or after, the gateway's cached answers are gone.
    """
    gateway = _checked(call, body, before.id, created_at=before.created_at)
    empties = before.cache_invalidate_on_update or gateway.cache_invalidate_on_update
    if empties:  # first, too: a crash half way must not leave answers of before
        call.parts.cache.clear(gateway.scope, call.parts.clock.now_ms())
    call.parts.gateways.replace(gateway)
    if empties:
        call.parts.cache.clear(gateway.scope, call.parts.clock.now_ms())
    return envelope.result(show(gateway))


@router.delete("/{gateway_id}", summary="Delete a gateway", dependencies=[NO_QUERY])
async def delete_gateway(call: Caller, gateway: NamedGateway) -> Response:
    """Deletes it with its datasets, evaluations, logs and cached answers."""
    return envelope.result(show(await _delete(call, gateway.scope)))


async def _delete(call: Call, scope: Scope) -> Gateway:
    # Logs and cached answers go first: a crash half way must not leave them to a later gateway of the same id. And
    # again at the end, for those that were still on their way.
    parts = call.parts
    is_behind = bool(await catch_up_or_make_room(parts.sink))
    await asyncio.to_thread(parts.logs.delete_scope, scope)
    if is_behind:  # there is room now for those that waited, and they must not outlive the gateway
        await catch_up_or_refuse(parts.sink)
        await asyncio.to_thread(parts.logs.delete_scope, scope)
    await asyncio.to_thread(parts.cache.clear, scope, parts.clock.now_ms())
    gateway = await asyncio.to_thread(parts.gateways.delete, scope)
    await catch_up(parts.sink)
    await asyncio.to_thread(parts.logs.delete_scope, scope)
    await asyncio.to_thread(parts.cache.clear, scope, parts.clock.now_ms())
    await asyncio.to_thread(parts.counters.forget, scope)
    await asyncio.to_thread(parts.ledger.forget, scope)
    parts.on_snapshot_changed()  # its snapshots went with it, and their frozen logs are swept now
    return gateway


def _checked(call: Call, body: GatewaySettings, gateway_id: str, created_at: int | None) -> Gateway:
    refused = check_enforced(body) + _check_rate(body)
    if refused:
        raise Refused(refused)
    now = call.parts.clock.now_ms()
    return body.to_gateway(
        call.account_id, gateway_id, created_at=now if created_at is None else created_at, modified_at=now
    )


def _check_rate(body: GatewaySettings) -> list[ApiError]:
    """A limit without an interval would limit nothing, and nobody would notice."""
    if not body.rate_limiting_limit or body.rate_limiting_interval:
        return []
    message = (
        "rate_limiting_interval: a rate_limiting_limit needs an interval of at least 1 second; send 0 for no limit"
    )
    return [ApiError(400, envelope.INVALID, message, ("body", "rate_limiting_interval"))]
