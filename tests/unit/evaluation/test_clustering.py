"""Clustered intervals: wider, or none with the reason; never those of single logs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import statsmodels.api as sm
from msgspec import structs

from gaugeway.core.model import LogRecord, Result
from gaugeway.core.query import EVERYTHING
from gaugeway.evaluation import clustering, conclusion
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.statistics.clustered import Cluster, quotients_apart
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import laboratory as lab
from support.some_logs import SCOPE, a_log, keep_all, logged

EVALUATORS = {evaluator.id: evaluator for evaluator in load()}


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteLogStore]:
    made = SqliteLogStore(tmp_path)
    yield made
    made.close()


def judged(store: SqliteLogStore, logs: list[LogRecord], type_id: str) -> Result:
    store.append(logged(logs), keep_all)
    evaluator = EVALUATORS[type_id]
    evaluation = structs.replace(lab.evaluation(types=(type_id,)), cluster_by="metadata.user")
    selected = store.aggregate(SCOPE, EVERYTHING, evaluator.aggregates)
    clusters = clustering.gather(store, SCOPE, EVERYTHING, evaluation, [evaluator])
    return conclusion.conclude(evaluation.results[0], evaluator, selected, lab.NOON, clusters)


def user(number: int, **fields) -> LogRecord:
    return a_log(metadata={"user": f"u{number}"}, **fields)


def test_the_interval_of_a_mean_is_the_cluster_robust_one(store):
    random = np.random.default_rng(1)
    users = random.integers(0, 12, 150)
    durations = (1000 + random.normal(0, 300, 12)[users] + random.normal(0, 50, 150)).astype(int)
    logs = [user(u, duration=int(d)) for u, d in zip(users, durations, strict=True)]
    result = judged(store, logs, "speed")
    fit = sm.OLS(durations.astype(float), np.ones(150)).fit(
        cov_type="cluster", cov_kwds={"groups": users, "use_correction": False}, use_t=True
    )
    half = float(fit.bse[0]) * (12 / 11) ** 0.5 * 2.200985160082949  # t of 11 degrees
    assert float(result.low) == pytest.approx(durations.mean() - half, rel=1e-7)
    assert float(result.high) == pytest.approx(durations.mean() + half, rel=1e-7)
    assert result.interval_method == "clustered t by metadata.user"


def test_a_rate_stays_within_its_bounds(store):
    logs = [user(u, feedback=-1 if (u, n) == (0, 0) else 1) for u in range(6) for n in range(3)]
    result = judged(store, logs, "human_feedback")
    assert result.high == "100"
    assert 60 < float(result.low) < float(result.result)


@pytest.mark.parametrize(
    ("logs", "type_id", "why"),
    [
        ([user(u, duration=u) for u in range(4)], "speed", "4 clusters of metadata.user are too few: it takes 5"),
        ([*(user(u, duration=u) for u in range(9)), a_log()], "speed", "some logs have no metadata.user"),
        ([user(u, feedback=1) for u in range(9)], "human_feedback", "all clusters of metadata.user have the same"),
        ([user(u % 20, duration=u) for u in range(99)], "latency_p50", "by clusters of metadata.user is not known"),
    ],
)
def test_without_an_interval_it_says_why(store, logs, type_id, why):
    result = judged(store, logs, type_id)
    assert (result.low, result.high, result.interval_method) == ("", "", "")
    assert why in result.interval_note
    assert result.result


def test_too_many_clusters(store, monkeypatch):
    monkeypatch.setattr(clustering, "MAX_CLUSTERS", 8)
    assert "more than 8 clusters" in judged(store, [user(u, duration=u) for u in range(9)], "speed").interval_note


def test_no_figure_needs_no_cluster(store):
    assert judged(store, [user(u) for u in range(9)], "cost").interval_note == "there is no value"


def test_an_interval_of_scores_is_not_shown_as_if_it_were_clustered():
    result = structs.replace(lab.evaluation().results[0], result="5", low="4", high="6", interval_method="t")
    assert clustering.unclustered(result, "") is result
    hidden = clustering.unclustered(result, "metadata.user")
    assert (hidden.low, hidden.high, hidden.interval_method) == ("", "", "")
    assert "clusters of metadata.user is not known" in hidden.interval_note


@pytest.mark.parametrize("shared", [False, True], ids=["other users", "the same users"])
def test_quotients_apart_are_a_regression_with_cluster_robust_errors(shared):
    random = np.random.default_rng(5)
    users = 9
    rows = [
        (f"{'both' if shared else side}-{number}", side, float(random.normal(50 + 9 * number + 4 * side, 5)))
        for side in (0, 1)
        for number in range(users)
        for _ in range(random.integers(1, 12))
    ]
    sides: list[dict[str | None, Cluster]] = [{}, {}]
    for name, side, value in rows:
        kept = sides[side].get(name, Cluster(0.0, 0.0))
        sides[side][name] = Cluster(kept.dividend + value, kept.divisor + 1)
    apart = quotients_apart(*sides)
    assert apart is not None
    fitted = sm.OLS([value for *_, value in rows], sm.add_constant([side for _, side, _ in rows])).fit(
        cov_type="cluster",
        cov_kwds={
            "groups": np.unique([name for name, *_ in rows], return_inverse=True)[1],
            "use_correction": False,
        },
    )
    assert apart.difference == pytest.approx(fitted.params[1])
    assert apart.error == pytest.approx(fitted.bse[1] * np.sqrt(users / (users - 1)))
    assert apart.clusters == (users, users)
    assert apart.degrees < users - 1  # some users have more than others
    low, high = apart.interval()
    assert low < apart.difference < high
    assert 0 < apart.p_value <= 1


def test_few_clusters_and_clusters_that_are_all_alike_say_nothing():
    few: dict[str | None, Cluster] = {str(n): Cluster(float(n), 1.0) for n in range(4)}
    many: dict[str | None, Cluster] = {str(n): Cluster(float(n), 1.0) for n in range(9)}
    alike: dict[str | None, Cluster] = {str(n): Cluster(2.0, 1.0) for n in range(9)}
    assert quotients_apart(few, many) is None
    assert quotients_apart(many, few | {"none": Cluster(0.0, 0.0)}) is None
    assert quotients_apart(alike, alike) is None
    equal = quotients_apart(many, many)
    assert equal is None  # the same users, each as before: there is no difference, and nothing to tell its error by
    assert quotients_apart(alike, many) is not None
