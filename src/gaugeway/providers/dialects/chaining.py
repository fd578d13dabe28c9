"""From a dialect to a provider and back, over chat completions, and over the provider's own translation if any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from gaugeway.core.errors import BadInput
from gaugeway.core.provider import Compatible, StreamTranslation, Translated

SSE = b"text/event-stream"


class Back(Protocol):
    """The way back from chat completions, for one request."""

    def answer(self, body: bytes) -> bytes:
        """For a whole chat completion. Raises ProtocolBroken where it is none."""
        ...

    def error(self, body: bytes) -> bytes:
        """For OpenAI's error body. Never raises."""
        ...

    def stream(self) -> StreamTranslation:
        """For a stream of chat completion chunks."""
        ...


class Chained(Struct, frozen=True, kw_only=True):
    """See core.provider.Translated. `inner` is the provider's own translation; None: it takes chat completions."""

    path: str
    query: bytes
    body: bytes
    is_stream: bool
    stream_type: bytes
    inner: Translated | None
    back: Back

    def answer(self, body: bytes) -> bytes:
        """See Translated."""
        return self.back.answer(body if self.inner is None else self.inner.answer(body))

    def error(self, body: bytes) -> bytes:
        """See Translated."""
        return self.back.error(body if self.inner is None else self.inner.error(body))

    def stream(self) -> StreamTranslation:
        """See Translated."""
        back = self.back.stream()
        return back if self.inner is None else ChainedStream(self.inner.stream(), back)


class ChainedStream:
    """Two translations of a stream, one behind the other."""

    def __init__(self, first: StreamTranslation, second: StreamTranslation) -> None:
        self._first = first
        self._second = second

    def feed(self, chunk: bytes) -> bytes:
        """See StreamTranslation."""
        return self._second.feed(self._first.feed(chunk))

    def end(self) -> bytes:
        """See StreamTranslation."""
        while rest := self._first.end():
            if out := self._second.feed(rest):
                return out
        return self._second.end()


def chain(
    upstream: Compatible, model: str, chat: dict[str, Any], back: Back, names: Mapping[str, str], **reply: Any
) -> Chained:
    """The provider's request for a chat completion's, with the way back.

    `chat` are its fields, None for those not said; `limit` is the most tokens. `names` says what chat parameters
    are called in the dialect, for BadInput. `reply` are a translation's `reply_id` and `created`.
    """
    chat = {name: value for name, value in chat.items() if value is not None}
    limit, is_stream = chat.pop("limit", None), bool(chat.get("stream"))
    if limit is not None:
        chat[upstream.limit if upstream.chat else "max_tokens"] = limit
    if is_stream and (upstream.streams_usage_on_demand or not upstream.chat):
        chat["stream_options"] = {"include_usage": True}
    if upstream.chat is None:
        inner = _translate(upstream, model, chat, names, reply)
        return Chained(
            path=inner.path,
            query=inner.query,
            body=inner.body,
            is_stream=inner.is_stream,
            stream_type=inner.stream_type,
            inner=inner,
            back=back,
        )
    return Chained(
        path=upstream.chat,
        query=b"",
        body=msgspec.json.encode({"model": model, **chat}),
        is_stream=is_stream,
        stream_type=SSE,
        inner=None,
        back=back,
    )


def _translate(
    upstream: Compatible, model: str, chat: dict[str, Any], names: Mapping[str, str], reply: dict[str, Any]
) -> Translated:
    assert upstream.translation is not None  # noqa: S101  who serves a chat has one of the two
    try:
        return upstream.translation.request(model, msgspec.json.encode(chat), **reply)
    except BadInput as problem:
        first = str(problem.path[0]) if problem.path else ""
        head = first.split(".")[0].split("[")[0]
        rest = problem.path[1:] if head != "messages" else ()
        raise BadInput(problem.message, (names.get(head, first), *rest) if first else ()) from problem


def takes_thinking_back(upstream: Compatible) -> bool:
    """Whether the provider wants signed thinking back: one that answered with it."""
    return upstream.chat is None and getattr(upstream.translation, "takes_thinking", False)
