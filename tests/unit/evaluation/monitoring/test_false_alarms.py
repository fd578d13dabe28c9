"""The rule of alerts, simulated: in weeks of windows without a change, false alarms stay as rare as promised.

And with a change it finds it. Seeded; the figures' own comparison decides, as it does for windows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import sqrt
from typing import Any

import numpy as np
import pytest
import scipy.stats
from msgspec import Struct

from gaugeway.core.comparisons import Comparison, Gate, Margin, Subject
from gaugeway.core.metrics import Direction, Metric
from gaugeway.core.monitors import Finding, Monitor, Rule, alpha_of
from gaugeway.evaluation.comparing import verdicts
from gaugeway.evaluation.comparing.verdicts import Found
from gaugeway.evaluation.figures.contrast import Contrast
from gaugeway.evaluation.figures.marks import means_apart, shares_apart
from gaugeway.evaluation.monitoring.checking import clustered_look, conclude, look_of
from gaugeway.evaluation.statistics.clustered import Cluster, quotients_apart
from gaugeway.evaluation.statistics.fisher import fisher
from gaugeway.evaluation.statistics.holm import holm
from gaugeway.evaluation.statistics.welch import Moments
from support.laboratory import NOON, SCOPE, dataset, new_id

SHARE = Subject(type_id="feedback", unit="%", direction=Direction.HIGHER)
MEAN = Subject(type_id="score", unit="", direction=Direction.HIGHER)
SLOW = Subject(type_id="speed", unit="ms", direction=Direction.LOWER)


def a_monitor(interval_minutes: int, **rule: Any) -> Monitor:
    return Monitor(
        account_id=SCOPE.account_id,
        gateway_id=SCOPE.gateway_id,
        id=new_id(),
        name="m",
        created_at=NOON,
        modified_at=NOON,
        enabled=True,
        interval_minutes=interval_minutes,
        settle_seconds=0,
        datasets=(dataset(),),
        types=(),
        rule=Rule(**rule),
        counted_until=NOON,
    )


class Drawn(Struct):
    """One type's contrast, and the figures that it is of."""

    subject: Subject
    contrast: Contrast
    figures: tuple[Decimal, Decimal] = (Decimal(1), Decimal(1))


def answer(found: Sequence[Drawn], logs: tuple[int, int]) -> Comparison:
    """What the comparison of reference and window says, as the analyst puts it together."""
    adjusted = holm([one.contrast.p_value or 1.0 for one in found])
    judged = [
        verdicts.judge(Found(one.subject, 1, one.contrast, 0.0), {}, p, len(found))
        for one, p in zip(found, adjusted, strict=True)
    ]
    metrics = tuple(
        {one.subject.type_id: Metric(value=one.figures[place], n=n, note="") for one in found}
        for place, n in enumerate(logs)
    )
    return Comparison(
        subjects=tuple(one.subject for one in found),
        totals=logs,
        overlaps=(0, 0),
        metrics=metrics,
        differences=tuple(judged),
        gate=Gate.PASS,
    )


def _look(found: Sequence[Drawn], logs: tuple[int, int], monitor: Monitor) -> list[Finding]:
    said = answer(found, logs)
    looks = [look_of(said, place) for place in range(len(found))]
    return [one.finding for one in conclude(looks, monitor.rule, alpha_of(monitor)).values()]


Draw = Callable[[np.random.Generator, int, int], list[Drawn]]


def shares(k1: int, n1: int, k2: int, n2: int) -> Drawn:
    return Drawn(SHARE, shares_apart(k1, n1, k2, n2), (Decimal(100 * k1) / n1, Decimal(100 * k2) / n2))


def feedback(share: float, changed: float | None = None) -> Draw:
    def draw(rng: np.random.Generator, before: int, now: int) -> list[Drawn]:
        k1, k2 = rng.binomial(before, share), rng.binomial(now, share if changed is None else changed)
        return [shares(int(k1), before, int(k2), now)]

    return draw


def _moments(values: np.ndarray) -> Moments:
    return Moments(len(values), float(values.mean()), float(values.var(ddof=1)))


def long_tailed(rng: np.random.Generator, before: int, now: int) -> list[Drawn]:
    """Of which more is better, and low means come with low spreads: what deceives Welch's t by itself."""
    return [Drawn(MEAN, means_apart(*(_moments(rng.lognormal(0, 0.8, n)) for n in (before, now))))]


