"""Candidates, and by what they are judged: what replays and shadows are asked for alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.responses import Response

from gaugeway.core.comparisons import Margin
from gaugeway.core.errors import BadInput
from gaugeway.core.model import CustomCost, Gateway, Scope
from gaugeway.core.ports import Page
from gaugeway.core.replays import (
    MAX_CANDIDATES,
    RESERVED,
    Candidate,
    CandidateForecast,
    ItemState,
    Judged,
    ReplayItem,
    Trial,
)
from gaugeway.core.replays import Call as ModelCall
from gaugeway.core.samples import ItemEvaluator
from gaugeway.management import envelope
from gaugeway.management.comparisons import MarginBody
from gaugeway.management.evaluations import choose_types
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call
from gaugeway.management.replay_view import LOGGED, show_item
from gaugeway.management.validation import Body, Identifier, Name

Rate = Annotated[float, Field(ge=0, le=1)]
Prompt = Annotated[str, Field(max_length=200_000)]
MODEL = r"^[a-z0-9][a-zA-Z0-9_-]*/.+$"


class CandidateBody(Body):
    """What might have been used instead: another model, another prompt, other parameters, or several of these."""

    label: Name | None = Field(None, description="What it is called in the results. Default: its model.")
    model: str | None = Field(
        None,
        pattern=MODEL,
        max_length=256,
        description="`{provider}/{model}`, e.g. `openai/gpt-5-mini`. Default: the logged one.",
    )
    system: Prompt | None = Field(None, description="In the place of the system prompt.")
    append_system: Prompt | None = Field(None, description="Behind the system prompt.")
    parameters: dict[str, Any] = Field(
        default_factory=dict[str, Any], max_length=50, description="Of the request; null takes one out."
    )
    cost_per_token_in: Rate | None = Field(None, description="Dollars, where no price is known for the model.")
    cost_per_token_out: Rate | None = Field(None, description="The same for the tokens of its answers.")


class TrialBody(Body):
    """What the bodies of replays and shadows have in common."""

    name: Name
    through: Identifier = Field(
        description="The gateway that the calls go through: another than the one whose requests they are."
    )
    candidates: Annotated[list[CandidateBody], Field(min_length=1, max_length=MAX_CANDIDATES)]
    evaluation_type_ids: Annotated[list[Identifier], Field(max_length=20)] = Field(
        default_factory=list[str], description="Item-wise evaluation types by which both answers are judged."
    )
    margins: dict[str, MarginBody] = Field(default_factory=dict[str, MarginBody], max_length=25)
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4
    accept_unknown_cost: bool = Field(
        False, description="Also send calls of which nobody knows what they cost; the cap cannot count them before."
    )


class ItemList(Paged):
    """The query of a list of a replay's or a shadow's items."""

    side: int | None = Field(None, ge=0, le=MAX_CANDIDATES, description="0: logged; k: the k-th candidate.")
    status: Literal["replayed", "failed", "skipped", "sent", "answered"] | None = None


def items_page(
    call: Call, trial: Trial, read: Callable[..., Page[tuple[bytes, ReplayItem]]], query: ItemList
) -> Response:
    """A page of the items of a trial, as its store's `read` gives them."""
    state = None if query.status is None else ItemState[query.status.upper()]
    part = read(side=query.side, state=state, offset=query.offset, limit=query.per_page)
    shown = [show_item(call, trial, log_id, item) for log_id, item in part.items]
    return envelope.page(shown, query.info(len(shown), part.total))


def at(index: int, field: str) -> tuple[str | int, ...]:
    """Where a candidate's field is."""
    return ("body", "candidates", index, field)


def read_candidates(bodies: Sequence[CandidateBody]) -> tuple[Candidate, ...]:
    """What the bodies ask for; BadInput, also where two have one label."""
    candidates = tuple(_candidate(index, one) for index, one in enumerate(bodies))
    labels = [one.label for one in candidates]
    for index, label in enumerate(labels):
        if label in labels[:index] or label == LOGGED:
            raise BadInput(
                f"'{label}' names something else already: give it a label of its own", at(index, "label")
            )
    return candidates


