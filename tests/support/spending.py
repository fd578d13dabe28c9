"""Budgets, and a ledger in plain Python that is plainly right: every reservation and cost in a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gaugeway.core.spending import Budget
from support.state import SCOPE

DOLLAR = 10**12
HOUR_START = 1_795_003_200_000  # ms, a whole number of hours


def a_budget(limit: int = DOLLAR, window: int = 3600, *, sliding: bool = False, **fields: Any) -> Budget:
    plain: dict[str, Any] = {"scope": SCOPE, "rule_id": "rule", "partition": ()}
    return Budget(**plain | fields, limit=limit, window=window, sliding=sliding)


def a_rule(limit: float = 1, window: int = 1_000_000_000, **fields: Any) -> dict[str, Any]:
    """A rule as the API takes it. A fixed window of some 30 years does not end while a test runs."""
    return {"id": "rule", "limitType": "cost", "limit": limit, "window": window, "technique": "fixed"} | fields


class PlainLedger:
    """The oracle: amounts in a list, each counted while its slot reaches into the window."""

    def __init__(self) -> None:
        self.entries: dict[bytes, tuple[Sequence[Budget], int, int, bool]] = {}

    def counted(self, budget: Budget, now_ms: int) -> int:
        name = (budget.scope, budget.rule_id, budget.partition)
        return sum(
            amount
            for budgets, amount, at_ms, _ in self.entries.values()
            if name in [(one.scope, one.rule_id, one.partition) for one in budgets]
            and budget.slot(at_ms)[1] > budget.begins(now_ms)
        )

    def reserve(self, hold: bytes, budgets: Sequence[Budget], amount: int, at_ms: int) -> bool:
        if any(self.counted(budget, at_ms) + amount > budget.limit for budget in budgets):
            return False
        self.entries[hold] = (budgets, amount, at_ms, True)
        return True

    def settle(self, hold: bytes, cost: int) -> None:
        budgets, _, at_ms, _ = self.entries[hold]
        self.entries[hold] = (budgets, cost, at_ms, False)
