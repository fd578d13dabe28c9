"""How the demo speaks to people, without knowing what a terminal is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Teller(Protocol):
    """Where the demo's words go."""

    def step(self, text: str) -> None:
        """A new part begins."""
        ...

    def line(self, text: str) -> None:
        """One more fact."""
        ...

    def warn(self, text: str) -> None:
        """Something that is not as it should be."""
        ...

    def table(self, title: str, columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> None:
        """Columns are (name, numbers on the right)."""
        ...
