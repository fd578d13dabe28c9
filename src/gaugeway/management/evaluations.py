"""Evaluations: datasets judged by evaluation types at one moment (contract 1.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec import structs
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.items import CustomType
from gaugeway.core.judging import JudgeFailed, ModelScorer
from gaugeway.core.metrics import LEVEL
from gaugeway.core.model import Dataset, Evaluation, Gateway, Result, Scope, SnapshotRef, WatchedWindow
from gaugeway.core.query import parse_grouping
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator
from gaugeway.core.sandbox import PythonScorer
from gaugeway.core.snapshots import reference
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.datasets import show_embedded
from gaugeway.management.envelope import INVALID, ApiError
from gaugeway.management.judge_forecast_view import show_judge_forecast
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY, Refused
from gaugeway.management.snapshot_choice import chosen_snapshot, show_reference
from gaugeway.management.validation import Body, Identifier, Name, SearchText
from gaugeway.management.vote_view import show_agreement

MAX_DATASETS = 5

router = APIRouter(prefix="/gateways/{gateway_id}/evaluations", tags=["Evaluations"])


class EvaluationBody(Body):
    """The body of POST."""

    name: Name
    dataset_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_DATASETS)] = Field(
        description="An extension: instead of datasets, the id of one snapshot of a dataset."
    )
    evaluation_type_ids: Annotated[list[Identifier], Field(min_length=1, max_length=100)]
    cluster_by: str | None = Field(
        None,
        description="An extension: logs with the same metadata.KEY, model or provider are alike, for intervals.",
    )


class EvaluationList(Paged):
    """The query of an evaluation list."""

    name: str | None = None
    processed: bool | None = None
    search: SearchText = None


def show(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as the API shows it."""
    return {
        "id": evaluation.id,
        "gateway_id": evaluation.gateway_id,
        "name": evaluation.name,
        "created_at": to_rfc3339(evaluation.created_at),
        "modified_at": to_rfc3339(evaluation.modified_at),
        "processed": evaluation.processed,
        "total_logs": evaluation.total_logs,
        "cluster_by": evaluation.cluster_by or None,
        "snapshot": None if evaluation.snapshot is None else _show_snapshot(evaluation.snapshot),
        "window": None if evaluation.window is None else _show_window(evaluation.window),
        "datasets": [show_embedded(dataset) for dataset in evaluation.datasets],
        "results": [show_result(result) for result in evaluation.results],
    }


def _show_snapshot(ref: SnapshotRef) -> dict[str, Any]:
    """The snapshot that it is about: with its evaluation types, all that the figures depend on."""
    return {
        **show_reference(ref),
        "expected_version": ref.expected_version,
        "expected_hash": ref.expected_hash or None,
    }


def _show_window(window: WatchedWindow) -> dict[str, Any]:
    """The window of the monitor that made it; `share` and `max_items` are for types that look at each log."""
    return {
        "monitor_id": window.monitor_id,
        "window_id": window.window_id,
        "after": to_rfc3339(window.after_ms),
        "until": to_rfc3339(window.until_ms),
        "share": window.share,
        "max_items": window.max_items,
    }


def show_result(result: Result) -> dict[str, Any]:
    """One evaluation type's figure, and what it was computed from."""
    return {
        "id": result.id,
        "evaluation_id": result.evaluation_id,
        "evaluation_type_id": result.evaluation_type_id,
        "created_at": to_rfc3339(result.created_at),
        "modified_at": to_rfc3339(result.modified_at),
        "status": int(result.status),
        "status_description": result.status_description,
        "result": result.result,
        "total_logs": result.total_logs,
        "skipped": result.skipped,
        "failed": result.failed,
        "pending": result.pending,
        **_show_interval(result),
        "unit": result.unit or None,
        "direction": result.direction or None,
        "agreement": show_agreement(result.agreement),
    }


def _show_interval(result: Result) -> dict[str, Any]:
    """Null where it cannot be known, or is not known yet; `interval_note` says why."""
    note = result.interval_note
    if result.status.is_terminal and not (result.low or note):
        note = "this result was computed before results had intervals" if result.result else "there is no value"
    return {
        "low": result.low or None,
        "high": result.high or None,
        "interval_level": LEVEL if result.low else None,
        "interval_method": result.interval_method or None,
        "interval_note": note or None,
    }


