"""What tests of evaluations share: short builders, in-memory stores behind the ports, and an oracle.

The oracle judges logs in plain Python, row by row and in fractions; nothing of the gateway's own arithmetic
or filter rendering is used.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import count

from msgspec import structs

from gaugeway.core import ids
from gaugeway.core.aggregates import Aggregate, Aggregated
from gaugeway.core.errors import NotFound
from gaugeway.core.model import (
    Dataset,
    Evaluation,
    Join,
    LogRecord,
    Outcome,
    RawFilter,
    Result,
    Scope,
    Usage,
)
from gaugeway.core.query import Criterion, FilterGroup, Operator, Where
from support.column_oracle import aggregate

ACCOUNT = "0123456789abcdef0123456789abcdef"
SCOPE = Scope(ACCOUNT, "main")
NOON = 1_795_000_000_000
TYPES = ("cost", "speed", "human_feedback")

_tail = count(1)


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


def log_id(created_at: int = NOON) -> bytes:
    """A UUIDv7 of that moment, different each time."""
    head = (created_at << 16) | 0x7000
    return ((head << 64) | 0x8000_0000_0000_0000 | next(_tail)).to_bytes(16)


def new_id(created_at: int = NOON) -> str:
    return ids.to_text(log_id(created_at))


def log(
    cost: str | Decimal | None = None,
    duration: int = 100,
    feedback: int | None = None,
    *,
    created_at: int = NOON,
    model: str = "m",
    provider: str = "openai",
    outcome: Outcome = Outcome.SUCCESS,
    scope: Scope = SCOPE,
    tokens_in: int | None = None,
    tokens_out: int | None = None,
    first_byte_ms: int | None = None,
    score: float | None = None,
    cost_saved: str | None = None,
    metadata: dict[str, str] | None = None,
) -> LogRecord:
    return LogRecord(
        account_id=scope.account_id,
        gateway_id=scope.gateway_id,
        id=log_id(created_at),
        provider=provider,
        model=model,
        outcome=outcome,
        duration=duration,
        cost=None if cost is None else Decimal(cost),
        cost_reason="no price is known" if cost is None else None,
        feedback=feedback,
        usage=Usage(tokens_in=tokens_in, tokens_out=tokens_out),
        first_byte_ms=first_byte_ms,
        score=score,
        cost_saved=None if cost_saved is None else Decimal(cost_saved),
        metadata=metadata,
    )


def dataset(*filters: tuple[str, str, list], name: str = "all", scope: Scope = SCOPE) -> Dataset:
    return Dataset(
        account_id=scope.account_id,
        gateway_id=scope.gateway_id,
        id=new_id(),
        name=name,
        enable=True,
        filters=[RawFilter(key, operator, value) for key, operator, value in filters],
        created_at=NOON,
        modified_at=NOON,
    )


def evaluation(
    *datasets: Dataset,
    types: Sequence[str] = TYPES,
    created_at: int = NOON,
    name: str | None = None,
    scope: Scope = SCOPE,
) -> Evaluation:
    identifier = new_id(created_at)
    return Evaluation(
        account_id=scope.account_id,
        gateway_id=scope.gateway_id,
        id=identifier,
        name=name or f"evaluation {identifier}",
        created_at=created_at,
        modified_at=created_at,
        datasets=list(datasets) or [dataset(scope=scope)],
        results=[
            Result(
                id=new_id(created_at),
                evaluation_id=identifier,
                evaluation_type_id=type_id,
                created_at=created_at,
                modified_at=created_at,
            )
            for type_id in types
        ],
    )


__all__ = ["aggregate"]

# --- the oracle -------------------------------------------------------------------------------------------


def chosen(logs: Iterable[LogRecord], where: Where) -> list[LogRecord]:
    """The logs a `Where` selects, one by one."""
    return [
        record
        for record in logs
        if (where.until_ms is None or record.created_at <= where.until_ms)
        and any(all(_meets(record, item) for item in filters) for filters in where.alternatives)
    ]


def _meets(record: LogRecord, item: Criterion) -> bool:
    if isinstance(item, FilterGroup):
        met = [_meets(record, inner) for inner in item.criteria]
        return {Join.ALL_OF: all(met), Join.ANY_OF: any(met), Join.NONE_OF: not any(met)}[item.join]
    known = _column(record, item.key)
    if item.key == "feedback" and item.operator is Operator.EQ:
        return known in item.values
    if known is None:
        return False
    if item.operator is Operator.EQ:
        return known in item.values
    if item.operator is Operator.CONTAINS:
        return any(str(value).lower() in known.lower() for value in item.values)
    return known < item.values[0] if item.operator is Operator.LT else known > item.values[0]


def _column(record: LogRecord, name: str):
    """What the log knows under a filter's or a column's name."""
    if name == "tokens":
        known = (record.usage.tokens_in, record.usage.tokens_out)
        return None if None in known else sum(known)
    return getattr(record.usage if name in ("tokens_in", "tokens_out") else record, name)


def figure(type_id: str, logs: Sequence[LogRecord]) -> tuple[Fraction | None, int]:
    """What an evaluation type means, straight from its definition: its value and how many logs it used."""
    if type_id == "human_feedback":
        marks = [record.feedback for record in logs if record.feedback in (-1, 1)]
        return (Fraction(100 * marks.count(1), len(marks)) if marks else None), len(marks)
    column = {"cost": "cost", "speed": "duration"}[type_id]
    known = [Fraction(getattr(record, column)) for record in logs if getattr(record, column) is not None]
    return (sum(known, Fraction(0)) / len(known) if known else None), len(known)


def is_nearest(text: str, exact: Fraction, digits: int = 34) -> bool:
    """Whether a decimal text is `exact`, or, where that does not end, the nearest of so many digits."""
    written = Fraction(text)
    if written == exact:
        return True
    significant = text.replace("-", "").replace(".", "").lstrip("0").rstrip("0")
    if len(significant) > digits or not significant:
        return False
    exponent = 0
    while Fraction(10) ** exponent > abs(exact):
        exponent -= 1
    while Fraction(10) ** (exponent + 1) <= abs(exact):
        exponent += 1
    last_place = Fraction(10) ** (exponent - digits + 1)
    return abs(written - exact) <= last_place / 2 and (exact / last_place).denominator != 1


# --- stores behind the ports ------------------------------------------------------------------------------


class MemoryLogs:
    """The part of LogStore that evaluations use. `trouble`, if set, is called before each answer."""

    def __init__(self, *logs: LogRecord) -> None:
        self.logs = list(logs)
        self.asked: list[tuple[Scope, Where, list[Aggregate]]] = []
        self.trouble: Callable[[], None] | None = None

    def aggregate(self, scope: Scope, where: Where, wanted: Sequence[Aggregate]) -> Aggregated:
        self.asked.append((scope, where, list(wanted)))
        if self.trouble is not None:
            self.trouble()
        return aggregate(chosen([item for item in self.logs if item.scope == scope], where), wanted)


class MemoryEvaluations:
    """The part of EvaluationStore that the runner uses, with every successful write kept in `written`."""

    def __init__(self, *evaluations: Evaluation) -> None:
        self._kept = {item.id: item for item in evaluations}
        self._leases: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self.written: list[tuple[str, list[Result]]] = []
        self.trouble: Callable[[str], None] | None = None

    def create(self, item: Evaluation) -> None:
        with self._lock:
            self._kept[item.id] = item

    def get(self, scope: Scope, evaluation_id: str) -> Evaluation | None:
        item = self._kept.get(evaluation_id)
        return item if item is not None and item.scope == scope else None

    def delete(self, scope: Scope, evaluation_id: str) -> Evaluation:
        with self._lock:
            if self.get(scope, evaluation_id) is None:
                raise NotFound(evaluation_id)
            self._leases.pop(evaluation_id, None)
            return self._kept.pop(evaluation_id)

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Evaluation | None:
        self._maybe_fail("claim")
        with self._lock:
            for item in sorted(self._kept.values(), key=lambda item: (item.created_at, item.id)):
                _, until = self._leases.get(item.id, ("", now_ms))
                if not item.processed and until <= now_ms:
                    self._leases[item.id] = (owner, now_ms + lease_ms)
                    return item
        return None

    def renew(self, item: Evaluation, owner: str, now_ms: int, lease_ms: int) -> bool:
        self._maybe_fail("renew")
        with self._lock:
            if not self._is_held(item, owner):
                return False
            self._leases[item.id] = (owner, now_ms + lease_ms)
            return True

    def save(self, item: Evaluation, owner: str, results: Sequence[Result], total_logs: int) -> bool:
        self._maybe_fail("save")
        with self._lock:
            if not self._is_held(item, owner):
                return False
            kept = structs.replace(item, results=list(results), total_logs=total_logs)
            self._kept[item.id] = kept
            self.written.append((owner, list(results)))
            if kept.processed:
                del self._leases[item.id]
            return True

    def lease(self, item: Evaluation) -> tuple[str, int]:
        """Who holds it, and until when."""
        return self._leases[item.id]

    def steal(self, item: Evaluation, thief: str, until_ms: int) -> None:
        """What another process does when the lease has run out."""
        with self._lock:
            self._leases[item.id] = (thief, until_ms)

    def _is_held(self, item: Evaluation, owner: str) -> bool:
        return item.id in self._kept and self._leases.get(item.id, ("", 0))[0] == owner

    def _maybe_fail(self, method: str) -> None:
        if self.trouble is not None:
            self.trouble(method)


class ReadySink:
    """A LogSink whose logs are always durable, or not as often as `refuse` says."""

    def __init__(self, refuse: int = 0) -> None:
        self.refuse = refuse
        self.flushed = 0

    def put(self, logged: object) -> None:
        raise AssertionError("an evaluation puts no logs")

    def is_full(self) -> bool:
        return False

    async def flush(self, timeout_s: float | None = None) -> bool:
        self.flushed += 1
        self.refuse -= 1
        return self.refuse < 0
