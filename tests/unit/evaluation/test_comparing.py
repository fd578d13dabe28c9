"""Comparisons over a real store: verdicts, pairs, margins and breakdowns."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gaugeway.core.comparisons import Comparison, Difference, Gate, Margin, Question, Side, Verdict
from gaugeway.core.errors import BadInput
from gaugeway.core.model import LogRecord, Outcome, Scope, Usage
from gaugeway.core.query import Filter, Grouping, Operator, Where
from gaugeway.evaluation.comparing import pairing
from gaugeway.evaluation.comparing.analyst import LogAnalyst
from gaugeway.evaluation.evaluators import load
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import laboratory as lab
from support.some_logs import SCOPE, a_log, keep_all, logged

NUMBERS = count()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteLogStore]:
    store = SqliteLogStore(tmp_path_factory.mktemp("comparing"))
    yield store
    store.close()


@pytest.fixture
def store(kept: SqliteLogStore) -> SqliteLogStore:
    kept.delete_scope(SCOPE)
    return kept


def fill(store: SqliteLogStore, model: str, items: list[dict[str, Any]]) -> None:
    store.append(logged([a_log(model=model, **item) for item in items]), keep_all)


def model(name: str) -> Side:
    return Side(label=name, filters=(Filter("model", Operator.EQ, (name,)),))


def ask(store: SqliteLogStore, *types: str, sides: tuple[Side, ...] = (), **fields: Any) -> Comparison:
    question = Question(
        scope=SCOPE,
        sides=sides or (model("old"), model("new")),
        type_ids=types,
        **{"margins": {}, **fields},
    )
    return LogAnalyst(store, load()).compare(question)


def only(answer: Comparison) -> Difference:
    (difference,) = answer.differences
    return difference


def durations(values: Any) -> list[dict[str, Any]]:
    return [{"duration": int(value)} for value in values]


def thumbs(up: int, down: int) -> list[dict[str, Any]]:
    return [{"feedback": 1}] * up + [{"feedback": -1}] * down


def test_means_of_different_logs_are_welch_s(store):
    random = np.random.default_rng(1)
    old, new = random.integers(100, 900, 80), random.integers(300, 1200, 60)
    fill(store, "old", durations(old))
    fill(store, "new", durations(new))
    found = only(ask(store, "speed"))
    theirs = stats.ttest_ind(new, old, equal_var=False)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval(), rel=1e-9)
    assert found.difference == pytest.approx(new.mean() - old.mean())
    assert (found.test, found.method, found.verdict, found.pairs) == ("Welch's t", "welch", Verdict.WORSE, None)
    assert found.words.startswith("worse: ")
    assert "ms higher (95 % interval" in found.words


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [((50, 50), (90, 10), "better"), ((90, 10), (50, 50), "worse"), ((50, 50), (55, 45), "cannot tell")],
)
def test_rates_of_different_logs(store, old, new, verdict):
    fill(store, "old", thumbs(*old))
    fill(store, "new", thumbs(*new))
    found = only(ask(store, "human_feedback"))
    assert found.verdict == verdict
    assert found.test == "two-proportion z"
    assert found.difference == pytest.approx(new[0] - old[0])


def test_a_direction_turns_the_verdict(store):
    fill(store, "old", [{"outcome": Outcome.SUCCESS}] * 200)
    fill(store, "new", [{"outcome": Outcome.TIMEOUT}] * 50 + [{"outcome": Outcome.SUCCESS}] * 150)
    found = only(ask(store, "error_rate"))
    assert (found.verdict, found.difference) == (Verdict.WORSE, 25)


def test_percentiles(store):
    random = np.random.default_rng(2)
    fill(store, "old", durations(random.exponential(1000, 500)))
    fill(store, "new", durations(random.exponential(500, 500)))
    found = only(ask(store, "latency_p90"))
    assert (found.verdict, found.test, found.method) == (Verdict.BETTER, "quantile test", "order statistics")
    assert found.low is not None
    assert found.low < -500 * np.log(10) < found.high


def test_too_few_logs_for_a_percentile_say_so(store):
    fill(store, "old", durations(range(100)))
    fill(store, "new", durations(range(5000, 5050)))
    found = only(ask(store, "latency_p99"))
    assert (found.verdict, found.low, found.p_value, found.more_needed) == (Verdict.CANNOT_TELL, None, None, None)
    assert "p99 needs 368 logs to say how sure it is, and there are 50" in found.words


def test_how_many_more_are_needed_would_do(store):
    fill(store, "old", thumbs(50, 50))
    fill(store, "new", thumbs(55, 45))
    found = only(ask(store, "human_feedback"))
    assert found.more_needed is not None
    assert found.words.startswith("cannot tell (about 1,500 more logs on each side needed): 5 points higher")
    n = 100 + found.more_needed
    assert n == pytest.approx(1565, abs=25)  # of the textbook's formula for 50 and 55 %, 80 % power
    assert found.detectable == pytest.approx(19.6, abs=0.5)


def test_no_difference_needs_no_number(store):
    fill(store, "old", thumbs(5, 5))
    fill(store, "new", thumbs(5, 5))
    found = only(ask(store, "human_feedback"))
    assert (found.verdict, found.more_needed, found.difference) == (Verdict.CANNOT_TELL, None, 0)
    assert "no difference seen" in found.words


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ([], [5], "no log with a figure"),
        ([5], [7], "one log only"),
        ([5, 5], [7, 7], "all logs have the same value"),
    ],
)
def test_what_nothing_is_known_of(store, old, new, why):
    fill(store, "old", durations(old))
    fill(store, "new", durations(new))
    found = only(ask(store, "speed"))
    assert (found.verdict, found.low, found.p_value) == (Verdict.CANNOT_TELL, None, None)
    assert why in found.words
    assert why in found.why


def test_a_few_that_are_alike_by_chance_are_not_certain(store):
    """One score in ten is 0: of five, none is as often as not."""
    fill(store, "old", [{"score": 100.0}] * 90 + [{"score": 0.0}] * 10)
    fill(store, "new", [{"score": 100.0}] * 5)
    answer = ask(store, "score", margins={"score": Margin(Decimal(5))}, sides=(model("new"), model("old")))
    found = only(answer)
    assert (found.verdict, found.test, answer.gate) == (Verdict.CANNOT_TELL, "Student's t", Gate.CANNOT_TELL)
    theirs = stats.ttest_ind_from_stats(90, np.std([100.0] * 90 + [0.0] * 10, ddof=1), 100, 100, 0, 5)
    assert found.p_value == pytest.approx(theirs.pvalue)
    half = 10 / abs(theirs.statistic) * stats.t(103).ppf(0.975)
    assert (found.low, found.high) == pytest.approx((-10 - half, -10 + half))


def test_one_log_on_each_side_passes_no_margin(store):
    fill(store, "old", thumbs(0, 1))
    fill(store, "new", thumbs(1, 0))
    answer = ask(store, "human_feedback", margins={"human_feedback": Margin(Decimal(20))})
    assert (only(answer).verdict, answer.gate) == (Verdict.CANNOT_TELL, Gate.CANNOT_TELL)


def test_two_thumbs_against_two_are_too_few(store):
    fill(store, "old", thumbs(0, 2))
    fill(store, "new", thumbs(2, 0))
    found = only(ask(store, "human_feedback"))
    assert (found.verdict, found.test) == (Verdict.CANNOT_TELL, "Fisher, exact")
    assert found.p_value == pytest.approx(stats.fisher_exact([[0, 2], [2, 0]]).pvalue)
    assert found.words.startswith("cannot tell (about 2 more logs on each side needed): 100 points higher")


def test_the_pairs_that_an_exact_test_needs_show_the_difference_four_times_in_five(store):
    """Of 50 pairs 5 changed for the worse and 10 for the better; as many as are said show that, if it is so."""
    old = thumbs(30, 0) + thumbs(5, 0) + thumbs(0, 15)
    new = thumbs(30, 0) + thumbs(0, 5) + thumbs(10, 5)
    paired_store(store, old, new, event_id=lambda i: f"{i}")
    found = only(ask(store, "human_feedback"))
    assert found.more_needed is not None
    draws = np.random.default_rng(5).multinomial(50 + found.more_needed, [0.1, 0.2, 0.7], 2000)
    assert 0.76 <= np.mean([stats.binomtest(b, b + c).pvalue <= 0.05 for b, c, _ in draws.tolist()]) <= 0.86


def test_pairs_that_are_too_few_need_more_than_none(store):
    """Whatever three pairs say, a coin falls so one time in four."""
    paired_store(store, durations([100, 200, 300]), durations([110, 211, 312]), event_id=lambda i: f"{i}")
    found = only(ask(store, "speed"))
    assert (found.verdict, found.p_value, found.more_needed) == (Verdict.CANNOT_TELL, 0.25, 3)


def test_speeds_of_two_logs_each_are_as_uncertain_as_two_logs_are(store):
    for name, out in (("old", (100, 105)), ("new", (120, 128))):
        fill(store, name, [{"duration": 1000, "usage": Usage(tokens_out=tokens)} for tokens in out])
    found = only(ask(store, "tokens_per_second"))
    theirs = stats.ttest_ind([120, 128], [100, 105], equal_var=False)
    assert (found.test, found.verdict) == ("Welch's t, linearised", Verdict.CANNOT_TELL)
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval())


def test_pairs_that_were_asked_for_and_are_not_there_are_told_of(store):
    paired_store(store, durations([1, 2, 3]), durations([4, 5, 7]), metadata=lambda i: {"item": i})
    by_typo = only(ask(store, "speed", pair_by=Grouping("metadata", "itm")))
    assert by_typo.pairs is None
    for words in (by_typo.words, by_typo.why):
        assert "compared as different logs: no two items with a figure match by metadata.itm" in words
    assert "compared as" not in only(ask(store, "speed")).words


def test_a_margin_in_percent_of_nothing_says_so(store):
    fill(store, "old", [{"outcome": Outcome.SUCCESS}] * 20)
    fill(store, "new", [{"outcome": Outcome.SUCCESS}] * 20)
    answer = ask(store, "error_rate", margins={"error_rate": Margin(Decimal(10), is_percent=True)})
    assert answer.gate is Gate.CANNOT_TELL
    assert "cannot tell, as a share of a baseline of 0 is nothing" in only(answer).words


def test_how_many_more_a_margin_needs_has_nothing_to_do_with_other_questions(store):
    for name in ("old", "new"):
        fill(store, name, [{**item, "duration": n} for n, item in enumerate(thumbs(50, 50))])
    margins = {"human_feedback": Margin(Decimal(10))}
    alone = only(ask(store, "human_feedback", margins=margins)).non_inferiority
    among = ask(store, "human_feedback", "speed", "latency_p50", margins=margins).differences[0].non_inferiority
    assert alone is not None
    assert alone.more_needed == pytest.approx(
        393 - 100, abs=5
    )  # of the textbook's formula, at 2.5 % and 80 % power
    assert alone == among


class NoTime(SqliteLogStore):
    """A store that counts nothing in the time that it is given."""

    def count(self, scope: Scope, where: Where, *, budget_ms: int | None = None) -> int | None:
        return None if budget_ms is not None else super().count(scope, where)


def test_an_overlap_that_cannot_be_counted_in_time_is_not_none(tmp_path):
    store = NoTime(tmp_path)
    fill(store, "m", durations(range(20)))
    assert ask(store, "speed", sides=(model("m"), model("m"))).overlaps == (0, None)
    store.close()


def test_holm_counts_all_questions(store):
    random = np.random.default_rng(3)
    for name, shift in (("old", 0), ("new", 60), ("third", 10)):
        items = durations(random.normal(1000 + shift, 100, 100))
        fill(store, name, [{**item, "feedback": int(random.choice([-1, 1]))} for item in items])
    answer = ask(store, "speed", "human_feedback", "latency_p50", sides=tuple(map(model, ("old", "new", "third"))))
    assert [(one.side, one.type_id) for one in answer.differences][:2] == [(1, "speed"), (1, "human_feedback")]
    assert len(answer.differences) == 6
    p_values = sorted((one.p_value, one.adjusted_p) for one in answer.differences)
    assert p_values[0][1] == pytest.approx(min(6 * p_values[0][0], 1))
    assert all(adjusted >= plain for plain, adjusted in p_values)


# --- pairs ------------------------------------------------------------------------------------------------


def paired_store(store, old: list[dict[str, Any]], new: list[dict[str, Any]], **how: Any) -> None:
    for name, items in (("old", old), ("new", new)):
        fill(
            store, name, [{**item, **{key: value(i) for key, value in how.items()}} for i, item in enumerate(items)]
        )


def test_items_that_match_are_compared_one_by_one(store):
    random = np.random.default_rng(4)
    hard = random.exponential(3000, 60)
    old, new = (hard + random.normal(500, 40, 60)).astype(int), (hard + random.normal(450, 40, 60)).astype(int)
    paired_store(store, durations(old), durations(new), event_id=lambda i: f"item {i}")
    found = only(ask(store, "speed"))
    theirs = stats.ttest_rel(new, old)
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval(), rel=1e-9)
    assert found.p_value == pytest.approx(theirs.pvalue, abs=0.01)
    assert (found.verdict, found.test) == (Verdict.BETTER, "paired permutation")
    assert found.pairs is not None
    assert (found.pairs.by, found.pairs.items, found.pairs.unmatched) == ("event_id", 60, (0, 0))
    assert found.pairs.means == pytest.approx((old.mean(), new.mean()))
    unpaired = only(ask(store, "speed", find_pairs=False))
    assert unpaired.verdict is Verdict.CANNOT_TELL
    assert unpaired.pairs is None


def test_paired_rates_are_mcnemar_s(store):
    old = thumbs(30, 20)
    new = thumbs(28, 0) + thumbs(0, 2) + thumbs(15, 5)
    paired_store(store, old, new, metadata=lambda i: {"item": i})
    found = only(ask(store, "human_feedback", pair_by=Grouping("metadata", "item")))
    assert found.test == "McNemar, exact"
    assert found.p_value == pytest.approx(stats.binomtest(2, 17).pvalue)
    assert found.difference == pytest.approx(26)
    assert found.verdict is Verdict.BETTER


def test_several_logs_of_an_item_count_as_their_mean(store):
    fill(store, "old", [{"duration": d, "event_id": e} for d, e in ((100, "a"), (300, "a"), (500, "b"), (9, "x"))])
    fill(store, "new", [{"duration": d, "event_id": e} for d, e in ((190, "a"), (480, "b"), (7, "y"), (8, "z"))])
    found = only(ask(store, "speed"))
    assert found.pairs is not None
    assert (found.pairs.items, found.pairs.unmatched) == (2, (1, 2))
    assert (found.pairs.means, found.difference) == ((350, 335), -15)


def test_few_that_match_by_chance_are_no_pairs_unless_asked_for(store):
    paired_store(store, durations(range(100, 110)), durations(range(200, 220, 2)), event_id=lambda i: f"{i}")
    fill(store, "new", [{"duration": 9, "event_id": f"other {i}"} for i in range(40)])
    fill(store, "old", [{"duration": 9, "event_id": f"another {i}"} for i in range(40)])
    assert only(ask(store, "speed")).pairs is None
    asked = only(ask(store, "speed", pair_by=Grouping("event_id"))).pairs
    assert asked is not None
    assert (asked.items, asked.unmatched) == (10, (40, 40))


def test_items_without_a_figure_do_not_match(store):
    costs = [Decimal("0.01"), None, Decimal("0.02")]
    paired_store(store, [{"cost": cost} for cost in costs], [{"cost": Decimal(1)}] * 3, event_id=lambda i: f"{i}")
    found = only(ask(store, "cost"))
    assert found.pairs is not None
    assert (found.pairs.items, found.pairs.unmatched) == (2, (0, 1))


def test_items_that_are_all_equal_show_nothing(store):
    paired_store(store, durations([5, 9]), durations([5, 9]), event_id=lambda i: f"{i}")
    found = only(ask(store, "speed"))
    assert (found.verdict, found.difference, found.more_needed) == (Verdict.CANNOT_TELL, 0, None)


def test_rates_that_are_equal_on_every_pair_bound_how_often_pairs_differ(store):
    paired_store(store, thumbs(90, 10), thumbs(90, 10), event_id=lambda i: f"{i}")
    answer = ask(store, "human_feedback", margins={"human_feedback": Margin(Decimal(10))})
    found = only(answer)
    assert (found.verdict, found.difference, found.p_value) == (Verdict.CANNOT_TELL, 0, 1)
    assert found.low is not None
    assert -10 < found.low < 0
    assert answer.gate is Gate.PASS


def test_too_many_to_match_are_compared_as_a_whole(store, monkeypatch):
    monkeypatch.setattr(pairing, "MAX_ITEMS", 9)
    paired_store(store, durations(range(10)), durations(range(10)), event_id=lambda i: f"{i}")
    assert only(ask(store, "speed")).pairs is None


def test_percentiles_are_never_paired(store):
    paired_store(store, durations(range(50)), durations(range(50)), event_id=lambda i: f"{i}")
    speed, median = ask(store, "speed", "latency_p50").differences
    assert speed.pairs is not None
    assert median.pairs is None


# --- margins and the gate ---------------------------------------------------------------------------------


def cost_logs(mean: float, n: int, seed: int) -> list[dict[str, Any]]:
    values = np.random.default_rng(seed).normal(mean, 0.001, n)
    return [
        {"cost": Decimal(f"{value:.6f}"), "feedback": 1 if number % 10 else -1}
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("margin", "verdict", "gate"),
    [
        (Margin(Decimal(5)), "not worse", Gate.PASS),
        (Margin(Decimal(6), is_percent=True), "not worse", Gate.PASS),
        (Margin(Decimal("0.5")), "cannot tell", Gate.CANNOT_TELL),
    ],
)
def test_cheaper_and_not_worse_by_more_than(store, margin, verdict, gate):
    fill(store, "old", cost_logs(0.01, 600, 1))
    fill(store, "new", cost_logs(0.005, 600, 2))
    answer = ask(store, "cost", "human_feedback", margins={"human_feedback": margin})
    cost, feedback = answer.differences
    assert (cost.verdict, cost.gate) == (Verdict.BETTER, Gate.PASS)
    assert feedback.non_inferiority is not None
    assert (feedback.non_inferiority.verdict, feedback.gate, answer.gate) == (verdict, gate, gate)
    assert (feedback.non_inferiority.more_needed is not None) == (verdict == "cannot tell")
    assert "margin" in feedback.words


def test_worse_by_more_than_the_margin(store):
    fill(store, "old", thumbs(950, 50))
    fill(store, "new", thumbs(700, 300))
    answer = ask(store, "human_feedback", margins={"human_feedback": Margin(Decimal(10))})
    assert (only(answer).gate, answer.gate) == (Gate.WORSE, Gate.WORSE)
    assert "worse by more than that" in only(answer).words


def test_worse_but_within_the_margin_passes(store):
    fill(store, "old", thumbs(9500, 500))
    fill(store, "new", thumbs(9300, 700))
    answer = ask(store, "human_feedback", margins={"human_feedback": Margin(Decimal(5))})
    assert only(answer).verdict is Verdict.WORSE
    assert answer.gate is Gate.PASS


def test_one_that_is_worse_fails_the_gate_whatever_the_others_say(store):
    fill(store, "old", [{**item, "duration": 100 + n % 7} for n, item in enumerate(thumbs(90, 10))])
    fill(store, "new", [{**item, "duration": 50 + n % 7} for n, item in enumerate(thumbs(20, 80))])
    answer = ask(store, "speed", "human_feedback")
    assert [one.gate for one in answer.differences] == [Gate.PASS, Gate.WORSE]
    assert answer.gate is Gate.WORSE


# --- sides ------------------------------------------------------------------------------------------------


def test_sides_by_metadata_time_and_evaluation(store):
    fill(store, "m", [{"duration": d, "metadata": {"team": team}} for team in ("red", "blue") for d in (1, 2, 3)])
    red, blue = (Side(label=name, entries=(("team", name),)) for name in ("red", "blue"))
    evaluation = lab.evaluation(lab.dataset(("duration", "gt", [2])), created_at=(1 << 47))
    answer = ask(store, "speed", sides=(red, blue, Side(label="slow", evaluation=evaluation), Side(label="all")))
    assert answer.totals == (3, 3, 2, 6)
    assert answer.overlaps == (0, 0, 1, 3)
    narrowed = Side(label="both", evaluation=evaluation, entries=(("team", "red"),))
    assert ask(store, "speed", sides=(blue, narrowed)).totals == (3, 1)


def test_an_evaluation_that_cannot_be_read_is_named(store):
    broken = lab.evaluation(lab.dataset(("nonsense", "eq", [1])))
    with pytest.raises(BadInput, match=r"old one: dataset 'all' .* cannot be read"):
        ask(store, "speed", sides=(Side(label="old one", evaluation=broken), model("m")))


@pytest.mark.parametrize("types", [("beauty",), ("cost", "beauty")])
def test_an_unknown_type_is_refused(store, types):
    with pytest.raises(BadInput, match="no evaluator 'beauty'"):
        ask(store, *types)


def test_every_built_in_type_can_be_compared(store):
    types = LogAnalyst(store, load()).comparable()
    assert {"cost", "latency_p99", "tokens_per_second", "cache_hit_rate"} <= set(types)
    logs: list[LogRecord] = []
    for name in ("old", "new"):
        fill(store, name, [{"duration": 100, "score": 5.0}] * 3)
    assert [one.verdict for one in ask(store, *types).differences] == [Verdict.CANNOT_TELL] * len(types)
    assert logs == []


def test_false_alarms_are_as_rare_as_promised(store):
    """Two samples of one thing, many times: at most some 5 in 100 comparisons call one of them better or worse."""
    random = np.random.default_rng(9)
    alarms = 0
    for number in range(60):
        for name in ("old", "new"):
            fill(store, f"{name}{number}", durations(random.exponential(900, 60)))
        answer = ask(store, "speed", "latency_p50", sides=(model(f"old{number}"), model(f"new{number}")))
        alarms += any(one.verdict is not Verdict.CANNOT_TELL for one in answer.differences)
    assert alarms <= 7


# --- breakdowns -------------------------------------------------------------------------------------------


def test_a_breakdown_is_honest_about_few_logs(store):
    fill(store, "big", [{"duration": d, "feedback": 1} for d in range(100)])
    fill(store, "small", [{"duration": 7}])
    analyst = LogAnalyst(store, load())
    answer = analyst.break_down(
        Side(label="all"), SCOPE, ("speed", "latency_p50", "human_feedback"), Grouping("model"), 9
    )
    assert (answer.total, answer.other_groups, answer.other_logs) == (101, 0, 0)
    big, small = answer.parts
    assert (big.name, big.total, small.name, small.total) == ("big", 100, "small", 1)
    assert big.metrics["speed"].interval is not None
    assert small.metrics["speed"].interval is None
    assert small.metrics["latency_p50"].no_interval.startswith("p50 needs 6 logs")
    assert small.metrics["human_feedback"].value is None


def test_a_breakdown_counts_what_it_does_not_show(store):
    fill(store, "m", [{"metadata": {"user": user}} for user in "aaabbcd"] + [{}])
    answer = LogAnalyst(store, load()).break_down(
        Side(label="all"), SCOPE, ("cost",), Grouping("metadata", "user"), 2
    )
    assert [(part.name, part.total) for part in answer.parts] == [("a", 3), ("b", 2)]
    assert (answer.total, answer.other_groups, answer.other_logs) == (8, 3, 3)
