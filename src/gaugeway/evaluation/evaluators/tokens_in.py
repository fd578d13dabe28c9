"""Average length of a request."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.mean import MeanOf


class TokensIn(MeanOf):
    """Sum of the known tokens_in / number of logs that know theirs."""

    id = "tokens_in"
    name = "Tokens in"
    type = "aggregate"
    version = "1"
    description = "Average number of tokens in a request, over the logs where it is known. Lower is better."
    unit = "tokens"
    direction = Direction.LOWER
    item_column = Column.TOKENS_IN
    what = "a known tokens_in"


EVALUATOR = TokensIn()
