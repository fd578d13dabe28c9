"""Cohere: docs.cohere.com/reference. Its OpenAI-compatible `compatibility/v1/…` is read too."""

from __future__ import annotations

from gaugeway.core.provider import Compatible
from gaugeway.providers.formats.cohere import Cohere
from gaugeway.providers.parts.declared import OPENAI_LIKE, Declared
from gaugeway.providers.parts.paths import PathRule
from gaugeway.providers.translation.cohere import CohereChat

PROVIDER = Declared(
    slug="cohere",
    name="Cohere",
    base_url="https://api.cohere.ai",
    price_id="cohere",
    paths=PathRule(versions=("v1", "v2"), default="v1", beside=frozenset({"compatibility"})),
    formats=(Cohere(), *OPENAI_LIKE),
    compatible=Compatible(translation=CohereChat(), embeddings="compatibility/v1/embeddings"),
)
