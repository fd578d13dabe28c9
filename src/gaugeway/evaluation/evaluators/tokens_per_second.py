"""How fast tokens come."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.quotient import QuotientOf


class TokensPerSecond(QuotientOf):
    """1000 * sum of tokens_out / sum of the durations in ms, over providers' good answers that have both."""

    id = "tokens_per_second"
    name = "Tokens per second"
    type = "aggregate"
    version = "1"
    description = "Tokens of answers per second of their whole duration, in tokens/s. Higher is better."
    unit = "tokens/s"
    direction = Direction.HIGHER
    dividend = Column.GENERATED_TOKENS
    divisor = Column.GENERATED_MS
    product = Column.GENERATED_TOKENS_MS
    what = "tokens of a provider's good answer"
    times = 1000


EVALUATOR = TokensPerSecond()
