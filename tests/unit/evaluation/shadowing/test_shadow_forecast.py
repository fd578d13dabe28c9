"""What a day of a shadow would cost: by days as they were, with an interval that holds as often as it says."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from gaugeway.core.model import Bodies, Dataset, Logged, LogRecord, Outcome, RawFilter
from gaugeway.core.replays import Candidate
from gaugeway.core.shadows import DAY_S, DayForecast, Shadow
from gaugeway.evaluation.predicting import Costs, Daily
from gaugeway.evaluation.shadowing.forecast import NO_LOGS, ONE_DAY, YOUNG, ShadowForecaster
from gaugeway.stores import Stores, open_stores
from support.control_plane import NOW, SetClock
from support.fixed_prices import INTO, OUT, FixedPrices, a_chat
from support.laboratory import ReadySink
from support.some_logs import at, keep_all
from support.state import ACCOUNT, SCOPE, a_gateway, an_account

DAY = DAY_S * 1000


class Case:
    """A gateway's logs, and the forecast of a shadow of it."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.number = 0

    def chat(self, days_ago: float, tokens_out: int = 10, **fields: Any) -> None:
        self.number += 1
        record, bodies = a_chat(100, tokens_out, **fields)
        self.keep(structs.replace(record, id=at(NOW - round(days_ago * DAY), self.number).id), bodies)

    def keep(self, record: LogRecord, bodies: Bodies) -> None:
        self.stores.logs.append([Logged(record, bodies)], keep_all)

    async def forecast(self, *models: str, **fields: Any) -> DayForecast:
        plain: dict[str, Any] = {
            "account_id": ACCOUNT,
            "gateway_id": SCOPE.gateway_id,
            "id": "shadow-1",
            "name": "all",
            "created_at": NOW,
            "modified_at": NOW,
            "through": "other",
            "candidates": tuple(Candidate(label=model, model=model) for model in models or ("cheap/one",)),
            "share": Decimal(100),
            "daily_cap": Decimal(1),
            "until": NOW + DAY,
        }
        forecaster = ShadowForecaster(self.stores.logs, ReadySink(), FixedPrices(), SetClock())
        return await forecaster.forecast(Shadow(**plain | fields))


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    stores = open_stores(f"sqlite:{tmp_path / 'data'}")
    stores.accounts.create(an_account())
    stores.gateways.create(a_gateway())
    yield Case(stores)
    stores.close()


async def test_a_day_costs_what_days_before_would_have(case: Case) -> None:
    for days_ago in (0.0, 0.5, 0.9, 1.5, 2.5, 2.6, 3.2):  # the last one's day is no whole one
        case.chat(days_ago)
    told = await case.forecast(share=Decimal(50))
    assert (told.days, told.logs, told.daily_items, told.sampled, told.note) == (3, 6, 1.0, 6, "")
    [one] = told.candidates
    assert one.expected == 100 * INTO + 10 * OUT
    assert one.twice_as_long == 100 * INTO + 20 * OUT
    assert one.worst_case == Decimal("0.01")
    assert (one.replayable, one.skipped) == (6, {})
    assert one.low is not None
    assert one.high is not None
    assert one.low < one.expected < one.high


async def test_a_day_without_requests_counts_as_one_and_older_weeks_do_not(case: Case) -> None:
    for days_ago in (0.5, 3.5, 6.5, 7.5, 30):
        case.chat(days_ago)
    told = await case.forecast()
    assert (told.days, told.logs) == (7, 3)
    assert told.daily_items == pytest.approx(3 / 7)


async def test_where_little_is_known_there_is_no_interval_and_it_says_so(case: Case) -> None:
    none = await case.forecast()
    assert (none.logs, none.daily_items, none.note) == (0, 0, NO_LOGS)
    assert (none.candidates[0].expected, none.candidates[0].worst_case) == (0, 0)
    case.chat(0.1)
    young = await case.forecast()
    assert (young.days, young.note) == (1, f"{YOUNG}; {ONE_DAY}")
    case.chat(1.1)
    one_day = await case.forecast()
    [one] = one_day.candidates
    assert (one_day.days, one_day.logs, one_day.note) == (1, 1, ONE_DAY)
    assert (one.expected, one.low, one.high) == (100 * INTO + 10 * OUT, None, None)


async def test_what_a_shadow_would_not_send_costs_nothing_and_is_counted(case: Case) -> None:
    case.chat(0.1)
    case.chat(0.2, user_agent="gaugeway-replay")
    case.chat(0.3, outcome=Outcome.BLOCKED)
    case.keep(at(NOW - 4, 99, path="v1/chat/completions"), Bodies())
    [one] = (await case.forecast()).candidates
    assert one.expected == 100 * INTO + 10 * OUT
    assert (one.replayable, one.skipped) == (1, {"never_sent": 1, "no_bodies": 1, "own_call": 1})


async def test_its_dataset_says_which(case: Case) -> None:
    case.chat(0.1, model="wanted")
    case.chat(0.1, model="other")
    dataset = Dataset(
        account_id=ACCOUNT,
        gateway_id=SCOPE.gateway_id,
        id="d",
        name="some",
        enable=True,
        filters=[RawFilter("model", "eq", ["wanted"])],
        created_at=0,
        modified_at=0,
    )
    assert (await case.forecast(dataset=dataset)).logs == 1


async def test_an_unknown_price_is_said_and_never_a_number(case: Case) -> None:
    case.chat(0.1)
    unknown, known = (await case.forecast("dear/unknown", "cheap/one")).candidates
    assert (unknown.expected, unknown.low, unknown.high, unknown.worst_case) == (None,) * 4
    assert unknown.unknown == "no price"
    assert known.expected is not None


@pytest.mark.parametrize(("days", "share"), [(7, 1.0), (7, 0.05), (3, 0.3)])
def test_the_interval_holds_what_a_day_costs_nineteen_times_in_twenty(days: int, share: float) -> None:
    """Days and requests that differ, and lengths that are drawn anew; by the logged ones of the days before."""
    rng = np.random.default_rng(20261127)
    held, rounds = 0, 500
    for _ in range(rounds):
        counts = rng.poisson(rng.lognormal(6, 0.3, days + 1))
        into, out = (rng.lognormal(mean, 0.7, counts.sum()) for mean in (5, 4))
        sample = rng.permutation(counts[:days].sum())[:300]
        costs = Costs(list(into[sample] + 4 * out[sample]), float(16 * out[sample].var(ddof=1)), known=len(sample))
        _, low, high = Daily(len(sample), [int(one) for one in counts[:days]], share).predict(costs)
        asked = rng.random(counts[days]) < share
        spent = (into[counts[:days].sum() :] + 4 * rng.lognormal(4, 0.7, counts[days]))[asked].sum()
        assert low is not None
        assert high is not None
        held += low <= spent <= high
    assert held / rounds >= 0.93
