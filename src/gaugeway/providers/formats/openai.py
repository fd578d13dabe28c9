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
- Google's OpenAI-compatible answers leave thinking out and do not say how much it was: it is what `total_tokens`
  has beyond prompt and completion. With others such a rest is a doubt.
- Mistral's conversations count `connector_tokens` beside the prompt's, and calls of `connectors`
  (docs.mistral.ai, Agents & Conversations); its OCR counts pages, in `usage_info` (docs.mistral.ai/api, OCR).
- xAI's tools on its own side, and the sources of its Live Search, cost a fee each (docs.x.ai, Pricing).
- OpenAI's cache writes for 12 hours and its drawing of SVG are billed apart from what has a listed price.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.model import Usage
from gaugeway.core.provider import Reported
from gaugeway.providers.formats.format import (
    ABSENT,
    Counts,
    charged,
    count,
    counted,
    dollars,
    duration,
    is_object,
    is_sound,
    misfit,
    note,
    text,
)
from gaugeway.providers.formats.tools import note_tool_calls

_TICK = Decimal("1e-10")


_NO_COUNTS = frozenset(
    {
        "prompt_tokens_details",
        "completion_tokens_details",
        "input_tokens_details",
        "input_token_details",
        "output_tokens_details",
        "cache_write_tokens_details",
        "cost",
        "is_byok",
        "cost_details",
        "seconds",
        "prompt_audio_seconds",
        "connectors",
        "search_context_size",
    }
)


_SELDOM = (
    "cost",
    "cost_in_usd_ticks",
    "is_byok",
    "search_context_size",
    "num_search_queries",
    "citation_tokens",
    "seconds",
    "prompt_audio_seconds",
    "connectors",
    "connector_tokens",
    "num_sources_used",
    "num_server_side_tools_used",
)
"""What only some providers say: looked at one by one where there is any of it."""
_seldom_in = attrgetter(*_SELDOM)
_NONE_SAID = (None,) * len(_SELDOM)


class _WriteDetails(Struct, gc=False):
    ttl_12h_tokens: Any = None


class _InputDetails(Struct, gc=False):
    cached_tokens: Any = None
    audio_tokens: Any = None
    cache_write_tokens: Any = None
    image_tokens: Any = None
    cache_read_input_tokens: Any = None  # Perplexity's responses
    cache_write_tokens_details: _WriteDetails | None = None


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
    connector_tokens: Any = None
    connectors: Any = None
    num_sources_used: Any = None  # xAI
    num_server_side_tools_used: Any = None
    search_context_size: Any = None  # Perplexity


_NO_INPUT, _NO_OUTPUT = _InputDetails(), _OutputDetails()


class _Pages(Struct, gc=False):
    pages_processed: Any = None
    pages_processed_annotation: Any = None


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
    svg_usage: Raw = ABSENT
    usage_info: _Pages | None = None


class OpenAI:
    """The format of OpenAI and of those who speak it.

    `markers`: see Format. `rest_is_thought`: what the total has beyond prompt and completion was thinking.
    """

    opens_with_usage = False
    beside = ()

    def __init__(self, *, markers: tuple[bytes, ...] = (b'"usage"',), rest_is_thought: bool = False) -> None:
        self.markers = markers
        self._rest_is_thought = rest_is_thought
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
                usage = _normalise(document.usage, document, self._rest_is_thought) or usage
            elif document.usage_info is not None:
                usage = _pages(document.usage_info) or usage
        return Reported(usage=usage, model=model)


def _pages(said: _Pages) -> Usage | None:
    """Of OCR: pages that are annotated too cost more, and are not those that are not."""
    read, annotated = count(said.pages_processed), count(said.pages_processed_annotation) or 0
    if read is None:
        return None
    others: Counts = {"input_document_pages": max(read, annotated)}
    note(others, input_annotated_document_pages=annotated)
    return Usage(other_units=others, doubt=misfit(said))


def _normalise(said: _Usage, document: OpenAIDocument, rest_is_thought: bool) -> Usage | None:
    into = said.prompt_tokens_details or said.input_tokens_details or said.input_token_details or _NO_INPUT
    out = said.completion_tokens_details or said.output_tokens_details or _NO_OUTPUT
    doubt: str | None = None
    if not is_sound(said, into, out):  # seldom; from here on there are only counts where counts belong
        doubt = misfit(said, into, out, apart=_NO_COUNTS)
        said, into, out = counted(said, _NO_COUNTS), counted(into, _NO_COUNTS), counted(out, _NO_COUNTS)
    tokens_in, tokens_out = said.prompt_tokens, said.completion_tokens
    if tokens_in is None and tokens_out is None:
        tokens_in, tokens_out = said.input_tokens, said.output_tokens
    reasoning = out.reasoning_tokens
    if tokens_out is not None:
        reasoning, apart = _apart(said, tokens_in, tokens_out, reasoning)
        tokens_out += apart
    has_rest = said.total_tokens is not None and said.total_tokens != (tokens_in or 0) + (tokens_out or 0)
    rest = _rest(said, tokens_in, tokens_out) if has_rest else 0
    if rest and rest_is_thought and tokens_out is not None:
        reasoning, tokens_out, rest = (reasoning or 0) + rest, tokens_out + rest, 0
    says_more = _seldom_in(said) != _NONE_SAID
    cost = _cost(said) if says_more else None
    others = _other_units(said if says_more else None, into, out, document)
    if tokens_in is None and tokens_out is None and cost is None and not others:
        return None
    return Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cached_tokens_in=_cached(said, into) if into.cached_tokens is None else into.cached_tokens,
        cache_write_tokens=into.cache_write_tokens,
        reasoning_tokens=reasoning,
        audio_tokens_in=into.audio_tokens,
        audio_tokens_out=out.audio_tokens,
        reported_cost=cost,
        other_units=others or None,
        price_context=_context(said if says_more else None, document.service_tier),
        doubt=doubt or _doubt(rest),
    )


