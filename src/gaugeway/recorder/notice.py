"""What the recorder and its clients have to say to the operator: one line on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

Notice = Callable[[str], None]


def notice(text: str) -> None:
    """Write one line. A stderr that is gone must not stop logs from being written."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"gaugeway: {text}\n")
        sys.stderr.flush()
