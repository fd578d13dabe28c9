"""Judges and prices behind their ports, in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from gaugeway.core.judging import JudgeSettings, Purse, Question, Verdict
from gaugeway.core.model import Scope
from gaugeway.core.pricing import Priced
from gaugeway.core.replays import Call, Called
from gaugeway.core.spending import Budget

INTO, OUT = 1e-6, 4e-6
"""Dollars a token, by Prices."""


class Scripted:
    """A Judge that says what it was told to, and remembers what it was asked."""

    def __init__(self, *says: object) -> None:
        self.says = list(says)
        self.asked: list[tuple[str, Question, JudgeSettings, Purse, Mapping[str, str]]] = []

    async def ask(
        self,
        account_id: str,
        question: Question,
        settings: JudgeSettings,
        purse: Purse,
        metadata: Mapping[str, str],
    ) -> str:
        self.asked.append((account_id, question, settings, purse, metadata))
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, str) else json.dumps(said)

    async def at_most(self, account_id: str, question: Question, settings: JudgeSettings) -> Decimal:
        return Decimal(1)


class Memory:
    """A VerdictStore."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, bytes], Verdict] = {}

    def get(self, account_id: str, key: bytes) -> Verdict | None:
        return self.kept.get((account_id, key))

    def put(self, account_id: str, key: bytes, verdict: Verdict, now_ms: int) -> None:
        self.kept.setdefault((account_id, key), verdict)


class Prices:
    """A Caller of models whose price is known, but for `dear/unknown`; calls nobody."""

    async def call(
        self,
        scope: Scope,
        call: Call,
        purse: Budget,
        most: Decimal,
        metadata: Mapping[str, str],
        *,
        daily: Budget | None = None,
    ) -> Called:
        raise AssertionError("a forecast sends nothing")

    async def at_most(self, scope: Scope, call: Call) -> Priced:
        return Priced(reason="no price") if call.model == "dear/unknown" else Priced(Decimal("0.01"))

    async def would_cost(self, scope: Scope, call: Call, tokens_in: int, tokens_out: int) -> Priced:
        if call.model == "dear/unknown":
            return Priced(reason="no price")
        return Priced(Decimal(repr(tokens_in * INTO + tokens_out * OUT)))
