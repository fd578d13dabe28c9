"""A barrier over all clients of a data folder: passed when what they had put before it is durable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec import Struct


class Asker(Protocol):
    """A connected client, seen from the barrier."""

    def ask_sync(self, token: int) -> None: ...
    def barrier_done(self, number: int) -> None: ...


class Progress(Protocol):
    """How far the writing is, in frames."""

    received: int
    written: int

    def hurry(self) -> None:
        """Write now what was received."""
        ...


class _Round(Struct):
    token: int
    askers: list[tuple[Asker, int]]
    silent: set[str]  # clients that have not answered yet
    target: int | None = None  # frames that must be written, once all have answered


class Barriers:
    """One round at a time; what is asked meanwhile shares the next one.

    A client that lives but is not connected is waited for: it may hold logs from before the barrier.
    """

    def __init__(self, progress: Progress, living: Callable[[], set[str]]) -> None:
        self._progress = progress
        self._living = living
        self._connected: dict[str, Asker] = {}
        self._round: _Round | None = None
        self._next: list[tuple[Asker, int]] = []
        self._token = 0

    def joined(self, client: str, asker: Asker) -> None:
        """A client has connected."""
        self._connected[client] = asker
        if self._round is not None and client in self._round.silent:
            asker.ask_sync(self._round.token)

    def left(self, client: str, asker: Asker) -> None:
        """Its connection ended; it asks again when it comes back."""
        if self._connected.get(client) is asker:
            del self._connected[client]
        self._next = [entry for entry in self._next if entry[0] is not asker]
        self.check()

    def ask(self, asker: Asker, number: int) -> None:
        """A client wants a barrier."""
        self._next.append((asker, number))
        self._begin()

    def synced(self, client: str, token: int) -> None:
        """A client has sent all that it had put when it was asked."""
        if self._round is not None and self._round.token == token:
            self._round.silent.discard(client)
            self.check()

    @property
    def is_waiting(self) -> bool:
        """Whether a round is on whose silent clients' lives must be looked after."""
        return self._round is not None and self._round.target is None

    def check(self) -> None:
        """See whether the round is over: call it when frames were written, and now and then while waiting."""
        current = self._round
        if current is None:
            return
        if current.target is None:
            absent = current.silent - self._connected.keys()
            if absent:
                current.silent -= absent - self._living()
            if current.silent:
                return
            current.target = self._progress.received
        if self._progress.written < current.target:
            self._progress.hurry()
            return
        self._round = None
        for asker, number in current.askers:
            asker.barrier_done(number)
        self._begin()

    def _begin(self) -> None:
        if self._round is not None or not self._next:
            return
        self._token += 1
        askers, self._next = self._next, []
        expected: Iterable[str] = self._living() | self._connected.keys()
        self._round = _Round(self._token, askers, set(expected))
        for asker in tuple(self._connected.values()):
            asker.ask_sync(self._token)
        self.check()
