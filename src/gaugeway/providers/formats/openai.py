"""OpenAI's formats: chat completions, completions, responses, embeddings, images, audio.

Shapes after OpenAI's published types (openai-python: CompletionUsage, ResponseUsage, CreateEmbeddingResponse,
ImagesResponse, Transcription) and the differences of those who speak the same format:

- In a stream the figures come once, in the last chunk (`stream_options.include_usage`) or in the event
  `response.completed`, `response.incomplete` or `response.failed`.
- Groq puts them in `x_groq.usage` of a stream's last chunk (console.groq.com/docs/api-reference).
- DeepSeek splits the prompt into `prompt_cache_hit_tokens` and `prompt_cache_miss_tokens`
  (api-docs.deepseek.com/guides/kv_cache).
- Moonshot and some others report `cached_tokens` beside `prompt_tokens`.
- OpenRouter's `usage.cost` is what it charged, in dollars (openrouter.ai/docs/use-cases/usage-accounting); with
  a key of one's own (`is_byok`) that is its fee only, and `cost_details.upstream_inference_cost` comes on top.
  Perplexity's is `usage.cost.total_cost` (its OpenAPI, Cost); xAI's is `usage.cost_in_usd_ticks`, in
  10^-10 dollars (docs.x.ai, Response).
- xAI's and Perplexity's `completion_tokens` leave reasoning out. `total_tokens` tells: where it is
  larger than prompt and completion together by the reasoning (and citation) tokens, they are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.model import Usage
from gaugeway.core.provider import Reported
from gaugeway.providers.formats.format import ABSENT, Counts, count, dollars, duration, is_object, note, text
from gaugeway.providers.formats.tools import note_tool_calls

_TICK = Decimal("1e-10")


class _InputDetails(Struct, gc=False):
    cached_tokens: Any = None
    audio_tokens: Any = None
    cache_write_tokens: Any = None
    image_tokens: Any = None
    cache_read_input_tokens: Any = None  # Perplexity's responses


class _OutputDetails(Struct, gc=False):
    reasoning_tokens: Any = None
    audio_tokens: Any = None
    image_tokens: Any = None


class _Usage(Struct, gc=False):
    prompt_tokens: Any = None
    completion_tokens: Any = None
    total_tokens: Any = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    input_tokens: Any = None
    input_tokens_details: _InputDetails | None = None
    output_tokens: Any = None
    output_tokens_details: _OutputDetails | None = None
    cost: Any = None
    is_byok: Any = None  # OpenRouter
    cost_details: Any = None
    cost_in_usd_ticks: Any = None
    prompt_cache_hit_tokens: Any = None
    cached_tokens: Any = None
    reasoning_tokens: Any = None  # Perplexity
    citation_tokens: Any = None
    num_search_queries: Any = None
    input_token_details: _InputDetails | None = None  # transcriptions
    seconds: Any = None
    prompt_audio_seconds: Any = None  # Mistral


class _Groq(Struct, gc=False):
    usage: _Usage | None = None


class OpenAIDocument(Struct, gc=False):
    """The fields of any of OpenAI's documents that matter here."""

    model: Any = None
    usage: _Usage | None = None
    service_tier: Any = None
    output: Raw = ABSENT
    response: Raw = ABSENT
    x_groq: _Groq | None = None


class OpenAI:
    """The format of OpenAI and of those who speak it."""

    markers = (b'"usage"',)
    opens_with_usage = False

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(OpenAIDocument, float_hook=Decimal)

    def wrappers(self, head: bytes) -> tuple[bytes, ...]:  # noqa: ARG002  the port's
        """See Format."""
        return (b"{", b'{"response":{', b'{"x_groq":{')

    def closing(self, head: bytes) -> bytes:  # noqa: ARG002  the port's
        """See Format."""
        return b"}"

    def decode(self, document: bytes) -> OpenAIDocument | None:
        """See Format. An event's `response` stands for the event."""
        try:
            decoded = self._decoder.decode(document)
            if decoded.usage is None and is_object(decoded.response):
                decoded = self._decoder.decode(decoded.response)
        except (ValueError, RecursionError):
            return None
        if decoded.usage is None and decoded.x_groq is not None:
            decoded.usage = decoded.x_groq.usage
        return decoded

    def report(self, documents: Sequence[OpenAIDocument]) -> Reported:
        """See Format."""
        usage: Usage | None = None
        model: str | None = None
        for document in documents:
            model = text(document.model) or model
            if document.usage is not None:
                usage = _normalise(document.usage, document) or usage
        return Reported(usage=usage, model=model)


