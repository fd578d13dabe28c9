"""Comparisons and breakdowns (extensions; docs/comparing.md). They are answered at once, and nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.comparisons import MAX_SIDES, Margin, Question, Side
from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.model import Gateway
from gaugeway.core.query import GROUPS, ITEMS, parse_all, parse_grouping
from gaugeway.core.samples import ItemEvaluator
from gaugeway.management import envelope
from gaugeway.management.comparison_view import show_breakdown, show_comparison
from gaugeway.management.filters import CriterionBody
from gaugeway.management.freshness import catch_up, refused_logs
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body, Name, Query

router = APIRouter(prefix="/gateways/{gateway_id}", tags=["Evaluations"])
MAX_ENTRIES = 10
MAX_TYPES = 100

Text = Annotated[str, Field(min_length=1, max_length=4096)]


class SideBody(Body):
    """Some logs: those that meet everything named here; all of the gateway's where nothing is."""

    label: Name | None = None
    evaluation_id: str | None = Field(None, description="The logs of an evaluation, up to its creation.")
    dataset_id: str | None = Field(None, description="The logs of a dataset, as they are now.")
    filters: list[CriterionBody] = Field(
        default_factory=list[CriterionBody], description="As in a log list, e.g. a model, or a span of time."
    )
    metadata: dict[Text, Text] = Field(
        default_factory=dict[str, str], max_length=MAX_ENTRIES, description="Entries that logs must have, as text."
    )


class MarginBody(Body):
    """How much worse still passes: in the evaluation type's unit, or in percent of the baseline's figure."""

    amount: Annotated[float, Field(gt=0, le=1e15)]
    unit: Literal["absolute", "percent"] = "absolute"


class ComparisonBody(Body):
    """The body of POST. The first side is the baseline."""

    sides: Annotated[list[SideBody], Field(min_length=2, max_length=MAX_SIDES)]
    evaluation_type_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_TYPES)]
    pair_by: str | None = Field(
        None, description="event_id or metadata.KEY: logs of one item; none: never paired. Default: found out."
    )
    margins: dict[str, MarginBody] = Field(default_factory=dict[str, MarginBody], max_length=MAX_TYPES)


class BreakdownQuery(Query):
    """The query of a breakdown."""

    by: str = Field(description="provider, model or metadata.KEY")
    limit: int = Field(20, ge=1, le=100, description="Groups shown; the others are counted.")


@router.post("/comparisons", summary="Compare", dependencies=[NO_QUERY])
async def compare(call: Caller, gateway: NamedGateway, body: ComparisonBody) -> Response:
    """Every side with the first one: differences with intervals, tests and verdicts. Nothing is kept."""
    question = await asyncio.to_thread(_question, call, gateway, body)
    messages = await catch_up(call.parts.sink)
    messages += await asyncio.to_thread(refused_logs, call.parts.logs, gateway)
    answer = await asyncio.to_thread(call.parts.analyst.compare, question)
    return envelope.result(show_comparison(question, answer), messages)


@router.get("/evaluations/{evaluation_id}/breakdown", summary="Break an evaluation down")
async def break_down(
    call: Caller, gateway: NamedGateway, evaluation_id: str, query: Annotated[BreakdownQuery, InQuery()]
) -> Response:
    """The evaluation's figures for each provider, model or metadata value, from the logs as they are now."""
    by = parse_grouping(query.by, ("query", "by"), GROUPS)
    evaluation = await asyncio.to_thread(call.parts.evaluations.get, gateway.scope, evaluation_id)
    if evaluation is None:
        raise NotFound(f"there is no evaluation {evaluation_id!r}")
    messages = await catch_up(call.parts.sink)
    type_ids = [result.evaluation_type_id for result in evaluation.results]
    asked = [(type_id, call.parts.evaluator(type_id)) for type_id in type_ids]
    types = tuple(type_id for type_id, one in asked if one is not None and not isinstance(one, ItemEvaluator))
    side = Side(label=evaluation.name, evaluation=evaluation)
    answer = await asyncio.to_thread(call.parts.analyst.break_down, side, gateway.scope, types, by, query.limit)
    return envelope.result(show_breakdown(evaluation, by, answer, call.parts.evaluators), messages)


def _question(call: Call, gateway: Gateway, body: ComparisonBody) -> Question:
    _check_repeated(body.evaluation_type_ids, "evaluation_type_ids", "This evaluation type is named twice")
    sides = tuple(_side(call, gateway, index, one) for index, one in enumerate(body.sides))
    _check_repeated([side.label for side in sides], "sides", "Two sides have this label")
    for type_id in body.margins:
        if type_id not in body.evaluation_type_ids:
            raise BadInput("This evaluation type is not compared", ("body", "margins", type_id))
    by = body.pair_by
    return Question(
        scope=gateway.scope,
        sides=sides,
        type_ids=tuple(body.evaluation_type_ids),
        pair_by=None if by in (None, "none") else parse_grouping(by, ("body", "pair_by"), ITEMS),
        find_pairs=by is None,
        margins={
            type_id: Margin(Decimal(repr(margin.amount)), margin.unit == "percent")
            for type_id, margin in body.margins.items()
        },
    )


def _side(call: Call, gateway: Gateway, index: int, body: SideBody) -> Side:
    path = ("body", "sides", index)
    parts, scope = call.parts, gateway.scope
    evaluation = parts.evaluations.get(scope, body.evaluation_id) if body.evaluation_id else None
    dataset = parts.datasets.get(scope, body.dataset_id) if body.dataset_id else None
    if body.evaluation_id is not None and evaluation is None:
        raise BadInput("This gateway has no evaluation with that id", (*path, "evaluation_id"))
    if body.dataset_id is not None and dataset is None:
        raise BadInput("This gateway has no dataset with that id", (*path, "dataset_id"))
    filters = parse_all([item.to_raw() for item in body.filters], (*path, "filters"), for_dataset=False)
    named = evaluation or dataset
    return Side(
        label=body.label or (named.name if named else f"side {index + 1}"),
        evaluation=evaluation,
        dataset=dataset,
        filters=filters,
        entries=tuple(body.metadata.items()),
    )


def _check_repeated(items: Sequence[str], field: str, message: str) -> None:
    for index, item in enumerate(items):
        if item in items[:index]:
            raise BadInput(message, ("body", field, index))
