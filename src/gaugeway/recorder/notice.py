"""What the recorder and its clients have to say to the operator: one line on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

Notice = Callable[[str], None]


def notice(text: str) -> None:
    """Write one line. A stderr that is gone (or never was) must not stop logs from being written."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"gaugeway: {text}\n")
        sys.stderr.flush()


class Seldom:
    """Says the same kind of thing at most once in a while; the text should hold the count so far."""

    def __init__(self, say: Notice, now: Callable[[], float], every_s: float = 10.0) -> None:
        self._say = say
        self._now = now
        self._every_s = every_s
        self._said_at: float | None = None

    def __call__(self, text: str) -> bool:
        """Whether it was said."""
        now = self._now()
        if self._said_at is not None and now - self._said_at < self._every_s:
            return False
        self._said_at = now
        self._say(text)
        return True
