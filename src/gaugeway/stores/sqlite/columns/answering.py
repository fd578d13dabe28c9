"""An answer made of segments, and of SQLite for what they do not tell: changed logs, spans without a segment."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from gaugeway.core.aggregates import Aggregate, Aggregated
from gaugeway.core.query import Where
from gaugeway.stores.sqlite import log_aggregates
from gaugeway.stores.sqlite.columns import segments as kept
from gaugeway.stores.sqlite.columns.figures import added, figures, groups
from gaugeway.stores.sqlite.columns.files import Array, Damaged, Mapped
from gaugeway.stores.sqlite.columns.masks import Mask, Unanswerable, View, both, place, where_mask
from gaugeway.stores.sqlite.columns.segments import CHANGED, Segment, Span
from gaugeway.stores.sqlite.conditions import Condition, all_of, literal
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.log_reading import Found

MAX_CHANGED = 50_000
"""Changed logs that are read one by one: some 0.2 s. With more of them SQLite answers alone."""

MAX_THREADS = 4
_ID_BYTES = 16

T = TypeVar("T")


class MappedSegments:
    """The files that this process has mapped. Those of segments that are gone are let go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._mapped: dict[int, dict[str, Mapped]] = {}

    def of(self, gw: int, segments: Sequence[Segment]) -> list[Mapped | Damaged]:
        """Each of a gateway's segments, or why it cannot be read."""
        with self._lock:
            before = self._mapped.get(gw, {})
            found = [before.get(segment.file) or self._map(segment) for segment in segments]
            self._mapped[gw] = {one.segment.file: one for one in found if isinstance(one, Mapped)}
        return found

    def _map(self, segment: Segment) -> Mapped | Damaged:
        try:
            return Mapped(self._folder, segment)
        except Damaged as problem:
            return problem

    def let_go(self) -> None:
        """Of all of them, as soon as nobody uses them."""
        with self._lock:
            self._mapped.clear()


def answer(  # noqa: PLR0917 - by what, over what, and the question
    connection: Connection,
    mapped: MappedSegments,
    found: Found,
    where: Where,
    wanted: Sequence[Aggregate],
    doubted: Callable[[Damaged], None],
) -> Aggregated | None:
    """The figures of the logs found; None where SQLite has to tell them alone. In a read transaction.

    `doubted` is told of what cannot be read.
    """

    def of_view(view: View, mask: Mask) -> Aggregated:
        return figures(view, mask, wanted)

    def of_rows(*more: Condition) -> Aggregated:
        return log_aggregates.aggregate(connection, _narrowed(found, *more), wanted)

    parts = _parts(connection, mapped, found, where, doubted, of_view, of_rows)
    return None if parts is None else added(parts, wanted)


Groups = dict[str | None, Aggregated]


def answer_by(  # noqa: PLR0917 - by what, over what, and the question
    connection: Connection,
    mapped: MappedSegments,
    found: Found,
    where: Where,
    wanted: Sequence[Aggregate],
    doubted: Callable[[Damaged], None],
    by: str,
    grouped: Callable[[Found], Groups],
) -> Groups | None:
    """The figures of each group by a column of texts. As `answer`; `grouped` is how SQLite tells them."""

    def of_view(view: View, mask: Mask) -> Groups:
        return groups(view, mask, wanted, by)

    def of_rows(*more: Condition) -> Groups:
        return grouped(_narrowed(found, *more))

    parts = _parts(connection, mapped, found, where, doubted, of_view, of_rows)
    if parts is None:
        return None
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: added([part[name] for part in parts if name in part], wanted) for name in names}


