"""Cohere's chat, embed and rerank, v1 and v2, after its API reference (docs.cohere.com: Chat, Embed, Rerank;
ApiMeta, Usage).

- v2 chat puts `usage` beside the message, v1 (and embed and rerank) puts `meta`. Streams put them into the last
  event: `message-end` (`delta.usage`) or `stream-end` (`response.meta`).
- The counts are doubles there. Images are billed by `image_tokens`, apart from `input_tokens`.
- Both hold `billed_units`, what is charged for, and `tokens`, which counts Cohere's own preamble too. The
  billed ones are reported here, because prices multiply those; `cached_tokens` is a part of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gaugeway.core.model import Usage
from gaugeway.core.provider import Reported
from gaugeway.providers.formats.format import Counts, count, misfit, note, total


class _Tokens(Struct, gc=False):
    input_tokens: Any = None
    output_tokens: Any = None
    search_units: Any = None
    classifications: Any = None
    images: Any = None
    image_tokens: Any = None


class _Usage(Struct):
    billed_units: _Tokens | None = None
    tokens: _Tokens | None = None
    cached_tokens: Any = None


class _Part(Struct):
    usage: _Usage | None = None
    meta: _Usage | None = None


class _Document(Struct):
    usage: _Usage | None = None
    meta: _Usage | None = None
    delta: _Part | None = None
    response: _Part | None = None


class Cohere:
    """The format of Cohere's own API. No document of it names the model."""

    markers = (b'"usage"', b'"meta"')
    opens_with_usage = False
    beside = ()

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_Document)

    def wrappers(self, head: bytes) -> tuple[bytes, ...]:  # noqa: ARG002  the port's
        """See Format."""
        return (b"{", b'{"delta":{', b'{"response":{')

    def closing(self, head: bytes) -> bytes:  # noqa: ARG002  the port's
        """See Format."""
        return b"}"

    def decode(self, document: bytes) -> _Document | None:
        """See Format."""
        try:
            return self._decoder.decode(document)
        except (ValueError, RecursionError):
            return None

    def report(self, documents: Sequence[_Document]) -> Reported:
        """See Format."""
        usage: Usage | None = None
        for document in documents:
            if (said := _usage_of(document)) is not None:
                usage = _normalise(said) or usage
        return Reported(usage=usage)


def _usage_of(document: _Document) -> _Usage | None:
    for part in (document, document.delta, document.response):
        if part is not None:
            for said in (part.usage, part.meta):
                if said is not None and (said.billed_units is not None or said.tokens is not None):
                    return said
    return None


def _normalise(said: _Usage) -> Usage | None:
    others: Counts = {}
    for tokens in (said.billed_units, said.tokens):
        if tokens is None:
            continue
        note(
            others,
            rerank_searches=tokens.search_units,
            classifications=tokens.classifications,
            images=None if tokens.image_tokens else tokens.images,
            input_image_tokens=tokens.image_tokens,
        )
        tokens_in = total(count(tokens.input_tokens), count(tokens.image_tokens))
        tokens_out = count(tokens.output_tokens)
        if tokens_in is not None or tokens_out is not None or others:
            cached = count(said.cached_tokens) if tokens is said.tokens else None
            return Usage(
                tokens_in=tokens_in,
                tokens_out=tokens_out,
                cached_tokens_in=cached,
                other_units=others or None,
                doubt=misfit(tokens),
            )
    return None
