"""What every translation of a stream has in common: order, errors, and the end.

What cannot be translated is raised once everything before it has been given out, so that it does not matter how the
network cut the stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

import msgspec

from gaugeway.core.errors import ProtocolBroken

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)


class Source(Protocol[E_co]):
    """Makes events of bytes. Raises ProtocolBroken for bytes that hold none."""

    def feed(self, chunk: bytes) -> Iterable[E_co]:
        """The events that are whole now."""
        ...

    def end(self) -> Iterable[E_co]:
        """What may stand at the end of the stream."""
        ...


class TranslatedEvents(Generic[E]):
    """A StreamTranslation over a provider's events; a format says what each becomes, and when it is over."""

    provider = ""
    """Its name, for what is wrong with its streams."""

    def __init__(self, source: Source[E]) -> None:
        self._source = source
        self._done = False  # the last event was given out; nothing more is looked at
        self._problem: ProtocolBroken | None = None

    def feed(self, chunk: bytes) -> bytes:
        """See StreamTranslation."""
        if self._problem is not None:
            raise self._problem
        return b"" if self._done else self._translate(self._source.feed, chunk)

    def end(self) -> bytes:
        """See StreamTranslation."""
        if self._problem is not None:
            raise self._problem
        if self._done:
            return b""
        rest = self._translate(self._end)
        return rest if rest or self._done else self._finish()

    def _add(self, out: list[bytes], event: E) -> None:
        """Append what an event becomes. May set `_problem`, or raise ProtocolBroken, or what msgspec raises."""
        raise NotImplementedError

    def _finish(self) -> bytes:
        """What is left to say at the clean end of a stream that has no last event of its own."""
        raise ProtocolBroken(f"{self.provider}'s stream ended without its last event.")

    def _end(self, _: bytes) -> Iterable[E]:
        return self._source.end()

    def _translate(self, events: _Events[E], chunk: bytes = b"") -> bytes:
        out: list[bytes] = []
        try:
            for event in events(chunk):
                self._add(out, event)
                if self._done or self._problem is not None:
                    break  # before more is read: what follows the last event is nobody's
        except ProtocolBroken as problem:
            self._problem = problem
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            message = f"{self.provider}'s stream holds an event that cannot be read: {problem}"
            self._problem = ProtocolBroken(message)
        if self._problem is not None and not any(out):
            raise self._problem
        return b"".join(out)


class _Events(Protocol[E_co]):
    """Where the next events come from."""

    def __call__(self, chunk: bytes, /) -> Iterable[E_co]: ...
