"""Embeddings as OpenAI's clients ask for them (openai-python, EmbeddingCreateParams), and the answer they expect.

Decoding is strict, as that of chats is: what has no counterpart is refused with its place.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.errors import BadInput, ProtocolBroken
from gaugeway.core.provider import StreamTranslation
from gaugeway.providers.translation.chat import placed
from gaugeway.providers.translation.output import SSE, error_body

COMMON_REFUSALS: Mapping[str, str] = {
    "user": "there is no counterpart; for the gateway's log send the header cf-aig-metadata",
}
FORMATS = ("float", "base64")


class EmbeddingsRequest(Struct, forbid_unknown_fields=True):
    """The parameters. None: not said."""

    model: str
    input: Raw
    dimensions: int | None = None
    encoding_format: str | None = None
    user: str | None = None
    input_type: str | None = None  # Cohere's own (an extension)


class Vectors(Struct, frozen=True):
    """What a provider answered."""

    vectors: list[list[float]]
    tokens: int | None  # None: its body does not say


class EmbeddingsCall(Struct, frozen=True, kw_only=True):
    """See core.provider.Translated."""

    path: str
    body: bytes
    model: str
    as_base64: bool
    wanted: int  # vectors
    read: Callable[[bytes], Vectors]  # raises ProtocolBroken
    query: bytes = b""
    is_stream: bool = False
    stream_type: bytes = SSE

    def answer(self, body: bytes) -> bytes:
        """See Translated."""
        found = self.read(body)
        if len(found.vectors) != self.wanted:
            raise ProtocolBroken(f"{self.wanted} embeddings were asked for, and {len(found.vectors)} came.")
        shown = [_as_base64(vector) if self.as_base64 else vector for vector in found.vectors]
        usage = None if found.tokens is None else {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
        data = [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(shown)]
        return msgspec.json.encode({"object": "list", "data": data, "model": self.model, "usage": usage})

    def error(self, body: bytes) -> bytes:
        """See Translated."""
        return error_body(body)

    def stream(self) -> StreamTranslation:
        """See Translated: embeddings have none."""
        raise AssertionError("embeddings are no stream")


_decoder = msgspec.json.Decoder(EmbeddingsRequest)
_texts = msgspec.json.Decoder(str | list[str])


def decode(body: bytes, refused: Mapping[str, str]) -> tuple[EmbeddingsRequest, list[str]]:
    """The request and its texts; raises BadInput with a path for what is unknown, wrong, or `refused`."""
    try:
        asked = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise placed(str(problem)) from None
    for name, reason in refused.items():
        if getattr(asked, name) is not None:
            raise BadInput(reason, (name,))
    if asked.encoding_format not in (None, *FORMATS):
        raise BadInput(f"expected {' or '.join(FORMATS)}", ("encoding_format",))
    if asked.dimensions is not None and asked.dimensions < 1:
        raise BadInput("must be at least 1", ("dimensions",))
    try:
        said = _texts.decode(asked.input)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadInput(
            "expected a text or a list of texts: tokens are numbered differently there", ("input",)
        ) from None
    texts = [said] if isinstance(said, str) else said
    if not texts:
        raise BadInput("is empty", ("input",))
    return asked, texts


def only_one(texts: list[str], whose: str) -> str:
    """The one text of a request to a model that takes no more."""
    if len(texts) > 1:
        raise BadInput(f"{whose} takes one text a request: send them one by one", ("input",))
    return texts[0]


def refuse_dimensions(asked: EmbeddingsRequest, whose: str) -> None:
    """Where the length of the vectors cannot be chosen."""
    if asked.dimensions is not None:
        raise BadInput(f"{whose} has one length only", ("dimensions",))


def call(
    asked: EmbeddingsRequest,
    texts: list[str],
    *,
    model: str,
    path: str,
    body: dict[str, Any],
    read: Callable[[bytes], Vectors],
) -> EmbeddingsCall:
    """The provider's request, with the way back."""
    return EmbeddingsCall(
        path=path,
        body=msgspec.json.encode(body),
        model=model,
        as_base64=asked.encoding_format == "base64",
        wanted=len(texts),
        read=read,
    )


def broken(problem: Exception) -> ProtocolBroken:
    """For an answer that is not what the provider documents."""
    return ProtocolBroken(f"These are no embeddings as the provider documents them: {problem}")


def _as_base64(vector: list[float]) -> str:
    """Little-endian 32-bit floats, as OpenAI's clients read them."""
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return b64encode(numbers.tobytes()).decode()
