"""Workers AI's own format (`run/@cf/…`), after Cloudflare's API reference (Workers AI, Execute a model).

Answers come in Cloudflare's envelope, `{"result": {"response": …, "usage": {…}}, "success": true}`; a stream's
chunks are `{"response": "…"}`, the last with `usage`. The figures have the names of OpenAI's.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.provider import Reported
from gaugeway.providers.formats.format import ABSENT, is_object
from gaugeway.providers.formats.openai import OpenAI, OpenAIDocument


class _Envelope(Struct):
    result: Raw = ABSENT


class WorkersAI:
    """The format of Workers AI: OpenAI's, in an envelope or not."""

    markers = (b'"usage"',)
    opens_with_usage = False
    beside = ()

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_Envelope)
        self._inner = OpenAI()

    def wrappers(self, head: bytes) -> tuple[bytes, ...]:
        """See Format."""
        return (b'{"result":{', *self._inner.wrappers(head))

    def closing(self, head: bytes) -> bytes:  # noqa: ARG002  the port's
        """See Format."""
        return b"}"

    def decode(self, document: bytes) -> OpenAIDocument | None:
        """See Format. The envelope's `result` stands for the document."""
        try:
            envelope = self._decoder.decode(document)
        except (ValueError, RecursionError):
            return None
        return self._inner.decode(bytes(envelope.result) if is_object(envelope.result) else document)

    def report(self, documents: Sequence[OpenAIDocument]) -> Reported:
        """See Format."""
        return self._inner.report(documents)
