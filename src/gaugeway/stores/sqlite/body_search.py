"""Text in bodies, as an SQL function: unpacks one log's payload at a time, for logs that all else has let through.

One question to the store is one `Search`, which its conditions carry as a binding: so nothing is looked through
twice where a question takes several queries, and there is an end to what one question may cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw
import msgspec

from gaugeway.core.body_text import Needles
from gaugeway.core.errors import SearchTooLong
from gaugeway.core.model import Bodies
from gaugeway.stores.sqlite.conditions import Condition
from gaugeway.stores.sqlite.connection import Connection

Read = Callable[[int], Bodies | None]
"""The bodies of a payload's number; None where they are gone."""

PARTS = ("request_body", "response_body")
_FUNCTION = "body_contains"
_decode = msgspec.json.Decoder(list[str]).decode


class Limits(msgspec.Struct, frozen=True):
    """What one question may look into: bodies (each counts once for every filter that asks), and bytes of them."""

    bodies: int = 250_000
    bytes: int = 512 * 1024 * 1024


class Search:
    """What one question has looked for and found so far. Not for two threads at once."""

    def __init__(self) -> None:
        self._bodies = 0
        self._bytes = 0
        self._last: tuple[int, Bodies | None] = (-1, None)
        self._answers: dict[tuple[int, str], dict[int, bool | None]] = {}
        self._needles: dict[str, Needles] = {}

    def contains(self, read: Read, limits: Limits, pid: int | None, part: int, needles: str) -> bool | None:
        """Whether a part of a payload contains any of the texts; None where that is not known. SearchTooLong."""
        if pid is None:
            return None
        answers = self._answers.setdefault((part, needles), {})
        if pid not in answers:
            answers[pid] = self._look(read, limits, pid, part, needles)
        return answers[pid]

    def _look(self, read: Read, limits: Limits, pid: int, part: int, needles: str) -> bool | None:
        if self._last[0] != pid:
            self._last = (pid, read(pid))
        bodies = self._last[1]
        if bodies is None:
            return None
        body, cut = (bodies.response, bodies.response_cut) if part else (bodies.request, bodies.request_cut)
        if body is None:
            return None
        self._count(len(body), limits)
        wanted = self._needles.get(needles)
        if wanted is None:
            wanted = self._needles[needles] = Needles(_decode(needles))
        if wanted.are_in(body, in_pieces=bool(part)):
            return True
        return None if cut else False

    def _count(self, size: int, limits: Limits) -> None:
        self._bodies += 1
        self._bytes += size
        if self._bodies > limits.bodies or self._bytes > limits.bytes:
            raise SearchTooLong(
                f"Looking for text in bodies came to no end within {limits.bodies} bodies or"
                f" {limits.bytes >> 20} MiB of them: narrow the search with other filters, by created_at or"
                " model for instance"
            )


def body_contains(search: Search, key: str, folded: list[str]) -> Condition:
    """Whether a log's body contains any of the texts, as SQL; null where that is not known.

    `(SELECT pid)` is the number, in a form that SQLite takes to be dear: it asks everything else first.
    """
    texts = msgspec.json.encode(folded).decode()
    sql = f"{_FUNCTION}(?, (SELECT pid), {PARTS.index(key)}, ?)"
    return Condition(sql, (apsw.pyobject(search), texts))


def add_function(connection: Connection, read: Read, limits: Limits) -> None:
    """Make the function known to a connection."""

    def look(search: Any, pid: int | None, part: int, needles: str) -> bool | None:
        return search.contains(read, limits, pid, part, needles)

    connection.create_scalar_function(_FUNCTION, look, 4)
