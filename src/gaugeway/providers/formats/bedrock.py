"""Amazon Bedrock's own documents, after its API reference (Converse, ConverseStream, InvokeModel) and the pages of
its models' parameters (Amazon Nova, Titan, Meta Llama).

- Converse, and Nova by InvokeModel: `usage` in camel case. `inputTokens` leaves out what was read from the prompt
  cache and what was written to it (user guide, "Prompt caching"): they are added here.
- Titan counts `inputTextTokenCount` and each result's `tokenCount`, Llama `prompt_token_count`.
- InvokeModelWithResponseStream wraps the model's own events, base64 in `bytes`; the last one has
  `amazon-bedrock-invocationMetrics`.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from gaugeway.core.model import Usage
from gaugeway.core.provider import Reported
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.formats.format import count, misfit, text, total

_NO_COUNTS = frozenset({"cacheDetails", "ttl"})


class _CacheDetail(Struct, rename="camel", gc=False):
    ttl: Any = None
    input_tokens: Any = None


class _Usage(Struct, rename="camel"):
    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_write_input_tokens: Any = None
    cache_read_input_token_count: Any = None  # Nova's InvokeModel
    cache_write_input_token_count: Any = None
    cache_details: list[_CacheDetail] | None = None


class _TitanResult(Struct, rename="camel", gc=False):
    token_count: Any = None


class _Metrics(Struct, rename="camel", gc=False):
    input_token_count: Any = None
    output_token_count: Any = None
    cache_read_input_token_count: Any = None
    cache_write_input_token_count: Any = None


class _Tier(Struct, gc=False):
    type: Any = None


class _Performance(Struct, gc=False):
    latency: Any = None


class _Document(Struct, rename="camel"):
    usage: _Usage | None = None
    performance_config: _Performance | None = None
    service_tier: _Tier | None = None
    input_text_token_count: Any = None
    results: list[_TitanResult] | None = None
    total_output_text_token_count: Any = None
    prompt_token_count: Any = field(default=None, name="prompt_token_count")
    generation_token_count: Any = field(default=None, name="generation_token_count")
    metrics: _Metrics | None = field(default=None, name="amazon-bedrock-invocationMetrics")


class _Wrapped(Struct, gc=False):
    bytes: Any = None


class Bedrock:
    """The format of Bedrock's runtime. No document of it names the model."""

    markers = (b'"usage"', b'"inputTextTokenCount"', b'"prompt_token_count"')
    opens_with_usage = False
    beside = ()

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_Document)
        self._wrapped = msgspec.json.Decoder(_Wrapped)
        self._anthropic = Anthropic()

    def wrappers(self, head: bytes) -> tuple[bytes, ...]:  # noqa: ARG002  the port's
        """See Format."""
        return (b"{",)

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
            usage = _usage(document) or usage
        return Reported(usage=usage)

    def report_stream(self, payloads: Sequence[bytes]) -> Reported:
        """What the messages of a stream say together: Converse's own, or the model's within."""
        events = self.unwrapped(payloads)
        claude = [document for event in events if (document := self._anthropic.decode(event)) is not None]
        reported = self._anthropic.report(claude)
        if reported.usage is not None and reported.usage.tokens_out is not None:
            return Reported(usage=reported.usage)
        own = self.report([document for event in events if (document := self.decode(event)) is not None])
        return Reported(usage=own.usage or reported.usage)

    def unwrapped(self, payloads: Sequence[bytes]) -> list[bytes]:
        """The messages' documents: Converse's own, or the model's within. Never raises."""
        found: list[bytes] = []
        for payload in payloads:
            try:
                inner = self._wrapped.decode(payload).bytes
                found.append(payload if not isinstance(inner, str) else binascii.a2b_base64(inner))
            except (ValueError, RecursionError):
                continue
        return found


def _usage(said: _Document) -> Usage | None:
    context = _context(said)
    if said.usage is not None and (usage := _converse_usage(said.usage, context)) is not None:
        return usage
    if (metrics := said.metrics) is not None:
        return counted(
            metrics.input_token_count,
            metrics.output_token_count,
            read=count(metrics.cache_read_input_token_count),
            written=count(metrics.cache_write_input_token_count),
            context=context,
            doubt=misfit(metrics),
        )
    if said.input_text_token_count is not None:
        results = [count(result.token_count) for result in said.results or ()]
        out = total(*results) if results else said.total_output_text_token_count
        return counted(said.input_text_token_count, out, context=context)
    return counted(said.prompt_token_count, said.generation_token_count, context=context)


def _context(said: _Document) -> dict[str, str] | None:
    """What changes the price: tier and latency, where they are not the usual ones."""
    tier = None if said.service_tier is None else text(said.service_tier.type)
    latency = None if said.performance_config is None else text(said.performance_config.latency)
    context = {} if tier is None else {"service_tier": tier.lower()}
    if latency is not None and latency != "standard":
        context["latency"] = latency
    return context or None


def _converse_usage(said: _Usage, context: dict[str, str] | None) -> Usage | None:
    read, written = count(said.cache_read_input_tokens), count(said.cache_write_input_tokens)
    hours = [count(detail.input_tokens) for detail in said.cache_details or () if detail.ttl == "1h"]
    return counted(
        said.input_tokens,
        said.output_tokens,
        read=count(said.cache_read_input_token_count) if read is None else read,
        written=count(said.cache_write_input_token_count) if written is None else written,
        hour=total(*hours),
        context=context,
        doubt=misfit(said, *(said.cache_details or ()), apart=_NO_COUNTS),
    )


def counted(
    said_in: object,
    said_out: object,
    *,
    read: int | None = None,
    written: int | None = None,
    hour: int | None = None,
    context: dict[str, str] | None = None,
    doubt: str | None = None,
) -> Usage | None:
    """Figures whose input leaves out what was read from and written to the cache; None where there are none."""
    fresh, out = count(said_in), count(said_out)
    if fresh is None and out is None:
        return None
    return Usage(
        tokens_in=None if fresh is None else fresh + (read or 0) + (written or 0),
        tokens_out=out,
        cached_tokens_in=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        price_context=context,
        doubt=doubt,
    )
