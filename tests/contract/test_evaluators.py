"""What every loaded evaluator must keep."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway.core.aggregates import Aggregate, Aggregated, Op
from gaugeway.core.ports import Evaluator
from gaugeway.evaluation.evaluators import load
from support import laboratory as lab

every_evaluator = pytest.mark.parametrize("evaluator", load(), ids=lambda evaluator: evaluator.id)

logs = st.lists(
    st.builds(
        lab.log,
        st.none() | st.decimals(min_value=0, max_value=1000, places=12),
        st.integers(min_value=0, max_value=10**7),
        st.sampled_from([None, 1, -1]),
    ),
    max_size=20,
)


@every_evaluator
def test_its_id_is_readable(evaluator: Evaluator):
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", evaluator.id)


@every_evaluator
def test_its_description_says_unit_and_direction(evaluator: Evaluator):
    unit = {"%": "percent"}.get(evaluator.unit, evaluator.unit)
    assert unit in evaluator.description
    assert re.search(r"\b(Lower|Higher) is better\.$", evaluator.description)


@every_evaluator
def test_it_asks_for_what_a_store_can_compute(evaluator: Evaluator):
    assert evaluator.type == "aggregate"
    assert evaluator.aggregates
    for item in evaluator.aggregates:
        assert isinstance(item, Aggregate)
        assert (item.value is not None) == (item.op is Op.COUNT_EQUAL)


@every_evaluator
def test_no_logs_no_value(evaluator: Evaluator):
    metric = evaluator.conclude(0, lab.aggregate([], evaluator.aggregates).values)
    assert (metric.value, metric.n, metric.skipped, metric.failed) == (None, 0, 0, 0)


@every_evaluator
@settings(max_examples=50)
@given(logs=logs)
def test_its_denominator_adds_up(evaluator: Evaluator, logs):
    selected = lab.aggregate(logs, evaluator.aggregates)
    metric = evaluator.conclude(selected.total, selected.values)
    assert metric.n + metric.skipped + metric.failed == len(logs)
    assert (metric.value is None) == (metric.n == 0)
    assert metric.value is None or (isinstance(metric.value, Decimal) and metric.value.is_finite())
    assert str(len(logs)) in metric.note


@every_evaluator
@settings(max_examples=25)
@given(logs=logs)
def test_it_is_deterministic_and_ignores_what_it_did_not_ask_for(evaluator: Evaluator, logs):
    own = lab.aggregate(logs, evaluator.aggregates)
    everything = dict.fromkeys(item for each in load() for item in each.aggregates)
    shared: Aggregated = lab.aggregate(logs, list(everything))
    first = evaluator.conclude(own.total, own.values)
    assert first == evaluator.conclude(own.total, own.values) == evaluator.conclude(shared.total, shared.values)
