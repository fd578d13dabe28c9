"""Forecasts: their interval holds what is spent, as often as it says; and what is not known is said."""

from __future__ import annotations

import random
from decimal import Decimal
from statistics import variance

import pytest

from gaugeway.core.model import Bodies, Dataset, LogRecord, Scope, Usage
from gaugeway.core.query import Slice, Where
from gaugeway.core.replays import Candidate, Forecast, Replay
from gaugeway.evaluation.predicting import Costs, predicted
from gaugeway.evaluation.replaying.forecast import ReplayForecaster
from gaugeway.evaluation.replaying.selection import drawn
from support.fixed_prices import INTO, OUT, FixedPrices, a_chat
from support.laboratory import ReadySink
from support.some_logs import ACCOUNT, SCOPE, a_log


class SomeLogs:
    """The part of a LogStore that a forecast needs."""

    def __init__(self, logs: list[tuple[LogRecord, Bodies]]) -> None:
        self._logs = {record.id: (record, bodies) for record, bodies in logs}

    def ids(self, _scope: Scope, _where: Where, part: Slice) -> list[bytes]:
        return sorted(self._logs)[: part.limit]

    def get(self, _scope: Scope, log_id: bytes) -> LogRecord:
        return self._logs[log_id][0]

    def bodies(self, _scope: Scope, log_id: bytes) -> Bodies:
        return self._logs[log_id][1]


def a_replay(*models: str, **fields: object) -> Replay:
    dataset = Dataset(
        account_id=ACCOUNT,
        gateway_id=SCOPE.gateway_id,
        id="d",
        name="d",
        enable=True,
        filters=[],
        created_at=1,
        modified_at=1,
    )
    plain = {
        "account_id": ACCOUNT,
        "gateway_id": SCOPE.gateway_id,
        "id": "r",
        "name": "r",
        "created_at": 1,
        "modified_at": 1,
        "dataset": dataset,
        "through": "other",
        "candidates": tuple(Candidate(label=model, model=model) for model in models),
        "max_cost": Decimal(1),
    }
    return Replay(**{**plain, **fields})


async def forecast(logs: list[tuple[LogRecord, Bodies]], *models: str, **fields: object) -> Forecast:
    return await ReplayForecaster(SomeLogs(logs), ReadySink(), FixedPrices()).forecast(a_replay(*models, **fields))


async def test_it_is_the_logged_tokens_at_the_candidate_s_price() -> None:
    told = await forecast([a_chat(100, out) for out in (10, 20, 30, 40)], "cheap/one")
    [one] = told.candidates
    assert one.expected == 4 * (100 * INTO + 25 * OUT)
    assert one.twice_as_long == 4 * (100 * INTO + 50 * OUT)
    assert one.low is not None
    assert one.high is not None
    assert one.low < one.expected < one.high
    assert one.worst_case == Decimal("0.04")
    assert (told.items, told.sampled, one.replayable, one.skipped) == (4, 4, 4, {})


async def test_what_cannot_be_replayed_costs_nothing_and_is_counted() -> None:
    bare = (a_log(path="v1/chat/completions", usage=Usage(tokens_in=1, tokens_out=1)), Bodies())
    told = await forecast([a_chat(100, 10), a_chat(100, 10), bare], "cheap/one")
    [one] = told.candidates
    assert one.expected == 2 * (100 * INTO + 10 * OUT)
    assert (one.replayable, one.skipped) == (2, {"no_bodies": 1})


async def test_an_unknown_price_is_said_and_never_a_number() -> None:
    told = await forecast([a_chat(100, 10)], "dear/unknown", "cheap/one")
    unknown, known = told.candidates
    assert (unknown.expected, unknown.low, unknown.high, unknown.worst_case) == (None,) * 4
    assert unknown.unknown == "no price"
    assert known.expected is not None


async def test_logs_without_tokens_count_as_the_others_average() -> None:
    told = await forecast([a_chat(100, 10), a_chat(None, None)], "cheap/one")
    assert told.without_tokens == 1
    assert told.candidates[0].expected == 2 * (100 * INTO + 10 * OUT)
    told = await forecast([a_chat(None, None)], "cheap/one")
    assert told.candidates[0].expected is None
    assert "tokens" in told.candidates[0].unknown


async def test_no_logs_cost_nothing() -> None:
    told = await forecast([], "cheap/one")
    assert (told.items, told.candidates[0].expected, told.candidates[0].worst_case) == (0, 0, 0)


async def test_one_answer_does_not_say_how_much_answers_differ() -> None:
    told = (await forecast([a_chat(100, 50)], "cheap/one")).candidates[0]
    assert told.expected is not None
    assert (told.expected > 0, told.low, told.high) == (True, None, None)


async def test_of_many_logs_some_are_looked_at_and_stand_for_all() -> None:
    told = await forecast([a_chat(100, 10 + n % 7) for n in range(1000)], "cheap/one", max_items=900)
    assert (told.items, told.sampled, told.candidates[0].replayable) == (900, 300, 900)
    assert told.candidates[0].worst_case == 9


@pytest.mark.parametrize(("sampled", "items"), [(300, 1500), (60, 60)])
def test_the_interval_holds_what_is_spent_nineteen_times_in_twenty(sampled: int, items: int) -> None:
    """Skewed lengths, drawn anew for the candidate's answers."""
    rng = random.Random(7)
    held = 0
    for _ in range(400):
        into = [rng.lognormvariate(5, 0.6) for _ in range(items)]
        logged = [rng.lognormvariate(4, 0.8) for _ in range(items)]
        sample = rng.sample(range(items), sampled)
        costs = Costs(
            [into[at] + 4 * logged[at] for at in sample], 16 * variance([logged[at] for at in sample]), sampled
        )
        _, low, high = predicted(costs, sampled, items)
        assert low is not None
        assert high is not None
        held += low <= sum(one + 4 * rng.lognormvariate(4, 0.8) for one in into) <= high
    assert held / 400 >= 0.92


@pytest.mark.parametrize("replay_id", ["one", "two"])
def test_items_are_drawn_by_lot_and_always_the_same(replay_id: str) -> None:
    ids = [n.to_bytes(16) for n in range(1000)]
    first = drawn(replay_id, ids, 100)
    assert first == drawn(replay_id, list(reversed(ids)), 100)
    assert first == drawn(replay_id, ids, 1000)[:100]
    mean = sum(int.from_bytes(one) for one in first) / 100
    assert 350 < mean < 650  # and not the oldest ones
    assert drawn("three", ids, 100) != first


async def test_without_tokens_the_most_that_it_can_cost_is_known_all_the_same() -> None:
    [one] = (await forecast([a_chat(None, None)], "cheap/one")).candidates
    assert (one.expected, one.worst_case) == (None, Decimal("0.01"))
    [one] = (await forecast([a_chat(None, None)], "dear/unknown")).candidates
    assert (one.worst_case, one.unknown) == (None, "no price")
