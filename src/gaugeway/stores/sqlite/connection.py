"""The part of apsw that we use, typed: its own stubs name types that Python 3.11 lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import apsw

Bindings = Sequence[Any] | Mapping[str, Any]


class Cursor(Protocol):
    """What a statement answers."""

    @property
    def get(self) -> Any:
        """All of it, plainly: None for no row, the bare value for one row of one column, else as in apsw."""
        ...

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection to a SQLite file."""

    @property
    def in_transaction(self) -> bool: ...
    def execute(self, statements: str, bindings: Bindings | None = None, /) -> Cursor: ...
    def executemany(self, statements: str, sequenceofbindings: Iterable[Bindings], /) -> Cursor: ...
    def pragma(self, name: str, value: str | int | None = None, /) -> Any: ...
    def changes(self) -> int:
        """Rows that the last INSERT, UPDATE or DELETE changed."""
        ...

    def set_busy_timeout(self, milliseconds: int, /) -> None: ...
    def create_scalar_function(
        self, name: str, callback: Any, numargs: int = -1, /, *, deterministic: bool = False
    ) -> None: ...
    def wal_checkpoint(self, dbname: str | None, mode: int, /) -> tuple[int, int]: ...
    def interrupt(self) -> None: ...
    def set_progress_handler(self, callback: Callable[[], bool] | None, nsteps: int = 100, /) -> None:
        """Ask every so many steps of a query whether to stop it."""
        ...

    def close(self, force: bool = False, /) -> None: ...


def connect(path: Path) -> Connection:
    """A connection to a file that exists."""
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
