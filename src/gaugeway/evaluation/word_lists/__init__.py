"""Lists of words and patterns, one a line; `#` begins a comment. Facts are data, not code."""

from __future__ import annotations

from importlib.resources.abc import Traversable


def lines_of(file: Traversable) -> list[str]:
    """The entries of a list."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
