"""Anthropic's messages, after its published types (anthropic-sdk-python: Usage, MessageDeltaUsage, BetaUsage).

- `input_tokens` leaves out what was read from the cache and what was written to it: they are added here.
- A stream opens with `message_start` (the prompt's figures, and a mere placeholder for the output) and ends
  with `message_delta`, whose figures are cumulative: where it names one, it is the right one.
- `output_tokens` includes thinking.
- OpenRouter, which speaks this format too, adds what it charged, as in its chat completions.
- Of `iterations`, entries other than `message` (compaction, an advisor's answer) are not in the totals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gaugeway.core.model import Usage
from gaugeway.core.provider import Reported
from gaugeway.providers.formats.format import ABSENT, Counts, charged, count, is_object, misfit, note, text, total

_MESSAGE = re.compile(rb'"type"\s*:\s*"message"')
_TYPES = frozenset({"message", "message_start", "message_delta"})
_USUAL = frozenset({"standard", "global", "not_available"})
"""Values of service_tier, speed and inference_geo that mean the list price."""
_NO_COUNTS = frozenset(
    {
        "cache_creation",
        "output_tokens_details",
        "server_tool_use",
        "service_tier",
        "speed",
        "inference_geo",
        "iterations",
        "cost",
        "is_byok",
        "cost_details",
    }
)


class _CacheCreation(Struct, gc=False):
    ephemeral_1h_input_tokens: Any = None
    ephemeral_5m_input_tokens: Any = None


class _OutputDetails(Struct, gc=False):
    thinking_tokens: Any = None


class _ServerTools(Struct, gc=False):
    web_search_requests: Any = None
    code_execution_requests: Any = None


class _Iteration(Struct, gc=False):
    type: Any = None


class _Usage(Struct):
    input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation: _CacheCreation | None = None
    output_tokens: Any = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None
    service_tier: Any = None
    inference_geo: Any = None
    speed: Any = None
    iterations: list[_Iteration] | None = None
    cost: Any = None  # OpenRouter
    is_byok: Any = None
    cost_details: Any = None


class _Document(Struct):
    type: Any = None
    model: Any = None
    usage: _Usage | None = None
    message: Raw = ABSENT


class Anthropic:
    """The format of Anthropic's messages, and of those who speak it."""

    markers = (b'"usage"',)
    opens_with_usage = True
    beside = ()

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_Document, float_hook=Decimal)

    def wrappers(self, head: bytes) -> tuple[bytes, ...]:
        """See Format."""
        return (b'{"type":"message",',) if _MESSAGE.search(head) else ()

    def closing(self, head: bytes) -> bytes:
        """See Format."""
        return b',"type":"message"}' if _MESSAGE.search(head) else b"}"

    def decode(self, document: bytes) -> _Document | None:
        """See Format. The message within `message_start` stands for the event."""
        try:
            decoded = self._decoder.decode(document)
            if decoded.type not in _TYPES:
                return None
            if decoded.type == "message_start" and is_object(decoded.message):
                decoded = self._decoder.decode(decoded.message)
                decoded.type = "message_start"
        except (TypeError, ValueError, RecursionError):
            return None
        return decoded

    def report(self, documents: Sequence[_Document]) -> Reported:
        """See Format."""
        model: str | None = None
        merged = _Usage()
        for document in documents:
            model = text(document.model) or model
            if document.usage is None:
                continue
            if document.type == "message_start":
                document.usage.output_tokens = None
            for name in _Usage.__struct_fields__:
                if (value := getattr(document.usage, name)) is not None:
                    setattr(merged, name, value)
        return Reported(usage=_normalise(merged), model=model)


def _normalise(said: _Usage) -> Usage | None:
    fresh, tokens_out = count(said.input_tokens), count(said.output_tokens)
    if fresh is None and tokens_out is None:
        return None
    read, written = count(said.cache_read_input_tokens), count(said.cache_creation_input_tokens)
    hour = None
    if said.cache_creation is not None:
        hour = count(said.cache_creation.ephemeral_1h_input_tokens)
        if written is None:
            written = total(hour, count(said.cache_creation.ephemeral_5m_input_tokens))
    thought = None if said.output_tokens_details is None else count(said.output_tokens_details.thinking_tokens)
    return Usage(
        tokens_in=None if fresh is None else fresh + (read or 0) + (written or 0),
        tokens_out=tokens_out,
        cached_tokens_in=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        reasoning_tokens=thought,
        reported_cost=charged(said.cost, said.is_byok, said.cost_details),
        other_units=_other_units(said),
        price_context=_price_context(said),
        doubt=misfit(said, said.cache_creation, said.output_tokens_details, said.server_tool_use, apart=_NO_COUNTS),
    )


def _other_units(said: _Usage) -> Counts | None:
    if said.server_tool_use is None and said.iterations is None:
        return None
    others: Counts = {}
    if said.server_tool_use is not None:
        tools = said.server_tool_use
        note(others, web_searches=tools.web_search_requests, code_executions=tools.code_execution_requests)
    for iteration in said.iterations or ():
        kind = text(iteration.type)
        if kind is not None and kind != "message":
            others[kind + "_iterations"] = others.get(kind + "_iterations", 0) + 1
    return others or None


def _price_context(said: _Usage) -> dict[str, str] | None:
    context = {
        name: value
        for name in ("service_tier", "speed", "inference_geo")
        if (value := text(getattr(said, name))) is not None and value not in _USUAL
    }
    if context.get("service_tier") == "batch":
        del context["service_tier"]
        context["processing"] = "batch"
    if said.is_byok is True:
        context["billing"] = "own key"
    return context or None
