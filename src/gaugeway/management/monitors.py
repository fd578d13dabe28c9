"""Monitors: live traffic evaluated window by window, with alerts (an extension; docs/monitoring.md)."""

from __future__ import annotations

import base64
import secrets
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec import structs
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.comparisons import Margin
from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.judging import MAX_CAP, ModelScorer
from gaugeway.core.model import Dataset, Gateway, RawCriterion
from gaugeway.core.monitors import (
    MAX_INTERVAL,
    MAX_REFERENCE,
    MAX_SETTLE,
    Monitor,
    Rule,
    first_due,
)
from gaugeway.core.query import parse_all, parse_grouping
from gaugeway.core.replays import Judged
from gaugeway.core.samples import ItemEvaluator
from gaugeway.management import envelope
from gaugeway.management.base_urls import check_url
from gaugeway.management.comparisons import MarginBody
from gaugeway.management.evaluations import MAX_DATASETS, choose_datasets, choose_types
from gaugeway.management.filters import CriterionBody
from gaugeway.management.monitor_view import show, show_notice, show_window
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body, Identifier, Name, read_cap

router = APIRouter(prefix="/gateways/{gateway_id}/monitors", tags=["Monitors"])
MAX_TYPES = 20
SECRET_BYTES = 32
_ID = ("params", "monitor_id")


class WebhookBody(Body):
    """Who is told, by a signed POST request."""

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    secret: Annotated[str, Field(min_length=16, max_length=256)] | None = Field(
        None, description="What signs. Default: the one it has; a new one is made and shown once."
    )


class MonitorBody(Body):
    """The body of POST, and of PUT, which replaces all of it."""

    name: Name
    enabled: bool = True
    dataset_ids: Annotated[list[Identifier], Field(max_length=MAX_DATASETS)] = Field(
        default_factory=list[str], description="Which logs; as these datasets are now."
    )
    filters: list[CriterionBody] = Field(
        default_factory=list[CriterionBody], description="Or: logs that match all of these. Neither: all logs."
    )
    evaluation_type_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_TYPES)]
    interval_minutes: Annotated[int, Field(ge=1, le=MAX_INTERVAL)] = Field(
        description="Windows end at its multiples, counted from 1970-01-01T00:00Z: 60 is every full hour of UTC."
    )
    settle_seconds: Annotated[int, Field(ge=0, le=MAX_SETTLE)] = Field(
        60, description="A window is evaluated so long after its end: requests end, people give feedback."
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="Of a window's logs, for evaluation types that look at each."
    )
    max_items: Annotated[int, Field(ge=1, le=250_000)] | None = Field(
        None, description="And how many logs of a window these look at, at most."
    )
    daily_max_cost: Annotated[float, Field(gt=0, le=MAX_CAP)] | None = Field(
        None, description="Dollars that all its judges may spend in a day of UTC; never passed."
    )
    cluster_by: str | None = Field(
        None,
        description="Logs with the same metadata.KEY, model or provider are alike: windows are compared by these.",
    )
    reference_windows: Annotated[int, Field(ge=1, le=MAX_REFERENCE)] = Field(
        7, description="A window is compared with so many before it, together."
    )
    baseline_evaluation_id: Identifier | None = Field(None, description="An evaluation in their place.")
    min_logs: Annotated[int, Field(ge=2, le=1_000_000)] = Field(
        30, description="With a figure, on both sides; with fewer nothing is compared."
    )
    weekly_alpha: Annotated[float, Field(ge=1e-6, le=0.5)] = Field(
        0.05, description="The chance of any false alarm in a week; each look has its part of it."
    )
    margins: dict[str, MarginBody] = Field(
        default_factory=dict[str, MarginBody], max_length=MAX_TYPES, description="How much worse is no alert."
    )
    webhook: WebhookBody | None = None
    notify_on_failure: bool = Field(
        False,
        description="Also tell of windows without logs, failed evaluations, caps reached and a baseline deleted.",
    )
    keep_windows: Annotated[int, Field(ge=MAX_REFERENCE + 1, le=100_000)] = Field(
        1000, description="Older windows go, with their evaluations."
    )


class MonitorList(Paged):
    """The query of a list of monitors."""

    name: str | None = None


class PartList(Paged):
    """The query of a list of a monitor's windows or notices."""


