"""The text comparisons that SQL cannot do: beyond ASCII, and inside metadata.

Each is an SQL function that takes a column's text and its filter's values as a JSON array. `contains` ignores
case as Unicode folds it. SQL's own lower() and instr() do the same for ASCII and are far faster, so these see
only the rest (`filters.py`).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.metadata_text import split_keys, split_values

_decode = msgspec.json.Decoder(list[str]).decode


def fold(text: str) -> str:
    """The form in which two texts that differ only in case are equal."""
    return text.casefold()


def contains(text: str, needles: tuple[str, ...]) -> bool:
    """Whether any of the folded needles is in the text, whatever its case."""
    folded = fold(text)
    return any(needle in folded for needle in needles)


@lru_cache(maxsize=32)
def _values(encoded: str) -> tuple[str, ...]:
    return tuple(_decode(encoded))


def _contains(text: str | None, needles: str) -> bool | None:
    return None if text is None else contains(text, _values(needles))


def _values_contain(values: str | None, needles: str) -> bool | None:
    return None if values is None else any(contains(text, _values(needles)) for text in split_values(values))


def _values_equal(values: str | None, wanted: str) -> bool | None:
    return None if values is None else not set(_values(wanted)).isdisjoint(split_values(values))


def _keys_contain(keys: str | None, needles: str) -> bool | None:
    return None if keys is None else any(contains(key, _values(needles)) for key in split_keys(keys))


def _keys_equal(keys: str | None, wanted: str) -> bool | None:
    return None if keys is None else not set(_values(wanted)).isdisjoint(split_keys(keys))


def _metadata_entry(keys: str | None, values: str | None, key: str) -> str | None:
    if keys is None or values is None:
        return None
    place = _place(keys, key)
    return None if place is None else split_values(values)[place]


@lru_cache(maxsize=1024)
def _place(keys: str, key: str) -> int | None:
    known = split_keys(keys)
    return known.index(key) if key in known else None


def add_functions(connection: Connection) -> None:
    """Make the functions known to a connection."""
    connection.create_scalar_function("metadata_entry", _metadata_entry, 3, deterministic=True)
    for name, function in (
        ("text_contains", _contains),
        ("values_contain", _values_contain),
        ("values_equal", _values_equal),
        ("keys_contain", _keys_contain),
        ("keys_equal", _keys_equal),
    ):
        connection.create_scalar_function(name, function, 2, deterministic=True)