def read_margins(bodies: Mapping[str, MarginBody], type_ids: Sequence[str]) -> dict[str, Margin]:
    """How much worse still passes; BadInput where one is of what is not compared."""
    known = {"cost", "speed", "error_rate", *type_ids}
    for type_id in bodies:
        if type_id not in known:
            raise BadInput("This is not compared", ("body", "margins", type_id))
    return {
        type_id: Margin(Decimal(repr(margin.amount)), margin.unit == "percent")
        for type_id, margin in bodies.items()
    }


def check_through(call: Call, gateway: Gateway, through: str) -> None:
    """BadInput where calls cannot go through that gateway."""
    if through == gateway.id:
        message = (
            "Its calls are logged where they pass, and would count as this gateway's traffic: name another gateway"
        )
        raise BadInput(message, ("body", "through"))
    if call.parts.gateways.get(Scope(call.account_id, through)) is None:
        raise BadInput(f"There is no gateway '{through}'", ("body", "through"))


async def check_prices(
    call: Call, trial: Trial, forecasts: Sequence[CandidateForecast], *, more_will_come: bool
) -> None:
    """BadInput where nobody can tell what a candidate costs, and that was not accepted.

    The logged requests that it would be sent tell it; where there are none, and `more_will_come`, the smallest one
    that there can be.
    """
    if trial.accept_unknown_cost:
        return
    told = {one.label: one for one in forecasts if one.replayable}
    for index, one in enumerate(trial.candidates):
        forecast = told.get(one.label)
        if forecast is not None:
            why = "" if forecast.worst_case is not None else forecast.unknown or "not known"
        else:
            why = await _why_unpriced(call, trial, one) if one.model and more_will_come else ""
        if why:
            message = (
                f"What '{one.label}' costs is not known ({why}), so the cap could not be held: give"
                " cost_per_token_in and cost_per_token_out, or set accept_unknown_cost"
            )
            raise BadInput(message, at(index, "model"))


async def _why_unpriced(call: Call, trial: Trial, one: Candidate) -> str:
    smallest = b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}'
    asked = ModelCall(model=one.model, endpoint="chat/completions", body=smallest, rates=one.rates)
    priced = await call.parts.at_most(trial.through_scope, asked)
    return "" if priced.cost is not None else priced.reason or "not known"


def _candidate(index: int, body: CandidateBody) -> Candidate:
    for name in body.parameters:
        if name in RESERVED:
            raise BadInput(f"'{name}' cannot be changed here", ("body", "candidates", index, "parameters", name))
    if (body.cost_per_token_in is None) != (body.cost_per_token_out is None):
        raise BadInput("cost_per_token_in and cost_per_token_out are given both or not at all", at(index, "model"))
    if (body.model or "").startswith("dynamic/"):
        raise BadInput("A dynamic route cannot be a candidate: its models are", at(index, "model"))
    rates = None
    if body.cost_per_token_in is not None and body.cost_per_token_out is not None:
        rates = CustomCost(
            per_token_in=Decimal(repr(body.cost_per_token_in)), per_token_out=Decimal(repr(body.cost_per_token_out))
        )
    return Candidate(
        label=body.label or body.model or f"candidate {index + 1}",
        model=body.model or "",
        system=body.system,
        append_system=body.append_system,
        parameters=body.parameters,
        rates=rates,
    )


def read_judged(call: Call, gateway: Gateway, type_ids: list[str]) -> tuple[Judged, ...]:
    """The item-wise evaluation types by which answers are judged; BadInput."""
    found: list[Judged] = []
    for index, (type_id, custom) in enumerate(zip(type_ids, choose_types(call, gateway, type_ids), strict=True)):
        evaluator_id = type_id if custom is None else custom.evaluator_id
        if not isinstance(call.parts.evaluator(evaluator_id), ItemEvaluator):
            message = "It looks at no single logs; cost, speed and error_rate are compared in any case"
            raise BadInput(message, ("body", "evaluation_type_ids", index))
        parameters = {} if custom is None else custom.parameters
        found.append(Judged(evaluation_type_id=type_id, evaluator_id=evaluator_id, parameters=parameters))
    return tuple(found)
