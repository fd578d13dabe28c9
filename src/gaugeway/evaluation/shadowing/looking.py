"""Which logs a shadow sees, and which of them it draws.

A log is written when its request has ended, and stands at the time at which it arrived. So each span of time is
looked at several times, at the ages LOOKS_S: a long answer is not left out because it was long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from gaugeway.core.errors import BadInput
from gaugeway.core.model import LogRecord, Outcome
from gaugeway.core.ports import LogStore
from gaugeway.core.query import Criterion, Filter, Operator, Slice, Where, parse_all
from gaugeway.core.shadows import LOOKS_S, OWN_AGENTS, Looked, Shadow, ShadowStore, Span, Unshadowed

SHORTEST_MS = 2000
LONGEST_MS = 60_000
"""Of one span. It bounds what is read at once after a pause."""
AT_ONCE = 50
"""Spans of one look."""
PAGE = 10_000
"""Ids that are read at once."""

Filters = tuple[Criterion, ...]

_NEVER_SENT = (Outcome.REFUSED, Outcome.RATE_LIMITED, Outcome.SPEND_LIMITED, Outcome.BLOCKED)


def filters_of(shadow: Shadow) -> Filters:
    """What its dataset selects by. BadInput where that cannot be read any more: it must never select everything."""
    if shadow.dataset is None:
        return ()
    try:
        return parse_all(shadow.dataset.filters, ("filters",), for_dataset=True)
    except BadInput as problem:
        raise BadInput(f"the dataset {shadow.dataset.name!r} cannot be read: {problem.message}") from problem


def between(filters: Filters, low_ms: int, high_ms: int) -> Where:
    """The logs that such filters select of requests that arrived at `low_ms` or later, and before `high_ms`."""
    # a span begins and ends with a millisecond, and so do ids
    since = Filter("created_at", Operator.GT, (low_ms - 1,))
    return Where(alternatives=((*filters, since),), until_ms=high_ms - 1)


def pages(logs: LogStore, shadow: Shadow, filters: Filters, low_ms: int, high_ms: int) -> Iterator[list[bytes]]:
    """The ids of those logs, oldest first. Blocking."""
    more = filters
    while True:
        found = logs.ids(shadow.source, between(more, low_ms, high_ms), Slice(limit=PAGE, descending=False))
        yield found
        if len(found) < PAGE:
            return
        more = (*filters, Filter("id", Operator.GT, (found[-1],)))


def unsuited(record: LogRecord) -> Unshadowed | None:
    """Why a request is not sent, whatever its bodies say."""
    if (record.user_agent or "").startswith(OWN_AGENTS):
        return Unshadowed.OWN_CALL
    return Unshadowed.NEVER_SENT if record.outcome in _NEVER_SENT else None


class Looking:
    """Takes a shadow's looks. Blocking."""

    def __init__(self, shadow: Shadow, logs: LogStore, store: ShadowStore) -> None:
        self._shadow = shadow
        self._logs = logs
        self._store = store
        self._filters = filters_of(shadow)

    def due(self, now_ms: int, until_ms: int) -> list[Span]:
        """The spans of which a look is due, new ones included; none reaches beyond `until_ms`."""
        found = self._store.spans(self._shadow, now_ms, AT_ONCE)
        low = self._store.looked_until(self._shadow)
        last = min(now_ms - LOOKS_S[0] * 1000, until_ms)
        while len(found) < AT_ONCE and (last - low >= SHORTEST_MS or low < last == until_ms):
            high = min(low + LONGEST_MS, last)
            found.append(Span(low=low, high=high))
            low = high
        return found

    def rest(self, until_ms: int) -> list[Span]:
        """All that is not done, whether it is due or not, up to then; none: there is nothing left."""
        return self._store.spans(self._shadow, None, AT_ONCE) or [
            one for one in self.due(until_ms + LOOKS_S[-1] * 1000, until_ms) if one.low < one.high
        ]

    def look(self, spans: Sequence[Span], now_ms: int, *, for_good: bool = False) -> list[Looked]:
        """What is there. `for_good`: it is not looked at again."""
        return [self._look(span, now_ms, for_good=for_good) for span in spans]

    def has_more(self, until_ms: int) -> bool:
        """Whether there is time that was not looked at, or will be looked at again."""
        if self._store.looked_until(self._shadow) < until_ms:
            return True
        return bool(self._store.spans(self._shadow, None, 1))

    def _look(self, span: Span, now_ms: int, *, for_good: bool) -> Looked:
        seen, drawn = 0, list[bytes]()
        for found in pages(self._logs, self._shadow, self._filters, span.low, span.high):
            seen += len(found)
            drawn += filter(self._shadow.draws, found)
        # what was taken for a look may be several: after a pause the span is old already
        looks = sum(now_ms >= span.high + age * 1000 for age in LOOKS_S)
        looks = len(LOOKS_S) if for_good else max(looks, span.looks + 1)
        return Looked(structs.replace(span, seen=max(seen, span.seen), looks=looks), drawn)
