"""How providers' WebSockets are reached: where they stand, and how a key comes that is in no header."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlencode

from msgspec import Struct

from gaugeway.core.provider import SessionTally
from gaugeway.providers.parts.requests import model_name


class Realtime(Struct, frozen=True, kw_only=True):
    """A Sockets, described."""

    path: str = ""  # where the slug alone leads
    key_header: tuple[bytes, bytes] = (b"authorization", b"Bearer ")
    key_parameters: frozenset[str] = frozenset()
    key_protocols: tuple[str, ...] = ()
    key_after: str = ""
    model_parameter: str = "model"
    new_tally: Callable[[], SessionTally] | None = None
    counted_paths: frozenset[str] = frozenset()  # where its sessions report each response
    media: tuple[bytes, ...] = ()  # marks of messages that carry sound or pictures

    def place(self, rest: str, query: bytes) -> tuple[str, bytes, str]:
        """See Sockets."""
        return rest if rest.strip("/") else self.path, query, self.model_in(query)

    def model_in(self, query: bytes) -> str:
        """The model that a query names; "" where it names none."""
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        return model_name(next((value for name, value in pairs if name == self.model_parameter), ""))

    def tally(self) -> SessionTally | None:
        """See Sockets."""
        return None if self.new_tally is None else self.new_tally()

    def counts_responses(self, rest: str) -> bool:
        """See Sockets."""
        return rest.strip("/") in self.counted_paths

    def is_media(self, message: bytes) -> bool:
        """See Sockets."""
        return any(mark in message for mark in self.media)


class ModelInPath(Realtime, frozen=True, kw_only=True):
    """Where the model that clients name in the query belongs into the path."""

    def place(self, rest: str, query: bytes) -> tuple[str, bytes, str]:
        """See Sockets."""
        model = self.model_in(query)
        if not model or rest.strip("/"):
            return rest, query, model
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        others = [(name, value) for name, value in pairs if name != self.model_parameter]
        return quote(model, safe="@/:.-_"), urlencode(others).encode(), model
