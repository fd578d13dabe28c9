"""Share of thumbs up among the logs that people marked."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.share import ShareOf


class HumanFeedback(ShareOf):
    """100 * thumbs up / (thumbs up + thumbs down). A log without feedback counts as neither."""

    id = "human_feedback"
    name = "Human feedback"
    type = "aggregate"
    version = "1"
    description = "Thumbs up in percent of the logs with feedback, 0-100. Higher is better."
    unit = "%"
    direction = Direction.HIGHER
    item_column = Column.FEEDBACK
    hit = 1
    miss = -1
    what = "feedback"
    words = ("up", "down")


EVALUATOR = HumanFeedback()
