"""The doors to the outside world, each a small Protocol. Adapters live in `stores/`, `recorder/`, `providers/`.

Store methods block; call them from a thread where an event loop runs. They raise NotFound and Conflict from
`core.errors`, and are safe to call from several threads and several processes at once.
"""

from __future__ import annotations

from gaugeway.core.ports.common import (
    Clock,
    Page,
)
from gaugeway.core.ports.configuration import (
    AccountStore,
    ConfigStore,
    CustomProviderStore,
    GatewayStore,
    RouteStore,
    SessionStore,
    TokenStore,
)
from gaugeway.core.ports.laboratory import (
    DatasetStore,
    EvaluationStore,
    Evaluator,
)
from gaugeway.core.ports.logs import (
    AnalyticsStore,
    Coverage,
    Extremes,
    LogChange,
    LogSink,
    LogStore,
    LossJournal,
    Mark,
    Projection,
    Retention,
)
from gaugeway.core.ports.traffic import (
    CachedAnswer,
    CacheStore,
    CounterStore,
    FlightLocks,
    KeyedCounterStore,
    Rate,
)

__all__ = [
    "AccountStore",
    "AnalyticsStore",
    "CacheStore",
    "CachedAnswer",
    "Clock",
    "ConfigStore",
    "CounterStore",
    "Coverage",
    "CustomProviderStore",
    "DatasetStore",
    "EvaluationStore",
    "Evaluator",
    "Extremes",
    "FlightLocks",
    "GatewayStore",
    "KeyedCounterStore",
    "LogChange",
    "LogSink",
    "LogStore",
    "LossJournal",
    "Mark",
    "Page",
    "Projection",
    "Rate",
    "Retention",
    "RouteStore",
    "SessionStore",
    "TokenStore",
]
