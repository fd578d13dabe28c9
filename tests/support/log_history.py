"""Histories of a log store: hypothesis steps, what takes them, and the logs that should be there afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from gaugeway.core.model import Bodies, Logged, LogRecord
from gaugeway.core.ports import LogChange, Retention
from gaugeway.core.query import EVERYTHING, Filter, Operator, Slice, Where
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import filter_oracle
from support.some_logs import SCOPE

ORDERED = ("created_at", "cost", "provider", "success")
COUNTED = [
    EVERYTHING,
    Where(((Filter("provider", Operator.EQ, ("openai", "Open")),),)),
    Where(((Filter("success", Operator.EQ, (False,)), Filter("model", Operator.NEQ, ("k",))),)),
    Where(((Filter("cached", Operator.EQ, (True,)),), (Filter("model", Operator.CONTAINS, ("s",)),))),
]


def steps_over(pool: list[LogRecord]) -> st.SearchStrategy[tuple[Any, ...]]:
    """One step of a history of logs from a pool: appends, some again, limits, deletes and changes."""
    batches = st.lists(st.sampled_from(pool), max_size=12)
    limits = st.none() | st.integers(1, 15)
    strategies = st.sampled_from(("DELETE_OLDEST", "STOP_INSERTING", None))
    return st.one_of(
        st.tuples(st.just("append"), batches, limits, strategies),
        st.tuples(
            st.just("delete"), st.sampled_from(COUNTED), st.integers(0, 6), st.sampled_from(ORDERED), st.booleans()
        ),
        st.tuples(
            st.just("patch"), st.sampled_from(pool), st.sampled_from((-1, 0, 1)), st.sampled_from((None, "x", "K"))
        ),
        st.tuples(st.just("delete all")),
    )


class Model:
    """The logs there should be."""

    def __init__(self) -> None:
        self.logs: dict[bytes, LogRecord] = {}

    def select(self, where: Where) -> list[LogRecord]:
        """Those that match."""
        return filter_oracle.select(self.logs.values(), where, _bodies_of(self.logs))

    def append(self, records: list[LogRecord], limit: int | None, strategy: str | None) -> None:
        for record in records:
            if record.id in self.logs or (strategy == "STOP_INSERTING" and limit and len(self.logs) >= limit):
                continue
            self.logs[record.id] = record
        if records and limit and strategy != "STOP_INSERTING":
            for id_ in sorted(self.logs)[: max(len(self.logs) - limit, 0)]:
                del self.logs[id_]

    def delete(self, where: Where, part: Slice) -> int:
        chosen = filter_oracle.page(self.logs.values(), where, part, _bodies_of(self.logs))
        for record in chosen:
            del self.logs[record.id]
        return len(chosen)


def _bodies_of(logs: Mapping[bytes, LogRecord]) -> filter_oracle.Kept:
    return {id_: Bodies(request=id_) for id_ in logs}


def take(step: tuple[Any, ...], store: SqliteLogStore, model: Model) -> None:
    """Take a step, in the store and in the model."""
    match step:
        case ("append", records, limit, strategy):
            bodies = _bodies_of({record.id: record for record in records})
            batch = [Logged(record, bodies[record.id]) for record in records]
            store.append(batch, lambda _scope: Retention(limit, strategy))
            model.append(records, limit, strategy)
        case ("delete", where, limit, order_by, descending):
            part = Slice(limit=limit, order_by=order_by, descending=descending)
            assert store.delete(SCOPE, where, part) == model.delete(where, part)
        case ("patch", record, feedback, text):
            metadata = None if text is None else {text: 1}
            fields = frozenset({"feedback", "metadata"})
            there = record.id in model.logs
            assert (
                store.patch(SCOPE, record.id, LogChange(fields=fields, feedback=feedback, metadata=metadata))
                == there
            )
            if there:
                changed = replace(model.logs[record.id], feedback=feedback or None, metadata=metadata)
                model.logs[record.id] = changed
        case _:
            store.delete_scope(SCOPE)
            model.logs.clear()
