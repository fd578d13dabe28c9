"""Comparisons of what evaluations found log by log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from scipy import stats

from gaugeway.core.comparisons import Comparison, Difference, Question, Side, Verdict
from gaugeway.core.errors import BadInput
from gaugeway.core.items import Item, ItemStatus
from gaugeway.core.model import Account, Evaluation, Gateway, ResultStatus
from gaugeway.core.query import Filter, Grouping, Operator
from gaugeway.evaluation.comparing import itemwise
from gaugeway.evaluation.comparing.analyst import LogAnalyst
from gaugeway.evaluation.evaluators import load
from gaugeway.stores import Stores, open_stores
from support import laboratory as lab
from support.some_logs import SCOPE, a_log, keep_all, logged

FAR = 10**15


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    made = open_stores(tmp_path)
    made.accounts.create(Account(id=SCOPE.account_id, name="a", created_at=1))
    made.gateways.create(Gateway(account_id=SCOPE.account_id, id=SCOPE.gateway_id, created_at=1, modified_at=1))
    yield made
    made.close()


def evaluated(
    stores: Stores,
    name: str,
    scores: list[float | None],
    type_id: str = "bleu",
    custom: str = "",
    **how: Any,
) -> Side:
    """An evaluation of a log for each score (None: skipped), done."""
    logs = [
        a_log(model=name, **{key: value(number) for key, value in how.items()}) for number in range(len(scores))
    ]
    stores.logs.append(logged(logs), keep_all)
    item = lab.evaluation(
        lab.dataset(("model", "eq", [name]), scope=SCOPE), types=(custom or type_id,), name=name, scope=SCOPE
    )
    first = structs.replace(item.results[0], evaluator_id=type_id if custom else "")
    item = structs.replace(item, created_at=1 << 47, results=[first])
    stores.evaluations.create(item)
    held = stores.evaluations.claim("me", 0, FAR)
    assert held is not None
    ids = [log.id for log in logs]
    assert stores.items.plan(held, "me", ids)
    kept = [
        Item(
            log_id=log_id,
            position=0,
            status=ItemStatus.SKIPPED if score is None else ItemStatus.SCORED,
            score=score,
        )
        for log_id, score in zip(ids, scores, strict=True)
    ]
    assert stores.items.put(held, "me", kept)
    done = structs.replace(first, status=ResultStatus.COMPLETED, result="1")
    assert stores.evaluations.save(held, "me", [done], len(scores))
    return Side(label=name, evaluation=kept_of(stores, item))


def ended_as(status: ResultStatus, side: Side) -> Side:
    """The side, its evaluation's result ended in another way."""
    assert side.evaluation is not None
    results = [structs.replace(side.evaluation.results[0], status=status)]
    return structs.replace(side, evaluation=structs.replace(side.evaluation, results=results))


def kept_of(stores: Stores, item: Evaluation) -> Evaluation:
    found = stores.evaluations.get(SCOPE, item.id)
    assert found is not None
    return found


def ask(stores: Stores, type_id: str, *sides: Side, **fields: Any) -> Comparison:
    question = Question(scope=SCOPE, sides=sides, type_ids=(type_id,), **{"margins": {}, **fields})
    return LogAnalyst(stores.logs, load(), stores.items).compare(question)


def only(answer: Comparison) -> Difference:
    (difference,) = answer.differences
    return difference


def test_scores_of_different_logs(stores):
    random = np.random.default_rng(1)
    old, new = random.normal(50, 10, 60), random.normal(60, 10, 50)
    answer = ask(stores, "bleu", evaluated(stores, "old", [*old, None]), evaluated(stores, "new", [*new]))
    found = only(answer)
    theirs = stats.ttest_ind(new, old, equal_var=False)
    assert (found.verdict, found.test, found.pairs) == (Verdict.BETTER, "Welch's t", None)
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval())
    assert answer.metrics[0]["bleu"].n == 60
    assert float(answer.metrics[1]["bleu"].value or 0) == pytest.approx(new.mean())


def test_few_scores_are_compared_by_rank(stores):
    old, new = [1.0, 2, 3, 4, 9], [5.0, 6, 7, 8, 9, 10]
    found = only(ask(stores, "bleu", evaluated(stores, "old", old), evaluated(stores, "new", new)))
    assert found.test == "Mann-Whitney U"
    assert found.p_value == pytest.approx(stats.mannwhitneyu(old, new, method="asymptotic").pvalue)


def test_ranks_that_point_the_other_way_than_means_show_nothing(stores):
    """Nearly all scores fell, and one rose so far that their mean rose too."""
    old, new = [50.0] * 10 + [51.0] * 10, [49.0] * 19 + [100.0]
    found = only(ask(stores, "bleu", evaluated(stores, "old", old), evaluated(stores, "new", new)))
    assert stats.mannwhitneyu(old, new).pvalue < 0.001
    assert np.mean(new) > np.mean(old)
    assert (found.verdict, found.p_value, found.more_needed) == (Verdict.CANNOT_TELL, 1, None)
    assert "most scores moved the other way than their mean" in found.words


