"""Perplexity: docs.perplexity.ai/api-reference. It reports what it charged.

The Sonar API's paths have no version, those of the newer APIs have one.
"""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="perplexity-ai",
    name="Perplexity",
    base_url="https://api.perplexity.ai",
    price_id="perplexity",
    paths=PathRule(versions=("v1",), default="v1", unversioned=frozenset({"chat", "async", "search"})),
    compatible=Compatible(chat="chat/completions"),
)
