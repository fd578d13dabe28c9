"""`/v1/evals`: OpenAI's Evals, as its SDKs call them (docs/evals.md)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi import Query as InQuery
from msgspec import structs
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.evals import Eval, Slice
from gaugeway.core.graders import python_graders, read_graders
from gaugeway.core.sandbox import GRADE
from gaugeway.management.envelope import respond
from gaugeway.management.eval_view import show_eval
from gaugeway.management.evals_call import EvalCaller
from gaugeway.management.openai_envelope import page
from gaugeway.management.sources import check_source
from gaugeway.management.validation import Body, Query

router = APIRouter(prefix="/v1/evals")
MAX_PAGE = 100

Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
]
EvalName = Annotated[str, Field(max_length=256)]


class CustomConfig(Body):
    """Items of a shape of the caller's own."""

    type: Literal["custom"]
    item_schema: dict[str, Any]
    include_sample_schema: bool = False


class LogsConfig(Body):
    """Items are logs of the gateway."""

    type: Literal["logs", "stored_completions"]
    metadata: dict[str, str | int | float | bool] | None = None


class NewEval(Body):
    """The body of POST."""

    data_source_config: Annotated[CustomConfig | LogsConfig, Field(discriminator="type")]
    testing_criteria: list[Any]
    name: EvalName | None = None
    metadata: Metadata | None = None


class EvalChange(Body):
    """The body of POST to an eval: its name and metadata."""

    name: EvalName | None = None
    metadata: Metadata | None = None


class ListQuery(Query):
    """The query of a list."""

    after: str | None = None
    limit: int = Field(20, ge=1, le=MAX_PAGE)
    order: Literal["asc", "desc"] = "asc"

    @property
    def part(self) -> Slice:
        """Which part it asks for."""
        return Slice(after=self.after, limit=self.limit, descending=self.order == "desc")


class EvalList(ListQuery):
    """The query of a list of evals."""

    order_by: Literal["created_at", "updated_at"] = "created_at"


@router.post("")
def create_eval(call: EvalCaller, body: NewEval) -> Response:
    """Says what is tested, and how; runs say over what."""
    graders = read_graders(body.testing_criteria, ("testing_criteria",))
    for grader, path in python_graders(graders, ("testing_criteria",)):
        check_source(call.parts.sandbox, grader.source, GRADE, path)
    now, identifier = call.parts.clock.now_ms(), call.new_id("eval")
    made = Eval(
        account_id=call.scope.account_id,
        gateway_id=call.scope.gateway_id,
        id=identifier,
        name=body.name or identifier,
        created_at=now,
        modified_at=now,
        data_source_config=body.data_source_config.model_dump(exclude_none=True),
        testing_criteria=body.testing_criteria,
        metadata=body.metadata or {},
    )
    call.parts.evals.create(made)
    return respond(show_eval(made), 201)


@router.get("")
def list_evals(call: EvalCaller, query: Annotated[EvalList, InQuery()]) -> Response:
    """Of the gateway; by creation, oldest first, unless the query says otherwise."""
    found, more = call.parts.evals.list(call.scope, query.part, by_change=query.order_by == "updated_at")
    return page([show_eval(one) for one in found], has_more=more)


def _named_eval(call: EvalCaller, eval_id: str) -> Eval:
    found = call.parts.evals.get(call.scope, eval_id)
    if found is None:
        raise NotFound(f"there is no eval '{eval_id[:80]}' in the gateway '{call.scope.gateway_id}'")
    return found


NamedEval = Annotated[Eval, Depends(_named_eval)]
"""The eval that the path names; 404 where the gateway has none of that id."""


@router.get("/{eval_id}")
def get_eval(found: NamedEval) -> Response:
    """One eval."""
    return respond(show_eval(found))


@router.post("/{eval_id}")
def change_eval(call: EvalCaller, found: NamedEval, body: EvalChange) -> Response:
    """Renames it, or changes its metadata. What is tested, and how, stays as it is."""
    sent = body.model_fields_set
    if "name" in sent and not body.name:
        raise BadInput("Expected a name", ("name",))
    changed = structs.replace(
        found,
        name=body.name or found.name,
        metadata=(body.metadata or {}) if "metadata" in sent else found.metadata,
        modified_at=call.parts.clock.now_ms(),
    )
    call.parts.evals.replace(changed)
    return respond(show_eval(changed))


@router.delete("/{eval_id}")
def delete_eval(call: EvalCaller, eval_id: str) -> Response:
    """With its runs; one that is under way stops."""
    if not call.parts.evals.delete(call.scope, eval_id):
        raise NotFound(f"there is no eval '{eval_id[:80]}' in the gateway '{call.scope.gateway_id}'")
    return respond({"object": "eval.deleted", "eval_id": eval_id, "deleted": True})
