"""A WebSocket session under spend limits: a reservation for the response to come, and for each under way.

A session's provider begins responses by itself, and what one uses is known when it ends. So the most that one
response can cost is reserved before the session is opened; when a response ends, its cost takes that place, and the
next one's most is reserved, else the session ends. Only a response that begins while another is under way, or in a
later window than its reservation, may find no room: it is counted in full all the same, and the session ends at
once. So a session passes a budget by one response's most, if at all.
"""

from __future__ import annotations

from typing import Protocol

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import Outcome
from gaugeway.core.money import to_pico
from gaugeway.core.provider import SessionTally
from gaugeway.core.spending import Overspent
from gaugeway.proxy.exchange import Exchange, Hold, SessionFigures
from gaugeway.proxy.spending import Spending, no_room


class ResponseTally(SessionTally, Protocol):
    """A tally that knows each response of its session (see core.provider.Sockets.counts_responses)."""

    @property
    def begun(self) -> int:
        """Responses that have begun."""
        ...

    @property
    def over(self) -> int:
        """Those of them that have ended."""
        ...

    def uncounted(self) -> str | None:
        """What of the session's cost no response reports, as soon as that is known; None: nothing."""
        ...


class MustEnd(Exception):
    """The session has to end: `outcome`, and why in words."""

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.why = why


class SessionSpending:
    """The reservations of one session. `first`: the one that was made before it was opened."""

    def __init__(self, spending: Spending, exchange: Exchange, tally: ResponseTally, first: Hold) -> None:
        self._spending = spending
        self._exchange = exchange
        self._tally = tally
        self._like = first
        self._next: Hold | None = first
        self._under_way: list[Hold] = []
        self._begun = 0
        self._over = 0
        self._made = 0  # reservations, after the first
        self._cost = 0  # of the responses that are over and reported it, 10^-12 dollars
        self._most = 0  # counted for others
        self._unpriced: str | None = None  # why one of them has no cost
        self._priced_by: str | None = None

    def look(self) -> None:
        """Count what has begun and ended; to be called after each message of the provider's. Raises MustEnd."""
        tally = self._tally
        while self._begun < tally.begun:
            self._begun += 1
            self._begin()
        if self._over < tally.over:
            self._end(tally.over - self._over)
            self._over = tally.over
        why = tally.uncounted()
        if why is not None:
            raise MustEnd(Outcome.SPEND_LIMITED, f"Spend limits cannot count the session: {why}")

    def _begin(self) -> None:
        """A response has begun: what is reserved for it counts from now on."""
        held, self._next = self._next, None
        if held is not None:
            if self._spending.is_of_now(held):
                self._under_way.append(held)
                return
            self._spending.count(held, 0)
        refused = self._reserve(self._under_way)
        if refused is not None:
            refused_for_all = self._reserve(self._under_way, without_limit=True)
            assert refused_for_all is None  # noqa: S101  there is no limit
            raise self._spent(refused)

    def _end(self, number: int) -> None:
        """So many responses have ended, and the tally has what they used."""
        ended = [self._under_way.pop(0) for _ in range(min(number, len(self._under_way)))]
        reported = self._tally.reported()
        total = self._spending.price_session(self._exchange, reported)
        cost = to_pico(total.cost) if total.cost is not None and self._tally.uncounted() is None else None
        if cost is None:
            for hold in ended:
                self._most += hold.amount
                self._spending.count(hold, hold.amount)
            self._unpriced = why = self._tally.uncounted() or total.reason or "it has no price"
            raise MustEnd(Outcome.SPEND_LIMITED, f"Spend limits cannot count the session: {why}")
        new, self._cost, self._priced_by = max(0, cost - self._cost), cost, total.by
        for hold in ended:
            self._spending.count(hold, new)
            new = 0
        if self._next is None:
            found: list[Hold] = []
            refused = self._reserve(found)
            self._next = found[0] if found else None
            if refused is not None and not self._under_way:
                raise self._spent(refused)

    def _reserve(self, to: list[Hold], *, without_limit: bool = False) -> Overspent | None:
        self._made += 1
        try:
            found = self._spending.hold_again(self._exchange, self._like, self._made, without_limit=without_limit)
        except StoreUnusable as problem:
            why = f"the spend limits cannot be counted: {problem}"
            raise MustEnd(Outcome.INTERNAL_ERROR, why) from problem
        if isinstance(found, Hold):
            to.append(found)
            return None
        return found

    def _spent(self, refused: Overspent) -> MustEnd:
        provider, model = self._exchange.slug, self._exchange.asked.model
        limited = no_room(refused, provider, model, self._like.amount)
        return MustEnd(Outcome.SPEND_LIMITED, limited.detail.replace("this request", "a response"))

    def close(self, figures: SessionFigures) -> None:
        """The session is over: what is under way may be billed, and counts in full; what is to come does not.

        Everything is settled then, and its log is told so (see Spending.settle).
        """
        for hold in self._under_way:
            self._most += hold.amount
            self._spending.count(hold, hold.amount)
        self._under_way = []
        if self._next is not None:
            self._spending.count(self._next, 0)
            self._next = None
        self._exchange.hold = self._like
        figures.gap = figures.gap or self._unpriced
        figures.cost, figures.counted, figures.priced_by = self._cost, self._cost + self._most, self._priced_by
