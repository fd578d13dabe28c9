"""Evaluation types: what evaluations can find out, one per evaluator (contract 1.7)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.ports import Evaluator
from gaugeway.management import envelope
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Caller

router = APIRouter(prefix="/evaluation-types", tags=["Evaluations"])

SINCE = "2026-11-01T00:00:00.000Z"
"""The types come with the program, not into being at some moment; a fixed date stands for that."""


class EvaluationTypeList(Paged):
    """The query of a list of evaluation types."""

    per_page: int = Field(20, ge=5, le=50)
    order_by: Literal["id", "name", "type", "mandatory", "enable", "created_at", "modified_at"] = "mandatory"
    order_by_direction: Literal["asc", "desc"] = "desc"


def show(evaluator: Evaluator) -> dict[str, Any]:
    """An evaluation type as the API shows it."""
    return {
        "id": evaluator.id,
        "name": evaluator.name,
        "type": evaluator.type,
        "description": evaluator.description,
        "mandatory": False,
        "enable": True,
        "created_at": SINCE,
        "modified_at": SINCE,
        "version": evaluator.version,
        "unit": evaluator.unit,
    }


@router.get("", summary="List evaluation types")
def list_evaluation_types(call: Caller, query: Annotated[EvaluationTypeList, InQuery()]) -> Response:
    """In the evaluators' own order where `order_by` makes no difference."""
    shown = [show(evaluator) for evaluator in call.parts.evaluators]
    descending = query.order_by_direction == "desc"
    shown.sort(key=lambda item: item[query.order_by], reverse=descending)
    part = shown[query.offset : query.offset + query.per_page]
    return envelope.page(part, query.info(len(part), len(shown)))