@router.get("", summary="List evaluations")
def list_evaluations(call: Caller, gateway: NamedGateway, query: Annotated[EvaluationList, InQuery()]) -> Response:
    """Newest first. `name` is the whole name; `search` is part of id or name."""
    part = call.parts.evaluations.list(
        gateway.scope,
        name=query.name,
        processed=query.processed,
        search=query.search or None,
        offset=query.offset,
        limit=query.per_page,
    )
    return envelope.page([show(item) for item in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Create an evaluation", dependencies=[NO_QUERY])
def create_evaluation(call: Caller, gateway: NamedGateway, body: EvaluationBody) -> Response:
    """Answers at once; the figures come when it has run. It sees the logs created up to now, or a snapshot's."""
    evaluation = _prepare(call, gateway, body)
    try:
        call.parts.evaluations.create(evaluation)
    except Conflict as problem:
        message = f"This gateway has an evaluation named '{body.name}' already"
        raise Conflict(message, ("body", "name")) from problem
    call.parts.on_evaluation_created()
    return envelope.result(show(evaluation))


@router.post("/forecast", summary="Forecast what judges would cost", dependencies=[NO_QUERY])
async def forecast_evaluation(call: Caller, gateway: NamedGateway, body: EvaluationBody) -> Response:
    """The body is that of a creation; nothing is created, and nothing spent. Ours."""
    evaluation = await run_in_threadpool(_prepare, call, gateway, body)
    judges: dict[int, ModelScorer] = {}
    for position, result in enumerate(evaluation.results):
        base = call.parts.evaluator(result.evaluator_id)
        if isinstance(base, ItemEvaluator):
            scorer = base.configured(result.parameters)
            if isinstance(scorer, ModelScorer):
                judges[position] = scorer
    try:
        logs, forecasts = await call.parts.forecast(evaluation, judges)
    except JudgeFailed as problem:
        raise BadInput(str(problem), ("body", "evaluation_type_ids")) from problem
    shown = [show_judge_forecast(each, evaluation.results[each.position].evaluation_type_id) for each in forecasts]
    return envelope.result({"total_logs": logs, "judges": shown})


@router.get("/{evaluation_id}", summary="Get an evaluation", dependencies=[NO_QUERY])
def get_evaluation(call: Caller, gateway: NamedGateway, evaluation_id: str) -> Response:
    """One evaluation with its results so far."""
    return envelope.result(show(find(call, gateway, evaluation_id)))


def find(call: Call, gateway: Gateway, evaluation_id: str) -> Evaluation:
    """NotFound where the gateway has none of that id."""
    evaluation = call.parts.evaluations.get(gateway.scope, evaluation_id)
    if evaluation is None:
        raise NotFound(f"there is no evaluation {evaluation_id!r}")
    return evaluation


@router.delete("/{evaluation_id}", summary="Delete an evaluation", dependencies=[NO_QUERY])
def delete_evaluation(call: Caller, gateway: NamedGateway, evaluation_id: str) -> Response:
    """Deletes it with its results; one that is running stops."""
    return envelope.result(show(call.parts.evaluations.delete(gateway.scope, evaluation_id)))


def _prepare(call: Call, gateway: Gateway, body: EvaluationBody) -> Evaluation:
    """What the body asks for, checked; raises Refused."""
    snapshot = chosen_snapshot(call, gateway, body.dataset_ids, "an evaluation")
    datasets = [snapshot.dataset] if snapshot else choose_datasets(call, gateway, body.dataset_ids)
    types = choose_types(call, gateway, body.evaluation_type_ids)
    if snapshot and not snapshot.is_measured:
        _refuse_columns(call, body.evaluation_type_ids, types)
    evaluation = _build(call, gateway, body, datasets, types)
    return structs.replace(evaluation, snapshot=reference(snapshot)) if snapshot else evaluation


def _build(
    call: Call, gateway: Gateway, body: EvaluationBody, datasets: list[Dataset], types: Sequence[CustomType | None]
) -> Evaluation:
    identifier = call.parts.new_id()
    # Ids never go back, clocks may: logs answered before this moment must not lie behind it.
    now = max(call.parts.clock.now_ms(), ids.time_ms(ids.from_text(identifier) or bytes(16)))
    results = [
        Result(
            id=call.parts.new_id(),
            evaluation_id=identifier,
            evaluation_type_id=type_id,
            created_at=now,
            modified_at=now,
            evaluator_id="" if custom is None else custom.evaluator_id,
            parameters={} if custom is None else custom.parameters,
        )
        for type_id, custom in zip(body.evaluation_type_ids, types, strict=True)
    ]
    return Evaluation(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=identifier,
        name=body.name,
        created_at=now,
        modified_at=now,
        datasets=datasets,
        results=results,
        cluster_by="" if body.cluster_by is None else str(parse_grouping(body.cluster_by, ("body", "cluster_by"))),
    )


def _refuse_columns(call: Call, type_ids: Sequence[str], types: Sequence[CustomType | None]) -> None:
    """Items that were written down and never asked have no cost and no duration, and no figure may say they had."""
    wrong = [
        _wrong(
            "evaluation_type_ids",
            index,
            "The snapshot's items were imported and are no requests that were measured: this type looks at columns",
        )
        for index, (type_id, custom) in enumerate(zip(type_ids, types, strict=True))
        if custom is None and not isinstance(call.parts.evaluator(type_id), ItemEvaluator)
    ]
    if wrong:
        raise Refused(wrong)


def choose_datasets(call: Call, gateway: Gateway, dataset_ids: Sequence[str]) -> list[Dataset]:
    """The datasets of these ids; Refused where one is not there, not enabled, or named twice."""
    found: list[Dataset] = []
    wrong: list[ApiError] = []
    for index, dataset_id in enumerate(dataset_ids):
        dataset = call.parts.datasets.get(gateway.scope, dataset_id)
        if dataset_id in dataset_ids[:index]:
            wrong.append(_wrong("dataset_ids", index, "This dataset is named twice"))
        elif dataset is None:
            wrong.append(_wrong("dataset_ids", index, "This gateway has no dataset with that id"))
        elif not dataset.enable:
            message = f"The dataset '{dataset.name}' is not enabled: set its enable to true first"
            wrong.append(_wrong("dataset_ids", index, message))
        else:
            found.append(dataset)
    if wrong:
        raise Refused(wrong)
    return found


def choose_types(call: Call, gateway: Gateway, type_ids: Sequence[str]) -> list[CustomType | None]:
    """The custom types among these ids; None where the id is an evaluator's own. Refused."""
    found: list[CustomType | None] = []
    wrong: list[ApiError] = []
    for index, type_id in enumerate(type_ids):
        evaluator = call.parts.evaluator(type_id)
        custom = None if evaluator else call.parts.custom_types.get(call.account_id, type_id)
        found.append(custom)
        if type_id in type_ids[:index]:
            problem = "This evaluation type is named twice"
        elif evaluator is None and custom is None:
            known = ", ".join(each.id for each in call.parts.evaluators)
            problem = f"There is no such evaluation type; there are: {known}, and the account's custom types"
        else:
            problem = _why_unusable(call, gateway, evaluator, custom)
        if problem:
            wrong.append(_wrong("evaluation_type_ids", index, problem))
    if wrong:
        raise Refused(wrong)
    return found


def _why_unusable(call: Call, gateway: Gateway, evaluator: AnyEvaluator | None, custom: CustomType | None) -> str:
    """Why this evaluation type cannot judge anything; "" where it can."""
    if custom is None:
        if isinstance(evaluator, ItemEvaluator) and evaluator.needs_parameters:
            return "This evaluator needs parameters: make an evaluation type with it (POST …/evaluation-types)"
        return ""
    base = call.parts.evaluator(custom.evaluator_id)
    if not isinstance(base, ItemEvaluator):
        return f"Its evaluator '{custom.evaluator_id}' is not installed in this server"
    try:
        scorer = base.configured(custom.parameters)
    except BadInput as problem:
        where = ".".join(map(str, problem.path))
        return f"Its parameters do not fit the evaluator as it is installed now: {problem.message} at '{where}'"
    if isinstance(scorer, PythonScorer):
        return call.parts.sandbox.refusal
    return _why_no_judge(call, gateway, scorer) if isinstance(scorer, ModelScorer) else ""


def _why_no_judge(call: Call, gateway: Gateway, judge: ModelScorer) -> str:
    """Why the judge cannot be called through the gateway that it names; "" where it can."""
    if judge.gateway_id == gateway.id:
        return (
            "It calls its model through this gateway, and later evaluations would count those calls:"
            " name another as its gateway_id"
        )
    if call.parts.gateways.get(Scope(call.account_id, judge.gateway_id)) is None:
        return f"It calls its model through the gateway '{judge.gateway_id}', which does not exist"
    return ""


def _wrong(field: str, index: int, message: str) -> ApiError:
    return ApiError(400, INVALID, message, ("body", field, index))
