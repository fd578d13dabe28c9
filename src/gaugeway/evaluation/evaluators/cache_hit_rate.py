"""Share of requests that the cache answered."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.share import ShareOf


class CacheHitRate(ShareOf):
    """100 * logs answered from the cache / all logs, failed ones too."""

    id = "cache_hit_rate"
    name = "Cache hit rate"
    type = "aggregate"
    version = "1"
    description = "Answers from the cache, in percent of all requests, 0-100. Higher is better."
    unit = "%"
    direction = Direction.HIGHER
    item_column = Column.CACHED
    hit = 1
    miss = 0
    what = "an outcome"
    words = ("from the cache", "not")


EVALUATOR = CacheHitRate()
