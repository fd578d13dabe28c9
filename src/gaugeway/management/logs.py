"""Logs (contract 1.8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request
from fastapi import Query as InQuery
from pydantic import AfterValidator, Field
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.model import Bodies, Gateway, LogRecord
from gaugeway.core.ports import Extremes, LogChange
from gaugeway.core.query import Slice, Where
from gaugeway.management import envelope
from gaugeway.management.body_searches import ask
from gaugeway.management.envelope import UNKNOWN_BODY, UNKNOWN_META
from gaugeway.management.freshness import catch_up, catch_up_or_make_room, refused_logs
from gaugeway.management.log_bodies import give_back
from gaugeway.management.log_query import LogDeletion, LogList, where_of
from gaugeway.management.log_view import show, show_detail, show_extremes
from gaugeway.management.paging import result_info
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body, metadata_value

COUNT_BUDGET_MS = 25  # what finding out a list's length may cost, unless the caller insists
META_BUDGET_MS = 250  # and its lowest and highest figures: some million logs
NO_META: dict[str, Any] = {
    "code": UNKNOWN_META,
    "message": "meta_info is null: there are too many logs to look through on the way. count=exact insists",
}
UNKNOWN_BODIES: dict[str, Any] = {
    "code": UNKNOWN_BODY,
    "message": "Logs without a kept body match neither contains nor not_contains, and of a body that was cut only"
    ' the beginning was looked at. {"none_of": [contains, not_contains]} of the same texts lists those not known',
}
MAX_METADATA = 64  # entries

router = APIRouter(prefix="/gateways/{gateway_id}/logs", tags=["Logs"])
T = TypeVar("T")


def _thumb(value: float | None) -> float | None:
    if value not in (None, -1, 0, 1):
        raise ValueError("Expected -1, 0 or 1")
    return value


MetadataKey = Annotated[str, Field(min_length=1, max_length=256)]


class LogEdit(Body):
    """The body of PATCH: what is left out stays, null clears."""

    feedback: Annotated[float | None, AfterValidator(_thumb)] = Field(None, description="-1, 0 or 1")
    score: Annotated[float, Field(ge=0, le=100)] | None = None
    metadata: (
        Annotated[dict[MetadataKey, Annotated[Any, AfterValidator(metadata_value)]], Field(max_length=MAX_METADATA)]
        | None
    ) = Field(None, description="Takes the place of all the metadata there is.")

    def to_change(self) -> LogChange:
        """The change as the store knows it; a feedback of 0 is none."""
        return LogChange(
            fields=frozenset(self.model_fields_set),
            feedback=int(self.feedback) if self.feedback else None,
            score=self.score,
            metadata=self.metadata,
        )


@router.get("", summary="List logs")
async def list_logs(
    request: Request, call: Caller, gateway: NamedGateway, query: Annotated[LogList, InQuery()]
) -> Response:
    """Newest first unless ordered otherwise. Everything logged before this request came is in it."""
    where = where_of(request.query_params.multi_items(), query)
    part = Slice(
        offset=(query.page - 1) * query.per_page,
        limit=query.per_page,
        order_by=query.order_by,
        descending=query.descending,
    )
    messages = await catch_up(call.parts.sink)
    items, info = await ask(where, _read_page, call, gateway, query, where, part)
    messages += await asyncio.to_thread(refused_logs, call.parts.logs, gateway)
    if where.reads_bodies:
        messages.append(UNKNOWN_BODIES)
    if query.meta_info:
        extremes = await ask(where, _read_extremes, call, gateway, query, where)
        info |= show_extremes(extremes or Extremes())
        messages += [] if extremes else [NO_META]
    return envelope.page(items, info, messages)


def _read_page(
    call: Call, gateway: Gateway, query: LogList, where: Where, part: Slice
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    logs, scope = call.parts.logs, gateway.scope
    budget = None if query.count == "exact" else COUNT_BUDGET_MS
    total = logs.count(scope, where, budget_ms=budget)
    beyond = total is not None and part.offset >= total
    items = [] if beyond else [show(log) for log in logs.page(scope, where, part)]
    return items, result_info(query.page, query.per_page, len(items), total)


def _read_extremes(call: Call, gateway: Gateway, query: LogList, where: Where) -> Extremes | None:
    budget = None if query.count == "exact" else META_BUDGET_MS
    return call.parts.logs.extremes(gateway.scope, where, budget_ms=budget)


@router.delete("", summary="Delete logs")
async def delete_logs(
    request: Request, call: Caller, gateway: NamedGateway, query: Annotated[LogDeletion, InQuery()]
) -> Response:
    """Deletes the first `limit` logs that match, with their bodies; all logs match where there is no filter.

    Where the disk is full, logs that could not be written yet survive it, and `messages` says so.
    """
    if (await request.body()).strip() not in (b"", b"{}"):
        # Filters in a body, passed over, would delete everything
        raise BadInput("This operation takes its filters from the query string, not from a body", ("body",))
    where = where_of(request.query_params.multi_items())
    descending = query.order_by_direction == "desc"
    part = Slice(limit=query.limit, order_by=query.order_by, descending=descending)
    messages = await catch_up_or_make_room(call.parts.sink)
    await ask(where, call.parts.logs.delete, gateway.scope, where, part)
    return envelope.respond({"success": True} | ({"messages": messages} if messages else {}))


@router.get("/{log_id}", summary="Get a log", dependencies=[NO_QUERY])
async def get_log(call: Caller, gateway: NamedGateway, log_id: str) -> Response:
    """One log with the beginnings of its bodies."""
    log, bodies = await _find_with_bodies(call, gateway, log_id)
    return envelope.result(show_detail(log, bodies))


@router.patch("/{log_id}", summary="Give feedback on a log", dependencies=[NO_QUERY])
async def edit_log(call: Caller, gateway: NamedGateway, log_id: str, body: LogEdit) -> Response:
    """Sets feedback, score and metadata."""
    change = body.to_change()

    def patch(identifier: bytes) -> bool | None:
        return call.parts.logs.patch(gateway.scope, identifier, change) or None

    await _at_once_or_later(call, log_id, patch)
    return envelope.result({})


@router.get("/{log_id}/request", summary="Get a log's request body", dependencies=[NO_QUERY])
async def get_request_body(call: Caller, gateway: NamedGateway, log_id: str) -> Response:
    """The body as the client sent it, without an envelope."""
    log, bodies = await _find_with_bodies(call, gateway, log_id)
    if bodies is None or bodies.request is None:
        raise NotFound(_no_body(log, "request"))
    name = f"{ids.to_text(log.id)}-request"
    return give_back(bodies.request, log.request_content_type, name, complete=not bodies.request_cut)


@router.get("/{log_id}/response", summary="Get a log's response body", dependencies=[NO_QUERY])
async def get_response_body(call: Caller, gateway: NamedGateway, log_id: str) -> Response:
    """The body as the client got it, without an envelope."""
    log, bodies = await _find_with_bodies(call, gateway, log_id)
    if bodies is None or bodies.response is None:
        raise NotFound(_no_body(log, "response"))
    name = f"{ids.to_text(log.id)}-response"
    return give_back(bodies.response, log.response_content_type, name, complete=not bodies.response_cut)


def _no_body(log: LogRecord, which: str) -> str:
    why = "it was lost, because the log writer was behind" if log.bodies_lost else "it was not collected"
    return f"this log has no {which} body; {why}"


async def _find_with_bodies(call: Call, gateway: Gateway, log_id: str) -> tuple[LogRecord, Bodies | None]:
    logs, scope = call.parts.logs, gateway.scope

    def read(identifier: bytes) -> tuple[LogRecord, Bodies | None] | None:
        log = logs.get(scope, identifier)
        return None if log is None else (log, logs.bodies(scope, identifier))

    return await _at_once_or_later(call, log_id, read)


async def _at_once_or_later(call: Call, log_id: str, attempt: Callable[[bytes], T | None]) -> T:
    """What `attempt` gives; where that is None, once more after everything logged so far was written."""
    identifier = ids.from_text(log_id)
    if identifier is None:
        raise NotFound(f"there is no log {log_id!r}")
    found = await asyncio.to_thread(attempt, identifier)
    if found is None:
        await catch_up(call.parts.sink)
        found = await asyncio.to_thread(attempt, identifier)
    if found is None:
        raise NotFound(f"there is no log {log_id!r}")
    return found
