"""Which logs of a window are looked at one by one: a sample that depends on nothing but the logs' ids."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

_PLACES = 1 << 64


def draw(log_ids: Sequence[bytes], share: float, most: int | None) -> list[bytes]:
    """About that share of the logs, and no more than `most` of them, in the order given.

    Whether a log is drawn does not depend on the others, unless `most` is reached: then those of the lowest ranks
    are. So whoever draws again draws the same.
    """
    ranked = [(_rank(log_id), log_id) for log_id in log_ids]
    drawn = [one for one in ranked if one[0] < share * _PLACES]
    if most is not None and len(drawn) > most:
        lowest = set(sorted(drawn)[:most])
        drawn = [one for one in drawn if one in lowest]
    return [log_id for _, log_id in drawn]


def _rank(log_id: bytes) -> int:
    return int.from_bytes(sha256(b"gaugeway monitor\n" + log_id).digest()[:8])
