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
    unlisted: str | None = None  # why the model's public price does not hold: "endpoint 'us-east5'"


Headers = list[tuple[bytes, bytes]]


class Request(Struct, frozen=True, kw_only=True):
    """A request on its way to a provider that decides more than the path below a fixed address."""

    rest: str  # the raw path after the slug
    query: bytes  # raw, without question mark
    headers: Headers  # those that go upstream, names lower-case
    host: str = ""  # where it goes; empty until it is placed
    key: str = ""  # the key it is to be sent with, where the gateway makes its credential (see KeyUse)


class Placing(Protocol):
    """What a Provider has beside the rest where requests name its host: a region, a resource ..."""

    def place(self, request: Request, sent: Headers) -> Request:
        """The same request with its `host`, and as this provider wants it there.

        `sent` are the headers as the client sent them, those for the gateway and those of the connection too.
        The host is built from what is checked to be a name of the provider's, never taken as it is; it is an
        HTTPS host without a port, and the guard against private addresses holds for it. Where the operator set
        another upstream, that one takes the host's place. A key that the request itself carries, and that cannot
        travel as it is, is taken out of its headers and becomes its `key`. Raises BadInput that says what was
        expected.
        """
        ...


class HeaderFigures(Protocol):
    """What a Provider has beside the rest where some answers report usage in their headers only."""

    def read_headers(self, headers: Headers) -> Usage | None:
        """Usage from an answer's headers, names lower-case. Asked where the body says nothing. Never raises."""
        ...


class Framing(Protocol):
    """What a Provider has beside the rest where it frames its streams otherwise than as lines of text."""

    def unframed(self, content_type: str, body: bytes) -> bytes:
        """What is in the frames of an answer, as far as it is there, parted by empty lines. Never raises."""
        ...


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

    @property
    def stream_type(self) -> bytes:
        """How the content type of the provider's streams begins, lower-case."""
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
    """How a provider with a format of its own answers OpenAI's chat completions, or its embeddings."""

    @property
    def key_header(self) -> bytes:
        """The lower-case header in which the provider wants its key: bare, or in `authorization` as a bearer's."""
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
    `translation`, `embedding_translation`: for one that has no such path. `responses`, `messages`: the path at
    which it takes OpenAI's Responses or Anthropic's Messages as they are; for all others those are translated (see
    Dialect).
    """

    chat: str | None = None
    embeddings: str | None = None
    translation: Translation | None = None
    embedding_translation: Translation | None = None
    responses: str | None = None
    messages: str | None = None
    limit: str = "max_tokens"  # what its chat calls the most tokens of an answer
    streams_usage_on_demand: bool = True  # `stream_options.include_usage`; False: it does not know it


class Dialect(Protocol):
    """Another format in which clients ask for a chat: OpenAI's Responses, Anthropic's Messages."""

    def request(self, model: str, body: bytes, upstream: Compatible, *, reply_id: str, created: int) -> Translated:
        """A request for `model` as a provider takes it that serves chats so.

        Its `answer`, `error` and `stream` give the dialect's. Raises BadInput that names the parameter for whatever
        has no counterpart.
        """
        ...


class Outbound(Struct, frozen=True, kw_only=True):
    """A request on its way to a provider, whole but for its credential."""

    method: bytes
    host: str  # as the Host header has it: with the port, where that is not the scheme's own
    rest: str  # the raw path after the slug, of which `target` is made
    target: bytes  # path and query, as they will be sent
    headers: list[tuple[bytes, bytes]]  # names lower-case
    body: bytes
    at_ms: int  # now, Unix ms: signatures are dated


class KeyUse(Protocol):
    """How a provider's key, kept by the gateway as one text, becomes a request's credential. Pure.

    A provider may have one as its `key_use`; without, no key can be stored for it.
    """

    def check(self, key: str) -> None:
        """Raises BadInput for a text that can be no key of this provider. Runs when a key is stored."""
        ...

    def headers(self, key: str, request: Outbound) -> list[tuple[bytes, bytes]]:
        """The headers that carry it, in place of the request's own of those names. Runs for each attempt."""
        ...

    def secrets(self, key: str) -> list[str]:
        """The parts of it that must appear nowhere: an upstream may repeat them, and logs must not."""
        ...