def three_at_once(rng: np.random.Generator, before: int, now: int) -> list[Drawn]:
    """Feedback, a score, and durations whose distribution has a long tail."""
    scores = [_moments(np.clip(rng.normal(80, 15, n), 0, 100)) for n in (before, now)]
    durations = [_moments(rng.lognormal(6.5, 0.6, n)) for n in (before, now)]
    return [
        *feedback(0.9)(rng, before, now),
        Drawn(MEAN, means_apart(*scores)),
        Drawn(SLOW, means_apart(*durations)),
    ]


def false_alarms(draw: Draw, monitor: Monitor, weeks: int, logs: int, seed: int) -> tuple[int, int]:
    """Weeks with any alert, and looks."""
    rng = np.random.default_rng(seed)
    per_week = 7 * 24 * 60 // monitor.interval_minutes
    before = logs * monitor.rule.reference_windows
    alarmed = 0
    for _ in range(weeks):
        week = [_look(draw(rng, before, logs), (before, logs), monitor) for _ in range(per_week)]
        alarmed += any(Finding.WORSE in look for look in week)
    return alarmed, weeks * per_week


@pytest.mark.parametrize(
    ("draw", "interval", "weeks", "logs"),
    [
        (feedback(0.97), 60, 30, 60),
        (long_tailed, 60, 15, 30),
        (three_at_once, 240, 20, 60),
        (feedback(0.8), 1440, 800, 50),
    ],
    ids=["hourly feedback, nearly all good", "a long tail", "three types", "daily feedback"],
)
def test_false_alarms_stay_within_the_week_s_chance(draw: Draw, interval: int, weeks: int, logs: int) -> None:
    monitor = a_monitor(interval)
    alarmed, looks = false_alarms(draw, monitor, weeks, logs, seed=20261126)
    assert looks >= 840
    # at most 5 % of the weeks; three standard deviations of that many draws beyond it would be bad luck
    assert alarmed <= 0.05 * weeks + 3 * sqrt(weeks * 0.05 * 0.95), alarmed


def test_looks_that_were_not_reckoned_in_would_raise_far_more() -> None:
    """The same windows at 5 % a look: what the rule is for."""
    monitor = a_monitor(60)
    naive = a_monitor(7 * 24 * 60, weekly_alpha=0.3)  # 5 % a look
    assert alpha_of(naive) == pytest.approx(0.05)
    rng = np.random.default_rng(7)
    before, logs, found = 420, 60, {0: 0, 1: 0}
    for _ in range(2000):
        drawn = feedback(0.9)(rng, before, logs)
        for place, each in enumerate((monitor, naive)):
            found[place] += Finding.WORSE in _look(drawn, (before, logs), each)
    assert found[1] > 20
    assert found[0] <= 2


@pytest.mark.parametrize(("interval", "changed"), [(60, 0.6), (1440, 0.7)])
def test_a_real_drop_is_found(interval: int, changed: float) -> None:
    monitor = a_monitor(interval)
    rng = np.random.default_rng(11)
    seen = 0
    for _ in range(200):
        seen += Finding.WORSE in _look(feedback(0.9, changed)(rng, 700, 100), (700, 100), monitor)
    assert seen >= 190


def test_alpha_is_the_week_s_chance_over_its_looks() -> None:
    assert alpha_of(a_monitor(60)) == pytest.approx(0.05 / 173)
    assert alpha_of(a_monitor(1440, weekly_alpha=0.12)) == pytest.approx(0.01)
    assert alpha_of(a_monitor(10080)) == pytest.approx(0.05 / 6)


def test_a_margin_turns_a_small_drop_into_no_alert_and_few_logs_into_no_look() -> None:
    found = [shares(9000, 10000, 850, 1000)]  # five points, for certain
    wide = {"feedback": Margin(Decimal(6))}
    assert _look(found, (10000, 1000), a_monitor(1440)) == [Finding.WORSE]
    assert _look(found, (10000, 1000), a_monitor(1440, margins=wide)) == [Finding.WITHIN_MARGIN]
    assert _look(found, (10000, 1000), a_monitor(1440, min_logs=1001)) == [Finding.NOT_ENOUGH_LOGS]
    assert _look([shares(8500, 10000, 980, 1000)], (10000, 1000), a_monitor(1440)) == [Finding.BETTER]
    assert _look([shares(9000, 10000, 899, 1000)], (10000, 1000), a_monitor(1440)) == [Finding.CANNOT_TELL]