def _cached(said: _Usage, into: _InputDetails) -> int | None:
    """How many tokens of the prompt were cached, where they do not stand where OpenAI has them."""
    ways = (into.cache_read_input_tokens, said.prompt_cache_hit_tokens, said.cached_tokens)
    return next((number for number in ways if number is not None), None)


def _apart(said: _Usage, tokens_in: int | None, tokens_out: int, reasoning: int | None) -> tuple[int | None, int]:
    """The reasoning tokens, and how many tokens of output `completion_tokens` leaves out."""
    if reasoning is None:  # reported beside the completion: apart from it
        reasoning, citations = said.reasoning_tokens, said.citation_tokens
        return reasoning, (reasoning or 0) + (citations or 0)
    if reasoning:  # reported within the completion's details: apart only if the total says so
        whole = said.total_tokens
        if whole is not None and whole == (tokens_in or 0) + tokens_out + reasoning:
            return reasoning, reasoning
    return reasoning, 0


def _rest(said: _Usage, tokens_in: int | None, tokens_out: int | None) -> int:
    """How many tokens the total has that nothing else accounts for."""
    whole = said.total_tokens
    if whole is None or tokens_in is None or tokens_out is None or said.prompt_audio_seconds is not None:
        return 0
    return max(0, whole - tokens_in - tokens_out - (said.connector_tokens or 0))


def _doubt(rest: int) -> str | None:
    if not rest:
        return None
    return f"the provider counted {rest} tokens in its total that are neither input nor output, as it reports them"


def _cost(said: _Usage) -> Decimal | None:
    if isinstance(said.cost, dict):
        return dollars(cast("dict[str, Any]", said.cost).get("total_cost"))
    if said.cost is not None:
        return charged(said.cost, said.is_byok, said.cost_details)
    if said.cost_in_usd_ticks is not None:
        return said.cost_in_usd_ticks * _TICK
    return None


def _other_units(said: _Usage | None, into: _InputDetails, out: _OutputDetails, document: OpenAIDocument) -> Counts:
    """What is billed by other units than tokens; `said`: where there is any of `_SELDOM`."""
    others: Counts = {}
    if into.image_tokens or out.image_tokens:
        note(others, input_image_tokens=into.image_tokens, output_image_tokens=out.image_tokens)
    if into.cache_write_tokens_details is not None:
        note(others, cache_writes_for_12_hours=into.cache_write_tokens_details.ttl_12h_tokens)
    if said is not None:
        _note_seldom(others, said)
    if document.svg_usage is not ABSENT and is_object(document.svg_usage):
        others["svg_drawings"] = 1
    if document.output is not ABSENT:
        note_tool_calls(others, document.output)
    return others


def _note_seldom(others: Counts, said: _Usage) -> None:
    if said.num_search_queries is not None or said.citation_tokens is not None:
        note(others, web_searches=said.num_search_queries, output_citation_tokens=said.citation_tokens)
    seconds = said.seconds if said.seconds is not None else said.prompt_audio_seconds
    if seconds is not None and (length := duration(seconds)):
        others["audio_seconds"] = others["input_audio_seconds"] = length
    if said.connectors is not None or said.connector_tokens is not None:
        _note_connectors(others, said)
    if said.num_sources_used or said.num_server_side_tools_used:
        note(others, search_sources=said.num_sources_used, server_side_tools=said.num_server_side_tools_used)


def _note_connectors(others: Counts, said: _Usage) -> None:
    note(others, connector_tokens=said.connector_tokens)
    calls = cast("dict[str, Any]", said.connectors) if isinstance(said.connectors, dict) else {}
    if made := sum(count(number) or 0 for number in calls.values()):
        others["connector_calls"] = made


def _context(said: _Usage | None, service_tier: object) -> dict[str, str] | None:
    """What the price depends on beside the counts; `said`: where there is any of `_SELDOM`."""
    tier = text(service_tier)
    context = {} if tier is None else {"service_tier": tier}
    if said is not None:
        if said.cost is None and (size := text(said.search_context_size)) is not None:
            context["search_context_size"] = size
        if said.is_byok is True:
            context["billing"] = "own key"  # only what OpenRouter reports can be the cost
    return context or None
