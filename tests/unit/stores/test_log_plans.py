"""How SQLite goes about the usual questions: by an index where one is meant, never over everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.model import Join, Outcome
from gaugeway.core.query import EVERYTHING, Filter, FilterGroup, Operator, Slice, Where
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support.some_logs import SCOPE, at, keep_all, logged

PAGE = Slice(limit=50)
RARE = Filter("provider", Operator.EQ, ("rare",))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteLogStore]:
    store = SqliteLogStore(tmp_path_factory.mktemp("plans"))
    outcomes = [Outcome.SUCCESS] * 18 + [Outcome.TIMEOUT, Outcome.CACHED]
    records = [
        at(ms, outcome=outcomes[ms % 20], provider="rare" if ms == 400 else "openai", model=f"m{ms % 3}")
        for ms in range(2000)
    ]
    store.append(logged(records), keep_all)
    yield store
    store.close()


@pytest.fixture
def plan_of(store: SqliteLogStore) -> Callable[[Callable[[], Any]], str]:
    """What EXPLAIN QUERY PLAN says about every statement that a call runs on this thread's reader."""

    def explain(call: Callable[[], Any]) -> str:
        connection: Any = store.logs_database.reader()
        seen: list[tuple[str, Any]] = []

        def note(_cursor: Any, sql: str, bindings: Any) -> bool:
            seen.append((sql, bindings))
            return True

        connection.exec_trace = note
        try:
            call()
        finally:
            connection.exec_trace = None
        steps: list[str] = []
        for sql, bindings in seen:
            if sql.lstrip().startswith("SELECT"):
                steps += [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", bindings)]
        assert steps, "the call asked nothing"
        return "\n".join(steps)

    return explain


def only(key: str, operator: str, *values: object) -> Where:
    return Where(((Filter(key, Operator(operator), values),),))  # type: ignore[arg-type]


def test_the_newest_page_walks_the_key_backwards(store, plan_of):
    plan = plan_of(lambda: store.page(SCOPE, EVERYTHING, PAGE))
    assert "SEARCH logs USING PRIMARY KEY (gw=?)" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("descending", [True, False])
def test_a_stretch_of_time_is_a_stretch_of_the_key(store, plan_of, descending):
    where = Where(((Filter("created_at", Operator.GT, (500,)), Filter("created_at", Operator.LT, (700,))),))
    plan = plan_of(lambda: store.page(SCOPE, where, Slice(limit=50, descending=descending)))
    assert "SEARCH logs USING PRIMARY KEY (gw=? AND id>? AND id<?)" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_groups_narrow_the_stretch_that_is_walked(store, plan_of):
    def between(low: int, high: int) -> FilterGroup:
        ends = Filter("created_at", Operator.GT, (low,)), Filter("created_at", Operator.LT, (high,))
        return FilterGroup(Join.ALL_OF, ends)

    either = FilterGroup(Join.ANY_OF, (between(500, 520), between(600, 620)))
    plan = plan_of(lambda: store.page(SCOPE, Where(((either,),)), PAGE))
    assert "SEARCH logs USING PRIMARY KEY (gw=? AND id>? AND id<?)" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
    found = [log.created_at for log in store.page(SCOPE, Where(((either,),)), Slice(limit=50, descending=False))]
    assert found == [*range(501, 520), *range(601, 620)]


def test_failures_with_a_text_in_their_bodies_are_found_by_their_index(store, plan_of):
    failing = Filter("success", Operator.EQ, (False,))
    where = Where(((Filter("response_body", Operator.CONTAINS, ("x",)), failing),))
    assert "SEARCH logs USING INDEX failures" in plan_of(lambda: store.page(SCOPE, where, PAGE))


def test_one_log_is_found_by_its_key(store, plan_of):
    plan = plan_of(lambda: store.get(SCOPE, at(5, 0).id))
    assert plan.splitlines()[-1] == "SEARCH logs USING PRIMARY KEY (gw=? AND id=?)"


def test_failures_have_an_index(store, plan_of):
    plan = plan_of(lambda: store.page(SCOPE, only("success", "eq", False), PAGE))
    assert "SEARCH logs USING INDEX failures (gw=? AND id>? AND id<?)" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_where_most_logs_are_failures_their_index_is_no_help(tmp_path: Path, store):
    mostly = SqliteLogStore(tmp_path)
    mostly.append(logged([at(ms, outcome=Outcome.TIMEOUT) for ms in range(100)]), keep_all)
    statements: list[str] = []
    connection: Any = mostly.logs_database.reader()
    connection.exec_trace = lambda _cursor, sql, _bindings: statements.append(sql) or True
    assert len(mostly.page(SCOPE, only("success", "eq", False), PAGE)) == 50
    assert not any("INDEXED BY" in sql for sql in statements)
    mostly.close()


def test_a_provider_is_looked_for_only_where_it_occurs(store, plan_of):
    plan = plan_of(lambda: store.page(SCOPE, only("provider", "eq", "rare"), PAGE))
    assert "SEARCH logs USING PRIMARY KEY (gw=? AND id>? AND id<?)" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("where", [
    only("provider", "eq", "never seen"),
    only("model", "contains", "never seen"),
    Where(((Filter("provider", Operator.EQ, ("rare",)), Filter("success", Operator.EQ, (False,))),)),
    Where(((Filter("provider", Operator.EQ, ("never seen",)), Filter("duration", Operator.GT, (5,))),)),
    only("user_agent", "eq", "never seen"),
    only("dlp_action", "eq", "BLOCK"),
    only("wholesale", "eq", True),
    Where(()),
    Where(((FilterGroup(Join.ANY_OF, (Filter("provider", Operator.EQ, ("never seen",)),)),),)),
    Where(((FilterGroup(Join.NONE_OF, (Filter("provider", Operator.CONTAINS, ("e",)),)),),)),
    Where(((Filter("model", Operator.EQ, ("no",)), Filter("request_body", Operator.CONTAINS, ("x",))),)),
])  # fmt: skip
def test_what_cannot_be_there_is_not_looked_for(store, plan_of, where):
    for question in (
        lambda: store.page(SCOPE, where, PAGE),
        lambda: store.count(SCOPE, where),
        lambda: store.aggregate(SCOPE, where, [Aggregate(Op.SUM, Column.COST)]),
        lambda: store.extremes(SCOPE, where),
    ):
        assert "logs" not in plan_of_or_nothing(plan_of, question).replace("gateways", "")


def plan_of_or_nothing(plan_of: Callable[[Callable[[], Any]], str], call: Callable[[], Any]) -> str:
    try:
        return plan_of(call)
    except AssertionError:
        return ""


@pytest.mark.parametrize("where", [
    EVERYTHING,
    only("success", "eq", False),
    only("provider", "neq", "rare"),
    only("model", "contains", "M1"),
    Where(((Filter("cached", Operator.EQ, (True,)),), (Filter("provider", Operator.EQ, ("rare",)),))),
    Where(until_ms=1 << 50),
    Where(((FilterGroup(Join.ANY_OF, (Filter("cached", Operator.EQ, (True,)), RARE)),),)),
    Where(((FilterGroup(Join.NONE_OF, (Filter("cached", Operator.EQ, (True,)), RARE)),),)),
])  # fmt: skip
def test_the_usual_counts_are_kept(store, plan_of, where):
    plan = plan_of(lambda: store.count(SCOPE, where))
    assert "SEARCH logs" not in plan
    assert "SCAN" not in plan


@pytest.mark.parametrize("order_by", ["provider", "model", "success", "cached"])
def test_orders_of_few_values_are_walked_value_by_value(store, plan_of, order_by):
    plan = plan_of(lambda: store.page(SCOPE, EVERYTHING, Slice(offset=700, limit=500, order_by=order_by)))
    assert "SCAN" not in plan
    walks = [step for step in plan.splitlines() if "logs" in step]
    assert walks
    assert all(step.startswith("SEARCH logs USING PRIMARY KEY (gw=? AND id") for step in walks)
    assert "ORDER BY" not in plan


def test_exact_costs_need_no_walk_for_those_that_are_not_there(store, plan_of):
    plan = plan_of(lambda: store.aggregate(SCOPE, EVERYTHING, [Aggregate(Op.SUM, Column.COST)]))
    assert plan.splitlines()[-2:] == [
        "SEARCH logs USING PRIMARY KEY (gw=?)",
        "SEARCH logs USING INDEX cost_fractions (gw=?)",
    ]
