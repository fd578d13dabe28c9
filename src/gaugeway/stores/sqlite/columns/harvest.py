"""Reading the logs of a span of ids into columns.

SQLite writes each column as one text, which numpy reads: most of the work is then done without Python's lock, so a
server that does it goes on answering.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import numpy as np

from gaugeway.stores.sqlite.columns.files import Array
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.log_rows import cost_columns, decode_rest
from gaugeway.stores.sqlite.words import COLUMN_WORDS, Word, Words

ROWS = 20_000
"""Logs read at once."""

MAX_TEXTS = 65_535
MAX_TEXT_CHARACTERS = 8_000_000
"""Different texts of one column in one segment, and their length together: with more of them it is left out."""

NUMBERS = ("cost", "duration", "feedback", "outcome", "tokens_in", "tokens_out", "first_byte_ms", "flags")
_TEXTS = ("event_id", "cost_fraction")
METADATA = "metadata"
"""Pairs of metadata_keys and metadata_values."""
SAVED, SAVED_FRACTION = "saved", "saved_fraction"
"""What the cache saved, as cost and cost_fraction; 0 where an answer did not come from it."""
SCORE = "score"
KNOWN, VALUES = "_known", "_values"
"""What follows a column's name: whether a number is known, where some are not; what the codes of texts mean."""

_NOTHING = -(1 << 63)
_ID_BYTES = 16
_CACHED = 1


class Unprojectable(Exception):
    """Logs that columns cannot hold exactly."""


def harvest(  # noqa: PLR0917 - what, of whom, from where, to where, in whose words
    connection: Connection, gw: int, low: bytes, high: bytes, words: Words, go_on: Callable[[int], None]
) -> tuple[int, dict[str, Array | list[Any]]]:
    """How many logs there are in a span, and their columns. In a read transaction.

    `go_on` is told of every piece that was read, and may raise to end it. Raises Unprojectable.
    """
    gathered = _Gathered(connection, words)
    while (read := gathered.read(gw, low, high)) is not None:
        logs, last = read
        low = last + b"\0"
        go_on(logs)
    return gathered.logs, gathered.columns() if gathered.logs else {}


class _Codes:
    """A column of texts (or of what repeats) as numbers, 0 for none. Given up where more than `most` differ."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._codes: dict[Any, int] = {None: 0}
        self._characters = 0
        self._pieces: list[Array] = []
        self._is_given_up = False

    def add(self, values: list[Any]) -> None:
        """Each log's text."""
        if not self._is_given_up:
            codes = self._codes
            self._append(np.array([codes[value] if value in codes else self._new(value) for value in values]))

    def add_repeated(self, values: list[Any], places: Array) -> None:
        """Each log's text by its place among the texts."""
        if not self._is_given_up:
            self._append(np.array([self._codes.get(value) or self._new(value) for value in values])[places])

    def _append(self, codes: Array) -> None:
        self._pieces.append(codes.astype(_smallest(len(self._codes))))
        if len(self._codes) > self._most or self._characters > MAX_TEXT_CHARACTERS:
            self._is_given_up = True
            self._codes.clear()
            self._pieces.clear()

    def _new(self, value: Any) -> int:
        if value is None:
            return 0
        code = self._codes[value] = len(self._codes)
        if isinstance(value, str):
            self._characters += len(value)
        elif isinstance(value, tuple):
            self._characters += sum(map(len, cast("tuple[str, str]", value)))
        return code

    def into(self, name: str, columns: dict[str, Array | list[Any]]) -> None:
        """Add the column, if it is one."""
        if not self._is_given_up:
            columns[name] = np.concatenate(self._pieces)
            columns[name + VALUES] = list(self._codes)[1:]


def _smallest(most: int) -> type[Any]:
    return np.uint8 if most <= 256 else np.uint16 if most <= 65_536 else np.uint32


class _Numbers:
    """A column of whole numbers, 0 where there is none."""

    def __init__(self) -> None:
        self._pieces: list[Array] = []
        self._known: list[Array] = []

    def add(self, values: Array, known: Array) -> None:
        self._pieces.append(_narrowed(values))
        self._known.append(known)

    def into(self, name: str, columns: dict[str, Array | list[Any]]) -> None:
        columns[name] = np.concatenate(self._pieces)
        known = np.concatenate(self._known)
        if not known.all():
            columns[name + KNOWN] = known


def _narrowed(values: Array) -> Array:
    least, most = int(values.min()), int(values.max())
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


