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
from gaugeway.providers.formats.format import Counts, count, misfit, text, total

_OLDER = ("gemini-1", "gemini-2")
_NO_COUNTS = frozenset(
    {
        "promptTokensDetails",
        "candidatesTokensDetails",
        "cacheTokensDetails",
        "toolUsePromptTokensDetails",
        "serviceTier",
        "trafficType",
    }
)


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
    traffic_type: Any = None  # Vertex AI: on demand, or bought in advance


class _Chunk(Struct, gc=False):
    maps: Any = None


class _Grounding(Struct, rename="camel"):
    web_search_queries: list[Any] | None = None
    image_search_queries: list[Any] | None = None
    grounding_chunks: list[_Chunk] | None = None


class _Candidate(Struct, rename="camel"):
    grounding_metadata: _Grounding | None = None


class _Statistics(Struct, gc=False):
    token_count: Any = None


class _Embeddings(Struct):
    statistics: _Statistics | None = None


class _Prediction(Struct):
    embeddings: _Embeddings | None = None


class _Document(Struct, rename="camel"):
    predictions: list[_Prediction] | None = None  # Vertex AI's embeddings
    candidates: list[_Candidate] | None = None
    usage_metadata: _Metadata | None = None
    model_version: Any = None


class Gemini:
    """The format of Google's Gemini API."""

    markers = (b'"usageMetadata"', b'"token_count"')
    opens_with_usage = False
    beside = (b'"groundingMetadata"',)

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
        tools = _tools(documents, model or "")
        for document in documents:
            if document.usage_metadata is not None:
                usage = _normalise(document.usage_metadata, tools) or usage
            elif document.predictions is not None:
                usage = _embedded(document.predictions) or usage
        return Reported(usage=usage, model=model)


def _embedded(predictions: list[_Prediction]) -> Usage | None:
    """Each embedding counts for itself; where one does not, the whole is not known."""
    counts: list[int | None] = []
    for prediction in predictions:
        said = None if prediction.embeddings is None else prediction.embeddings.statistics
        tokens = None if said is None else said.token_count
        counts.append(count(tokens))
    return None if None in counts or not counts else Usage(tokens_in=total(*counts))


def _normalise(said: _Metadata, tools_used: Counts) -> Usage | None:
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
    parts |= tools_used
    context = {
        name: value.lower()
        for name in ("service_tier", "traffic_type")
        if (value := text(getattr(said, name))) is not None
    }
    return Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cached_tokens_in=count(said.cached_content_token_count),
        reasoning_tokens=thoughts,
        audio_tokens_in=count(audio_in),
        audio_tokens_out=count(audio_out),
        other_units=parts or None,
        price_context=context or None,
        doubt=misfit(said, apart=_NO_COUNTS) or _doubt(said, tokens_in, tokens_out),
    )


def _doubt(said: _Metadata, tokens_in: int | None, tokens_out: int | None) -> str | None:
    whole, parts = count(said.total_token_count), total(tokens_in, tokens_out)
    if whole is None or parts is None or whole <= parts or tokens_out is None:
        return None
    return f"the provider counted {whole - parts} tokens in its total that it does not say the kind of"


_MODALITIES = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
"""Documents are read, and billed, as images of their pages. Text needs no name: it is what remains."""


def _add_modalities(parts: Counts, name: str, details: _Modalities) -> None:
    for detail in details or ():
        modality = _MODALITIES.get(detail.modality) if isinstance(detail.modality, str) else None
        tokens = count(detail.token_count)
        if modality is not None and tokens:
            key = name.format(modality)
            parts[key] = parts.get(key, 0) + tokens


def _tools(documents: Sequence[_Document], model: str) -> Counts:
    """The tools that are billed by the call: searches, and answers that Google Maps grounded.

    A stream's chunks may each add queries, or repeat those before.
    """
    groundings = [
        [candidate.grounding_metadata for candidate in document.candidates or () if candidate.grounding_metadata]
        for document in documents
    ]
    if not any(groundings):
        return {}
    used: Counts = {}
    for name in ("web_search_queries", "image_search_queries"):
        asked = [[query for one in chunk for query in getattr(one, name) or ()] for chunk in groundings]
        different = {str(query) for queries in asked for query in queries}
        if different:
            used[name.replace("_queries", "es")] = max(len(different), *map(len, asked))
    if any(place.maps is not None for chunk in groundings for one in chunk for place in one.grounding_chunks or ()):
        used["maps_groundings"] = 1
    if "web_searches" in used and model.startswith(_OLDER):
        used["web_searches"] = 1
    return used
