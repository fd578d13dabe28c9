"""Gemini's generateContent and streamGenerateContent, after Google's API reference (ai.google.dev/api:
GenerateContentResponse.UsageMetadata, ModalityTokenCount, GroundingMetadata).

- `candidatesTokenCount` leaves out `thoughtsTokenCount`, and `promptTokenCount` leaves out
  `toolUsePromptTokenCount`: both are added here. `promptTokenCount` includes the cached content.
- Every chunk of a stream carries the figures so far; the last one is right.
- Google bills grounding by the search from Gemini 3 on, by the grounded answer before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gaugeway.core.model import Usage
from gaugeway.core.provider import Reported
from gaugeway.providers.formats.format import Counts, count, text, total

_OLDER = ("gemini-1", "gemini-2")


class _Modality(Struct, rename="camel", gc=False):
    modality: Any = None
    token_count: Any = None


_Modalities = list[_Modality] | None


class _Metadata(Struct, rename="camel"):
    prompt_token_count: Any = None
    candidates_token_count: Any = None
    total_token_count: Any = None
    thoughts_token_count: Any = None
    cached_content_token_count: Any = None
    tool_use_prompt_token_count: Any = None
    prompt_tokens_details: _Modalities = None
    candidates_tokens_details: _Modalities = None
    cache_tokens_details: _Modalities = None
    tool_use_prompt_tokens_details: _Modalities = None
    service_tier: Any = None


class _Grounding(Struct, rename="camel"):
    web_search_queries: list[Any] | None = None


class _Candidate(Struct, rename="camel"):
    grounding_metadata: _Grounding | None = None


class _Document(Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    usage_metadata: _Metadata | None = None
    model_version: Any = None


class Gemini:
    """The format of Google's Gemini API."""

    markers = (b'"usageMetadata"',)
    opens_with_usage = False

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_Document)

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
        model: str | None = None
        usage: Usage | None = None
        for document in documents:
            model = text(document.model_version) or model
            if document.usage_metadata is not None:
                usage = _normalise(document.usage_metadata, _searches(document, model or "")) or usage
        return Reported(usage=usage, model=model)


def _normalise(said: _Metadata, searches: int) -> Usage | None:
    prompt, candidates = count(said.prompt_token_count), count(said.candidates_token_count)
    thoughts, tools = count(said.thoughts_token_count), count(said.tool_use_prompt_token_count)
    tokens_in, tokens_out = total(prompt, tools), total(candidates, thoughts)
    if tokens_in is None and tokens_out is None:
        return None
    parts: Counts = {}
    _add_modalities(parts, "input_{}_tokens", said.prompt_tokens_details)
    _add_modalities(parts, "input_{}_tokens", said.tool_use_prompt_tokens_details)
    _add_modalities(parts, "output_{}_tokens", said.candidates_tokens_details)
    _add_modalities(parts, "cache_{}_read_tokens", said.cache_tokens_details)
    audio_in, audio_out = parts.pop("input_audio_tokens", None), parts.pop("output_audio_tokens", None)
    if searches:
        parts["web_searches"] = searches
    tier = text(said.service_tier)
    return Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cached_tokens_in=count(said.cached_content_token_count),
        reasoning_tokens=thoughts,
        audio_tokens_in=count(audio_in),
        audio_tokens_out=count(audio_out),
        other_units=parts or None,
        price_context=None if tier is None else {"service_tier": tier.lower()},
    )


_MODALITIES = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
"""Documents are read, and billed, as images of their pages. Text needs no name: it is what remains."""


def _add_modalities(parts: Counts, name: str, details: _Modalities) -> None:
    for detail in details or ():
        modality = _MODALITIES.get(detail.modality) if isinstance(detail.modality, str) else None
        tokens = count(detail.token_count)
        if modality is not None and tokens:
            key = name.format(modality)
            parts[key] = parts.get(key, 0) + tokens


def _searches(document: _Document, model: str) -> int:
    queries = 0
    for candidate in document.candidates or ():
        if candidate.grounding_metadata is not None:
            queries += len(candidate.grounding_metadata.web_search_queries or ())
    return min(queries, 1) if model.startswith(_OLDER) else queries
