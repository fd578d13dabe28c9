"""`core.query` filters as SQL over `logs` (and, where only its columns are named, over `counts`).

What is decided here, beyond core.query: `tokens` counts the known one where only one of tokens_in and
tokens_out is known. `compatibilityMode` is true for requests to the OpenAI-compatible endpoint, as their path
tells. `wholesale` is false and `dlp_action` is null for every log, as nothing sets them yet. Metadata without any
entry is no metadata (null). Metadata values are compared as text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

import msgspec

from gaugeway.core.ids import first_at
from gaugeway.core.query import Filter, Kind, Operator, Value, entry_of
from gaugeway.stores.sqlite.body_search import Search, body_contains
from gaugeway.stores.sqlite.conditions import FALSE, TRUE, Condition, all_of, any_of, is_in, literal, negated
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.log_rows import LARGEST_COST, split_cost
from gaugeway.stores.sqlite.metadata_text import ESCAPED, SEPARATOR, split_keys
from gaugeway.stores.sqlite.text_matching import contains, fold
from gaugeway.stores.sqlite.words import COLUMN_WORDS, Word, Words

MAX_MS = 0xFFFF_FFFF_FFFF
"""The last moment an id can carry."""

AFTER_ALL = b"\xff" * 17
"""Beyond every id."""

MAX_NEEDLES = 16
"""Texts looked for by SQL itself; more of them go to one function call a log."""

TOKENS = "coalesce(tokens_in + tokens_out, tokens_in, tokens_out)"

FAILURE = Condition("outcome > 1")
"""Word for word the condition of the index `failures`."""

COUNTED_KEYS = frozenset(("provider", "model", "success", "cached", "wholesale", "dlp_action"))
"""Keys whose conditions hold over `counts` too."""

_WORDS = {**COLUMN_WORDS, "metadata.key": Word.METADATA_KEYS}
_FLAGS = {  # when true, when false
    "success": (Condition("outcome <= 1"), FAILURE),
    "cached": (Condition("outcome = 1"), Condition("outcome <> 1")),
    "authentication": (Condition("flags & 1 = 1"), Condition("flags & 1 = 0")),
    "wholesale": (FALSE, TRUE),
}
COMPATIBILITY = "compatibilityMode"
COMPAT_PATHS = "compat/"
"""How the paths of requests to the OpenAI-compatible endpoint begin, as clients call it."""

_KNOWN = {
    "dlp_action": FALSE,
    "tokens": Condition(f"({TOKENS}) IS NOT NULL"),
    "metadata.key": Condition("metadata_keys IS NOT NULL"),
    "metadata.value": Condition("metadata_keys IS NOT NULL"),
    **dict.fromkeys(("id", "created_at", "provider", "model", "duration", COMPATIBILITY, *_FLAGS), TRUE),
}


class Renderer:
    """The filters of one question as conditions, with the words of one database."""

    def __init__(self, connection: Connection, words: Words) -> None:
        self._connection = connection
        self._words = words
        self._search = Search()

    def render(self, item: Filter) -> Condition:
        """One filter."""
        key, operator = item.key, item.operator
        values = [value for value in item.values if value is not None and _is_storable(value)]
        name = entry_of(key)
        if name is not None:
            return _entry(name, item, cast("list[str]", values))
        if item.kind is Kind.BODY:
            found = body_contains(self._search, key, [fold(cast("str", value)) for value in values])
            return found if operator is Operator.CONTAINS else negated(found)
        known = _KNOWN.get(key, Condition(f"{key} IS NOT NULL"))
        if operator is Operator.EQ:
            unknown = [negated(known)] if None in item.values else []
            return any_of([self._equal(key, item.kind, values), *unknown])
        if operator is Operator.NEQ:
            return all_of([known, negated(self._equal(key, item.kind, values))])
        if operator in (Operator.CONTAINS, Operator.NOT_CONTAINS):
            contained = self._contains(key, [fold(cast("str", value)) for value in values])
            return contained if operator is Operator.CONTAINS else all_of([known, negated(contained)])
        return _compare(key, item.kind, operator, values[0])

    def is_counted(self, item: Filter) -> bool:
        """Whether the filter's condition holds over `counts` too."""
        kind = _WORDS.get(item.key)
        return item.key in COUNTED_KEYS and (kind is None or not self._words.has_spilled(self._connection, kind))

    def search(self, text: str) -> Condition:
        """Text in the keys or values of the metadata."""
        needles = [fold(text)] if _is_storable(text) else []
        return any_of([self._contains("metadata.key", needles), self._contains("metadata.value", needles)])

    def _equal(self, key: str, kind: Kind, values: Sequence[Value]) -> Condition:
        if kind is Kind.FLAG:
            when_true, when_false = self._compatible() if key == COMPATIBILITY else _FLAGS[key]
            return any_of([when_true if value else when_false for value in values])
        if kind is Kind.TIME:
            return any_of([_between(*span_of(kind, value)) for value in values])
        if kind is Kind.MONEY:
            return _cost_in(cast("list[Decimal]", values))
        if kind is not Kind.TEXT:
            return is_in(TOKENS if key == "tokens" else key, cast("list[int | bytes]", values))
        return self._text_equal(key, cast("list[str]", values))

    def _compatible(self) -> tuple[Condition, Condition]:
        """Whether a request came to the OpenAI-compatible endpoint, and whether it did not."""
        codes = self._words.matching(self._connection, Word.PATH, lambda text: text.startswith(COMPAT_PATHS))
        came = self._words_that("path", Word.PATH, codes, lambda: Condition(f"path GLOB '{COMPAT_PATHS}*'"))
        return came, negated(came)

    def _text_equal(self, key: str, values: list[str]) -> Condition:
        if key == "dlp_action" or not values:
            return FALSE
        if key == "event_id":
            return is_in(key, values)
        if key == "metadata.value":
            return _metadata_value_in(values)
        wanted = frozenset(values)
        if key == "metadata.key":
            return self._words_that(
                "metadata_keys",
                Word.METADATA_KEYS,
                self._words.matching(
                    self._connection, Word.METADATA_KEYS, lambda text: not wanted.isdisjoint(split_keys(text))
                ),
                lambda: Condition("keys_equal(metadata_keys, ?)", (_array(values),)),
            )
        kind = _WORDS[key]
        codes = [self._words.find(self._connection, kind, value) for value in values]
        return self._words_that(key, kind, [code for code in codes if code is not None], lambda: is_in(key, values))

    def _contains(self, key: str, needles: list[str]) -> Condition:
        if key == "dlp_action" or not needles:
            return FALSE
        if key == "event_id":
            return _text_contains(key, needles, "text_contains")
        if key == "metadata.value":
            return _text_contains("metadata_values", needles, "values_contain")
        kind, folded = _WORDS[key], tuple(needles)
        if key == "metadata.key":
            return self._words_that(
                "metadata_keys",
                kind,
                self._words.matching(
                    self._connection, kind, lambda text: any(contains(key, folded) for key in split_keys(text))
                ),
                lambda: Condition("keys_contain(metadata_keys, ?)", (_array(needles),)),
            )
        codes = self._words.matching(self._connection, kind, lambda text: contains(text, folded))
        return self._words_that(key, kind, codes, lambda: _text_contains(key, needles, "text_contains"))

    def _words_that(self, column: str, kind: Word, codes: list[int], spilled: Callable[[], Condition]) -> Condition:
        """Whether a column is one of the codes, or (where logs carry texts themselves) as `spilled` says."""
        if not self._words.has_spilled(self._connection, kind):
            return is_in(column, codes)
        text = all_of([Condition(f"typeof({column}) = 'text'"), spilled()])
        return any_of([is_in(column, codes), text])


