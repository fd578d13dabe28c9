"""Hugging Face: huggingface.co/docs/inference-providers. `api-inference.huggingface.co` answers 410 since 2025."""

from __future__ import annotations

from gaugeway.providers.parts.declared import Declared
from gaugeway.providers.parts.paths import PathRule

PROVIDER = Declared(
    slug="huggingface",
    name="Hugging Face",
    base_url="https://router.huggingface.co/hf-inference/models",
    price_id=None,
    paths=PathRule(within_base=("hf-inference/models", "models")),
)
