"""What every loaded evaluator must keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaugeway.core.aggregates import Aggregate, Aggregated, Op
from gaugeway.core.embeddings import EmbeddingScorer
from gaugeway.core.errors import BadInput
from gaugeway.core.judging import JudgeScorer
from gaugeway.core.metrics import Direction
from gaugeway.core.ports import Evaluator
from gaugeway.core.samples import (
    AnyEvaluator,
    Conversation,
    Figure,
    ItemEvaluator,
    Mark,
    Message,
    NotApplicable,
    Sample,
    ToolCall,
)
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.judging.embedding import call_of
from gaugeway.evaluation.panels import JudgePanel
from gaugeway.evaluation.scoring.marks import MAX_NOTE, mark
from support import laboratory as lab

COLUMNS = [evaluator for evaluator in load() if not isinstance(evaluator, ItemEvaluator)]
ITEMS = [evaluator for evaluator in load() if isinstance(evaluator, ItemEvaluator)]

every_evaluator = pytest.mark.parametrize("evaluator", load(), ids=lambda evaluator: evaluator.id)
every_column_evaluator = pytest.mark.parametrize("evaluator", COLUMNS, ids=lambda evaluator: evaluator.id)
CODE = [evaluator for evaluator in ITEMS if evaluator.type == "code"]
JUDGES = [evaluator for evaluator in ITEMS if evaluator.type == "judge"]
EMBEDDINGS = [evaluator for evaluator in ITEMS if evaluator.type == "embedding"]
SANDBOXED = [evaluator for evaluator in ITEMS if evaluator.type == "python"]  # see tests/unit/evaluation/sandbox

every_item_evaluator = pytest.mark.parametrize("evaluator", ITEMS, ids=lambda evaluator: evaluator.id)

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
def test_its_id_is_readable(evaluator: AnyEvaluator):
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", evaluator.id)


@every_evaluator
def test_its_description_says_unit_and_direction(evaluator: AnyEvaluator):
    unit = {"%": "percent"}.get(evaluator.unit, evaluator.unit)
    assert unit in evaluator.description
    said = re.search(r"\b(Lower|Higher|Neither) is better\.$", evaluator.description)
    assert said
    assert Direction(said[1].lower()) is evaluator.direction


@every_column_evaluator
def test_it_asks_for_what_a_store_can_compute(evaluator: Evaluator):
    assert evaluator.type == "aggregate"
    assert evaluator.aggregates
    for item in evaluator.aggregates:
        assert isinstance(item, Aggregate)
        assert (item.value is not None) == (item.op is Op.COUNT_EQUAL)


@every_column_evaluator
def test_no_logs_no_value(evaluator: Evaluator):
    metric = evaluator.conclude(lab.aggregate([], evaluator.aggregates))
    assert (metric.value, metric.n, metric.skipped, metric.failed) == (None, 0, 0, 0)


@every_column_evaluator
@settings(max_examples=50)
@given(logs=logs)
def test_its_denominator_adds_up(evaluator: Evaluator, logs):
    selected = lab.aggregate(logs, evaluator.aggregates)
    metric = evaluator.conclude(selected)
    assert metric.n + metric.skipped + metric.failed == len(logs)
    assert (metric.value is None) == (metric.n == 0)
    assert metric.value is None or (isinstance(metric.value, Decimal) and metric.value.is_finite())
    assert str(len(logs)) in metric.note
    if metric.interval is not None:
        assert metric.value is not None
        assert metric.interval.low <= metric.value <= metric.interval.high
    else:
        assert metric.no_interval


@every_column_evaluator
@settings(max_examples=25)
@given(logs=logs)
def test_it_is_deterministic_and_ignores_what_it_did_not_ask_for(evaluator: Evaluator, logs):
    own = lab.aggregate(logs, evaluator.aggregates)
    everything = dict.fromkeys(item for each in COLUMNS for item in each.aggregates)
    shared: Aggregated = lab.aggregate(logs, list(everything))
    first = evaluator.conclude(own)
    assert first == evaluator.conclude(own) == evaluator.conclude(shared)


# --- of single logs ---------------------------------------------------------------------------------------

PARAMETERS = {
    "regex": {"pattern": "(a|b)+c"},
    "json_schema": {"schema": {"type": "object", "required": ["a"]}},
    "python": {"source": "def score(sample): return 1", "figure": "share", "direction": "higher"},
    "judge_rubric": {"rubric": "r"},
    "judge_criteria": {"criteria": "c"},
    "judge_label": {"labels": ["a", "b"], "good": ["a"]},
    "panel_rubric": {"rubric": "r"},
    "panel_criteria": {"criteria": "c"},
    "panel_label": {"labels": ["a", "b"], "good": ["a"]},
}
"""Of those that cannot do without."""

texts = st.text(max_size=200) | st.sampled_from(
    [
        "",
        " ",
        "42",
        "[]",
        '{"a": 1}',
        "null",
        "I cannot help with that.",
        "a" * 20_000,
        "1e999",
        "[" * 5000,
    ]
)
calls = st.builds(ToolCall, st.text(max_size=9), st.sampled_from(["{}", '{"a": 1}', "", "nonsense"]))
messages = st.builds(
    Message, st.just("assistant"), texts, st.lists(calls, max_size=2).map(tuple), st.none() | st.text(max_size=9)
)
samples = st.builds(
    lambda answer, problem, questions, expected: Sample(
        log=lab.log(), conversation=Conversation(tuple(questions), answer, problem), expected=expected
    ),
    st.none() | messages,
    st.sampled_from(["the log kept no bodies"]),
    st.lists(messages, max_size=2),
    st.none() | texts,
)


@every_item_evaluator
def test_its_parameters_are_described(evaluator: ItemEvaluator):
    schema = evaluator.parameters_schema()
    assert schema["additionalProperties"] is False
    assert all(described.get("description", "").endswith(".") for described in schema["properties"].values())
    assert bool(schema["required"]) == evaluator.needs_parameters
    assert "$ref" not in str(schema)


def test_every_evaluator_of_single_logs_is_of_a_kind_that_is_tested_here():
    assert len(ITEMS) == len(CODE) + len(JUDGES) + len(EMBEDDINGS) + len(SANDBOXED)


@every_item_evaluator
def test_what_it_does_not_know_is_refused_by_name(evaluator: ItemEvaluator):
    with pytest.raises(BadInput, match="colour"):
        evaluator.configured({**PARAMETERS.get(evaluator.id, {}), "colour": "red"})


@pytest.mark.parametrize("evaluator", CODE, ids=lambda evaluator: evaluator.id)
@settings(max_examples=60, deadline=None)
@given(sample=samples)
def test_whatever_a_log_holds_it_gives_a_mark(evaluator: ItemEvaluator, sample: Sample):
    scorer = evaluator.configured(PARAMETERS.get(evaluator.id, {}))
    first: Mark = mark(scorer, sample)
    assert first == mark(scorer, sample)
    assert not first.failed, first.note
    assert len(first.note) <= MAX_NOTE
    first.note.encode()
    if first.score is None:
        assert first.note
    elif evaluator.figure is Figure.SHARE:
        assert first.score in (0, 100)
    elif evaluator.unit in ("%", "points"):
        assert 0 <= first.score <= 100
    if sample.conversation.answer is None:
        assert first.score is None


def judges_of(evaluator: ItemEvaluator) -> Sequence[JudgeScorer]:
    """The judge that it is, or the members of the panel that it is."""
    given = {"gateway_id": "judges", "max_cost": 1, **PARAMETERS.get(evaluator.id, {})}
    if issubclass(evaluator.scorer, JudgePanel):
        panel = evaluator.configured({**given, "members": [{"model": "openai/m"}, {"model": "openai/n"}]})
        assert isinstance(panel, JudgePanel)
        return panel.judges
    judge = evaluator.configured({**given, "model": "openai/m"})
    assert isinstance(judge, JudgeScorer)
    return [judge]


@pytest.mark.parametrize("evaluator", EMBEDDINGS, ids=lambda evaluator: evaluator.id)
@settings(max_examples=60, deadline=None)
@given(sample=samples)
def test_whatever_a_log_holds_there_are_texts_or_a_reason(evaluator: ItemEvaluator, sample: Sample):
    scorer = evaluator.configured({"model": "openai/m", "gateway_id": "judges", "max_cost": 1})
    assert isinstance(scorer, EmbeddingScorer)
    try:
        texts = scorer.texts(sample)
    except NotApplicable as problem:
        assert str(problem)
        return
    assert texts
    assert all(text.strip() for text in texts)
    assert all(len(call_of(scorer.settings, text).body) > len(text) for text in texts)


@pytest.mark.parametrize("evaluator", JUDGES, ids=lambda evaluator: evaluator.id)
@settings(max_examples=40, deadline=None)
@given(sample=samples)
def test_whatever_a_log_holds_it_stays_within_its_marks(evaluator: ItemEvaluator, sample: Sample):
    [judge, *others] = judges_of(evaluator)
    try:
        asked = judge.questions(sample)
        assert all(other.questions(sample) == asked for other in others)
    except NotApplicable as problem:
        assert str(problem)
        return
    for question in asked:
        [mark_] = set(re.findall(r"BEGIN \{name\} (\w+) ===", question.system))
        lines = re.findall(rf"^=== (BEGIN|END) (\w+) {mark_} ===$", question.user, re.MULTILINE)
        assert lines[0] == ("BEGIN", "CONVERSATION")
        assert lines[-1] == ("END", lines[-2][1])
        assert len(lines) == 2 * len({name for _, name in lines})
        assert judge.questions(sample)[0] == asked[0]
