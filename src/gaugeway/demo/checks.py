"""The demo checks Gaugeway's numbers against what it sent itself. Each finding is a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from gaugeway.demo.chats import PRICE_IN, PRICE_OUT, Kind, Sent

TOLERANCE = Decimal("1e-25")
"""Of a figure: a mean that never ends is rounded somewhere."""


class Log(Struct, frozen=True, kw_only=True):
    """The part of a log that the demo looks at, as the management API shows it."""

    id: str
    model: str
    success: bool
    outcome: str
    duration: int
    status_code: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    usage_estimated: bool = False  # the tokens are the gateway's own estimate
    cost: Decimal | None = msgspec.field(name="cost_exact", default=None)  # dollars
    cost_reason: str | None = None
    feedback: int | None = None
    metadata: dict[str, Any] | None = None


OUTCOMES = {
    Kind.WHOLE: "success",
    Kind.STREAMED: "success",
    Kind.BAD_REQUEST: "upstream_error",
    Kind.UNKNOWN_PATH: "upstream_error",
    Kind.HUNG_UP: "client_gone",
}


def check_logs(sent: Sequence[Sent], logs: Sequence[Log]) -> list[str]:
    """What is wrong with the logs of the requests sent; nothing if all is well."""
    by_id = {log.id: log for log in logs}
    wrong: list[str] = []
    if len(logs) != len(sent):
        wrong.append(f"{len(sent)} requests were sent, but there are {len(logs)} logs")
    for one in sent:
        log = by_id.pop(one.log_id or "", None)
        if log is None:
            wrong.append(f"{one.chat.kind} {one.chat.question!r}: there is no log with its id {one.log_id}")
            continue
        wrong += [f"log {log.id} ({one.chat.kind}): {finding}" for finding in _check_log(one, log)]
    wrong += [f"log {log_id} belongs to no request that was sent" for log_id in by_id]
    return wrong


def _check_log(one: Sent, log: Log) -> list[str]:
    chat = one.chat
    wanted: list[tuple[str, object, object]] = [
        ("outcome", log.outcome, OUTCOMES[chat.kind]),
        ("status_code", log.status_code, one.status),
        ("success", log.success, chat.kind in (Kind.WHOLE, Kind.STREAMED)),
        ("metadata", log.metadata or None, chat.metadata),
        ("feedback", log.feedback or None, chat.feedback),
    ]
    if chat.kind is not Kind.HUNG_UP:  # how much the upstream wrote for nobody is not ours to know
        wanted += [
            ("tokens_in", log.tokens_in or None, one.tokens_in),
            ("tokens_out", log.tokens_out or None, one.tokens_out),
        ]
        wanted.append(("cost", log.cost, expected_cost(one)))
    return [f"{name} is {found!r}, expected {right!r}" for name, found, right in wanted if found != right]


def expected_cost(one: Sent) -> Decimal | None:
    """What it cost, by the price that was sent along and the usage that the client saw; None: not known."""
    if not one.chat.priced or one.tokens_in is None or one.tokens_out is None:
        return None
    return one.tokens_in * PRICE_IN + one.tokens_out * PRICE_OUT


class Figure(Struct, frozen=True, kw_only=True):
    """What an evaluator should say."""

    value: Decimal | None
    n: int


def expected_figures(sent: Sequence[Sent], logs: Sequence[Log]) -> dict[str, Figure]:
    """The evaluators' figures, worked out here from the logs and the thumbs that were given."""
    costs = [log.cost for log in logs if log.cost is not None]
    durations = [Decimal(log.duration) for log in logs]
    thumbs = [one.chat.feedback for one in sent if one.chat.feedback is not None]
    return {
        "cost": _mean(costs),
        "speed": _mean(durations),
        "human_feedback": _mean([Decimal(100 if thumb > 0 else 0) for thumb in thumbs]),
    }


def _mean(values: Sequence[Decimal]) -> Figure:
    return Figure(value=sum(values, Decimal(0)) / len(values) if values else None, n=len(values))


def check_results(evaluation: dict[str, Any], figures: dict[str, Figure], selected: int) -> list[str]:
    """What is wrong with an evaluation's results; nothing if all is well."""
    wrong: list[str] = []
    if evaluation["total_logs"] != selected:
        wrong.append(f"the evaluation selected {evaluation['total_logs']} logs of {selected}")
    found = {result["evaluation_type_id"]: result for result in evaluation["results"]}
    for name, figure in figures.items():
        result = found.get(name)
        if result is None:
            wrong.append(f"there is no result of {name}")
            continue
        value = Decimal(result["result"]) if result["result"] else None
        if not _close(value, figure.value):
            wrong.append(f"{name} is {result['result']!r}, expected {figure.value}")
        if result["total_logs"] != figure.n:
            wrong.append(f"{name} was computed from {result['total_logs']} logs, expected {figure.n}")
        if result["total_logs"] + result["skipped"] + result["failed"] != selected:
            wrong.append(f"{name}: used, skipped and failed logs do not add up to {selected}")
    return wrong


def _close(found: Decimal | None, right: Decimal | None) -> bool:
    if found is None or right is None:
        return found is right
    return abs(found - right) <= TOLERANCE * abs(right)
