"""The columnar projection says what SQLite says, to the last digit, whatever happens to logs and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Op
from gaugeway.core.model import Outcome, Usage
from gaugeway.core.ports import Coverage, LogChange
from gaugeway.core.query import EVERYTHING, KEYS, Filter, Kind, Operator, Slice, Where
from gaugeway.stores.sqlite import words
from gaugeway.stores.sqlite.columns import answering, harvest, masks
from gaugeway.stores.sqlite.columns.planning import Sizes
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import column_oracle, filter_oracle, some_logs
from support.log_history import Model, steps_over, take
from support.some_logs import OTHER_SCOPE, SCOPE, a_log, at, keep_all, logged

SMALL = Sizes(least=1, seal=4, spare=2, most=16, merge=3, changed=4)
WANTED = [
    *(
        Aggregate(op, column, 1 if op is Op.COUNT_EQUAL else None)
        for column in Column
        for op in Op
        if (op, column) != (Op.DISTRIBUTION, Column.COST_SAVED)
    ),
    Aggregate(Op.COUNT_EQUAL, Column.COST_SAVED, 0),
]
POOL = some_logs.varied(60)
QUICKLY = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


class Pair:
    """Two stores to which the same is done: one with columns, and one that never has any."""

    def __init__(self, folder: Path, sizes: Sizes = SMALL) -> None:
        self.folder = folder / "with"
        self.store = SqliteLogStore(self.folder, sizes=sizes)
        self.oracle = SqliteLogStore(folder / "without")

    def __iter__(self) -> Iterator[SqliteLogStore]:
        return iter((self.store, self.oracle))

    def append(self, records: list[Any]) -> None:
        for store in self:
            store.append(logged(records), keep_all)

    def both(self, act: Callable[[SqliteLogStore], object]) -> None:
        for store in self:
            act(store)

    def check(self, *wheres: Where, wanted: list[Aggregate] = WANTED) -> None:
        """That both say the same."""
        for where in wheres or (EVERYTHING,):
            assert_same(self.store.aggregate(SCOPE, where, wanted), self.oracle.aggregate(SCOPE, where, wanted))

    def coverage(self) -> Coverage:
        (found,) = [one for one in self.store.columns.coverage() if one.scope == SCOPE]
        return found

    def files(self) -> list[Path]:
        return [path for path in (self.folder / "columns").iterdir() if path.name != "lock"]

    def close(self) -> None:
        for store in self:
            store.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module", params=["roomy", "cramped"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """With codes for all words, or out of them: then logs carry texts themselves."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "cramped":
            patch.setattr(words, "MAX_WORDS", 3)
        made = Pair(tmp_path_factory.mktemp(request.param))
        yield made
        made.close()


def assert_same(answer: Aggregated, expected: Aggregated) -> None:
    """Every figure to the last digit; what the port gives to 15 digits, to 14 of them."""
    assert answer.total == expected.total
    assert answer.values.keys() == expected.values.keys()
    for item, value in expected.values.items():
        if item.op is Op.SUM_SQUARES:
            assert float(answer.values[item]) == pytest.approx(float(value), rel=1e-14, abs=0), item
        else:
            assert Fraction(answer.values[item]) == Fraction(value), item
    assert answer.distributions.keys() == expected.distributions.keys()
    for column, distribution in expected.distributions.items():
        assert answer.distributions[column].values.tolist() == distribution.values.tolist(), column
        assert answer.distributions[column].up_to_each.tolist() == distribution.up_to_each.tolist(), column


def only(key: str, operator: str, *values: Any) -> Where:
    return Where(((Filter(key, Operator(operator), values),),))


# Histories


steps = st.one_of(steps_over(POOL), st.tuples(st.just("catch up")))


