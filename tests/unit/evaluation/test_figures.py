"""Each built-in evaluator against golden cases, and against a plain-Python oracle over random logs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.metrics import Metric
from gaugeway.core.model import LogRecord, Outcome
from gaugeway.core.money import plain
from gaugeway.evaluation.evaluators import load
from support import laboratory as lab

EVALUATORS = {evaluator.id: evaluator for evaluator in load()}


def judged(type_id: str, logs: list[LogRecord]) -> Metric:
    evaluator = EVALUATORS[type_id]
    selected = lab.aggregate(logs, evaluator.aggregates)
    return evaluator.conclude(selected)


def shown(metric: Metric) -> tuple[str, int, int]:
    return "" if metric.value is None else plain(metric.value), metric.n, metric.skipped


THIRD = "0." + "3" * 34

COSTS = [
    ([], "", 0, 0),
    ([None], "", 0, 1),
    ([None, None, None], "", 0, 3),
    (["0"], "0", 1, 0),
    (["0.01"], "0.01", 1, 0),
    (["0.01", "0.03"], "0.02", 2, 0),
    (["0.01", None, "0.03"], "0.02", 2, 1),
    (["0", "0.01"], "0.005", 2, 0),
    (["0", None], "0", 1, 1),
    (["0.1", "0.2"], "0.15", 2, 0),
    (["0.000000000001"], "0.000000000001", 1, 0),
    (["0.000000000001", "0"], "0.0000000000005", 2, 0),
    (["1", "0", "0"], THIRD, 3, 0),
    (["2", "0", "0"], "0." + "6" * 33 + "7", 3, 0),
    (["0.000001", "0", "0"], "0.000000" + "3" * 34, 3, 0),
    (["9000000", "0.000000000001"], "4500000.0000000000005", 2, 0),
    (["12.50"] * 4, "12.5", 4, 0),
    (["100", "200", "300"], "200", 3, 0),
    (["-0.5", "0.25"], "-0.125", 2, 0),
    (["0.00000075"] * 3 + [None] * 7, "0.00000075", 3, 7),
]


@pytest.mark.parametrize(("costs", "result", "n", "skipped"), COSTS)
def test_cost(costs, result, n, skipped):
    assert shown(judged("cost", [lab.log(cost) for cost in costs])) == (result, n, skipped)


DURATIONS = [
    ([], "", 0),
    ([0], "0", 1),
    ([1], "1", 1),
    ([100, 200], "150", 2),
    ([1, 2], "1.5", 2),
    ([0, 0, 0, 1], "0.25", 4),
    ([1, 0, 0], THIRD, 3),
    ([1, 1, 0], "0." + "6" * 33 + "7", 3),
    ([100, 200, 600], "300", 3),
    ([600_000], "600000", 1),
    ([86_400_000, 1], "43200000.5", 2),
    ([7] * 10, "7", 10),
    ([1, 2, 3, 4, 5, 6, 7, 8], "4.5", 8),
    ([1] + [0] * 15, "0.0625", 16),
    ([10, 10, 11], "10." + "3" * 32, 3),
    ([2**40, 2**40], "1099511627776", 2),
    ([1] + [0] * 6, "0.1428571428571428571428571428571429", 7),
]


@pytest.mark.parametrize(("durations", "result", "n"), DURATIONS)
def test_speed(durations, result, n):
    assert shown(judged("speed", [lab.log(duration=ms) for ms in durations])) == (result, n, 0)


MARKS = [
    ([], "", 0, 0),
    ([None], "", 0, 1),
    ([None] * 5, "", 0, 5),
    ([1], "100", 1, 0),
    ([-1], "0", 1, 0),
    ([1, -1], "50", 2, 0),
    ([1, None], "100", 1, 1),
    ([-1, None], "0", 1, 1),
    ([1, 1, -1], "66." + "6" * 31 + "7", 3, 0),
    ([1, -1, -1], "33." + "3" * 32, 3, 0),
    ([1, 1, 1, -1], "75", 4, 0),
    ([1] * 7 + [-1], "87.5", 8, 0),
    ([1] + [-1] * 7 + [None] * 2, "12.5", 8, 2),
    ([1] * 99 + [-1], "99", 100, 0),
    ([1] * 199 + [-1], "99.5", 200, 0),
    ([1] * 3 + [None] * 97, "100", 3, 97),
    ([1] + [-1] * 6, "14." + "285714" * 5 + "29", 7, 0),
]


@pytest.mark.parametrize(("marks", "result", "n", "skipped"), MARKS)
def test_human_feedback(marks, result, n, skipped):
    assert shown(judged("human_feedback", [lab.log(feedback=mark) for mark in marks])) == (result, n, skipped)


def test_a_failed_request_counts_when_it_has_the_field():
    logs = [lab.log("0.02", 100), lab.log("0", 30_000, outcome=Outcome.TIMEOUT)]
    assert shown(judged("cost", logs)) == ("0.01", 2, 0)
    assert shown(judged("speed", logs)) == ("15050", 2, 0)


def test_the_notes_show_the_denominator():
    logs = [lab.log("0.01", feedback=1), lab.log("0.02", feedback=-1), lab.log(None), lab.log("0.01", feedback=1)]
    assert judged("cost", logs).note == "3 of 4 logs have a known cost; 1 left out"
    assert judged("speed", logs).note == "4 of 4 logs have a duration"
    assert judged("human_feedback", logs).note == "3 of 4 logs have feedback (2 up, 1 down); 1 left out"


picos = st.one_of(
    st.sampled_from([0, 1, 2, 999_999_999_999, 10**18, 2**63 - 1, -1]),
    st.integers(min_value=0, max_value=10**10),
    st.integers(min_value=-(10**15), max_value=2**63 - 1),
)
costs = st.none() | picos.map(lambda pico: Decimal(f"{pico}E-12"))
durations = st.integers(min_value=0, max_value=10_000) | st.integers(min_value=0, max_value=2**53)
random_logs = st.lists(st.builds(lab.log, costs, durations, st.sampled_from([None, 1, -1])), max_size=40)


@given(random_logs)
def test_every_figure_equals_the_oracle(logs):
    for type_id in lab.TYPES:
        exact, n = lab.figure(type_id, logs)
        metric = judged(type_id, logs)
        assert (metric.n, metric.skipped, metric.failed) == (n, len(logs) - n, 0)
        if exact is None:
            assert metric.value is None
        else:
            assert metric.value is not None
            assert lab.is_nearest(plain(metric.value), exact), (type_id, metric.value, exact)
