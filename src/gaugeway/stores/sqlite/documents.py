"""Records as JSON documents, and lists of them in pages."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from gaugeway.core.errors import BadInput, StoreUnusable
from gaugeway.core.ports import Page
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database

T = TypeVar("T", bound=msgspec.Struct)

MAX_INTEGER = 2**63 - 1
"""SQLite's largest; an offset beyond it is beyond every list anyway."""


class Documents(Generic[T]):
    """One kind of record to and from its JSON text.

    A field with a default that an older version did not write takes its default: no migration is needed.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def encode(self, record: T) -> str:
        """The text to keep; BadInput where a text in it is not Unicode (half a surrogate pair)."""
        try:
            return msgspec.json.encode(record).decode()
        except UnicodeEncodeError as problem:
            raise BadInput(f"text that is not valid Unicode cannot be kept: {problem.object!r:.100}") from problem

    def decode(self, text: str) -> T:
        """The record; StoreUnusable where the text is not one."""
        try:
            return self._decoder.decode(text)
        except msgspec.MsgspecError as problem:
            raise StoreUnusable(
                f"a kept {self._kind.__name__.lower()} cannot be read: {problem}. It begins: {text[:100]!r}"
            ) from problem

    def one(self, rows: list[Any]) -> T | None:
        """The record in the first column of the first row, if there is one."""
        return self.decode(rows[0][0]) if rows else None

    def page(
        self, database: Database, source: str, order: str, bindings: dict[str, Any], *, offset: int, limit: int
    ) -> Page[T]:
        """Part of what `source` ("FROM … WHERE …") selects, and how long the whole is at that same moment."""
        part = {**bindings, "offset": min(offset, MAX_INTEGER), "limit": min(limit, MAX_INTEGER)}
        with database.reading() as connection:
            total = connection.execute(f"SELECT count(*) {source}", bindings).get
            rows = connection.execute(
                f"SELECT document {source} ORDER BY {order} LIMIT :limit OFFSET :offset", part
            ).fetchall()
        return Page([self.decode(row[0]) for row in rows], total)


def has_row(connection: Connection, sql: str, bindings: tuple[Any, ...]) -> bool:
    """Whether a query answers anything."""
    return connection.execute(sql, bindings).fetchone() is not None


def folded(text: str | None) -> str | None:
    """What `contains` looks for, however it is capitalised."""
    return None if text is None else text.casefold()


def add_functions(connection: Connection) -> None:
    """Teach a connection `contains(text, folded)`: case-insensitive in every script, and without wildcards."""
    connection.create_scalar_function("contains", _contains, 2, deterministic=True)


def _contains(text: str, part: str) -> bool:
    return part in text.casefold()
