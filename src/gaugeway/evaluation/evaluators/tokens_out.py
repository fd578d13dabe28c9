"""Average length of an answer."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.mean import MeanOf


class TokensOut(MeanOf):
    """Sum of the known tokens_out / number of logs that know theirs."""

    id = "tokens_out"
    name = "Tokens out"
    type = "aggregate"
    version = "1"
    description = "Average number of tokens in an answer, over the logs where it is known. Lower is better."
    unit = "tokens"
    direction = Direction.LOWER
    item_column = Column.TOKENS_OUT
    what = "a known tokens_out"


EVALUATOR = TokensOut()
