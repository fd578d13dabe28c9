r"""Metadata as two columns: its keys (the same for most logs of an application), and its values as one text.

Keys: a JSON array of [key, type] pairs, which is a word (words.py). Types: s text, i whole number, f number,
b true or false.
Values: `\x1f a \x1f b \x1f` (without the spaces), so that "a value equals" and "a value contains" are
plain substring searches. Where a value contains \x1f or \x1e itself: `\x1e` and a JSON array of the texts.
No metadata, and metadata without any entry, is NULL in both.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from gaugeway.core.model import Metadata

SEPARATOR = "\x1f"
ESCAPED = "\x1e"

_encode = msgspec.json.Encoder().encode
_decode_keys = msgspec.json.Decoder(list[tuple[str, str]]).decode
_decode_values = msgspec.json.Decoder(list[str]).decode


def value_text(value: str | float) -> str:
    """A metadata value as filters see it: text as it is, others as JSON writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def to_columns(metadata: Metadata | None) -> tuple[str | None, str | None]:
    """The two columns' texts; the first is a word."""
    if not metadata:
        return None, None
    keys = _keys_text(tuple([(key, _type_of(value)) for key, value in metadata.items()]))
    values = [value_text(value) for value in metadata.values()]
    joined = SEPARATOR.join(values)
    if joined.count(SEPARATOR) >= len(values) or ESCAPED in joined:
        return keys, ESCAPED + _encode(values).decode()
    return keys, SEPARATOR + joined + SEPARATOR


@lru_cache(maxsize=1024)
def _keys_text(keys: tuple[tuple[str, str], ...]) -> str:
    return _encode(keys).decode()


def from_columns(keys: str | None, values: str | None) -> Metadata | None:
    """The metadata of the two texts."""
    if keys is None or values is None:
        return None
    texts = split_values(values)
    return {key: _typed(text, kind) for (key, kind), text in zip(_decode_keys(keys), texts, strict=True)}


def split_keys(keys: str) -> list[str]:
    """The keys in the first column's text."""
    return [key for key, _ in _decode_keys(keys)]


def split_values(values: str) -> list[str]:
    """The values' texts in the second column's text."""
    if values.startswith(ESCAPED):
        return _decode_values(values[1:])
    return values[1:-1].split(SEPARATOR)


def _type_of(value: str | float) -> str:
    if isinstance(value, str):
        return "s"
    if isinstance(value, bool):
        return "b"
    return "i" if isinstance(value, int) else "f"


def _typed(text: str, kind: str) -> str | int | float | bool:
    if kind == "s":
        return text
    if kind == "b":
        return text == "true"
    return int(text) if kind == "i" else float(text)