def _parts(  # noqa: PLR0917 - by what, over what, and how it is told
    connection: Connection,
    mapped: MappedSegments,
    found: Found,
    where: Where,
    doubted: Callable[[Damaged], None],
    of_view: Callable[[View, Mask], T],
    of_rows: Callable[..., T],
) -> list[T] | None:
    """What is told of the logs found, in parts of which none has a log of another; None where no segment tells."""
    if found.selection.reads_bodies:
        return None
    low, high = found.selection.low, found.selection.high
    files = _sound(mapped.of(found.gw, kept.read(connection, found.gw)), doubted)
    touched = [one for one in files if one.segment.low < high and one.segment.high > low]
    if not touched:
        return None
    runs = _runs([one.segment for one in touched], low, high)
    if sum(kept.count_changed(connection, found.gw, *run) for run in runs) > MAX_CHANGED:
        return None
    changed = [id_ for run in runs for id_ in kept.changed_ids(connection, found.gw, *run)]
    others = np.sort(np.array([id_ for id_ in changed if len(id_) == _ID_BYTES], f"S{_ID_BYTES}"))

    def told(one: Mapped) -> T | Damaged | Unanswerable:
        try:
            return of_view(*_of_segment(one, low, high, others, where))
        except (Damaged, Unanswerable) as problem:
            return problem

    with ThreadPoolExecutor(min(len(touched), os.cpu_count() or 1, MAX_THREADS)) as threads:
        parts = list(threads.map(told, touched))
    answers = _sound(parts, doubted)
    told_of = [
        one.segment
        for one, part in zip(touched, parts, strict=True)
        if not isinstance(part, Damaged | Unanswerable)
    ]
    if not told_of:
        return None
    if changed:
        answers += [of_rows(_changed(found.gw, run)) for run in _runs(told_of, low, high)]
    for span in kept.spans_between(told_of, low, high):
        answers.append(of_rows(*_within(*span)))
    return answers


def _sound(found: Sequence[T | Damaged | Unanswerable], doubted: Callable[[Damaged], None]) -> list[T]:
    """What there is; `doubted` is told of what cannot be read."""
    sound: list[T] = []
    for one in found:
        if isinstance(one, Damaged):
            doubted(one)
        elif not isinstance(one, Unanswerable):
            sound.append(one)
    return sound


def _runs(segments: Sequence[Segment], low: bytes, high: bytes) -> list[Span]:
    """The spans that segments cover, which are in order; as few as may be."""
    runs: list[Span] = []
    for segment in segments:
        begin, end = max(segment.low, low), min(segment.high, high)
        if runs and runs[-1][1] == begin:
            begin = runs.pop()[0]
        runs.append((begin, end))
    return runs


def _of_segment(mapped: Mapped, low: bytes, high: bytes, changed: Array, where: Where) -> tuple[View, Mask]:
    """The logs of a segment that are meant."""
    segment = mapped.segment
    ids = mapped.column("id")
    begin = 0 if low <= segment.low else place(ids, low)
    end = segment.logs if high >= segment.high else place(ids, high)
    view = View(mapped, begin, max(begin, end))
    mask = where_mask(where, view)
    if len(changed) and len(view) and mask is not False:
        mask = both(mask, _unchanged(view, changed))
    return view, mask


def _unchanged(view: View, changed: Array) -> Mask:
    """Which logs are still what they were."""
    ids = view.ids
    places: Array = ids.searchsorted(changed)
    inside = places < len(ids)
    places, changed = places[inside], changed[inside]
    there = places[ids[places] == changed]
    if not len(there):
        return True
    mask = np.ones(len(ids), np.bool_)
    mask[there] = False
    return mask


def _changed(gw: int, run: Span) -> Condition:
    return Condition(f"id IN (SELECT id {CHANGED})", (gw, *run))


def _within(low: bytes, high: bytes) -> tuple[Condition, ...]:
    return (Condition(f"id >= {literal(low)}"), Condition(f"id < {literal(high)}"))


def _narrowed(found: Found, *more: Condition) -> Found:
    """Those logs found that meet more conditions."""
    selection = found.selection
    condition = all_of([Condition("gw = ?", (found.gw,)), *more, selection.condition])
    return Found(found.gw, condition, selection, None, found.share)
