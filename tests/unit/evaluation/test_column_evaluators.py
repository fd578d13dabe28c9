"""Golden cases of the column evaluators, written from their definitions, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gaugeway.core.metrics import Metric
from gaugeway.core.model import LogRecord, Outcome
from gaugeway.core.money import plain
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.figures.contrast import NO_SPREAD, ONE_LOG
from support import laboratory as lab

EVALUATORS = {evaluator.id: evaluator for evaluator in load()}
THIRD, TWO_THIRDS = "3" * 34, "6" * 33 + "7"
S, C, F = Outcome.SUCCESS, Outcome.CACHED, Outcome.UPSTREAM_ERROR


def judged(type_id: str, logs: list[LogRecord]) -> Metric:
    evaluator = EVALUATORS[type_id]
    return evaluator.conclude(lab.aggregate(logs, evaluator.aggregates))


def shown(metric: Metric) -> tuple[str, int, int]:
    return "" if metric.value is None else plain(metric.value), metric.n, metric.skipped


# --- means ------------------------------------------------------------------------------------------------

WHOLE = [  # of whole numbers, None where a log does not know its own
    ([], "", 0, 0),
    ([None], "", 0, 1),
    ([None, None], "", 0, 2),
    ([0], "0", 1, 0),
    ([7], "7", 1, 0),
    ([0, None], "0", 1, 1),
    ([1, 2], "1.5", 2, 0),
    ([1, 2, None], "1.5", 2, 1),
    ([10, 20, 60], "30", 3, 0),
    ([1, 0, 0], "0." + THIRD, 3, 0),
    ([2, 0, 0], "0." + TWO_THIRDS, 3, 0),
    ([100] * 10, "100", 10, 0),
    ([1] + [0] * 15, "0.0625", 16, 0),
    ([5, 5, 6], "5." + THIRD[1:], 3, 0),
    ([40, None, None, None], "40", 1, 3),
    ([99, 100], "99.5", 2, 0),
    ([1, 2, 3, 4, 5, 6, 7, 8], "4.5", 8, 0),
]
FIELDS = {
    "first_byte_time": "first_byte_ms",
    "tokens_in": "tokens_in",
    "tokens_out": "tokens_out",
    "score": "score",
}


@pytest.mark.parametrize("type_id", FIELDS)
@pytest.mark.parametrize(("values", "result", "n", "skipped"), WHOLE)
def test_means(type_id, values, result, n, skipped):
    assert shown(judged(type_id, [lab.log(**{FIELDS[type_id]: value}) for value in values])) == (result, n, skipped)


@pytest.mark.parametrize(
    ("scores", "result"),
    [([0.1, 0.2], "0.15"), ([99.9, 0.1], "50"), ([0.3], "0.3"), ([12.5, 50], "31.25"), ([1e-7, 0], "0.00000005")],
)
def test_scores_count_as_the_decimals_they_are_shown_as(scores, result):
    assert shown(judged("score", [lab.log(score=score) for score in scores]))[0] == result


COSTS = [
    ([], "", 0, 0),
    ([None], "", 0, 1),
    ([None] * 3, "", 0, 3),
    (["0"], "0", 1, 0),
    (["0.01"], "10", 1, 0),
    (["0.01", "0.03"], "20", 2, 0),
    (["0.01", None, "0.03"], "20", 2, 1),
    (["0", "0.01"], "5", 2, 0),
    (["0", None], "0", 1, 1),
    (["0.000000000001"], "0.000000001", 1, 0),
    (["1", "0", "0"], THIRD[:3] + "." + THIRD[3:], 3, 0),
    (["12.5"] * 4, "12500", 4, 0),
    (["0.00000075"] * 3 + [None] * 7, "0.00075", 3, 7),
    (["9000000", "0.000000000001"], "4500000000.0000000005", 2, 0),
    (["0.0005", "0.0015"], "1", 2, 0),
    (["-0.5", "0.25"], "-125", 2, 0),
]


@pytest.mark.parametrize(("costs", "result", "n", "skipped"), COSTS)
def test_cost_per_thousand_requests(costs, result, n, skipped):
    assert shown(judged("cost_per_thousand_requests", [lab.log(cost) for cost in costs])) == (result, n, skipped)


SAVINGS = [  # outcome and what the answer would have cost
    ([], "", 0, 0),
    ([(S, None)], "0", 1, 0),
    ([(F, None)], "0", 1, 0),
    ([(C, "0.01")], "10", 1, 0),
    ([(C, None)], "", 0, 1),
    ([(C, "0.01"), (S, None)], "5", 2, 0),
    ([(C, "0.01"), (C, None)], "10", 1, 1),
    ([(C, "0.01"), (C, None), (S, None)], "5", 2, 1),
    ([(C, "0")], "0", 1, 0),
    ([(C, "0.002"), (C, "0.004")], "3", 2, 0),
    ([(C, "0.003"), (S, None), (S, None)], "1", 3, 0),
    ([(C, "0.01"), (S, None), (F, None), (F, None)], "2.5", 4, 0),
    ([(C, "0.000000000001")], "0.000000001", 1, 0),
    ([(S, "5")], "0", 1, 0),  # only a cached answer can have saved anything
    ([(S, None)] * 999 + [(C, "1")], "1", 1000, 0),
    ([(C, "0.001")] + [(S, None)] * 2, "0." + THIRD, 3, 0),
]


@pytest.mark.parametrize(("logs", "result", "n", "skipped"), SAVINGS)
def test_cost_saved_by_the_cache(logs, result, n, skipped):
    made = [lab.log(outcome=outcome, cost_saved=saved) for outcome, saved in logs]
    assert shown(judged("cost_saved_by_cache", made)) == (result, n, skipped)


# --- shares -----------------------------------------------------------------------------------------------

SHARES = [
    (0, 0, ""),
    (1, 0, "100"),
    (0, 1, "0"),
    (0, 9, "0"),
    (9, 0, "100"),
    (1, 1, "50"),
    (1, 2, "33." + THIRD[2:]),
    (2, 1, "66." + TWO_THIRDS[2:]),
    (1, 3, "25"),
    (3, 1, "75"),
    (1, 7, "12.5"),
    (1, 15, "6.25"),
    (1, 99, "1"),
    (1, 199, "0.5"),
    (99, 1, "99"),
    (1, 999, "0.1"),
]


@pytest.mark.parametrize(("hits", "misses", "result"), SHARES)
@pytest.mark.parametrize("failure", [outcome for outcome in Outcome if not outcome.is_success])
def test_error_rate(failure, hits, misses, result):
    good = [lab.log(outcome=(S, C)[number % 2]) for number in range(misses)]
    logs = [lab.log(outcome=failure) for _ in range(hits)] + good
    assert shown(judged("error_rate", logs)) == (result, hits + misses, 0)


@pytest.mark.parametrize(("hits", "misses", "result"), SHARES)
def test_cache_hit_rate(hits, misses, result):
    others = [lab.log(outcome=(S, F)[number % 2]) for number in range(misses)]
    logs = [lab.log(outcome=C) for _ in range(hits)] + others
    assert shown(judged("cache_hit_rate", logs)) == (result, hits + misses, 0)


# --- percentiles ------------------------------------------------------------------------------------------

PERCENTILES = [  # durations, then p50, p90, p95, p99 by nearest rank
    ([], None, None, None, None),
    ([0], 0, 0, 0, 0),
    ([7], 7, 7, 7, 7),
    ([1, 2], 1, 2, 2, 2),
    ([2, 1], 1, 2, 2, 2),
    ([3, 1, 2], 2, 3, 3, 3),
    ([1, 2, 3, 4], 2, 4, 4, 4),
    ([5] * 50, 5, 5, 5, 5),
    (range(1, 11), 5, 9, 10, 10),
    (range(10, 0, -1), 5, 9, 10, 10),
    (range(1, 21), 10, 18, 19, 20),
    (range(1, 101), 50, 90, 95, 99),
    (range(1, 102), 51, 91, 96, 100),
    (range(1, 1001), 500, 900, 950, 990),
    ([1] * 99 + [10_000], 1, 1, 1, 1),
    ([1] * 98 + [10_000] * 2, 1, 1, 1, 10_000),
    ([1] * 89 + [500] * 11, 1, 500, 500, 500),
    ([600_000, 0], 0, 600_000, 600_000, 600_000),
]


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(("durations", *("p50", "p90", "p95", "p99")), PERCENTILES)
def test_latency(durations, p50, p90, p95, p99, place):
    percent, value = (50, 90, 95, 99)[place], (p50, p90, p95, p99)[place]
    metric = judged(f"latency_p{percent}", [lab.log(duration=ms) for ms in durations])
    assert shown(metric) == ("" if value is None else str(value), len(durations), 0)


@pytest.mark.parametrize(("percent", "few", "enough"), [(50, 5, 6), (90, 35, 36), (95, 71, 72), (99, 367, 368)])
def test_a_percentile_of_few_logs_has_no_interval(percent, few, enough):
    metric = judged(f"latency_p{percent}", [lab.log(duration=ms) for ms in range(few)])
    assert metric.interval is None
    assert metric.no_interval == f"p{percent} needs {enough} logs to say how sure it is, and there are {few}"
    assert judged(f"latency_p{percent}", [lab.log(duration=ms) for ms in range(enough)]).interval is not None


# --- tokens a second --------------------------------------------------------------------------------------

SPEEDS = [  # (tokens_out, duration, outcome)
    ([], "", 0, 0),
    ([(10, 1000, S)], "10", 1, 0),
    ([(10, 500, S)], "20", 1, 0),
    ([(10, 1000, S), (30, 1000, S)], "20", 2, 0),
    ([(10, 1000, S), (10, 3000, S)], "5", 2, 0),
    ([(100, 1000, S), (1, 1000, S)], "50.5", 2, 0),
    ([(10, 1000, C)], "", 0, 1),
    ([(10, 1000, F)], "", 0, 1),
    ([(None, 1000, S)], "", 0, 1),
    ([(0, 1000, S)], "", 0, 1),
    ([(10, 0, S)], "", 0, 1),
    ([(10, 1000, S), (99, 1, C), (99, 1, F), (None, 5, S)], "10", 1, 3),
    ([(1, 3000, S)], "0." + THIRD, 1, 0),
    ([(1, 1, S)], "1000", 1, 0),
    ([(7, 7000, S)] * 9, "1", 9, 0),
    ([(250, 2000, S), (0, 9000, S)], "125", 1, 1),
    ([(1, 2000, S), (1, 6000, S)], "0.25", 2, 0),
]


@pytest.mark.parametrize(("logs", "result", "n", "skipped"), SPEEDS)
def test_tokens_per_second(logs, result, n, skipped):
    made = [lab.log(tokens_out=tokens, duration=ms, outcome=outcome) for tokens, ms, outcome in logs]
    assert shown(judged("tokens_per_second", made)) == (result, n, skipped)


# --- intervals --------------------------------------------------------------------------------------------


def test_the_interval_of_a_mean_is_student_s():
    durations = [100, 250, 400, 1200, 90, 3000]
    metric = judged("speed", [lab.log(duration=ms) for ms in durations])
    theirs = stats.ttest_1samp(durations, 0).confidence_interval()
    assert metric.interval is not None
    assert (float(metric.interval.low), float(metric.interval.high)) == pytest.approx(theirs, rel=1e-8)
    assert metric.interval.method == "t"


def test_what_is_times_a_thousand_has_its_interval_times_a_thousand():
    logs = [lab.log(f"0.0{number}") for number in range(1, 9)]
    one, thousand = judged("cost", logs).interval, judged("cost_per_thousand_requests", logs).interval
    assert one is not None
    assert thousand is not None
    assert float(thousand.low) == pytest.approx(1000 * float(one.low), rel=1e-8)


def test_the_interval_of_a_quotient_holds_the_truth():
    random = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        seconds = random.exponential(2, 60) + 0.2
        tokens = np.maximum(seconds * 40 + random.normal(0, 15, 60), 1).round()
        made = [lab.log(tokens_out=int(t), duration=int(s * 1000)) for t, s in zip(tokens, seconds, strict=True)]
        interval = judged("tokens_per_second", made).interval
        assert interval is not None
        held += float(interval.low) <= 40.1 <= float(interval.high)
    assert 180 <= held <= 199


@pytest.mark.parametrize("type_id", ["cost", "speed", "score", "tokens_in", "tokens_per_second"])
def test_one_log_has_no_interval_and_neither_have_equal_ones(type_id):
    log = {"cost": "0.5", "duration": 70, "score": 5.0, "tokens_in": 3, "tokens_out": 9}
    assert judged(type_id, [lab.log(**log)]).no_interval == ONE_LOG
    many = judged(type_id, [lab.log(**log) for _ in range(30)])
    assert many.interval is None
    assert many.no_interval == NO_SPREAD