def _normalise(said: _Usage, document: OpenAIDocument) -> Usage | None:
    tokens_in, tokens_out = count(said.prompt_tokens), count(said.completion_tokens)
    if tokens_in is None and tokens_out is None:
        tokens_in, tokens_out = count(said.input_tokens), count(said.output_tokens)
    cached = written = audio_in = reasoning = audio_out = None
    others: Counts = {}
    into = said.prompt_tokens_details or said.input_tokens_details or said.input_token_details
    if into is not None:
        cached, written = count(into.cached_tokens), count(into.cache_write_tokens)
        audio_in = count(into.audio_tokens)
        if cached is None:
            cached = count(into.cache_read_input_tokens)
        if into.image_tokens:
            note(others, input_image_tokens=into.image_tokens)
    out = said.completion_tokens_details or said.output_tokens_details
    if out is not None:
        reasoning, audio_out = count(out.reasoning_tokens), count(out.audio_tokens)
        if out.image_tokens:
            note(others, output_image_tokens=out.image_tokens)
    if cached is None:
        cached = count(said.prompt_cache_hit_tokens)
        cached = count(said.cached_tokens) if cached is None else cached
    if tokens_out is not None:
        reasoning, apart = _apart(said, tokens_in, tokens_out, reasoning)
        tokens_out += apart
    _note_other_units(others, said, document)
    usage = Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cached_tokens_in=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        audio_tokens_in=audio_in,
        audio_tokens_out=audio_out,
        reported_cost=_cost(said),
        other_units=others or None,
        price_context=_context(said, document.service_tier),
    )
    return (
        None if tokens_in is None and tokens_out is None and usage.reported_cost is None and not others else usage
    )


def _apart(said: _Usage, tokens_in: int | None, tokens_out: int, reasoning: int | None) -> tuple[int | None, int]:
    """The reasoning tokens, and how many tokens of output `completion_tokens` leaves out."""
    if reasoning is None:  # reported beside the completion: apart from it
        reasoning, citations = count(said.reasoning_tokens), count(said.citation_tokens)
        return reasoning, (reasoning or 0) + (citations or 0)
    if reasoning:  # reported within the completion's details: apart only if the total says so
        whole = count(said.total_tokens)
        if whole is not None and whole == (tokens_in or 0) + tokens_out + reasoning:
            return reasoning, reasoning
    return reasoning, 0


def _cost(said: _Usage) -> Decimal | None:
    if isinstance(said.cost, dict):
        return dollars(cast("dict[str, Any]", said.cost).get("total_cost"))
    if said.cost is not None:
        charged = dollars(said.cost)
        if said.is_byok is not True or charged is None:
            return charged
        beside = cast("dict[str, Any]", said.cost_details) if isinstance(said.cost_details, dict) else {}
        upstream = dollars(beside.get("upstream_inference_cost"))
        return None if upstream is None else charged + upstream
    if said.cost_in_usd_ticks is not None:
        ticks = count(said.cost_in_usd_ticks)
        return None if ticks is None else ticks * _TICK
    return None


def _note_other_units(others: Counts, said: _Usage, document: OpenAIDocument) -> None:
    if said.num_search_queries is not None:
        note(others, web_searches=said.num_search_queries)
    seconds = said.seconds if said.seconds is not None else said.prompt_audio_seconds
    if seconds is not None and (length := duration(seconds)):
        others["audio_seconds"] = others["input_audio_seconds"] = length
    if document.output is not ABSENT:
        note_tool_calls(others, document.output)


def _context(said: _Usage, service_tier: object) -> dict[str, str] | None:
    context: dict[str, str] = {}
    if (tier := text(service_tier)) is not None:
        context["service_tier"] = tier
    if said.is_byok is True:
        context["billing"] = "own key"  # only what OpenRouter reports can be the cost
    return context or None
