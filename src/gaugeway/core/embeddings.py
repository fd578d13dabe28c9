"""Models of embeddings: what a text's meaning is as a vector, asked for through the gateway itself."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from gaugeway.core.judging import ModelScorer, RateIn
from gaugeway.core.model import CustomCost
from gaugeway.core.samples import Sample, Score

MAX_DIMENSIONS = 16_384
"""Numbers of a vector that are taken."""

Vector = Sequence[float]
"""An embedding, in the precision of 32 bits that it is kept in."""


class EmbeddingSettings(Struct, frozen=True, kw_only=True):
    """How a model of embeddings is called."""

    model: str  # "{provider}/{model}", as the OpenAI-compatible endpoint takes it
    gateway_id: str
    dimensions: int | None = None  # sent where it is given
    rates: CustomCost | None = None


class EmbeddingScorer(ModelScorer, frozen=True, kw_only=True):
    """A scorer that asks for embeddings. Subclasses add fields, `texts` and `conclude`."""

    model: Annotated[
        str,
        Meta(
            description="The embedding model as `{provider}/{model}`, e.g. `openai/text-embedding-3-small`.",
            pattern="^[a-z0-9][a-zA-Z0-9_-]*/.+$",
            max_length=256,
        ),
    ]
    dimensions: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_DIMENSIONS)] | None,
        Meta(description="How many numbers a vector has, for models that can be told; sent where it is given."),
    ] = None
    cost_per_token_in: RateIn = None

    @property
    def settings(self) -> EmbeddingSettings:
        """How the model is called."""
        into = self.cost_per_token_in
        rates = None
        if into is not None:
            rates = CustomCost(per_token_in=Decimal(repr(into)), per_token_out=Decimal(0))
        return EmbeddingSettings(
            model=self.model, gateway_id=self.gateway_id, dimensions=self.dimensions, rates=rates
        )

    def texts(self, sample: Sample) -> Sequence[str]:
        """The texts whose embeddings are needed; raises NotApplicable."""
        raise NotImplementedError

    def conclude(self, vectors: Sequence[Vector]) -> Score:
        """The score that the vectors mean, one for each text, in order; JudgeFailed where they mean none."""
        raise NotImplementedError
