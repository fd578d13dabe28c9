"""Tries an evaluator with parameters on a few logs, before an evaluation type is made of it (an extension)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.errors import BadInput, GaugewayError
from gaugeway.core.judging import ModelScorer
from gaugeway.core.model import LogRecord, Scope
from gaugeway.core.samples import ItemEvaluator, Mark, Work
from gaugeway.management import envelope
from gaugeway.management.evaluation_types import checked
from gaugeway.management.parts import Call, Caller
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body, Identifier

router = APIRouter(prefix="/evaluation-types", tags=["Evaluations"])

MAX_LOGS = 5
MAX_TRIES = 2
"""At the same time in one process; the others wait, and hold up nobody else's answers."""

_threads = ThreadPoolExecutor(MAX_TRIES, thread_name_prefix="type-try")


class TryBody(Body):
    """What is tried, and on which logs of which gateway."""

    evaluator_id: Identifier
    parameters: dict[str, Any] = Field(default_factory=dict)
    gateway_id: Identifier
    log_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_LOGS)]


@router.post("/try", summary="Try an evaluation type on a few logs", dependencies=[NO_QUERY])
async def try_type(call: Caller, body: TryBody) -> Response:
    """What an evaluation would find in these logs, one by one. Nothing is created or kept."""
    loop = asyncio.get_running_loop()
    return envelope.result(await loop.run_in_executor(_threads, _tried, call, body))


def _tried(call: Call, body: TryBody) -> list[dict[str, Any]]:
    evaluator, scorer = checked(call, body.evaluator_id, body.parameters)
    if isinstance(scorer, ModelScorer):
        message = "It asks a model, which costs money: forecast an evaluation with it"
        raise BadInput(message, ("body", "evaluator_id"))
    scope = Scope(call.account_id, body.gateway_id)
    if call.parts.gateways.get(scope) is None:
        raise BadInput(f"There is no gateway {body.gateway_id!r}", ("body", "gateway_id"))
    records = [_record(call, scope, text, at) for at, text in enumerate(body.log_ids)]
    scoring = call.parts.open_scoring({0: (evaluator.id, body.parameters)})
    try:
        marks = [scoring.score(_work(call, scope, record, evaluator))[0] for record in records]
    except GaugewayError as problem:
        raise BadInput(f"It could not be tried: {problem}", ("body",)) from problem
    finally:
        scoring.close()
    return [_shown(text, mark) for text, mark in zip(body.log_ids, marks, strict=True)]


def _record(call: Call, scope: Scope, text: str, at: int) -> LogRecord:
    identifier = ids.from_text(text)
    record = None if identifier is None else call.parts.logs.get(scope, identifier)
    if record is None:
        raise BadInput(f"The gateway has no log {text!r}", ("body", "log_ids", at))
    return record


def _work(call: Call, scope: Scope, record: LogRecord, evaluator: ItemEvaluator) -> Work:
    bodies = call.parts.logs.bodies(scope, record.id) if evaluator.reads_bodies else None
    return Work(record, bodies, None, (0,))


def _shown(log_id: str, mark: Mark) -> dict[str, Any]:
    status = "scored" if mark.score is not None else "failed" if mark.failed else "skipped"
    return {"log_id": log_id, "status": status, "score": mark.score, "note": mark.note or None}
