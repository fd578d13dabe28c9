"""What the tables of sums have in common: their columns, and bins as bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum

from gaugeway.core.analytics import Bucket

HOURS_A_DAY = 24

COUNTS = (
    "logs",
    "tokens_in_known",
    "tokens_out_known",
    "cost_known",
    "saved_known",
    "first_byte_known",
    "thumbs_up",
    "thumbs_down",
)
"""Columns that are one number."""

SUMS = ("tokens_in", "tokens_out", "cached_in", "cost", "saved", "duration", "first_byte")
"""Those that are two, `_high` and `_low`."""

HALF = 32
LOW = (1 << HALF) - 1

BINS = ("durations", "first_bytes")
"""Columns of pairs: a bin and its logs, a bin perhaps several times."""

PAIR = struct.Struct("<Hi")
MAX_LOGS = (1 << 31) - 1  # of a pair


class Grain(IntEnum):
    """How long a rollup's span is. The numbers are stored: they never change."""

    HOUR = 0
    DAY = 1

    @property
    def bucket(self) -> Bucket:
        """What analytics call it."""
        return (Bucket.HOUR, Bucket.DAY)[self]

    @property
    def ms(self) -> int:
        """Its length in ms."""
        return self.bucket.ms


KEY = ("number", "provider", "model", "outcome")
RESTS = ("cost_rest", "saved_rest")
HALVES = tuple(f"{name}_{half}" for name in SUMS for half in ("high", "low"))
NUMBERS = (*COUNTS, *HALVES)


def pack(bins: Mapping[int, int], times: int = 1) -> bytes:
    """Logs by bin, so many times, as pairs."""
    pack = PAIR.pack
    packed: list[bytes] = []
    for number, logs in bins.items():
        rest = logs
        while rest > MAX_LOGS:
            packed.append(pack(number, times * MAX_LOGS))
            rest -= MAX_LOGS
        packed.append(pack(number, times * rest))
    return b"".join(packed)


def unpack(parts: Sequence[bytes]) -> dict[int, int]:
    """Logs by bin, of several pieces."""
    bins: dict[int, int] = {}
    for number, logs in PAIR.iter_unpack(b"".join(parts)):
        bins[number] = bins.get(number, 0) + logs
    return {number: logs for number, logs in bins.items() if logs}