@pytest.mark.parametrize(
    ("k1", "n1", "k2", "n2"),
    [(407, 420, 54, 60), (420, 420, 60, 60), (0, 7, 3, 3), (5, 10, 5, 10), (0, 10, 0, 10), (90, 100, 99, 100)],
)
def test_the_exact_test_is_twice_scipy_s_smaller_tail(k1: int, n1: int, k2: int, n2: int) -> None:
    table = [[k2, n2 - k2], [k1, n1 - k1]]
    tails = [scipy.stats.fisher_exact(table, alternative=way).pvalue for way in ("less", "greater")]
    assert fisher(k1, n1, k2, n2) == pytest.approx(min(1.0, 2 * min(tails)), rel=1e-9)


class Users:
    """Windows of users' logs, each user with a share of good ones of their own; some of all are there each time."""

    def __init__(self, rng: np.random.Generator, there: int, of: int, shares: tuple[float, float]) -> None:
        self._rng = rng
        self._there = there
        self._shares = rng.beta(*shares, of)

    def window(self, worse_by: float = 0.0) -> dict[str | None, Cluster]:
        users = self._rng.choice(len(self._shares), self._there, replace=False)
        logs = 1 + self._rng.geometric(0.15, self._there)  # some have many
        good = self._rng.binomial(logs, self._shares[users] * (1 - worse_by))
        return {str(user): Cluster(100.0 * k, float(n)) for user, k, n in zip(users, good, logs, strict=True)}


def pooled(windows: Sequence[dict[str | None, Cluster]]) -> dict[str | None, Cluster]:
    found: dict[str | None, Cluster] = {}
    for name, one in [pair for window in windows for pair in window.items()]:
        kept = found.get(name, Cluster(0.0, 0.0))
        found[name] = Cluster(kept.dividend + one.dividend, kept.divisor + one.divisor)
    return found


def counts(clusters: dict[str | None, Cluster]) -> tuple[int, int]:
    return round(sum(one.dividend for one in clusters.values()) / 100), round(
        sum(one.divisor for one in clusters.values())
    )


def weeks_with_alarms(monitor: Monitor, weeks: int, users: tuple[int, int], drop: float = 0.0) -> tuple[int, int]:
    """Of those weeks, in how many there was any alert: as if logs were independent, and by clusters."""
    rng = np.random.default_rng(20261127)
    per_week = 7 * 24 * 60 // monitor.interval_minutes
    plain = clustered = 0
    for _ in range(weeks):
        made = Users(rng, *users, (4.0, 1.0))
        before = [made.window() for _ in range(monitor.rule.reference_windows)]
        alarms = [False, False]
        for _ in range(per_week):
            reference, now = pooled(before), made.window(drop)
            sides = (counts(reference), counts(now))
            look = look_of(answer([shares(*sides[0], *sides[1])], (sides[0][1], sides[1][1])), 0)
            apart = quotients_apart(reference, now) or "too few"
            for place, one in enumerate((look, clustered_look(look, apart, "metadata.user"))):
                [check] = conclude([one], monitor.rule, alpha_of(monitor)).values()
                alarms[place] |= check.finding is Finding.WORSE
            before = [*before[1:], now]
        plain, clustered = plain + alarms[0], clustered + alarms[1]
    return plain, clustered


@pytest.mark.parametrize(("interval", "weeks", "users"), [(60, 15, (12, 500)), (1440, 150, (10, 15))])
def test_users_whose_logs_are_alike_raise_no_false_alarms_where_windows_are_compared_by_them(
    interval: int, weeks: int, users: tuple[int, int]
) -> None:
    plain, clustered = weeks_with_alarms(a_monitor(interval), weeks, users)
    assert clustered <= 0.05 * weeks + 3 * sqrt(weeks * 0.05 * 0.95), clustered
    if users[1] > 100:  # as if they were independent there would be far more
        assert plain > 0.5 * weeks


def test_a_real_drop_is_found_by_clusters() -> None:
    _, clustered = weeks_with_alarms(a_monitor(1440), 20, (40, 500), drop=0.35)
    assert clustered == 20
