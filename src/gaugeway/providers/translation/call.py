"""A chat completion's request in a provider's own format, with the way back."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from gaugeway.core.provider import StreamTranslation
from gaugeway.providers.translation.output import SSE, error_body


class Call(Struct, frozen=True, kw_only=True):
    """See core.provider.Translated."""

    path: str
    body: bytes
    is_stream: bool
    answered: Callable[[bytes], bytes]  # a whole answer, translated; raises ProtocolBroken
    streamed: Callable[[], StreamTranslation]
    query: bytes = b""
    stream_type: bytes = SSE

    def answer(self, body: bytes) -> bytes:
        """See Translated."""
        return self.answered(body)

    def error(self, body: bytes) -> bytes:
        """See Translated."""
        return error_body(body)

    def stream(self) -> StreamTranslation:
        """See Translated."""
        return self.streamed()