def span_of(kind: Kind, value: Value) -> tuple[bytes, bytes]:
    """The first id that equals a value, and the first beyond it."""
    if kind is Kind.ID:
        identifier = cast("bytes", value)
        return identifier, identifier + b"\x00"
    ms = cast("int", value)
    if ms < 0:
        return b"", b""
    if ms > MAX_MS:
        return AFTER_ALL, AFTER_ALL
    return first_at(ms), (first_at(ms + 1) if ms < MAX_MS else AFTER_ALL)


def _compare(key: str, kind: Kind, operator: Operator, value: Value) -> Condition:
    below = operator is Operator.LT
    if kind is Kind.MONEY:
        return _cost_beyond(cast("Decimal", value), below=below)
    if kind in (Kind.TIME, Kind.ID):
        start, end = span_of(kind, value)
        return _between(None, start) if below else _between(end, None)
    column = TOKENS if key == "tokens" else key
    number = cast("int | Decimal", value)
    return Condition(f"{column} < {math.ceil(number)}" if below else f"{column} > {math.floor(number)}")


def _between(low: bytes | None, high: bytes | None) -> Condition:
    """Ids from `low` on and before `high`."""
    parts = [Condition(f"id >= {literal(low)}")] if low else []
    return all_of([*parts, *([Condition(f"id < {literal(high)}")] if high is not None else [])])