def test_several_answers_of_a_question_are_no_better_than_one(stores):
    """A question that passes half of the time passes as often asked twice, whatever is made of a half."""
    names = lambda times: {"metadata": lambda number: {"question": number // times}}  # noqa: E731
    one = evaluated(stores, "old", [100.0, 0.0] * 40, "json_validity", **names(1))
    two = evaluated(stores, "new", [100.0, 0.0] * 80, "json_validity", **names(2))
    found = only(ask(stores, "json_validity", one, two, pair_by=Grouping("metadata", "question")))
    assert (found.verdict, found.difference) == (Verdict.CANNOT_TELL, 0)
    assert found.test == "paired permutation"


def test_shares_and_pairs_by_metadata(stores):
    how = {"metadata": lambda number: {"question": number}}
    old = evaluated(stores, "old", [100.0] * 20 + [0.0] * 30, "json_validity", **how)
    new = evaluated(stores, "new", [100.0] * 19 + [0.0] + [100.0] * 15 + [0.0] * 15, "json_validity", **how)
    whole = only(ask(stores, "json_validity", old, new))
    assert (whole.test, whole.pairs, whole.difference) == ("two-proportion z", None, pytest.approx(28))
    found = only(ask(stores, "json_validity", old, new, pair_by=Grouping("metadata", "question")))
    assert found.test == "McNemar, exact"
    assert found.p_value == pytest.approx(stats.binomtest(1, 16).pvalue)
    assert found.pairs is not None
    assert (found.pairs.items, found.pairs.unmatched) == (50, (0, 0))


def test_event_ids_pair_unasked(stores):
    random = np.random.default_rng(2)
    hard = random.normal(50, 20, 40)
    how = {"event_id": lambda number: f"q{number}"}
    old, new = hard + random.normal(0, 1, 40), hard + random.normal(2, 1, 40)
    sides = evaluated(stores, "old", [*old], **how), evaluated(stores, "new", [*new], **how)
    found = only(ask(stores, "bleu", *sides))
    assert (found.test, found.verdict) == ("paired permutation", Verdict.BETTER)
    assert only(ask(stores, "bleu", *sides, find_pairs=False)).verdict is Verdict.CANNOT_TELL


def test_a_custom_type_is_known_by_its_evaluator(stores):
    sides = [evaluated(stores, name, [100.0, 0.0] * 9, "regex", custom="0199-custom") for name in ("old", "new")]
    answer = ask(stores, "0199-custom", *sides)
    assert only(answer).test == "two-proportion z"
    assert (answer.subjects[0].type_id, answer.subjects[0].unit) == ("0199-custom", "%")


def test_a_custom_type_of_own_python_is_what_it_declares(stores):
    declared = {"source": "x", "figure": "mean", "unit": "words", "direction": "lower"}
    sides = [evaluated(stores, name, scores, "python", custom="0199-own") for name, scores in OWN.items()]
    results = [structs.replace(side.evaluation.results[0], parameters=declared) for side in sides]
    sides = [
        structs.replace(side, evaluation=structs.replace(side.evaluation, results=[result]))
        for side, result in zip(sides, results, strict=True)
    ]
    answer = ask(stores, "0199-own", *sides)
    assert (answer.subjects[0].unit, answer.subjects[0].direction) == ("words", "lower")
    assert only(answer).verdict is Verdict.BETTER


OWN = {"old": [5.0, 6.0, 7.0, 8.0] * 9, "new": [1.0, 2.0, 3.0, 4.0] * 9}


def test_a_side_may_be_part_of_an_evaluation(stores):
    side = evaluated(stores, "old", [1.0, 2.0, 3.0, 4.0], duration=lambda number: number)
    quick = structs.replace(side, label="quick", filters=(Filter("duration", Operator.LT, (2,)),))
    answer = ask(stores, "bleu", side, quick)
    assert [metrics["bleu"].n for metrics in answer.metrics] == [4, 2]
    assert only(answer).difference == -1


def test_scores_outlive_their_logs(stores):
    sides = evaluated(stores, "old", [1.0, 2.0, 3.0]), evaluated(stores, "new", [2.0, 3.0, 4.0])
    stores.logs.delete_scope(SCOPE)
    answer = ask(stores, "bleu", *sides)
    assert answer.totals == (0, 0)
    assert (only(answer).difference, answer.metrics[0]["bleu"].n) == (1, 3)


def test_no_scores_cannot_tell(stores):
    found = only(ask(stores, "bleu", evaluated(stores, "old", [None]), evaluated(stores, "new", [1.0])))
    assert (found.verdict, found.difference) == (Verdict.CANNOT_TELL, None)


def test_what_cannot_be_compared_is_refused(stores, monkeypatch):
    old = evaluated(stores, "old", [1.0, 2.0])
    logs = Side(label="logs", filters=(Filter("model", Operator.EQ, ("old",)),))
    with pytest.raises(BadInput, match="'logs' is no completed evaluation of 'bleu'"):
        ask(stores, "bleu", old, logs)
    with pytest.raises(BadInput, match="'old' is no completed evaluation of 'refusal'"):
        ask(stores, "refusal", old, old)
    for status in (ResultStatus.FAILED, ResultStatus.CANCELLED):  # of which half the scores may be there
        with pytest.raises(BadInput, match="'old' is no completed evaluation of 'bleu'"):
            ask(stores, "bleu", old, ended_as(status, old))
    with pytest.raises(BadInput, match="'length' describes and does not judge"):
        ask(stores, "length", old, old)
    monkeypatch.setattr(itemwise, "MAX_ITEMS", 1)
    with pytest.raises(BadInput, match="'old' has more than 1 scores"):
        ask(stores, "bleu", old, old)
