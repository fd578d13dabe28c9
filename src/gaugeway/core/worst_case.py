"""The most that a request can use, read from its body before it is sent. Pure; never raises, never too little.

A tokenizer of bytes makes at most one token of each byte, so a text's bytes bound its tokens; the JSON around it
outweighs the few tokens that mark messages. What is not text (images, sounds, files) and what only refers to
something elsewhere (a link, a stored conversation, a provider's own search) is not bounded by its bytes: such a
request may use the model's whole context window.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from msgspec import Struct

TOOLS_OVERHEAD = 2048
"""Tokens that providers add to a request with tools (docs.claude.com: up to some 800 for one set of them)."""

OVERHEAD = 64
"""Tokens that mark a conversation's beginning and end, beyond those that its JSON outweighs."""

TOKEN_KINDS = frozenset({"chat", "completions", "embeddings"})
"""Kinds of requests whose cost lies in the tokens that their body bounds."""

_BEYOND = re.compile(
    rb'"(?:image|images|image_url|image_file|input_image|input_audio|audio|audio_url|video|video_url|input_video'
    rb"|document|document_url|documents|input_file|file|file_id|file_ids|file_url|file_uri|file_data|fileUri|fileData"
    rb"|inline_data|inlineData|source|attachments|cachedContent|cached_content|previous_response_id|conversation"
    rb"|conversation_id|container|connectors|search_parameters|web_search[a-z0-9_]*|web_search_options|web_fetch[a-z0-9_]*"
    rb"|file_search|code_interpreter|code_execution[a-z0-9_]*|mcp|mcp_servers|computer[a-z0-9_]*|google_search[a-z_]*"
    rb"|googleSearch[A-Za-z]*|googleMaps|url_context|urlContext|codeExecution|plugins|transforms)"
    rb'"|"prompt"\s*:\s*\{'
)
_TOOLS = re.compile(rb'"(?:tools|functions|response_format|responseSchema|response_schema)"\s*:')
MAX_OUTPUT = 1 << 40
_LIMITS = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens_to_sample",
    "maxOutputTokens",
    "max_new_tokens",
    "maxTokens",
)
_TIMES = ("n", "best_of", "num_generations", "candidateCount", "candidate_count")
_WITHIN = ("generationConfig", "generation_config", "inferenceConfig", "parameters", "options")


class Bound(Struct, frozen=True):
    """What a request uses at most. None: as much as the model's context window holds."""

    tokens_in: int | None
    tokens_out: int | None  # of each answer
    answers: int = 1


def bound_of(body: bytes, kind: str | None) -> Bound | None:
    """The bound of a request of that kind (Asked.model_type); None where its body cannot be read for certain.

    That is so for what is no JSON object, and for one that names a key twice: nobody knows which one will count.
    """
    try:
        fields = json.loads(body, object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    size = len(body)
    if b"\\u" in body:  # a name may be written in escapes
        body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    into = None if _BEYOND.search(body) else size + OVERHEAD + (TOOLS_OVERHEAD if _TOOLS.search(body) else 0)
    if kind == "embeddings":
        return Bound(into, 0)
    fields = cast("dict[str, Any]", fields)
    within = [cast("dict[str, Any]", part) for name in _WITHIN if isinstance(part := fields.get(name), dict)]
    places = [fields, *within]
    limits = [number for place in places for name in _LIMITS if (number := _whole(place.get(name))) is not None]
    times = [number for place in places for name in _TIMES if (number := _whole(place.get(name))) is not None]
    return Bound(into, max(limits, default=None), max([1, *times]) * _prompts(fields.get("prompt")))


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is named twice")
    return fields


def _whole(value: Any) -> int | None:
    """A number as a provider may take it: some read `10.0` and `"10"` too."""
    try:
        number = int(float(value)) if isinstance(value, str | float) else value
    except (ValueError, OverflowError):
        return None
    return number if type(number) is int and 0 <= number <= MAX_OUTPUT else None


def _prompts(prompt: Any) -> int:
    """How many prompts a legacy completion has: a list of numbers is one, a list of texts or lists is many."""
    if not isinstance(prompt, list) or not prompt or isinstance(prompt[0], int):
        return 1
    return len(cast("list[Any]", prompt))
