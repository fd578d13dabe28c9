"""What every adapter of LogStore must do: one set of tests, run over each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.model import Bodies, Logged, LogRecord, Outcome, Scope, Usage
from gaugeway.core.ports import Extremes, LogChange, LogStore, Retention
from gaugeway.core.query import EVERYTHING, ORDERS, Filter, Operator, Slice, Where
from gaugeway.stores import open_stores
from support import filter_oracle, some_logs
from support.some_logs import OTHER_SCOPE, SCOPE, a_log, at, keep_all, logged

ADAPTERS: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: f"sqlite://{folder}"}
ALL = Slice(limit=1000)
COUNT_LOGS = Aggregate(Op.COUNT, Column.DURATION)
SUM_COST = Aggregate(Op.SUM, Column.COST)


@pytest.fixture(params=sorted(ADAPTERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogStore]:
    stores = open_stores(ADAPTERS[request.param](tmp_path / "data"))
    yield stores.logs
    stores.close()


def keep(limit: int | None, strategy: str | None = "DELETE_OLDEST") -> Callable[[Scope], Retention]:
    return lambda _scope: Retention(limit, strategy)


def only(key: str, operator: str, *values: object) -> Where:
    return Where(((Filter(key, Operator(operator), values),),))  # type: ignore[arg-type]


# Writing and reading


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(record=some_logs.logs)
def test_a_log_comes_back_as_it_was(store: LogStore, record: LogRecord) -> None:
    store.delete_scope(SCOPE)
    store.append([Logged(record)], keep_all)
    assert store.get(SCOPE, record.id) == record
    assert store.page(SCOPE, EVERYTHING, ALL) == [record]


def test_no_field_of_a_log_escapes_the_round_trip() -> None:
    """A field added to the record must be added to the strategy, or the test above would not see it lost."""
    priced_only = {"usage_saved", "other_units", "price_context", "doubt"}  # core.model: a store need not keep them
    assert set(LogRecord.__struct_fields__) - priced_only == some_logs.DRAWN_FIELDS
    assert set(Usage.__struct_fields__) - priced_only == some_logs.DRAWN_USAGE_FIELDS


def test_what_does_not_exist_is_none(store: LogStore) -> None:
    record = a_log()
    assert store.get(SCOPE, record.id) is None
    store.append([Logged(record)], keep_all)
    assert store.get(OTHER_SCOPE, record.id) is None
    assert store.get(SCOPE, bytes(16)) is None
    assert store.bodies(SCOPE, bytes(16)) is None
    assert store.page(OTHER_SCOPE, EVERYTHING, ALL) == []
    assert store.count(OTHER_SCOPE, EVERYTHING) == 0
    assert store.extremes(OTHER_SCOPE, EVERYTHING) == Extremes()
    answer = store.aggregate(OTHER_SCOPE, EVERYTHING, [SUM_COST])
    assert (answer.total, answer.values) == (0, {SUM_COST: Decimal(0)})


def test_a_gateway_sees_only_its_own_logs(store: LogStore) -> None:
    ours, theirs = a_log(), a_log(OTHER_SCOPE)
    twin = a_log(Scope("b" * 32, SCOPE.gateway_id), id=ours.id, model="twin")
    store.append(logged([ours, theirs, twin]), keep_all)
    assert store.page(SCOPE, EVERYTHING, ALL) == [ours]
    assert store.get(twin.scope, ours.id) == twin
    assert store.count(theirs.scope, EVERYTHING) == 1


@pytest.mark.parametrize(
    "bodies",
    [
        Bodies(request=b"question", response=b"answer"),
        Bodies(request=b"", response=b""),
        Bodies(request=b"question"),
        Bodies(response=b"answer", response_cut=True),
        Bodies(request=b"\x00\xff" * 500_000, request_cut=True, response=bytes(3_000_000)),
    ],
    ids=["both", "empty", "request", "response", "large"],
)
def test_bodies_come_back_as_they_were(store: LogStore, bodies: Bodies) -> None:
    with_bodies, without = a_log(), a_log()
    store.append([Logged(with_bodies, bodies), Logged(without, None)], keep_all)
    assert store.bodies(SCOPE, with_bodies.id) == bodies
    assert store.bodies(SCOPE, without.id) is None


def test_bodies_nobody_kept_are_none(store: LogStore) -> None:
    record = a_log()
    store.append([Logged(record, Bodies())], keep_all)
    assert store.bodies(SCOPE, record.id) is None


def test_many_different_bodies_survive_every_change_of_how_they_are_packed(store: LogStore) -> None:
    records = [a_log() for _ in range(2500)]
    texts = [f'{{"messages": [{{"role": "user", "content": "question {n}"}}]}}'.encode() for n in range(2500)]
    for begin in range(0, 2500, 500):
        part = zip(records[begin : begin + 500], texts[begin : begin + 500], strict=True)
        store.append([Logged(record, Bodies(request=text, response=text[::-1])) for record, text in part], keep_all)
    for record, text in zip(records, texts, strict=True):
        assert store.bodies(SCOPE, record.id) == Bodies(request=text, response=text[::-1])


def test_a_batch_that_is_sent_again_changes_nothing(store: LogStore) -> None:
    batch = logged([a_log(cost=Decimal(1)) for _ in range(5)], Bodies(request=b"first"))
    store.append(batch, keep_all)
    again = [Logged(replace(item.record, model="other"), Bodies(request=b"second")) for item in batch]
    store.append([*again, *again, Logged(a_log(cost=Decimal(1)))], keep_all)
    assert store.count(SCOPE, EVERYTHING) == 6
    assert store.count(SCOPE, only("model", "eq", "other")) == 0
    assert store.aggregate(SCOPE, EVERYTHING, [SUM_COST]).values[SUM_COST] == 6
    for item in batch:
        assert store.get(SCOPE, item.record.id) == item.record
        assert store.bodies(SCOPE, item.record.id) == Bodies(request=b"first")


def test_a_log_twice_in_a_batch_is_one_log(store: LogStore) -> None:
    record = a_log()
    store.append(logged([record, record]), keep_all)
    assert store.count(SCOPE, EVERYTHING) == 1
    assert len(store.page(SCOPE, EVERYTHING, ALL)) == 1


def test_an_empty_batch_is_nothing(store: LogStore) -> None:
    store.append([], keep_all)
    assert store.count(SCOPE, EVERYTHING) == 0


# Pages


@pytest.fixture
def varied(store: LogStore) -> list[LogRecord]:
    records = some_logs.varied(60)
    store.append(logged(records), keep_all)
    return records


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("order_by", ORDERS)
def test_pages_follow_every_order(store, varied, order_by, descending):
    part = Slice(limit=1000, order_by=order_by, descending=descending)
    expected = filter_oracle.order(varied, part)
    assert store.page(SCOPE, EVERYTHING, part) == expected
    pages = [store.page(SCOPE, EVERYTHING, replace(part, offset=offset, limit=7)) for offset in range(0, 70, 7)]
    assert [record for page in pages for record in page] == expected


def test_a_page_beyond_the_end_is_empty(store, varied):
    assert store.page(SCOPE, EVERYTHING, Slice(offset=60)) == []
    assert store.page(SCOPE, EVERYTHING, Slice(offset=1 << 70, limit=1 << 70)) == []
    assert store.page(SCOPE, EVERYTHING, Slice(limit=0)) == []


def test_unknown_values_come_last_in_both_directions(store: LogStore) -> None:
    records = [at(1, cost=None), at(2, cost=Decimal(2)), at(3, cost=Decimal("2.0000000000001")), at(4, cost=None)]
    store.append(logged(records), keep_all)

    def moments(*, descending: bool) -> list[int]:
        part = Slice(order_by="cost", descending=descending)
        return [record.created_at for record in store.page(SCOPE, EVERYTHING, part)]

    assert moments(descending=True) == [3, 2, 4, 1]
    assert moments(descending=False) == [2, 3, 1, 4]


# Filters: tests/unit/stores/test_log_filters.py goes through all of them


def test_several_filters_are_all_and_several_alternatives_any(store: LogStore) -> None:
    cheap, dear = a_log(cost=Decimal(1), model="a"), a_log(cost=Decimal(5), model="a")
    other = a_log(cost=Decimal(5), model="b")
    store.append(logged([cheap, dear, other]), keep_all)
    is_a, costs = Filter("model", Operator.EQ, ("a",)), Filter("cost", Operator.GT, (Decimal(2),))
    assert store.page(SCOPE, Where(((is_a, costs),)), ALL) == [dear]
    both = Where(((is_a,), (costs,)))
    assert store.page(SCOPE, both, ALL) == [other, dear, cheap]
    assert store.aggregate(SCOPE, both, [SUM_COST]).values[SUM_COST] == 11
    assert store.count(SCOPE, Where(())) == 0


def test_until_a_moment_means_that_moment_too(store: LogStore) -> None:
    store.append(logged([at(1000), at(1001), at(1002)]), keep_all)
    found = store.page(SCOPE, Where(until_ms=1001), ALL)
    assert [record.created_at for record in found] == [1001, 1000]
    assert store.count(SCOPE, Where(until_ms=999)) == 0


def test_text_is_compared_without_case_beyond_ascii(store: LogStore) -> None:
    record = a_log(model="Überflug-STRASSE", metadata={"ort": "ÅRHUS"}, event_id="ÇA va")
    store.append([Logged(record), Logged(a_log(model="uberflug"))], keep_all)
    for where in (
        only("model", "contains", "üBER"),
        only("model", "contains", "straße"),
        only("event_id", "contains", "ça VA"),
        only("metadata.value", "contains", "århus"),
        Where(search="åRhus"),
    ):
        assert store.page(SCOPE, where, ALL) == [record]


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "\x00", "\x1f", "\ud800", "a" * 60_000])
def test_no_text_means_anything_but_itself(store, text):
    plain = a_log(event_id="plain", metadata={"key": "value"}, model="plain")
    store.append([Logged(plain)], keep_all)
    for key in ("model", "event_id", "metadata.key", "metadata.value", "user_agent"):
        assert store.count(SCOPE, only(key, "contains", text)) == 0
        assert store.count(SCOPE, only(key, "eq", text)) == 0
    assert store.count(SCOPE, Where(search=text)) == 0
    if text != "\ud800":
        strange = a_log(event_id=f"x{text}y", metadata={f"x{text}": f"{text}y"}, model=f"x{text}y", user_agent=text)
        store.append([Logged(strange)], keep_all)
        assert store.get(SCOPE, strange.id) == strange
        for key in ("model", "event_id", "metadata.key", "metadata.value", "user_agent"):
            assert store.page(SCOPE, only(key, "contains", text), ALL) == [strange]
        assert store.page(SCOPE, only("user_agent", "eq", text), ALL) == [strange]


def test_what_is_asked_within_a_budget_is_exact_or_unknown(store: LogStore) -> None:
    for _ in range(10):
        store.append(logged([a_log(duration=number) for number in range(1000)]), keep_all)
    where = only("duration", "gt", 499)
    assert store.count(SCOPE, where, budget_ms=60_000) == 5000
    assert store.count(SCOPE, where, budget_ms=0) in (None, 5000)
    assert store.count(SCOPE, where) == 5000
    assert store.count(SCOPE, EVERYTHING, budget_ms=0) == 10_000
    whole = store.extremes(SCOPE, where)
    assert whole is not None
    assert (whole.min_duration, whole.max_duration) == (500, 999)
    assert store.extremes(SCOPE, where, budget_ms=60_000) == whole
    assert store.extremes(SCOPE, where, budget_ms=0) in (None, whole)


# Figures


def test_sums_are_exact_whatever_their_size(store: LogStore) -> None:
    tiny = Decimal("0.0000000000000000000000000000000000001")
    costs = [Decimal("9000000.123456789012")] * 4 + [tiny, Decimal("0.1"), Decimal("0.2")]
    store.append(logged([a_log(cost=cost, usage=Usage(tokens_in=1 << 61)) for cost in costs]), keep_all)
    store.append(logged([a_log(cost=None)]), keep_all)
    wanted = [SUM_COST, Aggregate(Op.COUNT, Column.COST), Aggregate(Op.SUM, Column.TOKENS_IN), COUNT_LOGS]
    answer = store.aggregate(SCOPE, EVERYTHING, wanted)
    assert answer.total == 8
    assert [Fraction(answer.values[item]) for item in wanted] == [sum(map(Fraction, costs)), 7, 7 << 61, 8]
    extremes = store.extremes(SCOPE, EVERYTHING)
    assert extremes is not None
    assert (extremes.min_cost, extremes.max_cost) == (tiny, costs[0])


def test_a_cost_that_cannot_be_kept_is_unknown_and_says_so(store: LogStore) -> None:
    for cost in (Decimal("1e30"), Decimal("1e-500000"), Decimal("NaN"), Decimal("Infinity")):
        record = a_log(cost=cost)
        store.append([Logged(record)], keep_all)
        kept = store.get(SCOPE, record.id)
        assert kept is not None
        assert kept.cost == cost or (kept.cost is None and "cost" in (kept.cost_reason or ""))


def test_counts_of_tokens_that_cannot_be_kept_are_unknown(store: LogStore) -> None:
    record = a_log(usage=Usage(tokens_in=1 << 80, tokens_out=5))
    store.append([Logged(record)], keep_all)
    kept = store.get(SCOPE, record.id)
    assert kept is not None
    assert kept.usage.tokens_in in (None, 1 << 80)
    assert kept.usage.tokens_out == 5


# Changes


def test_a_patch_changes_what_it_names_and_nothing_else(store: LogStore) -> None:
    record = a_log(metadata={"a": 1, "b": "x"}, feedback=1, score=5.0)
    store.append(logged([record, a_log()]), keep_all)

    def patched(**fields: object) -> LogRecord | None:
        change = LogChange(fields=frozenset(fields), **fields)  # type: ignore[arg-type]
        assert store.patch(SCOPE, record.id, change)
        return store.get(SCOPE, record.id)

    assert patched(feedback=-1) == replace(record, feedback=-1)
    assert patched(feedback=0) == replace(record, feedback=None)
    assert patched(score=99.5, metadata={"c": True}) == replace(
        record, feedback=None, score=99.5, metadata={"c": True}
    )
    assert store.count(SCOPE, only("metadata.key", "eq", "c")) == 1
    assert store.count(SCOPE, only("metadata.value", "eq", "x")) == 0
    assert patched(score=None, metadata=None) == replace(record, feedback=None, score=None, metadata=None)
    assert store.patch(SCOPE, record.id, LogChange(fields=frozenset()))


def test_only_a_log_that_exists_can_be_patched(store: LogStore) -> None:
    change = LogChange(fields=frozenset({"feedback"}), feedback=1)
    record = a_log()
    assert not store.patch(SCOPE, record.id, change)
    store.append([Logged(record)], keep_all)
    assert not store.patch(OTHER_SCOPE, record.id, change)
    assert store.get(SCOPE, record.id) == record


# Deletes


def test_a_delete_takes_the_first_of_the_order_with_their_bodies(store: LogStore) -> None:
    records = [a_log(duration=number, cost=Decimal(number)) for number in range(10)]
    store.append(logged(records, Bodies(request=b"body")), keep_all)
    part = Slice(limit=3, order_by="duration", descending=True)
    assert store.delete(SCOPE, only("duration", "lt", 8), part) == 3
    left = [record.duration for record in store.page(SCOPE, EVERYTHING, Slice(descending=False))]
    assert left == [0, 1, 2, 3, 4, 8, 9]
    assert store.count(SCOPE, EVERYTHING) == 7
    assert store.count(SCOPE, only("provider", "eq", "openai")) == 7
    assert [store.bodies(SCOPE, record.id) for record in records[5:8]] == [None] * 3
    assert store.bodies(SCOPE, records[8].id) == Bodies(request=b"body")
    assert store.delete(SCOPE, only("duration", "eq", 6), ALL) == 0
    assert store.aggregate(SCOPE, EVERYTHING, [SUM_COST]).values[SUM_COST] == 27


def test_a_deleted_log_can_come_again(store: LogStore) -> None:
    record = a_log()
    for body in (b"first", b"second"):
        store.append([Logged(record, Bodies(request=body))], keep_all)
        assert store.bodies(SCOPE, record.id) == Bodies(request=body)
        assert store.delete(SCOPE, EVERYTHING, ALL) == 1
        assert store.bodies(SCOPE, record.id) is None


def test_deleting_a_gateways_logs_leaves_the_others(store: LogStore) -> None:
    ours, theirs = [a_log() for _ in range(50)], [a_log(OTHER_SCOPE) for _ in range(50)]
    store.append(logged([*ours, *theirs], Bodies(request=b"body")), keep_all)
    store.delete_scope(SCOPE)
    store.delete_scope(SCOPE)
    assert store.count(SCOPE, EVERYTHING) == 0
    assert store.page(SCOPE, EVERYTHING, ALL) == []
    assert store.count(OTHER_SCOPE, EVERYTHING) == 50
    assert all(store.bodies(OTHER_SCOPE, record.id) for record in theirs)
    store.append(logged(ours[:1]), keep_all)
    assert store.page(SCOPE, EVERYTHING, ALL) == ours[:1]


# Limits


def test_the_oldest_make_room_for_the_newest(store: LogStore) -> None:
    records = [at(ms, cost=Decimal(1)) for ms in range(1, 21)]
    for record in records:
        store.append([Logged(record, Bodies(request=b"body"))], keep(7))
        assert store.count(SCOPE, EVERYTHING) == min(7, record.created_at)
    assert store.page(SCOPE, EVERYTHING, Slice(descending=False)) == records[-7:]
    assert [store.bodies(SCOPE, record.id) for record in records[:13]] == [None] * 13
    assert all(store.bodies(SCOPE, record.id) for record in records[-7:])
    assert store.refused(SCOPE) == 0


def test_a_batch_beyond_the_limit_leaves_its_newest(store: LogStore) -> None:
    records = [at(ms) for ms in range(1, 31)]
    store.append(logged(records[::-1]), keep(5))
    assert store.page(SCOPE, EVERYTHING, ALL) == records[:-6:-1]
    store.append([Logged(at(0))], keep(5))
    assert store.page(SCOPE, EVERYTHING, ALL) == records[:-6:-1]


def test_a_lowered_limit_holds_from_the_next_append_on(store: LogStore) -> None:
    records = [at(ms) for ms in range(1, 5001)]
    store.append(logged(records), keep_all)
    newest = at(6000)
    store.append([Logged(newest)], keep(10))
    assert store.page(SCOPE, EVERYTHING, ALL) == [newest, *records[:-10:-1]]
    assert store.count(SCOPE, EVERYTHING) == 10


def test_a_full_gateway_refuses_and_counts_what_it_refused(store: LogStore) -> None:
    records = [at(ms) for ms in range(1, 11)]
    store.append(logged(records), keep(8, "STOP_INSERTING"))
    assert store.page(SCOPE, EVERYTHING, Slice(descending=False)) == records[:8]
    store.append(logged([*records[:8], at(99), a_log(OTHER_SCOPE)]), keep(8, "STOP_INSERTING"))
    assert store.count(SCOPE, EVERYTHING) == 8
    assert store.refused(SCOPE) == 3
    assert (store.count(OTHER_SCOPE, EVERYTHING), store.refused(OTHER_SCOPE)) == (1, 0)
    assert store.delete(SCOPE, EVERYTHING, Slice(limit=1)) == 1
    store.append(logged([at(100), at(101)]), keep(8, "STOP_INSERTING"))
    assert store.count(SCOPE, EVERYTHING) == 8
    assert store.refused(SCOPE) == 4


def test_marks_are_kept_with_their_batch_and_forgotten_with_their_sender(store: LogStore) -> None:
    store.append(logged([a_log()]), keep_all, {"one": (7, 3), "two": (1, 1)})
    store.append(logged([a_log()]), keep_all, {"one": (8, 2)})
    store.append(logged([a_log()]), keep_all)
    assert store.marks({"one", "two", "three"}) == {"one": (8, 2), "two": (1, 1)}
    with pytest.raises(Exception, match="TEXT value in INTEGER column"):
        store.append(logged([a_log(duration="long")]), keep_all, {"one": (9, 1)})
    assert store.marks({"one", "two"}) == {"one": (8, 2), "two": (1, 1)}
    assert store.marks({"one"}) == {"one": (8, 2)}
    assert store.marks({"one", "two"}) == {"one": (8, 2)}


def test_a_gateway_that_keeps_nothing_keeps_nothing(store: LogStore) -> None:
    store.append(logged([a_log(), a_log(OTHER_SCOPE)]), lambda scope: Retention(0 if scope == SCOPE else 5, None))
    assert store.count(SCOPE, EVERYTHING) == 0
    assert store.count(OTHER_SCOPE, EVERYTHING) == 1


# Several at once


def test_writers_and_readers_in_several_threads(store: LogStore) -> None:
    batches = [logged([a_log(cost=Decimal(1), outcome=Outcome.CACHED) for _ in range(20)]) for _ in range(40)]

    def write(batch: list[Logged]) -> None:
        store.append(batch, keep_all)
        answer = store.aggregate(SCOPE, only("cached", "eq", True), [SUM_COST])
        assert answer.values[SUM_COST] == answer.total
        assert answer.total % 20 == 0

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, batches))
    assert store.count(SCOPE, EVERYTHING) == 800
    assert len(store.page(SCOPE, EVERYTHING, ALL)) == 800
