"""What judges would cost, as the API shows it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gaugeway.core.judging import Forecast
from gaugeway.core.money import plain


def show_judge_forecast(told: Forecast, evaluation_type_id: str) -> dict[str, Any]:
    """Dollars as decimal texts; null where nobody knows, and `unknown` or `assumes` says why."""
    return {
        "evaluation_type_id": evaluation_type_id,
        "calls": told.calls,
        "known_calls": told.known,
        "sampled": told.sampled,
        "expected_cost": _decimal(told.expected),
        "low": _decimal(told.low),
        "high": _decimal(told.high),
        "worst_case_cost": _decimal(told.worst_case),
        "max_cost": plain(told.cap),
        "assumes": told.note,
        "unknown": told.unknown or None,
    }


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
