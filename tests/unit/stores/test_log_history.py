"""Any history of appends, repeats, limits, changes and deletes leaves what plain Python says it leaves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.model import Bodies, Logged, LogRecord
from gaugeway.core.ports import LogChange, Retention
from gaugeway.core.query import EVERYTHING, Filter, Operator, Slice, Where
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import filter_oracle, some_logs
from support.some_logs import SCOPE

POOL = some_logs.varied(40)
ORDERED = ("created_at", "cost", "provider", "success")
SUM_COST = Aggregate(Op.SUM, Column.COST)
COUNTED = [
    EVERYTHING,
    Where(((Filter("provider", Operator.EQ, ("openai", "Open")),),)),
    Where(((Filter("success", Operator.EQ, (False,)), Filter("model", Operator.NEQ, ("k",))),)),
    Where(((Filter("cached", Operator.EQ, (True,)),), (Filter("model", Operator.CONTAINS, ("s",)),))),
]

batches = st.lists(st.sampled_from(POOL), max_size=12)
limits = st.none() | st.integers(1, 15)
steps = st.one_of(
    st.tuples(st.just("append"), batches, limits, st.sampled_from(("DELETE_OLDEST", "STOP_INSERTING", None))),
    st.tuples(
        st.just("delete"), st.sampled_from(COUNTED), st.integers(0, 6), st.sampled_from(ORDERED), st.booleans()
    ),
    st.tuples(
        st.just("patch"), st.sampled_from(POOL), st.sampled_from((-1, 0, 1)), st.sampled_from((None, "x", "K"))
    ),
    st.tuples(st.just("delete all")),
)


class Model:
    """The logs there should be."""

    def __init__(self) -> None:
        self.logs: dict[bytes, LogRecord] = {}

    def append(self, records: list[LogRecord], limit: int | None, strategy: str | None) -> None:
        for record in records:
            if record.id in self.logs or (strategy == "STOP_INSERTING" and limit and len(self.logs) >= limit):
                continue
            self.logs[record.id] = record
        if limit and strategy != "STOP_INSERTING":
            for id_ in sorted(self.logs)[: max(len(self.logs) - limit, 0)]:
                del self.logs[id_]

    def delete(self, where: Where, part: Slice) -> int:
        chosen = filter_oracle.page(self.logs.values(), where, part)
        for record in chosen:
            del self.logs[record.id]
        return len(chosen)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    store = SqliteLogStore(tmp_path_factory.mktemp("history"))
    yield store
    store.close()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(steps, max_size=8))
def test_every_history_ends_as_it_should(store: SqliteLogStore, history: list[tuple[Any, ...]]) -> None:
    model = Model()
    store.delete_scope(SCOPE)
    for step in history:
        take(step, store, model)
        records = sorted(model.logs.values(), key=lambda log: log.id)
        assert store.page(SCOPE, EVERYTHING, Slice(limit=100, descending=False)) == records
        for where in COUNTED:
            expected, (cost,) = filter_oracle.aggregate(records, where, [SUM_COST])
            assert store.count(SCOPE, where) == expected
            assert filter_oracle.exactly(store.aggregate(SCOPE, where, [SUM_COST]).values[SUM_COST]) == cost
            for order_by in ORDERED:
                part = Slice(offset=1, limit=5, order_by=order_by)
                assert store.page(SCOPE, where, part) == filter_oracle.page(records, where, part)
        for record in POOL:
            body = Bodies(request=record.id) if record.id in model.logs else None
            assert store.bodies(SCOPE, record.id) == body


def take(step: tuple[Any, ...], store: SqliteLogStore, model: Model) -> None:
    match step:
        case ("append", records, limit, strategy):
            batch = [Logged(record, Bodies(request=record.id)) for record in records]
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
