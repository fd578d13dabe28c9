"""Evaluations: datasets judged by evaluation types at one moment (contract 1.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Dataset, Evaluation, Gateway, Result
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.datasets import show_embedded
from gaugeway.management.envelope import INVALID, ApiError
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY, Refused
from gaugeway.management.validation import Body, Name, SearchText

MAX_DATASETS = 5

router = APIRouter(prefix="/gateways/{gateway_id}/evaluations", tags=["Evaluations"])


class EvaluationBody(Body):
    """The body of POST."""

    name: Name
    dataset_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_DATASETS)]
    evaluation_type_ids: Annotated[list[str], Field(min_length=1, max_length=100)]


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
        "datasets": [show_embedded(dataset) for dataset in evaluation.datasets],
        "results": [show_result(result) for result in evaluation.results],
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
    """Answers at once; the figures come when it has run. It sees the logs created up to now."""
    datasets = _chosen_datasets(call, gateway, body.dataset_ids)
    _check_types(call, body.evaluation_type_ids)
    evaluation = _build(call, gateway, body, datasets)
    try:
        call.parts.evaluations.create(evaluation)
    except Conflict as problem:
        message = f"This gateway has an evaluation named '{body.name}' already"
        raise Conflict(message, ("body", "name")) from problem
    call.parts.on_evaluation_created()
    return envelope.result(show(evaluation))


@router.get("/{evaluation_id}", summary="Get an evaluation", dependencies=[NO_QUERY])
def get_evaluation(call: Caller, gateway: NamedGateway, evaluation_id: str) -> Response:
    """One evaluation with its results so far."""
    evaluation = call.parts.evaluations.get(gateway.scope, evaluation_id)
    if evaluation is None:
        raise NotFound(f"there is no evaluation {evaluation_id!r}")
    return envelope.result(show(evaluation))


@router.delete("/{evaluation_id}", summary="Delete an evaluation", dependencies=[NO_QUERY])
def delete_evaluation(call: Caller, gateway: NamedGateway, evaluation_id: str) -> Response:
    """Deletes it with its results; one that is running stops."""
    return envelope.result(show(call.parts.evaluations.delete(gateway.scope, evaluation_id)))


def _build(call: Call, gateway: Gateway, body: EvaluationBody, datasets: list[Dataset]) -> Evaluation:
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
        )
        for type_id in body.evaluation_type_ids
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
    )


def _chosen_datasets(call: Call, gateway: Gateway, dataset_ids: Sequence[str]) -> list[Dataset]:
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


def _check_types(call: Call, type_ids: Sequence[str]) -> None:
    known = [evaluator.id for evaluator in call.parts.evaluators]
    wrong: list[ApiError] = []
    for index, type_id in enumerate(type_ids):
        if type_id in type_ids[:index]:
            wrong.append(_wrong("evaluation_type_ids", index, "This evaluation type is named twice"))
        elif type_id not in known:
            message = f"There is no such evaluation type; there are: {', '.join(known)}"
            wrong.append(_wrong("evaluation_type_ids", index, message))
    if wrong:
        raise Refused(wrong)


def _wrong(field: str, index: int, message: str) -> ApiError:
    return ApiError(400, INVALID, message, ("body", field, index))
