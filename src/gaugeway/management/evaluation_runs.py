"""What can be done with an evaluation that runs or has run, and what lies behind its figures. All of it is ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec import structs
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.errors import BadInput, Conflict
from gaugeway.core.items import Item, ItemStatus
from gaugeway.core.model import Evaluation, Gateway, Result, ResultStatus
from gaugeway.management import envelope
from gaugeway.management.evaluations import find, show
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.vote_view import show_votes

router = APIRouter(prefix="/gateways/{gateway_id}/evaluations/{evaluation_id}", tags=["Evaluations"])

STATUSES = {"scored": ItemStatus.SCORED, "failed": ItemStatus.FAILED, "skipped": ItemStatus.SKIPPED}


class ItemList(Paged):
    """The query of a list of items."""

    evaluation_type_id: str | None = None
    status: Literal["scored", "failed", "skipped"] | None = None
    order_by: Literal["worst", "created_at"] = "worst"


@router.get("/items", summary="List an evaluation's items")
def list_items(
    call: Caller, gateway: NamedGateway, evaluation_id: str, query: Annotated[ItemList, InQuery()]
) -> Response:
    """The logs behind the figures of item-wise evaluation types, type by type.

    `worst`: those scored worst come first, then the failed and the skipped ones. Types over columns have no items.
    """
    evaluation = find(call, gateway, evaluation_id)
    position = None
    if query.evaluation_type_id is not None:
        known = [result.evaluation_type_id for result in evaluation.results]
        if query.evaluation_type_id not in known:
            message = f"This evaluation has no such evaluation type; it has: {', '.join(known)}"
            raise BadInput(message, ("query", "evaluation_type_id"))
        position = known.index(query.evaluation_type_id)
    part = call.parts.items.page(
        evaluation,
        position=position,
        status=None if query.status is None else STATUSES[query.status],
        worst_first=query.order_by == "worst",
        offset=query.offset,
        limit=query.per_page,
    )
    shown = [_show_item(call, evaluation, item) for item in part.items]
    return envelope.page(shown, query.info(len(shown), part.total))


def _show_item(call: Call, evaluation: Evaluation, item: Item) -> dict[str, Any]:
    return {
        "log_id": ids.to_text(item.log_id),
        "log_deleted": call.parts.logs.get(evaluation.source, item.log_id) is None,
        "evaluation_type_id": evaluation.results[item.position].evaluation_type_id,
        "status": item.status.name.lower(),
        "score": item.score,
        "note": item.note,
        "votes": show_votes(item.votes),
    }


@router.post("/cancel", summary="Cancel an evaluation", dependencies=[NO_QUERY])
def cancel_evaluation(call: Caller, gateway: NamedGateway, evaluation_id: str) -> Response:
    """Ends what is not finished; figures that are there stay. `resume` goes on where it was."""

    def cancelled(result: Result) -> Result | None:
        if result.status.is_terminal:
            return None
        done = result.total_logs + result.skipped + result.failed
        how_far = f": {done} of {done + result.pending} logs were judged" if done + result.pending else ""
        return structs.replace(result, status=ResultStatus.CANCELLED, status_description=f"cancelled{how_far}")

    nothing = "This evaluation has ended already: there is nothing to cancel"
    return _change(call, gateway, evaluation_id, cancelled, nothing)


@router.post("/resume", summary="Resume a cancelled evaluation", dependencies=[NO_QUERY])
def resume_evaluation(call: Caller, gateway: NamedGateway, evaluation_id: str) -> Response:
    """Goes on where it was cancelled; what was judged is not judged again."""

    def resumed(result: Result) -> Result | None:
        return _queued(result, "resumed") if result.status is ResultStatus.CANCELLED else None

    return _change(call, gateway, evaluation_id, resumed, "Nothing of this evaluation is cancelled")


@router.post("/retry", summary="Retry an evaluation's failures", dependencies=[NO_QUERY])
def retry_evaluation(call: Caller, gateway: NamedGateway, evaluation_id: str) -> Response:
    """Judges again the logs on which evaluators failed, and computes the results that failed. Scores stay."""

    def retried(result: Result) -> Result | None:
        if not result.status.is_terminal:
            raise Conflict("This evaluation has not ended yet; cancel it or wait", ("params", "evaluation_id"))
        return _queued(result, "failures are retried") if result.status is _FAILED or result.failed else None

    return _change(call, gateway, evaluation_id, retried, "Nothing of this evaluation failed", forget_failures=True)


_FAILED = ResultStatus.FAILED


def _queued(result: Result, why: str) -> Result:
    """As it was before it had a figure."""
    return Result(
        id=result.id,
        evaluation_id=result.evaluation_id,
        evaluation_type_id=result.evaluation_type_id,
        created_at=result.created_at,
        modified_at=result.modified_at,
        status_description=f"queued again: {why}",
        evaluator_id=result.evaluator_id,
        parameters=result.parameters,
    )


def _change(
    call: Call,
    gateway: Gateway,
    evaluation_id: str,
    change: Callable[[Result], Result | None],
    nothing: str,
    *,
    forget_failures: bool = False,
) -> Response:
    """Give the evaluation its changed results (None: it stays); Conflict, and nothing done, where none changes."""
    now = call.parts.clock.now_ms()

    def change_all(evaluation: Evaluation) -> list[Result]:
        changed = [change(result) for result in evaluation.results]
        if not any(changed):
            raise Conflict(nothing, ("params", "evaluation_id"))
        return [
            before if after is None else structs.replace(after, modified_at=now)
            for before, after in zip(evaluation.results, changed, strict=True)
        ]

    evaluations = call.parts.evaluations
    evaluation = evaluations.change(gateway.scope, evaluation_id, change_all, forget_failures=forget_failures)
    call.parts.on_evaluation_created()
    return envelope.result(show(evaluation))
