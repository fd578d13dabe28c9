"""`/v1/evals/{id}/runs` and their output items: OpenAI's Evals, as its SDKs call them (docs/evals.md)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi import Query as InQuery
from msgspec import structs
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.evals import MAX_ITEMS, USUAL_CAP, EvalRun, OutputState, RunStatus
from gaugeway.core.judging import MAX_CAP
from gaugeway.management.envelope import respond
from gaugeway.management.eval_sources import DataSource, items_of
from gaugeway.management.eval_view import place_of, show_output, show_run
from gaugeway.management.evals import EvalName, ListQuery, Metadata, NamedEval
from gaugeway.management.evals_call import EvalCaller
from gaugeway.management.openai_envelope import page
from gaugeway.management.validation import Body

router = APIRouter(prefix="/v1/evals/{eval_id}/runs")


class NewRun(Body):
    """The body of POST. `max_cost` is ours: dollars that the run's calls never pass."""

    data_source: DataSource
    name: EvalName | None = None
    metadata: Metadata | None = None
    max_cost: Annotated[float, Field(gt=0, le=MAX_CAP)] | None = None


class RunList(ListQuery):
    """The query of a list of runs."""

    status: Literal["queued", "in_progress", "completed", "canceled", "failed"] | None = None


class OutputList(ListQuery):
    """The query of a list of output items."""

    status: Literal["pass", "fail", "error"] | None = None


def _named_run(call: EvalCaller, eval_id: str, run_id: str) -> EvalRun:
    found = call.parts.evals.get_run(call.scope, eval_id, run_id)
    if found is None:
        raise NotFound(f"there is no run '{run_id[:80]}' of this eval in the gateway '{call.scope.gateway_id}'")
    return found


NamedRun = Annotated[EvalRun, Depends(_named_run)]
"""The run that the path names; 404 where there is none."""


@router.post("")
def create_run(call: EvalCaller, tested: NamedEval, body: NewRun) -> Response:
    """Answers at once; it runs in the background."""
    source = body.data_source
    files = call.parts.eval_files
    items = items_of(source, tested, lambda file_id: files.content(call.scope, file_id), ("data_source",))
    if len(items) > MAX_ITEMS:
        raise BadInput(f"At most {MAX_ITEMS} items are accepted, received {len(items)}", ("data_source", "source"))
    identifier = call.new_id("evalrun")
    run = EvalRun(
        account_id=call.scope.account_id,
        gateway_id=call.scope.gateway_id,
        eval_id=tested.id,
        id=identifier,
        name=body.name or identifier,
        created_at=call.parts.clock.now_ms(),
        data_source=source.kept(tested),
        criteria=tested.testing_criteria,
        model=source.model or "",
        metadata=body.metadata or {},
        max_cost=USUAL_CAP if body.max_cost is None else Decimal(repr(body.max_cost)),
        total=len(items),
    )
    call.parts.evals.create_run(run, items)
    call.parts.on_eval_run_created()
    return respond(show_run(run, call.url), 201)


@router.get("")
def list_runs(call: EvalCaller, tested: NamedEval, query: Annotated[RunList, InQuery()]) -> Response:
    """Oldest first, unless the query says otherwise."""
    status = None if query.status is None else RunStatus(query.status)
    found, more = call.parts.evals.list_runs(call.scope, tested.id, query.part, status)
    return page([show_run(one, call.url) for one in found], has_more=more)


@router.get("/{run_id}")
def get_run(call: EvalCaller, run: NamedRun) -> Response:
    """One run, as it stands."""
    return respond(show_run(run, call.url))


@router.post("/{run_id}")
@router.post("/{run_id}/cancel")
def cancel_run(call: EvalCaller, run: NamedRun) -> Response:
    """Ends it; what is graded stays. One that has ended cannot be cancelled."""

    def canceled(now: EvalRun) -> EvalRun:
        if now.status.is_terminal:
            raise BadInput(f"The run has ended already: it is {now.status.value}")
        return structs.replace(now, status=RunStatus.CANCELED)

    changed = call.parts.evals.change_run(call.scope, run.eval_id, run.id, canceled)
    return respond(show_run(changed, call.url))


@router.delete("/{run_id}")
def delete_run(call: EvalCaller, run: NamedRun) -> Response:
    """With its output items; one that is under way stops."""
    call.parts.evals.delete_run(call.scope, run.eval_id, run.id)
    return respond({"object": "eval.run.deleted", "run_id": run.id, "deleted": True})


@router.get("/{run_id}/output_items")
def list_output_items(call: EvalCaller, run: NamedRun, query: Annotated[OutputList, InQuery()]) -> Response:
    """Those that have ended, in the order of the items."""
    part = query.part
    if part.after is not None:
        place = place_of(run, part.after)
        if place is None:
            raise NotFound(f"there is no output item '{part.after[:80]}' in this run")
        part = structs.replace(part, after=str(place))
    state = None if query.status is None else OutputState[query.status.upper()]
    found, more = call.parts.evals.outputs(run, part, state)
    return page([show_output(run, item, output) for item, output in found], has_more=more)


@router.get("/{run_id}/output_items/{output_item_id}")
def get_output_item(call: EvalCaller, run: NamedRun, output_item_id: str) -> Response:
    """One output item."""
    place = place_of(run, output_item_id)
    found = None if place is None else call.parts.evals.output(run, place)
    if place is None or found is None:
        raise NotFound(f"there is no output item '{output_item_id[:80]}' in this run, or it has not ended")
    item, output = found
    return respond(show_output(run, item, output))
