"""Verdicts over items: only what is known on both sides counts, and nothing is dropped unsaid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import structs

from gaugeway.cli import comparison_report as report
from gaugeway.core.comparisons import Comparison, Difference, Margin, Side, Verdict
from gaugeway.core.model import Bodies, Outcome, Usage
from gaugeway.core.replays import Called, ItemState, Judged, Reason, ReplayItem
from gaugeway.core.samples import Mark
from gaugeway.core.votes import Vote
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.replaying import endings
from gaugeway.evaluation.replaying.results import compare_items
from gaugeway.management.comparison_view import show_sides
from support.some_logs import a_log

from .test_replay_forecast import a_replay

EVALUATORS = {one.id: one for one in load()}


def item(place: int, side: int, **fields: Any) -> ReplayItem:
    plain: dict[str, Any] = {"state": ItemState.REPLAYED, "success": True}
    return ReplayItem(place=place, side=side, **{**plain, **fields})


def compared(*sides: list[ReplayItem], **fields: Any) -> Comparison:
    replay = a_replay(*(f"p/{n}" for n in range(1, len(sides))), **fields)
    return compare_items(replay, EVALUATORS, sides)


def of(told: Comparison, what: str, side: int = 1) -> Difference:
    [one] = [each for each in told.differences if (each.type_id, each.side) == (what, side)]
    return one


def test_request_by_request_where_both_are_known() -> None:
    logged = [item(n, 0, cost=Decimal(n + 10), duration=100 * n + 50) for n in range(20)]
    other = [item(n, 1, cost=Decimal(n + 8), duration=100 * n + 90 + n) for n in range(18)]
    other += [
        item(18, 1, state=ItemState.FAILED, success=False),
        item(19, 1, state=ItemState.SKIPPED, success=None),
    ]
    told = compared(logged, other)
    cost, speed, errors = of(told, "cost"), of(told, "speed"), of(told, "error_rate")
    assert cost.pairs is not None
    assert (cost.pairs.items, cost.pairs.unmatched, cost.difference) == (18, (2, 0), -2)
    assert speed.verdict is Verdict.WORSE
    assert errors.pairs is not None
    assert (errors.pairs.items, errors.verdict) == (19, Verdict.CANNOT_TELL)
    metric = told.metrics[1]["cost"]
    assert (metric.n, metric.failed, metric.skipped) == (18, 1, 1)


def test_a_failed_call_s_cost_and_time_are_no_answer_s() -> None:
    logged = [item(n, 0, cost=Decimal(1), duration=100) for n in range(4)]
    other = [item(n, 1, cost=Decimal(0), duration=1, success=False, state=ItemState.FAILED) for n in range(4)]
    told = compared(logged, other)
    assert of(told, "cost").difference is None
    assert told.metrics[1]["cost"].value is None
    assert told.metrics[1]["error_rate"].value == 100


def test_margins_and_the_gate() -> None:
    logged = [item(n, 0, cost=Decimal(2 + n % 3), duration=1000 + n) for n in range(30)]
    other = [item(n, 1, cost=Decimal(1), duration=1001 + n + n % 2) for n in range(30)]
    margins = {"speed": Margin(Decimal(10), True), "error_rate": Margin(Decimal(20))}
    told = compared(logged, other, margins=margins)
    assert of(told, "cost").gate == "pass"
    assert of(told, "speed").gate == "pass"
    assert compared(logged, other).gate == "worse"


def test_no_error_on_either_side_is_not_worse_by_more_than_so_many_requests_can_show() -> None:
    sides = [[item(n, side) for n in range(16)] for side in (0, 1)]
    errors = of(compared(*sides, margins={"error_rate": Margin(Decimal(25))}), "error_rate")
    assert (errors.verdict, errors.gate) == (Verdict.CANNOT_TELL, "pass")
    assert of(compared(*sides, margins={"error_rate": Margin(Decimal(5))}), "error_rate").gate == "cannot tell"


def test_pairwise_is_against_even() -> None:
    judged = (Judged(evaluation_type_id="t", evaluator_id="judge_pairwise"),)
    logged = [item(n, 0, marks=(Mark(note="compared with"),)) for n in range(12)]
    other = [item(n, 1, marks=(Mark(100.0 if n % 4 else 0.0),)) for n in range(12)]
    told = compared(logged, other, judged=judged)
    assert of(told, "t").difference == 25
    assert told.metrics[0]["t"].value == 50


def test_few_requests_say_nothing() -> None:
    told = compared([item(0, 0, cost=Decimal(1))], [item(0, 1, cost=Decimal(2))])
    assert {one.verdict for one in told.differences} == {Verdict.CANNOT_TELL}
    assert compared([], []).gate == "cannot tell"


def call_ended(outcome: Outcome, status: int, **fields: Any) -> ReplayItem:
    record = a_log(outcome=outcome, status_code=status, error="why", cost=Decimal(1), **fields)
    called = Called(status=status, record=record, bodies=Bodies(response=b"{}"))
    return endings.of_call(item(0, 1, state=ItemState.SENT, success=None), called)


def test_how_calls_end() -> None:
    good = call_ended(Outcome.SUCCESS, 200, usage=Usage(tokens_in=1, tokens_out=2))
    assert (good.state, good.success, good.cost, good.tokens_out) == (ItemState.ANSWERED, True, 1, 2)
    for outcome, status, reason, success in [
        (Outcome.UPSTREAM_ERROR, 500, Reason.UPSTREAM_ERROR, False),
        (Outcome.UPSTREAM_ERROR, 400, Reason.UPSTREAM_ERROR, False),
        (Outcome.UPSTREAM_ERROR, 429, Reason.UPSTREAM_ERROR, None),
        (Outcome.UPSTREAM_ERROR, 401, Reason.UPSTREAM_ERROR, None),
        (Outcome.TIMEOUT, 504, Reason.TIMEOUT, False),
        (Outcome.STREAM_CUT, 200, Reason.BROKEN_OFF, False),
        (Outcome.RATE_LIMITED, 429, Reason.REFUSED, None),
        (Outcome.REFUSED, 400, Reason.REFUSED, None),
    ]:
        ended = call_ended(outcome, status)
        assert (ended.state, ended.reason, ended.success, ended.note) == (ItemState.FAILED, reason, success, "why")
    none = endings.of_call(item(0, 1), Called(status=200, record=None, bodies=Bodies()))
    assert (none.state, none.reason) == (ItemState.FAILED, Reason.NO_LOG)


def test_what_was_logged_counts_as_it_was() -> None:
    cached = endings.of_logged(item(0, 0), a_log(outcome=Outcome.CACHED, cost=Decimal(0), duration=2))
    assert (cached.cost, cached.duration, cached.success) == (None, None, True)
    assert "cache" in cached.note
    gone = endings.of_logged(item(0, 0), a_log(outcome=Outcome.CLIENT_GONE, status_code=499))
    assert gone.success is None
    failed = endings.of_logged(item(0, 0), a_log(outcome=Outcome.UPSTREAM_ERROR, status_code=500))
    assert failed.success is False


def test_a_panel_s_agreement_is_told_of_each_side_by_itself() -> None:
    members = ({"model": "p/a"}, {"model": "p/b"}, {"model": "p/c"})
    parameters = {"gateway_id": "judges", "max_cost": 1, "criteria": "It is polite.", "members": list(members)}
    judged = Judged(evaluation_type_id="polite", evaluator_id="panel_criteria", parameters=parameters)

    def mark(*said: bool | None) -> Mark:
        words = {True: ("pass", 100.0), False: ("miss", 0.0), None: ("", None)}
        votes = tuple(
            Vote(one["model"], *words[vote], note="" if vote is not None else "no answer")
            for one, vote in zip(members, said, strict=True)
        )
        return Mark(100.0 if said.count(True) > 1 else 0.0, votes=votes)

    agreed = [item(n, 0, marks=(mark(*[n % 2 == 0] * 3),)) for n in range(20)]
    split = [item(n, 1, marks=(mark(n % 2 == 0, n % 3 == 0, None),)) for n in range(20)]
    missing = [item(n, 2, state=ItemState.FAILED, success=False) for n in range(20)]
    told = compared(agreed, split, missing, judged=(judged,))
    first, second, third = (side["polite"] for side in told.agreements)
    assert (first.alpha.value, first.shared, [seat.gave for seat in first.seats]) == (1, 20, [20, 20, 20])
    assert second.alpha.value is not None
    assert second.alpha.low is not None
    assert second.alpha.low < second.alpha.value < 0.5
    assert [seat.failed for seat in second.seats] == [0, 0, 20]
    assert (third.alpha.value, third.shared, third.alpha.note) == (None, 0, "no log has verdicts of two members")
    shown = show_sides([Side(label=label) for label in ("logged", "x", "y")], told)["sides"]
    assert [one["evaluation_type_id"] for side in shown for one in side["agreements"]] == ["polite"] * 3
    assert shown[1]["agreements"][0]["alpha"]["low"] == second.alpha.low
    page = report.markdown(show_sides([Side(label=label) for label in ("logged", "x", "y")], told))
    assert "logged, polite: the panel's members agree by Krippendorff's alpha 1.00" in page
    assert "y, polite: how far the panel's members agree is not known: no log has verdicts of two members" in page


def test_without_a_panel_there_is_no_agreement() -> None:
    told = compared([item(0, 0, cost=Decimal(1))], [item(0, 1, cost=Decimal(1))])
    assert told.agreements == ({}, {})
    shown = show_sides([Side(label="logged"), Side(label="x")], structs.replace(told, agreements=()))
    assert [side["agreements"] for side in shown["sides"]] == [[], []]  # of a comparison kept before there were any
