"""A caller whose prices are known, and logged chats with known tokens: what forecasts are made from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from gaugeway.core.model import Bodies, LogRecord, Scope, Usage
from gaugeway.core.pricing import Priced
from gaugeway.core.replays import Call, Called
from gaugeway.core.spending import Budget
from support.some_logs import a_log

INTO, OUT = Decimal("0.000001"), Decimal("0.000004")


class FixedPrices:
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
        return Priced(tokens_in * INTO + tokens_out * OUT)


def a_chat(tokens_in: int | None, tokens_out: int | None, **fields: object) -> tuple[LogRecord, Bodies]:
    record = a_log(path="v1/chat/completions", usage=Usage(tokens_in=tokens_in, tokens_out=tokens_out), **fields)
    return record, Bodies(request=msgspec.json.encode({"messages": [{"role": "user", "content": "x"}]}))
