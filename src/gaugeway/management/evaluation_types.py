"""Evaluation types: what evaluations can find out (contract 1.7), and custom ones (ours).

One per evaluator; and as many custom ones as an account makes, each an evaluator with parameters. Creating an
evaluation carries only ids, so what has parameters needs an id of its own.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.items import CustomType
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator, Scorer
from gaugeway.core.sandbox import SCORE, PythonScorer, Sandbox
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.sources import check_source
from gaugeway.management.validation import Body, Identifier, Name

router = APIRouter(prefix="/evaluation-types", tags=["Evaluations"])

SINCE = "2026-11-01T00:00:00.000Z"
"""The types come with the program, not into being at some moment; a fixed date stands for that."""
MAX_CUSTOM_TYPES = 1000  # of an account


class EvaluationTypeList(Paged):
    """The query of a list of evaluation types."""

    per_page: int = Field(20, ge=5, le=50)
    order_by: Literal["id", "name", "type", "mandatory", "enable", "created_at", "modified_at"] = "mandatory"
    order_by_direction: Literal["asc", "desc"] = "desc"


class NewType(Body):
    """The body of POST."""

    name: Name
    evaluator_id: Identifier
    description: Annotated[str, Field(max_length=2000)] = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


def show(evaluator: AnyEvaluator, sandbox: Sandbox) -> dict[str, Any]:
    """An evaluation type as the API shows it; not enabled where it can only be the base of custom ones."""
    takes_parameters = isinstance(evaluator, ItemEvaluator)
    return {
        "id": evaluator.id,
        "name": evaluator.name,
        "type": evaluator.type,
        "description": evaluator.description,
        "mandatory": False,
        "enable": not (takes_parameters and evaluator.needs_parameters),
        "created_at": SINCE,
        "modified_at": SINCE,
        "version": evaluator.version,
        "unit": evaluator.unit,
        "direction": evaluator.direction.value,
        "evaluator_id": evaluator.id,
        "parameters": None,
        "parameters_schema": evaluator.parameters_schema() if takes_parameters else None,
        "refusal": sandbox.refusal or None if runs_python(evaluator) else None,
    }


def runs_python(evaluator: AnyEvaluator) -> bool:
    """Whether what it does is a user's own Python."""
    return isinstance(evaluator, ItemEvaluator) and issubclass(evaluator.scorer, PythonScorer)


def show_custom(custom: CustomType, evaluator: AnyEvaluator | None, sandbox: Sandbox) -> dict[str, Any]:
    """A custom type as the API shows it; not enabled where its evaluator is no longer installed, or is not run."""
    if isinstance(evaluator, ItemEvaluator):
        evaluator = evaluator.declared(custom.parameters)
    base = None if evaluator is None else show(evaluator, sandbox)
    missing = f"the evaluator {custom.evaluator_id!r} is no longer installed in this server"
    return {
        "id": custom.id,
        "name": custom.name,
        "type": base["type"] if base else "",
        "description": custom.description or (base["description"] if base else ""),
        "mandatory": False,
        "enable": base is not None and base["refusal"] is None,
        "created_at": to_rfc3339(custom.created_at),
        "modified_at": to_rfc3339(custom.modified_at),
        "version": base["version"] if base else "",
        "unit": base["unit"] if base else "",
        "direction": base["direction"] if base else "",
        "evaluator_id": custom.evaluator_id,
        "parameters": custom.parameters,
        "parameters_schema": base["parameters_schema"] if base else None,
        "refusal": base["refusal"] if base else missing,
    }


@router.get("", summary="List evaluation types")
def list_evaluation_types(call: Caller, query: Annotated[EvaluationTypeList, InQuery()]) -> Response:
    """The evaluators in their own order, then the account's custom types, where `order_by` makes no difference."""
    shown = [show(evaluator, call.parts.sandbox) for evaluator in call.parts.evaluators]
    shown += [_show_custom(call, custom) for custom in call.parts.custom_types.list(call.account_id)]
    descending = query.order_by_direction == "desc"
    shown.sort(key=lambda item: item[query.order_by], reverse=descending)
    part = shown[query.offset : query.offset + query.per_page]
    return envelope.page(part, query.info(len(part), len(shown)))


@router.post("", summary="Create a custom evaluation type", dependencies=[NO_QUERY])
def create_type(call: Caller, body: NewType) -> Response:
    """An evaluator with parameters; its id can be used wherever an evaluation type's can."""
    evaluator, _ = checked(call, body.evaluator_id, body.parameters)
    if len(call.parts.custom_types.list(call.account_id)) >= MAX_CUSTOM_TYPES:
        raise BadInput(f"An account has at most {MAX_CUSTOM_TYPES} custom evaluation types; delete one", ("body",))
    now = call.parts.clock.now_ms()
    custom = CustomType(
        account_id=call.account_id,
        id=call.parts.new_id(),
        name=body.name,
        evaluator_id=evaluator.id,
        description=body.description,
        parameters=body.parameters,
        created_at=now,
        modified_at=now,
    )
    try:
        call.parts.custom_types.create(custom)
    except Conflict as problem:
        message = f"This account has an evaluation type named '{body.name}' already"
        raise Conflict(message, ("body", "name")) from problem
    return envelope.result(_show_custom(call, custom))


def checked(call: Call, evaluator_id: str, parameters: dict[str, Any]) -> tuple[ItemEvaluator, Scorer]:
    """The evaluator, and what it is with these parameters. BadInput that says where the body is wrong. Blocks."""
    evaluator = call.parts.evaluator(evaluator_id)
    if not isinstance(evaluator, ItemEvaluator):
        taking = [each.id for each in call.parts.evaluators if isinstance(each, ItemEvaluator)]
        what = "takes no parameters" if evaluator else "does not exist"
        raise BadInput(
            f"This evaluator {what}; those that take some: {', '.join(taking)}", ("body", "evaluator_id")
        )
    scorer = evaluator.configured(parameters, ("body", "parameters"))
    if isinstance(scorer, PythonScorer):
        check_source(call.parts.sandbox, scorer.source, SCORE, ("body", "parameters", "source"))
    return evaluator, scorer


@router.get("/{type_id}", summary="Get an evaluation type", dependencies=[NO_QUERY])
def get_type(call: Caller, type_id: str) -> Response:
    """A built-in or a custom one."""
    evaluator = call.parts.evaluator(type_id)
    if evaluator is not None:
        return envelope.result(show(evaluator, call.parts.sandbox))
    custom = call.parts.custom_types.get(call.account_id, type_id)
    if custom is None:
        raise NotFound(f"there is no evaluation type {type_id!r}")
    return envelope.result(_show_custom(call, custom))


@router.delete("/{type_id}", summary="Delete a custom evaluation type", dependencies=[NO_QUERY])
def delete_type(call: Caller, type_id: str) -> Response:
    """Evaluations that use it keep the parameters that they were created with."""
    if call.parts.evaluator(type_id) is not None:
        raise BadInput("This evaluation type comes with the program and cannot be deleted", ("params", "type_id"))
    return envelope.result(_show_custom(call, call.parts.custom_types.delete(call.account_id, type_id)))


def _show_custom(call: Call, custom: CustomType) -> dict[str, Any]:
    evaluator = call.parts.evaluator(custom.evaluator_id)
    return show_custom(custom, evaluator, call.parts.sandbox)