@router.get("", summary="List monitors")
def list_monitors(call: Caller, gateway: NamedGateway, query: Annotated[MonitorList, InQuery()]) -> Response:
    """Newest first."""
    part = call.parts.monitors.list(gateway.scope, name=query.name, offset=query.offset, limit=query.per_page)
    return envelope.page([show(call, item) for item in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Create a monitor", dependencies=[NO_QUERY])
def create_monitor(call: Caller, gateway: NamedGateway, body: MonitorBody) -> Response:
    """Counts logs from now on; the first window ends at the next multiple of its interval."""
    monitor = _prepare(call, gateway, body, None)
    secret = _secret(body, None)
    call.parts.monitors.create(monitor, secret or "")
    call.parts.on_monitor_changed()
    return envelope.result(show(call, monitor, secret))


@router.get("/{monitor_id}", summary="Get a monitor", dependencies=[NO_QUERY])
def get_monitor(call: Caller, gateway: NamedGateway, monitor_id: str) -> Response:
    """What is watched, and how far it is."""
    return envelope.result(show(call, _find(call, gateway, monitor_id)))


@router.put("/{monitor_id}", summary="Replace a monitor", dependencies=[NO_QUERY])
def replace_monitor(call: Caller, gateway: NamedGateway, monitor_id: str, body: MonitorBody) -> Response:
    """Where other logs or types are measured from now on, the windows before are no reference any more."""
    before = _find(call, gateway, monitor_id)
    wanted = _prepare(call, gateway, body, before)
    secret = _secret(body, before)

    def changed(kept: Monitor) -> Monitor:
        return _merged(kept, wanted, call.parts.clock.now_ms())

    if body.webhook is None:
        secret = ""
    monitor = call.parts.monitors.change(gateway.scope, monitor_id, changed, secret)
    call.parts.on_monitor_changed()
    return envelope.result(show(call, monitor, secret or None))


@router.post("/{monitor_id}/run", summary="Make a window now", dependencies=[NO_QUERY])
def run_monitor(call: Caller, gateway: NamedGateway, monitor_id: str) -> Response:
    """Of the logs since the last one up to now, after the one that is under way. The next one begins there."""
    now = call.parts.clock.now_ms()

    def asked(monitor: Monitor) -> Monitor:
        if not monitor.enabled:
            raise Conflict("This monitor is not enabled: set its enabled to true first", _ID)
        return structs.replace(monitor, is_asked=True, due_at=max(now, monitor.counted_until + 1))

    monitor = call.parts.monitors.change(gateway.scope, monitor_id, asked)
    call.parts.on_monitor_changed()
    return envelope.result(show(call, monitor))


@router.get("/{monitor_id}/windows", summary="List a monitor's windows")
def list_windows(
    call: Caller, gateway: NamedGateway, monitor_id: str, query: Annotated[PartList, InQuery()]
) -> Response:
    """Newest first, each with what it says of every evaluation type."""
    monitor = _find(call, gateway, monitor_id)
    part = call.parts.monitors.windows(monitor, offset=query.offset, limit=query.per_page)
    return envelope.page([show_window(item) for item in part.items], query.info(len(part.items), part.total))


@router.get("/{monitor_id}/notices", summary="List a monitor's notices")
def list_notices(
    call: Caller, gateway: NamedGateway, monitor_id: str, query: Annotated[PartList, InQuery()]
) -> Response:
    """Newest first: what was told, and every try at delivering it."""
    monitor = _find(call, gateway, monitor_id)
    part = call.parts.monitors.notices(monitor, offset=query.offset, limit=query.per_page)
    return envelope.page([show_notice(item) for item in part.items], query.info(len(part.items), part.total))


@router.delete("/{monitor_id}", summary="Delete a monitor", dependencies=[NO_QUERY])
def delete_monitor(call: Caller, gateway: NamedGateway, monitor_id: str) -> Response:
    """Deletes it with its windows, and notices that were not delivered. Its evaluations stay."""
    return envelope.result(show(call, call.parts.monitors.delete(gateway.scope, monitor_id)))


def _find(call: Call, gateway: Gateway, monitor_id: str) -> Monitor:
    monitor = call.parts.monitors.get(gateway.scope, monitor_id)
    if monitor is None:
        raise NotFound(f"there is no monitor {monitor_id!r}")
    return monitor


# --- from the body to a monitor ---------------------------------------------------------------------------


def _prepare(call: Call, gateway: Gateway, body: MonitorBody, before: Monitor | None) -> Monitor:
    """What the body asks for, checked."""
    if body.webhook is not None:
        _check_webhook(call, body.webhook)
    types = tuple(
        Judged(
            evaluation_type_id=type_id,
            evaluator_id="" if custom is None else custom.evaluator_id,
            parameters={} if custom is None else custom.parameters,
        )
        for type_id, custom in zip(
            body.evaluation_type_ids, choose_types(call, gateway, body.evaluation_type_ids), strict=True
        )
    )
    _check_money(call, body, types)
    _check_baseline(call, gateway, body, types)
    for type_id in body.margins:
        if type_id not in body.evaluation_type_ids:
            raise BadInput("This evaluation type is not among evaluation_type_ids", ("body", "margins", type_id))
    now, cap = call.parts.clock.now_ms(), body.daily_max_cost
    monitor = Monitor(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=call.parts.new_id() if before is None else before.id,
        name=body.name,
        created_at=now,
        modified_at=now,
        enabled=body.enabled,
        interval_minutes=body.interval_minutes,
        settle_seconds=body.settle_seconds,
        datasets=_datasets(call, gateway, body, now),
        types=types,
        share=body.share,
        max_items=body.max_items,
        daily_max_cost=None if cap is None else read_cap(cap, ("body", "daily_max_cost")),
        cluster_by="" if body.cluster_by is None else str(parse_grouping(body.cluster_by, ("body", "cluster_by"))),
        rule=Rule(
            reference_windows=body.reference_windows,
            baseline_id=body.baseline_evaluation_id,
            min_logs=body.min_logs,
            weekly_alpha=body.weekly_alpha,
            margins={
                type_id: Margin(Decimal(repr(margin.amount)), margin.unit == "percent")
                for type_id, margin in body.margins.items()
            },
        ),
        webhook_url="" if body.webhook is None else body.webhook.url,
        notify_on_failure=body.notify_on_failure,
        keep_windows=body.keep_windows,
        counted_until=now,
    )
    return structs.replace(monitor, due_at=first_due(monitor) if monitor.enabled else None)


def _merged(kept: Monitor, wanted: Monitor, now_ms: int) -> Monitor:
    """The monitor as it is wanted, as far as it was. A first webhook is told of what is raised and lasts."""
    same = _measured(kept) == _measured(wanted)
    began = wanted.enabled and not kept.enabled  # what passed meanwhile is in no window
    counted = now_ms if began else kept.counted_until
    merged = structs.replace(
        wanted,
        created_at=kept.created_at,
        datasets=kept.datasets if same else wanted.datasets,
        revision=kept.revision + (not same),
        counted_until=counted,
        is_asked=kept.is_asked and wanted.enabled,
        open_window=kept.open_window,
        open_evaluation=kept.open_evaluation,
        raised=kept.raised if same and (kept.webhook_url or not wanted.webhook_url) else (),
    )
    due = first_due(merged) if merged.enabled else None
    return structs.replace(merged, due_at=now_ms if merged.is_asked else due)


def _measured(monitor: Monitor) -> tuple[object, ...]:
    """What figures depend on."""
    filters = [one.filters for one in monitor.datasets]
    return filters, monitor.types, monitor.share, monitor.max_items


def _datasets(call: Call, gateway: Gateway, body: MonitorBody, now_ms: int) -> tuple[Dataset, ...]:
    """The datasets named, or one that the filters make and that nobody else sees."""
    if body.dataset_ids:
        if body.filters:
            raise BadInput("Name either datasets or filters", ("body", "filters"))
        return tuple(choose_datasets(call, gateway, body.dataset_ids))
    raw: list[RawCriterion] = [item.to_raw() for item in body.filters]
    parse_all(raw, ("body", "filters"), for_dataset=True)
    made = Dataset(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=call.parts.new_id(),
        name=f"{body.name[:230]} (monitor's filters)",
        enable=True,
        filters=raw,
        created_at=now_ms,
        modified_at=now_ms,
    )
    return (made,)


def _check_webhook(call: Call, webhook: WebhookBody) -> None:
    try:
        check_url(webhook.url, call.parts, "url")
    except BadInput as problem:
        raise BadInput(problem.message, ("body", "webhook", "url")) from problem
    if "#" in webhook.url:
        raise BadInput("url must have no fragment", ("body", "webhook", "url"))


def _check_money(call: Call, body: MonitorBody, types: tuple[Judged, ...]) -> None:
    """Nobody watches what judges spend while nobody is there: they need a cap."""
    for index, one in enumerate(types):
        evaluator = call.parts.evaluator(one.evaluator_id or one.evaluation_type_id)
        is_judge = isinstance(evaluator, ItemEvaluator) and issubclass(evaluator.scorer, ModelScorer)
        if is_judge and body.daily_max_cost is None:
            message = (
                f"'{body.evaluation_type_ids[index]}' asks models, which costs money in every window:"
                " say how many dollars a day may cost"
            )
            raise BadInput(message, ("body", "daily_max_cost"))


def _check_baseline(call: Call, gateway: Gateway, body: MonitorBody, types: tuple[Judged, ...]) -> None:
    identifier, path = body.baseline_evaluation_id, ("body", "baseline_evaluation_id")
    if identifier is None:
        return
    baseline = call.parts.evaluations.get(gateway.scope, identifier)
    if baseline is None:
        raise BadInput("This gateway has no evaluation with that id", path)
    if not baseline.processed:
        raise BadInput("This evaluation has not ended yet", path)
    measured = {result.evaluation_type_id for result in baseline.results}
    for one in types:
        evaluator = call.parts.evaluator(one.evaluator_id or one.evaluation_type_id)
        if isinstance(evaluator, ItemEvaluator) and one.evaluation_type_id not in measured:
            message = f"This evaluation has no scores of '{one.evaluation_type_id}' to compare with"
            raise BadInput(message, path)


def _secret(body: MonitorBody, before: Monitor | None) -> str | None:
    """The secret to be kept; None: the one that it has."""
    if body.webhook is None:
        return None
    if body.webhook.secret is not None:
        return body.webhook.secret
    if before is not None and before.webhook_url:
        return None
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
