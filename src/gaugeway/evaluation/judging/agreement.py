"""How far the members of a panel agree over all the logs that came before it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from gaugeway.core.estimates import Estimate, Measure
from gaugeway.core.votes import PanelAgreement, Seat, Vote
from gaugeway.evaluation.alpha import alpha_of
from gaugeway.evaluation.panels import JudgePanel

MOST_ITEMS = 10_000
"""Logs that alpha is computed from; of more, evenly spread ones stand for the others."""
MOST_CELLS = 4_000_000
"""Of all items' coincidence matrices, which have as many rows and columns as there are different verdicts."""


def agreement_of(panel: JudgePanel, items: Iterable[tuple[float | None, tuple[Vote, ...]]]) -> PanelAgreement:
    """From each log's score and votes. A member that gave no verdict says nothing of agreement."""
    size = len(panel.members)
    gave, failed, sided = [0] * size, [0] * size, [0] * size
    places: dict[str, int] = {}
    values: list[float] = []
    shared: list[tuple[int, ...]] = []
    for score, votes in items:
        labels: list[int] = []
        for at, vote in enumerate(votes):
            if vote.score is None:
                failed[at] += 1
                continue
            gave[at] += 1
            sided[at] += vote.score == score
            place = places.setdefault(vote.verdict, len(values))
            if place == len(values):
                values.append(vote.score)
            labels.append(place)
        if len(labels) >= 2:
            shared.append(tuple(labels))
    averaged = panel.MEASURE is Measure.INTERVAL
    seats = tuple(
        Seat(member.model, gave[at], failed[at], None if averaged else sided[at])
        for at, member in enumerate(panel.members)
    )
    return PanelAgreement(panel.MEASURE, len(shared), _alpha(shared, values, panel.MEASURE), seats)


def _alpha(shared: list[tuple[int, ...]], values: list[float], measure: Measure) -> Estimate:
    most = min(MOST_ITEMS, MOST_CELLS // max(len(values) ** 2, 1))
    used = shared[:: max(1, -(-len(shared) // most))]
    nothing = "no log has verdicts of two members"
    found = alpha_of(used, values, measure, nothing=nothing, who="members")
    if len(used) == len(shared):
        return found
    return structs.replace(found, note=f"computed from {len(used)} of {len(shared)} logs, evenly spread")
