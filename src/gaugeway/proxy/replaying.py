"""The Caller whose calls go through the data plane: authenticated, limited, logged and priced like any client's.

They pass by the cache, and are tried once: what a call costs at most is then what was reserved for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from gaugeway.core.model import Bodies, LogRecord, Outcome, Scope, Usage
from gaugeway.core.pricing import Priced
from gaugeway.core.replays import Call, Called
from gaugeway.core.spending import Budget
from gaugeway.proxy.answers import BAD_FORMAT
from gaugeway.proxy.inward import InwardAnswer
from gaugeway.proxy.own_calls import OwnCall, OwnCalls

_ONCE_AND_KEPT = (
    (b"cf-aig-collect-log", b"true"),
    (b"cf-aig-collect-log-payload", b"true"),
    (b"cf-aig-skip-cache", b"true"),
    (b"cf-aig-max-attempts", b"1"),
)


class ProxyCaller:
    """A Caller. `agent`: who it is, as its calls' logs say."""

    def __init__(self, calls: OwnCalls, agent: bytes = b"gaugeway-replay") -> None:
        self._calls = calls
        self._agent = agent

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
        """See Caller."""
        asked = OwnCall(
            endpoint=call.endpoint,
            body=call.body,
            agent=self._agent,
            metadata=metadata,
            rates=call.rates,
            headers=_ONCE_AND_KEPT,
        )
        came = await self._calls.send(scope, asked, purse, most, daily)
        return Called(
            status=came.answer.status,
            record=came.record,
            bodies=Bodies(request=call.body, response=came.answer.body, response_cut=not came.answer.is_whole),
            untranslatable=_why_untranslatable(came.answer, came.record),
        )

    async def at_most(self, scope: Scope, call: Call) -> Priced:
        """See Caller."""
        return await self._calls.at_most(scope, call.model, call.endpoint, call.body, call.rates)

    async def would_cost(self, scope: Scope, call: Call, tokens_in: int, tokens_out: int) -> Priced:
        """See Caller."""
        usage = Usage(tokens_in=tokens_in, tokens_out=tokens_out)
        return self._calls.would_cost(scope, call.model, call.endpoint, usage, call.rates)


def _why_untranslatable(answer: InwardAnswer, record: LogRecord | None) -> str:
    """The gateway's own refusal of a parameter that has no counterpart; "" where it is none."""
    if answer.status != 400 or record is None or record.outcome is not Outcome.REFUSED:
        return ""
    try:
        told = msgspec.json.decode(answer.body, type=_Refusal)
    except msgspec.MsgspecError:
        return ""
    if told.internal_code != BAD_FORMAT:
        return ""
    return record.error or "it cannot be put into the candidate's format"


class _Refusal(msgspec.Struct, rename="camel"):
    internal_code: int
