"""Times: Unix milliseconds within, RFC 3339 in UTC at the edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_rfc3339(ms: int) -> str:
    """Unix milliseconds as `2026-11-23T04:45:46.123Z`."""
    return (_EPOCH + ms * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> int | None:
    """Unix milliseconds of an RFC 3339 time or a bare date; no zone means UTC. None where it is neither.

    Finer fractions than a millisecond are cut off, so that a time read from the API finds its log again.
    """
    text = text.strip()
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        else:
            moment = datetime.fromisoformat(text.replace("z", "Z"))
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