def _cost_in(amounts: Sequence[Decimal]) -> Condition:
    split = [split_cost(amount) for amount in amounts]
    split = [(whole, digits) for whole, digits in split if abs(whole) <= LARGEST_COST]
    plain = is_in("cost", [whole for whole, digits in split if not digits])
    finer = [
        Condition(f"cost = {whole} AND cost_fraction IS {literal(digits)}") for whole, digits in split if digits
    ]
    return any_of([all_of([plain, Condition("cost_fraction IS NULL")]), *finer])


def _cost_beyond(amount: Decimal, *, below: bool) -> Condition:
    whole, digits = split_cost(amount)
    if abs(whole) > LARGEST_COST:
        return Condition("cost IS NOT NULL") if below == (whole > 0) else FALSE
    sign = "<" if below else ">"
    if below and not digits:
        return Condition(f"cost < {whole}")
    return Condition(
        f"(cost {sign} {whole} OR (cost = {whole} AND coalesce(cost_fraction, '') {sign} {literal(digits)}))"
    )


_KEYS_WORD = f"(SELECT text FROM words WHERE kind = {Word.METADATA_KEYS.value} AND code = metadata_keys)"  # noqa: S608 - a constant
_METADATA_KEYS = f"CASE typeof(metadata_keys) WHEN 'integer' THEN {_KEYS_WORD} ELSE metadata_keys END"
"""The keys and types of a log's metadata as text, whether its row has them or their code."""


def metadata_entry(key: str) -> Condition:
    """The text of an entry of the metadata, as SQL; null where a log has none of that key."""
    if not _is_storable(key):
        return Condition("NULL")
    return Condition(f"metadata_entry({_METADATA_KEYS}, metadata_values, ?)", (key,))


def metadata_equals(key: str, value: str) -> Condition:
    """Whether an entry of the metadata has that text."""
    if not _is_storable(value):
        return FALSE
    entry = metadata_entry(key)
    return all_of([_metadata_value_in([value]), Condition(f"{entry.sql} = ?", (*entry.bindings, value))])


def _entry(name: str, item: Filter, values: list[str]) -> Condition:
    """A filter on one entry of the metadata, which is unknown where a log has none of that name."""
    if not _is_storable(name):
        return TRUE if item.operator is Operator.EQ and None in item.values else FALSE
    entry = metadata_entry(name)
    known = Condition(f"{entry.sql} IS NOT NULL", entry.bindings)
    equal = any_of([metadata_equals(name, value) for value in values])
    if item.operator is Operator.EQ:
        return any_of([equal, negated(known)]) if None in item.values else equal
    if item.operator is Operator.NEQ:
        return all_of([known, negated(equal)])
    needles = [fold(value) for value in values]
    contained = Condition(f"text_contains({entry.sql}, ?)", (*entry.bindings, _array(needles)))
    if item.operator is Operator.NOT_CONTAINS:
        return all_of([known, negated(contained)]) if needles else known
    return all_of([known, contained]) if needles else FALSE


def _metadata_value_in(values: list[str]) -> Condition:
    escaped = Condition("(metadata_values < char(31) AND values_equal(metadata_values, ?))", (_array(values),))
    if len(values) > MAX_NEEDLES:
        return Condition("values_equal(metadata_values, ?)", (_array(values),))
    plain = [
        Condition("instr(metadata_values, ?) > 0", (f"{SEPARATOR}{value}{SEPARATOR}",))
        for value in values
        if not _is_marked(value)
    ]
    return any_of([*plain, escaped])


def _text_contains(column: str, needles: list[str], function: str) -> Condition:
    """Whether a text contains one of the folded needles: by SQL where it is ASCII, else by a function."""
    call = Condition(f"{function}({column}, ?)", (_array(needles),))
    plain = [needle for needle in needles if needle.isascii()]
    if len(plain) > MAX_NEEDLES or any(map(_is_marked, needles)):
        return call
    quick = any_of([Condition(f"instr(lower({column}), ?) > 0", (needle,)) for needle in plain])
    return Condition(
        f"({column} IS NOT NULL AND CASE WHEN octet_length({column}) = length({column}) AND {column} >= char(31)"
        f" THEN {quick.sql} ELSE {call.sql} END)",
        quick.bindings + call.bindings,
    )


def _is_marked(text: str) -> bool:
    """Whether a text holds what separates metadata values."""
    return SEPARATOR in text or ESCAPED in text


def _is_storable(value: Value) -> bool:
    """Whether a value can be in the database at all; half a surrogate pair cannot, so it matches nothing."""
    if not isinstance(value, str):
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _array(texts: Sequence[str]) -> str:
    return msgspec.json.encode(texts).decode()