@QUICKLY
@given(history=st.lists(steps, max_size=10), wheres=st.lists(some_logs.wheres, min_size=3, max_size=6))
def test_any_history_and_any_filter(shared: Pair, history: list[tuple[Any, ...]], wheres: list[Where]) -> None:
    for store in shared:
        store.delete_scope(SCOPE)
    models = [Model(), Model()]
    for step in [("append", POOL[::2], None, None), ("catch up",), *history]:
        if step[0] == "catch up":
            shared.store.columns.catch_up()
            continue
        for store, model in zip(shared, models, strict=True):
            take(step, store, model)
        shared.check(EVERYTHING, *wheres)
    records = list(models[0].logs.values())
    for where in wheres:
        if where.reads_bodies:  # the history's logs have bodies, which its model does not keep
            continue
        chosen = filter_oracle.select(records, where)
        total, figures = len(chosen), [column_oracle.figure(chosen, item) for item in COUNTED]
        answer = shared.store.aggregate(SCOPE, where, COUNTED)
        assert (answer.total, [Fraction(answer.values[item]) for item in COUNTED]) == (total, figures)


COUNTED = [Aggregate(Op.SUM, Column.COST), Aggregate(Op.COUNT, Column.SCORE), Aggregate(Op.SUM, Column.TOKENS_IN)]


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Logs that differ in everything, nearly all of them in columns."""
    made = Pair(tmp_path_factory.mktemp("varied"), Sizes(least=1, seal=64, spare=2, most=128, merge=3, changed=4))
    made.append(some_logs.varied(600))
    made.store.columns.catch_up()
    yield made
    made.close()


@pytest.mark.parametrize(("key", "operator"), some_logs.PAIRS)
def test_every_filter_is_answered_by_the_columns_as_by_sqlite(varied: Pair, key: str, operator: Operator) -> None:
    @settings(max_examples=2, deadline=None, phases=[Phase.generate])
    @given(some_logs.filters_of(key, operator), some_logs.filters)
    def check(item: Filter, other: Filter) -> None:
        for where in (Where(((item,),)), Where(((item, other),)), Where(((item,), (other,)))):
            expected = varied.oracle.aggregate(SCOPE, where, WANTED)
            answer = varied.store.columns.aggregate(SCOPE, where, WANTED)
            if (
                answer is None
            ):  # there are no columns of bodies and paths, or SQLite knows at once that there is nothing
                left = where.reads_bodies or not {item.key, other.key}.isdisjoint(masks.LEFT_TO_SQLITE)
                assert left or varied.oracle.count(SCOPE, where) == 0
            else:
                assert_same(answer, expected)

    check()


@QUICKLY
@given(records=st.lists(some_logs.logs, max_size=12, unique_by=lambda log: log.id), where=some_logs.wheres)
def test_logs_of_any_kind(shared: Pair, records: list[Any], where: Where) -> None:
    shared.both(lambda store: store.delete_scope(SCOPE))
    shared.append(records)
    shared.store.columns.catch_up()
    shared.check(EVERYTHING, where)


# What is used when


def test_columns_answer_where_there_are_enough_logs(pair: Pair) -> None:
    pair.append(some_logs.varied(5))
    assert pair.store.columns.catch_up() == 0
    assert pair.store.columns.aggregate(SCOPE, EVERYTHING, WANTED) is None
    pair.append(some_logs.varied(60, seed=2)[5:])
    assert pair.store.columns.catch_up() > 0
    answer = pair.store.columns.aggregate(SCOPE, EVERYTHING, WANTED)
    assert answer is not None
    assert answer.total == 60
    assert pair.coverage().projected == 58
    assert pair.store.columns.catch_up() == 0, "nothing is made twice"
    pair.check()


def test_every_key_of_a_filter_is_known_to_the_columns() -> None:
    """A key that is added to the filters is added here, too, or SQLite goes on answering it."""
    text = {"dlp_action", "metadata.key", "metadata.value", *masks.TEXTS}
    other = {"success", "cached", "authentication", "cost", "id", "created_at", "tokens", *masks.NUMBERS}
    bodies = {key for key, kind in KEYS.items() if kind is Kind.BODY}
    assert text | other | bodies | {*masks.ALWAYS_FALSE, *masks.LEFT_TO_SQLITE} == set(KEYS)
    assert Where.__struct_fields__ == masks.FIELDS


def test_small_gateways_have_no_columns(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path)
    store.append(logged(some_logs.varied(300)), keep_all)
    assert store.columns.catch_up() == 0
    assert store.columns.aggregate(SCOPE, EVERYTHING, WANTED) is None
    store.close()


# Changes


def test_a_change_of_a_log_in_the_columns_counts_at_once(pair: Pair) -> None:
    records = [at(1000 + number, cost=Decimal(number)) for number in range(20)]
    pair.append(records)
    pair.store.columns.catch_up()
    change = LogChange(
        fields=frozenset({"feedback", "score", "metadata"}), feedback=-1, score=0.7, metadata={"a": "b"}
    )
    pair.both(lambda store: store.patch(SCOPE, records[3].id, change))
    pair.check(
        EVERYTHING, only("feedback", "eq", -1), only("metadata.a", "eq", "b"), only("cost", "gt", Decimal(2))
    )
    assert pair.coverage().changed == 1
    pair.both(lambda store: store.delete(SCOPE, only("id", "eq", records[5].id), Slice()))
    pair.append([at(1000, 7, cost=Decimal("0.1"))])  # a latecomer
    pair.check(EVERYTHING, only("cost", "lt", Decimal(7)), only("created_at", "lt", 1006))
    assert pair.coverage().changed == 3
    assert pair.store.columns.aggregate(SCOPE, EVERYTHING, WANTED) is not None


def test_many_changes_are_taken_into_the_columns(pair: Pair) -> None:
    records = [at(1000 + number) for number in range(20)]
    pair.append(records)
    pair.store.columns.catch_up()
    for record in records[2:9]:
        pair.both(
            lambda store, id_=record.id: store.patch(
                SCOPE, id_, LogChange(fields=frozenset({"feedback"}), feedback=1)
            )
        )
    assert pair.coverage().changed == 7
    assert pair.store.columns.catch_up() > 0
    assert pair.coverage().changed < SMALL.changed
    pair.check(EVERYTHING, only("feedback", "eq", 1))


def test_where_too_much_has_changed_sqlite_answers(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [at(1000 + number) for number in range(20)]
    pair.append(records)
    pair.store.columns.catch_up()
    monkeypatch.setattr(answering, "MAX_CHANGED", 1)
    for record in records[2:4]:
        pair.both(
            lambda store, id_=record.id: store.patch(
                SCOPE, id_, LogChange(fields=frozenset({"feedback"}), feedback=1)
            )
        )
    assert pair.store.columns.aggregate(SCOPE, EVERYTHING, WANTED) is None
    pair.check(EVERYTHING, only("feedback", "eq", 1))


def test_deleting_all_logs_takes_the_columns_with_them(pair: Pair) -> None:
    pair.append(some_logs.varied(60))
    pair.append([a_log(OTHER_SCOPE) for _ in range(30)])
    pair.store.columns.catch_up()
    pair.both(lambda store: store.delete_scope(SCOPE))
    assert pair.coverage() == Coverage(scope=SCOPE, logs=0, projected=0, changed=0, bytes=0)
    assert pair.store.columns.aggregate(OTHER_SCOPE, EVERYTHING, WANTED) is not None
    pair.append(some_logs.varied(60, seed=3))
    pair.check()
    pair.store.columns.catch_up()
    pair.check()
    assert pair.coverage().projected == 58


def test_oldest_logs_that_make_room_leave_the_columns(tmp_path: Path) -> None:
    from gaugeway.core.ports import Retention

    pair = Pair(tmp_path)
    for begin in range(0, 200, 10):
        records = [at(1000 + begin + number, cost=Decimal(number)) for number in range(10)]
        pair.both(
            lambda store, its=records: store.append(logged(its), lambda _scope: Retention(40, "DELETE_OLDEST"))
        )
        pair.store.columns.catch_up()
        pair.check()
    assert pair.coverage().logs == 40
    assert 30 < pair.coverage().projected < 50
    assert pair.coverage().changed < 3 * SMALL.changed
    pair.close()


def test_many_latecomers_become_segments_of_their_own(pair: Pair) -> None:
    pair.append([at(1000 + number) for number in range(0, 60, 20)])
    pair.append([at(2000 + number) for number in range(20)])
    pair.store.columns.catch_up()
    pair.append([at(1000 + number, 5, duration=number) for number in range(100)])
    pair.check()
    pair.store.columns.catch_up()
    pair.check()
    assert pair.coverage().changed < SMALL.changed
    assert pair.coverage().projected == 121


def test_small_segments_become_one(pair: Pair) -> None:
    for begin in range(0, 200, 6):
        pair.append([at(1000 + begin + number) for number in range(6)])
        pair.store.columns.catch_up()
        pair.check()
    assert len(pair.files()) < 25, "of 16 logs each"


# Numbers at the ends


def test_sums_beyond_64_bits(pair: Pair) -> None:
    huge = [
        a_log(usage=Usage(tokens_in=(1 << 62) - 1, tokens_out=3), cost=Decimal("9000000.000000000000000001"))
        for _ in range(20)
    ]
    pair.append(huge)
    pair.store.columns.catch_up()
    sums = [Aggregate(Op.SUM, Column.TOKENS_IN), Aggregate(Op.SUM, Column.COST)]
    answer = pair.store.columns.aggregate(SCOPE, EVERYTHING, sums)
    assert answer is not None
    assert [*answer.values.values()] == [20 * ((1 << 62) - 1), Decimal("180000000.00000000000000002")]
    pair.check()


def test_products_that_sqlite_rounds_are_left_to_it(pair: Pair) -> None:
    pair.append([a_log(usage=Usage(tokens_out=(1 << 40) + 1), duration=(1 << 40) + 3) for _ in range(20)])
    pair.store.columns.catch_up()
    item = Aggregate(Op.SUM, Column.GENERATED_TOKENS_MS)
    assert pair.store.columns.aggregate(SCOPE, EVERYTHING, [item]) is None
    pair.check()


def test_savings_and_their_fractions(pair: Pair) -> None:
    savings = [Decimal("0.001"), Decimal("1e-13"), None, Decimal("1e-80"), Decimal(0)]
    records = [a_log(outcome=Outcome.CACHED, cost_saved=savings[number % 5]) for number in range(20)] + [
        a_log()
    ] * 3
    pair.append(records)
    pair.store.columns.catch_up()
    item = Aggregate(Op.SUM, Column.COST_SAVED)
    answer = pair.store.columns.aggregate(SCOPE, EVERYTHING, [item])
    assert answer is not None
    assert Fraction(answer.values[item]) == 4 * sum(map(Fraction, ("0.001", "1e-13", "1e-80")))
    pair.check()


def test_too_many_texts_are_left_to_sqlite(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "MAX_TEXTS", 3)
    pair.append([a_log(event_id=str(number), user_agent="one", metadata={"user": number}) for number in range(30)])
    pair.store.columns.catch_up()
    asked = {
        only("event_id", "contains", "1"): False,
        only("metadata.user", "eq", "7"): False,
        only("user_agent", "eq", "one"): True,
    }
    for where, is_told in asked.items():
        assert (pair.store.columns.aggregate(SCOPE, where, WANTED) is not None) == is_told
        pair.check(where)


def test_a_log_that_no_column_can_hold_is_told_by_sqlite(pair: Pair) -> None:
    pair.append([replace(at(1), id=b"\0short"), *(a_log() for _ in range(30))])
    assert pair.store.columns.catch_up() == 0
    pair.check(EVERYTHING, only("duration", "gt", 3))
