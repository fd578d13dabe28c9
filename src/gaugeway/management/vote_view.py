"""What a panel of judges said, as the API shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gaugeway.core.estimates import Estimate
from gaugeway.core.metrics import LEVEL
from gaugeway.core.votes import PanelAgreement, Vote


def show_votes(votes: Sequence[Vote]) -> list[dict[str, Any]] | None:
    """Each member's verdict; null where there is no panel."""
    if not votes:
        return None
    return [
        {
            "model": vote.model,
            "verdict": vote.verdict or None,
            "score": vote.score,
            "failed": vote.score is None,
            "note": vote.note,
        }
        for vote in votes
    ]


def show_agreement(found: PanelAgreement | None) -> dict[str, Any] | None:
    """How far a panel's members agree; null where there is no panel, or no figure yet."""
    if found is None:
        return None
    return {
        "measure": found.measure.value,
        "shared_logs": found.shared,
        "alpha": show_estimate(found.alpha),
        "members": [
            {"model": seat.model, "verdicts": seat.gave, "failed": seat.failed, "with_panel": seat.sided}
            for seat in found.seats
        ],
    }


def show_estimate(estimate: Estimate) -> dict[str, Any]:
    """A figure of agreement with its interval."""
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "interval_level": None if estimate.low is None else LEVEL,
        "interval_method": estimate.method or None,
        "n": estimate.n,
        "note": estimate.note or None,
    }