class TokenRequest(Struct, frozen=True, kw_only=True):
    """A POST over HTTPS by which a key is exchanged for a token."""

    host: str
    target: bytes
    headers: Headers
    body: bytes


class TokenExchange(Protocol):
    """What a KeyUse has beside the rest where its keys buy tokens, which live for a while. Pure.

    `headers` is then called with the token in place of the key.
    """

    @property
    def upstream(self) -> str:
        """The name under which an operator may have it made elsewhere (`GAUGEWAY_UPSTREAMS`)."""
        ...

    def ask(self, key: str, at_ms: int) -> TokenRequest:
        """The request that brings a token. Raises BadInput for a key that is none."""
        ...

    def read(self, answer: bytes) -> tuple[str, int]:
        """The token in the answer's body, and how many seconds it lives. Raises ProtocolBroken."""
        ...


class SessionTally(Protocol):
    """What a WebSocket session used, from the provider's messages as they come."""

    def read(self, message: bytes) -> None:
        """Take a whole message in, as the provider sent it. Cheap for those that report nothing. Never raises."""
        ...

    def read_sent(self, message: bytes) -> None:
        """Take in one that the client sent, which may name the model. Likewise."""
        ...

    def reported(self) -> Reported:
        """The sums over the session."""
        ...

    def gap(self) -> str | None:
        """Why the figures are not all that was used; None where they are. Asked once the session is over."""
        ...


class Sockets(Protocol):
    """How a provider's WebSockets are reached and read. Pure. A provider may have one as its `sockets`."""

    @property
    def key_header(self) -> tuple[bytes, bytes]:
        """The lower-case header in which it takes a key, and what stands before the key there."""
        ...

    @property
    def key_parameters(self) -> frozenset[str]:
        """Query parameters in which clients may bring the key instead; the gateway moves it to the header."""
        ...

    @property
    def key_protocols(self) -> tuple[str, ...]:
        """Beginnings of subprotocols in which they may, as browsers must: the key follows."""
        ...

    @property
    def key_after(self) -> str:
        """A subprotocol after which the key follows as one of its own; "" where there is none."""
        ...

    def place(self, rest: str, query: bytes) -> tuple[str, bytes, str]:
        """What followed the slug, as it goes upstream: path and query; and the model, where they name one."""
        ...

    def tally(self) -> SessionTally | None:
        """For one session; None where its messages report nothing."""
        ...

    def counts_responses(self, rest: str) -> bool:
        """Whether the tally of a session there tells of each response when it begins and what it used when it ends.

        It has `begun`, `over` and `uncounted` then; and the model is named before the session is opened.
        """
        ...

    def is_media(self, message: bytes) -> bool:
        """Whether a message carries sound or pictures in JSON, which no log keeps."""
        ...


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
        """Where requests go, without a trailing slash; the path from `upstream_path` is appended.

        Where the request names its host (see Placing) that is written `{…}` here.
        """
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


def key_use_of(provider: Provider) -> KeyUse | None:
    """How the provider takes a stored key; None where none can be stored for it."""
    return cast("KeyUse | None", getattr(provider, "key_use", None))


def sockets_of(provider: Provider) -> Sockets | None:
    """How the provider's WebSockets are reached and read; None where nothing more is known than its base URL."""
    return cast("Sockets | None", getattr(provider, "sockets", None))


def placing_of(provider: Provider) -> Placing | None:
    """The provider where the request names its host; None where its base URL says all."""
    return cast("Placing", provider) if hasattr(provider, "place") else None


def header_figures_of(provider: Provider) -> HeaderFigures | None:
    """The provider where its answers may report usage in their headers; else None."""
    return cast("HeaderFigures", provider) if hasattr(provider, "read_headers") else None


def token_exchange_of(use: KeyUse) -> TokenExchange | None:
    """The use where its keys are exchanged for tokens; None where they go out themselves."""
    return cast("TokenExchange", use) if hasattr(use, "ask") else None


def framing_of(provider: Provider) -> Framing | None:
    """The provider where its streams are framed; else None."""
    return cast("Framing", provider) if hasattr(provider, "unframed") else None
