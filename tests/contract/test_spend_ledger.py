"""What every ledger of spend limits must do: budgets that hold exactly, whoever asks and whoever dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import Scope
from gaugeway.core.spending import SLOTS, Budget, SpendLedger
from gaugeway.stores import Stores, open_stores
from support import store_process
from support.spending import DOLLAR, HOUR_START, PlainLedger, a_budget
from support.state import ACCOUNT, SCOPE

ADAPTERS: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: f"sqlite://{folder}"}
FIXED, SLIDING = a_budget(), a_budget(sliding=True)
OTHER = Scope(ACCOUNT, "other")


@pytest.fixture(params=sorted(ADAPTERS))
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ADAPTERS[request.param](tmp_path / "data")


@pytest.fixture
def stores(address: str) -> Iterator[Stores]:
    opened = open_stores(address)
    yield opened
    opened.close()


@pytest.fixture
def ledger(stores: Stores) -> SpendLedger:
    return stores.ledger


def spend(ledger: SpendLedger, hold: str, cost: int, at: int = 0, budget: Budget = FIXED) -> None:
    """A request that reserves what it costs."""
    assert ledger.reserve(hold.encode(), (budget,), cost, HOUR_START + at) is None
    ledger.settle(hold.encode(), (budget,), cost, HOUR_START + at)


def passes(ledger: SpendLedger, amount: int, at: int = 0, budget: Budget = FIXED) -> bool:
    """Whether there is room for so much; leaves none of it behind."""
    hold = b"probe"
    if ledger.reserve(hold, (budget,), amount, HOUR_START + at) is not None:
        return False
    ledger.settle(hold, (budget,), 0, HOUR_START + at)
    return True


@pytest.mark.parametrize("budget", [FIXED, SLIDING])
def test_looking_says_whether_anything_is_left_and_holds_nothing(ledger: SpendLedger, budget: Budget) -> None:
    assert ledger.look(budget, HOUR_START) is None
    assert ledger.reserve(b"a", (budget,), DOLLAR - 1, HOUR_START) is None
    assert ledger.look(budget, HOUR_START) is None
    assert ledger.reserve(b"b", (budget,), 1, HOUR_START) is None
    refused = ledger.look(budget, HOUR_START + 10)
    assert refused is not None
    assert (refused.spent, refused.reserved) == (0, DOLLAR)
    assert refused.wait_ms is not None
    assert ledger.look(budget, HOUR_START + 10 + refused.wait_ms) is None
    ledger.settle(b"a", (budget,), 5, HOUR_START)
    assert ledger.look(budget, HOUR_START + 10) is None


def room(ledger: SpendLedger, at: int = 0, budget: Budget = FIXED) -> int:
    """How much may still be spent."""
    refused = ledger.reserve(b"probe", (budget,), budget.limit + 1, HOUR_START + at)
    assert refused is not None
    return budget.limit - refused.spent - refused.reserved


def test_a_budget_can_be_spent_to_the_last_of_it_and_no_further(ledger: SpendLedger) -> None:
    spend(ledger, "a", DOLLAR - 1)
    assert not passes(ledger, 2)
    spend(ledger, "b", 1)
    assert not passes(ledger, 1)
    assert passes(ledger, 0)


def test_what_is_reserved_counts_until_the_true_cost_takes_its_place(ledger: SpendLedger) -> None:
    assert ledger.reserve(b"a", (FIXED,), DOLLAR, HOUR_START) is None
    refused = ledger.reserve(b"b", (FIXED,), 1, HOUR_START + 5)
    assert refused is not None
    assert (refused.budget, refused.spent, refused.reserved) == (FIXED, 0, DOLLAR)
    ledger.settle(b"a", (FIXED,), 7, HOUR_START)
    assert room(ledger) == DOLLAR - 7


def test_a_cost_above_what_was_reserved_counts_in_full(ledger: SpendLedger) -> None:
    assert ledger.reserve(b"a", (FIXED,), 10, HOUR_START) is None
    ledger.settle(b"a", (FIXED,), DOLLAR + 5, HOUR_START)
    assert room(ledger) == -5
    assert not passes(ledger, 0)


def test_all_rules_or_none(ledger: SpendLedger) -> None:
    tight = a_budget(limit=5, rule_id="tight")
    refused = ledger.reserve(b"a", (FIXED, tight), 6, HOUR_START)
    assert refused is not None
    assert refused.budget == tight
    assert room(ledger) == DOLLAR
    assert ledger.reserve(b"a", (FIXED, tight), 5, HOUR_START) is None
    assert (room(ledger), room(ledger, budget=tight)) == (DOLLAR - 5, 0)
    ledger.settle(b"a", (FIXED, tight), 4, HOUR_START)
    assert (room(ledger), room(ledger, budget=tight)) == (DOLLAR - 4, 1)


def test_a_fixed_window_is_aligned_with_the_clock(ledger: SpendLedger) -> None:
    spend(ledger, "a", DOLLAR, 3_599_999)
    refused = ledger.reserve(b"b", (FIXED,), 1, HOUR_START + 3_599_999)
    assert refused is not None
    assert refused.wait_ms == 1
    assert passes(ledger, DOLLAR, 3_600_000)


def test_a_sliding_window_forgets_one_part_after_another(ledger: SpendLedger) -> None:
    spend(ledger, "a", DOLLAR // 2, 0, SLIDING)
    spend(ledger, "b", DOLLAR // 2, 1_800_000, SLIDING)
    refused = ledger.reserve(b"c", (SLIDING,), DOLLAR // 2, HOUR_START + 3_000_000)
    assert refused is not None
    assert refused.wait_ms is not None
    freed_at = 3_000_000 + refused.wait_ms
    assert 3_600_000 <= freed_at <= 3_600_000 * (SLOTS + 1) // SLOTS
    assert not passes(ledger, DOLLAR // 2, freed_at - 1, SLIDING)
    assert passes(ledger, DOLLAR // 2, freed_at, SLIDING)
    assert not passes(ledger, DOLLAR, freed_at, SLIDING)


def test_no_wait_helps_where_the_limit_is_too_low(ledger: SpendLedger) -> None:
    refused = ledger.reserve(b"a", (FIXED,), DOLLAR + 1, HOUR_START)
    assert refused is not None
    assert refused.wait_ms is None


def test_a_request_counts_in_the_window_in_which_it_was_sent(ledger: SpendLedger) -> None:
    assert ledger.reserve(b"a", (FIXED,), DOLLAR, HOUR_START + 3_599_000) is None
    assert passes(ledger, DOLLAR, 3_600_000)
    ledger.settle(b"a", (FIXED,), DOLLAR, HOUR_START + 3_599_000)
    assert passes(ledger, DOLLAR, 3_600_000)
    assert not passes(ledger, 1, 3_599_500)


def test_buckets_count_apart(ledger: SpendLedger) -> None:
    spend(ledger, "a", DOLLAR, budget=a_budget(partition=(("user", "u1"),)))
    others = [
        FIXED,
        a_budget(partition=(("user", "u2"),)),
        a_budget(partition=(("u", "seru1"),)),
        a_budget(rule_id="other"),
        a_budget(scope=OTHER),
        a_budget(scope=Scope("b" * 32, SCOPE.gateway_id)),
    ]
    for other in others:
        assert passes(ledger, DOLLAR, budget=other)


def test_counts_survive_another_limit_window_and_technique(ledger: SpendLedger) -> None:
    spend(ledger, "a", 10, 60_000)
    spend(ledger, "b", 5, 70_000)
    for changed in (a_budget(limit=20), a_budget(window=86_400), a_budget(window=600, sliding=True)):
        assert room(ledger, 80_000, changed) == changed.limit - 15
    assert room(ledger, 2_000_000, a_budget(window=600)) == DOLLAR  # another ten minutes: what it was has passed


def test_a_gateway_can_be_forgotten(ledger: SpendLedger) -> None:
    spend(ledger, "a", DOLLAR)
    spend(ledger, "b", DOLLAR, budget=a_budget(scope=OTHER))
    ledger.forget(SCOPE)
    assert passes(ledger, DOLLAR)
    assert not passes(ledger, 1, budget=a_budget(scope=OTHER))


def test_the_state_tells_spent_reserved_and_when_it_ends(ledger: SpendLedger) -> None:
    users = [a_budget(partition=(("user", name),), sliding=True) for name in ("u1", "u2")]
    spend(ledger, "a", 7, 0, users[0])
    assert ledger.reserve(b"b", (users[0],), 3, HOUR_START + 60_000) is None
    spend(ledger, "c", 1, 90_000, users[1])
    first, second = ledger.buckets(SCOPE, {"rule": SLIDING}, HOUR_START + 100_000)
    assert (first.rule_id, first.partition, first.spent, first.reserved, first.unsettled) == (
        "rule",
        (("user", "u1"),),
        7,
        3,
        0,
    )
    assert first.frees_at == SLIDING.slot(HOUR_START)[1] + 3_600_000
    assert (second.partition, second.spent) == ((("user", "u2"),), 1)
    assert ledger.buckets(SCOPE, {"another": SLIDING}, HOUR_START) == []
    assert ledger.buckets(OTHER, {"rule": SLIDING}, HOUR_START) == []
    assert ledger.buckets(SCOPE, {"rule": SLIDING}, HOUR_START + 9_000_000) == []


def test_tending_drops_what_no_window_reaches_and_nothing_else(ledger: SpendLedger) -> None:
    long = a_budget(rule_id="long", window=86_400)
    assert ledger.reserve(b"a", (FIXED, long), 5, HOUR_START) is None
    ledger.settle(b"a", (FIXED, long), 5, HOUR_START)
    ledger.tend(HOUR_START + 3_599_999)
    assert (room(ledger), room(ledger, budget=long)) == (DOLLAR - 5, DOLLAR - 5)
    ledger.tend(HOUR_START + 7_300_000)
    assert (room(ledger), room(ledger, 7_300_000, long)) == (DOLLAR, DOLLAR - 5)
    ledger.tend(HOUR_START + 90_000_000)
    assert room(ledger, 80_000_000, long) == DOLLAR


def test_another_opening_sees_the_same(address: str, ledger: SpendLedger) -> None:
    another = open_stores(address)
    assert ledger.reserve(b"a", (FIXED,), DOLLAR, HOUR_START) is None
    assert not passes(another.ledger, 1)
    ledger.settle(b"a", (FIXED,), 5, HOUR_START)
    assert room(another.ledger) == DOLLAR - 5
    another.close()
    with pytest.raises(StoreUnusable, match="was closed"):
        another.ledger.reserve(b"b", (FIXED,), 1, HOUR_START)


BUDGETS = [
    a_budget(limit=100, window=3),
    a_budget(limit=40, window=7, rule_id="slide", sliding=True),
    a_budget(limit=30, window=5, rule_id="user", partition=(("user", "u1"),), sliding=True),
    a_budget(limit=60, window=2, rule_id="user", partition=(("user", "u2"),)),
]
reservations = st.tuples(
    st.just("reserve"),
    st.integers(0, 45),
    st.lists(st.sampled_from(BUDGETS), min_size=1, max_size=4, unique=True),
)
settlements = st.tuples(st.just("settle"), st.integers(0, 60), st.integers(0, 7))


def test_a_cost_that_comes_after_its_window_leaves_nothing_behind(ledger: SpendLedger) -> None:
    assert ledger.reserve(b"late", (FIXED,), 5, HOUR_START) is None
    ledger.tend(HOUR_START + 3 * 3_600_000)  # drops what no window reaches
    ledger.settle(b"late", (FIXED,), 7, HOUR_START)
    assert room(ledger, 1) == DOLLAR - 7
    ledger.forget(SCOPE)
    assert room(ledger, 1) == DOLLAR


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    acts=st.lists(st.tuples(st.integers(0, 900), st.one_of(reservations, settlements)), max_size=50),
    tends=st.booleans(),
)
def test_it_does_what_a_plain_list_does(ledger: SpendLedger, acts: list, tends: bool) -> None:
    ledger.forget(SCOPE)
    oracle, open_holds, now = PlainLedger(), list[bytes](), HOUR_START
    for number, (step, act) in enumerate(acts):
        now += step
        if act[0] == "reserve":
            hold, (_, amount, budgets) = b"%d" % number, act
            allowed = oracle.reserve(hold, budgets, amount, now)
            assert (ledger.reserve(hold, budgets, amount, now) is None) is allowed
            if allowed:
                open_holds.append(hold)
        elif open_holds:
            hold = open_holds.pop(act[2] % len(open_holds))
            budgets, _, at_ms, _ = oracle.entries[hold]
            ledger.settle(hold, budgets, act[1], at_ms)
            oracle.settle(hold, act[1])
        if tends:
            ledger.tend(now)
        for budget in BUDGETS:
            assert room(ledger, now - HOUR_START, budget) == budget.limit - oracle.counted(budget, now)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    window=st.integers(1, 5), requests=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 40)), max_size=60)
)
def test_in_no_span_of_a_sliding_window_is_more_than_the_limit_spent(
    ledger: SpendLedger, window: int, requests: list[tuple[int, int]]
) -> None:
    ledger.forget(SCOPE)
    budget = a_budget(limit=100, window=window, sliding=True)
    now, spent = HOUR_START, list[tuple[int, int]]()
    for number, (step, cost) in enumerate(requests):
        now += step
        hold = b"%d" % number
        if ledger.reserve(hold, (budget,), cost, now) is None:
            ledger.settle(hold, (budget,), cost, now)
            spent.append((now, cost))
        assert sum(cost for at, cost in spent if at > now - window * 1000) <= 100


@pytest.mark.parametrize("sliding", [False, True])
def test_threads_and_processes_share_one_budget(address: str, ledger: SpendLedger, sliding: bool) -> None:
    """Each reserves 3 and pays 1 to 3, from three processes, one of them with eight threads."""
    budget = a_budget(limit=1000, sliding=sliding)
    others = [store_process.start("spend", address, 1000, 3600, int(sliding), HOUR_START, 500) for _ in range(2)]

    def one(number: int) -> int:
        hold, cost = b"here-%d" % number, number % 3 + 1
        if ledger.reserve(hold, (budget,), 3, HOUR_START) is not None:
            return 0
        ledger.settle(hold, (budget,), cost, HOUR_START)
        return cost

    with ThreadPoolExecutor(8) as pool:
        paid = sum(pool.map(one, range(500)))
    paid += sum(int(store_process.finish(process)) for process in others)
    assert 998 <= paid <= 1000
    assert room(ledger, budget=budget) == 1000 - paid


def test_what_a_killed_process_held_stays_counted_until_it_is_given_back(address: str, ledger: SpendLedger) -> None:
    process = store_process.start("hold_and_wait", address, 1000, 3600, 0, HOUR_START, 7)
    assert store_process.wait_for_line(process) == "held"
    process.kill()
    process.communicate(timeout=20)
    budget = a_budget(limit=1000)
    assert room(ledger, budget=budget) == 1000 - 7 * 3
    (state,) = ledger.buckets(SCOPE, {"rule": budget}, HOUR_START + 1000)
    assert (state.reserved, state.unsettled) == (21, 0)  # it may still live
    assert ledger.give_back(SCOPE, "rule", HOUR_START + 1000) == 0
    assert ledger.reserve(b"mine", (budget,), 5, HOUR_START + 3_000_000) is None
    (state,) = ledger.buckets(SCOPE, {"rule": budget}, HOUR_START + 3_000_000)
    assert (state.spent, state.reserved, state.unsettled) == (0, 5, 21)
    assert room(ledger, 3_000_000, budget) == 1000 - 26
    assert ledger.give_back(SCOPE, "another", HOUR_START + 3_000_000) == 0
    assert ledger.give_back(SCOPE, "rule", HOUR_START + 3_000_000) == 21
    assert room(ledger, 3_000_000, budget) == 1000 - 5


def test_a_cost_that_comes_after_its_reservation_was_given_back_counts(ledger: SpendLedger) -> None:
    assert ledger.reserve(b"a", (FIXED,), 50, HOUR_START) is None
    assert ledger.give_back(SCOPE, "rule", HOUR_START + 3_000_000) == 50  # this process said nothing for so long
    ledger.settle(b"a", (FIXED,), 30, HOUR_START)
    assert room(ledger) == DOLLAR - 30


def test_killed_while_they_spend_nothing_is_lost_and_nothing_counts_twice(
    address: str, ledger: SpendLedger
) -> None:
    processes = [store_process.start("spend_for_ever", address, 10**9, 3600, 1, HOUR_START) for _ in range(3)]
    for process in processes:
        assert store_process.wait_for_line(process) == "spending"
    told = list[int]()
    for process in processes:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(40)]
        process.kill()
        lines += process.stdout.readlines()
        process.communicate(timeout=20)
        told.append(max(int(line) for line in lines if line.endswith("\n")))
    budget = a_budget(limit=10**9, sliding=True)
    state = ledger.buckets(SCOPE, {"rule": budget}, HOUR_START + 1000)[0]
    # Each pays 2 a time and prints how often, after it was settled: at most one more was settled, or is held.
    least = sum(2 * count for count in told)
    assert least <= state.spent <= least + 2 * len(told)
    assert state.reserved + state.unsettled <= 3 * len(told)
    assert room(ledger, 1000, budget) == 10**9 - state.spent - state.reserved - state.unsettled
