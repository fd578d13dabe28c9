"""What the data plane needs to know of a provider. One file each in `providers/`."""

from __future__ import annotations

from typing import Protocol, cast

from msgspec import Struct

from gaugeway.core.model import Usage


class Reported(Struct, frozen=True, kw_only=True):
    """What an answer says about itself. None: it did not say."""

    usage: Usage | None = None
    model: str | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """What a request says about itself, read from its path and body."""

    model: str = ""
    model_type: str | None = None  # "chat" | "embeddings" | ..., where it can be told
    stream: bool = False


class StreamTranslation(Protocol):
    """A provider's stream on its way to being a stream of `chat.completion.chunk` events. Bounded in memory."""

    def feed(self, chunk: bytes) -> bytes:
        """What the downstream gets for the next bytes, however they are cut; possibly nothing yet.

        Raises ProtocolBroken for what cannot be translated, once all that came before it has been given out: then
        by the next call, which may be `feed(b"")`.
        """
        ...

    def end(self) -> bytes:
        """What is left to say at the stream's clean end; called again until that is nothing.

        Raises ProtocolBroken where the last event is missing.
        """
        ...


class Translated(Protocol):
    """One chat completion's request in a provider's own format, and the way back. Pure; knows its request."""

    @property
    def path(self) -> str:
        """The path as it would follow the slug, for `Provider.upstream_path`."""
        ...

    @property
    def query(self) -> bytes:
        """The raw query, without question mark."""
        ...

    @property
    def body(self) -> bytes: ...

    @property
    def is_stream(self) -> bool:
        """Whether the answer is to be a stream."""
        ...

    def answer(self, body: bytes) -> bytes:
        """The `chat.completion` for the provider's whole answer. Raises ProtocolBroken where it is none."""
        ...

    def error(self, body: bytes) -> bytes:
        """OpenAI's error body for the provider's. Never raises."""
        ...

    def stream(self) -> StreamTranslation:
        """For the provider's stream."""
        ...


class Translation(Protocol):
    """How a provider with a format of its own answers OpenAI's chat completions."""

    @property
    def key_header(self) -> bytes:
        """The lower-case header in which the provider wants its key, bare."""
        ...

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Sent where the client does not send its own of that name."""
        ...

    def request(self, model: str, body: bytes, *, reply_id: str, created: int) -> Translated:
        """Translate a request for `model`, the provider's own name of it.

        `reply_id` and `created` (Unix seconds) serve where the provider's answer has none. Raises BadInput
        that names the parameter for whatever has no counterpart.
        """
        ...


class Compatible(Struct, frozen=True, kw_only=True):
    """How a provider serves the OpenAI-compatible endpoint. A provider may have one as its `compatible`.

    `chat`, `embeddings`: the path, as it would follow the slug, at which it takes OpenAI's request as it is.
    `translation`: for a chat that has no such path.
    """

    chat: str | None = None
    embeddings: str | None = None
    translation: Translation | None = None


class Provider(Protocol):
    """A provider. Everything here is pure and cheap: it runs on the hot path."""

    @property
    def slug(self) -> str:
        """Its name in the URL, e.g. `openai`."""
        ...

    @property
    def name(self) -> str:
        """Its name for people."""
        ...

    @property
    def base_url(self) -> str:
        """Where requests go, without a trailing slash; the path from `upstream_path` is appended."""
        ...

    @property
    def credential_headers(self) -> frozenset[bytes]:
        """Lower-case request headers that may carry the caller's key: never logged, redacted from bodies."""
        ...

    @property
    def price_id(self) -> str | None:
        """The provider's id in genai-prices; None: its prices are not known."""
        ...

    def upstream_path(self, rest: str, account_id: str) -> str:
        """The path below base_url for what followed the slug, with a leading slash; mends v1/ missing or doubled.

        `rest` is the raw (still percent-encoded) path without leading slash. Raises BadInput where it could
        lead out of the base.
        """
        ...

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """Model, kind and whether a stream is asked for. Never raises: a body it cannot read says nothing."""
        ...

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:
        """Usage and model from a whole JSON answer, a whole SSE stream, or as much as arrived of either.

        Called once, at the end. For very long answers the middle may be missing. Never raises.
        """
        ...


_SERVES_NOTHING = Compatible()


def compatible_of(provider: Provider) -> Compatible:
    """How the provider serves the OpenAI-compatible endpoint; an empty answer where it does not."""
    return cast("Compatible | None", getattr(provider, "compatible", None)) or _SERVES_NOTHING