class _Gathered:
    """What was read so far."""

    def __init__(self, connection: Connection, words: Words) -> None:
        self.logs = 0
        self._connection = connection
        self._words = words
        self._ids: list[Array] = []
        self._numbers = {name: _Numbers() for name in NUMBERS}
        self._texts = {name: _Codes(MAX_TEXTS) for name in (*COLUMN_WORDS, *_TEXTS, METADATA, SAVED_FRACTION)}
        self._texts[SCORE] = _Codes(sys.maxsize)
        self._saved: _Numbers | None = _Numbers()

    def read(self, gw: int, low: bytes, high: bytes) -> tuple[int, bytes] | None:
        """Read the next logs; how many, and the last one's id. None where there are none."""
        span = (gw, low, high, ROWS)
        row = self._connection.execute(_PASS, span).fetchone()
        logs, last, ids, metadata, scores, *rest = row
        if not logs:
            return None
        self.logs += logs
        self._add_ids(ids, logs)
        texts, counts = rest[: len(NUMBERS)], rest[len(NUMBERS) : 2 * len(NUMBERS)]
        outcomes: Array | None = None
        for name, text, count in zip(NUMBERS, texts, counts, strict=True):
            values, known = _parsed(text, logs, count)
            self._numbers[name].add(values, known)
            if name == "outcome":
                outcomes = values
        rest = rest[2 * len(NUMBERS) :]
        for name, text in zip(COLUMN_WORDS, rest, strict=False):
            self._add_words(name, text, span)
        for name, count in zip(_TEXTS, rest[len(COLUMN_WORDS) :], strict=True):
            self._add_texts(name, name, count, logs, span)
        self._add_texts(METADATA, "metadata_keys, metadata_values", metadata, logs, span)
        self._add_texts(SCORE, "score", scores, logs, span)
        self._add_savings(outcomes == _CACHED, span)
        return logs, last

    def columns(self) -> dict[str, Array | list[Any]]:
        """All of it."""
        ids = np.concatenate(self._ids)
        if not (ids[1:] > ids[:-1]).all():
            raise Unprojectable("ids are not in their order")
        columns: dict[str, Array | list[Any]] = {"id": ids}
        for name, numbers in self._numbers.items():
            numbers.into(name, columns)
        if self._saved is not None:
            self._saved.into(SAVED, columns)
        else:
            del self._texts[SAVED_FRACTION]
        for name, texts in self._texts.items():
            texts.into(name, columns)
        return columns

    def _add_ids(self, text: str, logs: int) -> None:
        packed = bytes.fromhex(text)
        if len(packed) != logs * _ID_BYTES:
            raise Unprojectable("there are ids that are not of 16 bytes")
        self._ids.append(np.frombuffer(packed, f"S{_ID_BYTES}"))

    def _add_words(self, name: str, text: str, span: tuple[Any, ...]) -> None:
        codes, places = np.unique(np.fromstring(text, np.int64, sep=","), return_inverse=True)
        if codes[0] == _SPILLED:
            self._texts[name].add([self._word(name, value) for (value,) in self._rows(name, span)])
        else:
            self._texts[name].add_repeated([self._word(name, int(code) or None) for code in codes], places)

    def _word(self, name: str, value: int | str | None) -> str | None:
        return self._words.text(self._connection, COLUMN_WORDS[name], value)

    def _add_texts(self, name: str, columns: str, count: int, logs: int, span: tuple[Any, ...]) -> None:
        """Texts, or pairs of them, of which so many are known."""
        texts = self._texts[name]
        if not count:
            texts.add_repeated([None], np.zeros(logs, np.intp))
        elif name == METADATA:
            texts.add([self._metadata(keys, values) for keys, values in self._rows(columns, span)])
        else:
            texts.add([value for (value,) in self._rows(columns, span)])

    def _metadata(self, keys: int | str | None, values: str | None) -> tuple[str, str] | None:
        text = self._words.text(self._connection, Word.METADATA_KEYS, keys)
        if (text is None) != (values is None):
            raise Unprojectable("there is metadata without keys or without values")
        return None if text is None or values is None else (text, values)

    def _add_savings(self, cached: Array, span: tuple[Any, ...]) -> None:
        if self._saved is None:
            return
        values, known = np.zeros(len(cached), np.int64), np.ones(len(cached), np.bool_)
        fractions: list[str | None] = [None] * len(cached)
        places = np.flatnonzero(cached)
        rows = self._rows("iif(outcome = 1, rest, NULL)", span) if len(places) else []
        for place in places.tolist():
            saved: Decimal | None = decode_rest(rows[place][0]).cost_saved
            columns = (0, None) if saved is None else cost_columns(saved)
            if columns is None:  # an amount that is no amount: SQLite's to tell
                self._saved = None
                return
            values[place], fractions[place] = columns
            known[place] = saved is not None
        self._saved.add(values, known)
        self._texts[SAVED_FRACTION].add(fractions)

    def _rows(self, columns: str, span: tuple[Any, ...]) -> list[Any]:
        return self._connection.execute(f"SELECT {columns} {_LOGS}", span).fetchall()


def _parsed(text: str, logs: int, count: int) -> tuple[Array, Array]:
    values: Array = np.fromstring(text, np.int64, sep=",")
    known: Array = values != _NOTHING
    if len(values) != logs or int(np.count_nonzero(known)) != count:
        raise Unprojectable("there is a number that stands for none")
    if count < logs:
        values[~known] = 0
    return values, known


_SPILLED = -1
_LOGS = "FROM logs WHERE gw = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?"
_SELECTED = ", ".join(
    [
        "count(*)",
        "max(id)",
        "group_concat(hex(id), '')",
        "count(metadata_values)",
        "count(score)",
        *(f"group_concat(ifnull({name}, {_NOTHING}))" for name in NUMBERS),
        *(f"count({name})" for name in NUMBERS),
        *(
            f"group_concat(CASE typeof({name}) WHEN 'integer' THEN {name} WHEN 'null' THEN 0 ELSE {_SPILLED} END)"
            for name in COLUMN_WORDS
        ),
        *(f"count({name})" for name in _TEXTS),
    ]
)
_READ = ", ".join(("id", *NUMBERS, *COLUMN_WORDS, *_TEXTS, "metadata_values", "score"))
_PASS = f"SELECT {_SELECTED} FROM (SELECT {_READ} {_LOGS})"  # noqa: S608 - constants
