"""Metrics in Prometheus' text format, with labels that cannot become many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

from gaugeway.core.analytics import Figures, Total
from gaugeway.core.timings import Timings, bin_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_LABELLED = 500  # gateways times providers with labels of their own; and gateways, where only they are labels
OTHER = "(other)"  # no gateway and no provider is called that
BOUNDS_MS = (50, 100, *((1 << power) - 1 for power in range(8, 18)))  # between bins, so that counts are exact


class Reading(Struct, frozen=True, kw_only=True):
    """What is told."""

    totals: Sequence[Total]
    logs_refused: Mapping[str, int]  # by gateway
    evaluations: Mapping[str, int]  # by gateway: those still to be concluded
    logs_lost: int
    behind: bool
    flush_seconds: float


def expose(reading: Reading) -> bytes:
    """The text."""
    registry = CollectorRegistry()
    registry.register(_Collected(reading))
    return generate_latest(registry)


class _Collected:
    """What prometheus_client writes down."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def describe(self) -> Iterable[Metric]:
        """Nothing: this is asked once only."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        labelled = _labelled(self._reading.totals)
        yield _requests(labelled)
        yield _tokens(labelled)
        for name, text, figure in _COUNTERS:
            counter = CounterMetricFamily(f"gaugeway_{name}", text, labels=_LABELS)
            for labels, figures in labelled.items():
                counter.add_metric(labels, float(figure(figures)))
            yield counter
        yield _histogram("request_duration_seconds", "From arrival to the last byte", labelled, "duration")
        yield _histogram("first_byte_seconds", "From arrival to the provider's first byte", labelled, "first_byte")
        yield from self._others()

    def _others(self) -> Iterator[Metric]:
        reading = self._reading
        refused = CounterMetricFamily(
            "gaugeway_logs_refused", "Logs that STOP_INSERTING left out", labels=["gateway"]
        )
        for gateway, value in _bounded(reading.logs_refused):
            refused.add_metric([gateway], value)
        yield refused
        unfinished = GaugeMetricFamily(
            "gaugeway_evaluations_unfinished", "Evaluations that are queued or running", labels=["gateway"]
        )
        for gateway, value in _bounded(reading.evaluations):
            unfinished.add_metric([gateway], value)
        yield unfinished
        yield CounterMetricFamily(
            "gaugeway_logs_lost", "Logs of the installation that no store took in time", value=reading.logs_lost
        )
        yield GaugeMetricFamily(
            "gaugeway_log_flush_seconds",
            "How long it took just now until every log of every process was durable",
            value=reading.flush_seconds,
        )
        yield GaugeMetricFamily(
            "gaugeway_logs_behind",
            "1: some logs were not durable in time and are not in these figures yet",
            value=int(reading.behind),
        )


_LABELS = ["gateway", "provider"]
_Labelled = dict[tuple[str, str], Figures]
_COUNTERS: tuple[tuple[str, str, Callable[[Figures], int | Decimal]], ...] = (
    ("cached_tokens_in", "Input tokens that providers read from their own cache", lambda of: of.cached_tokens_in),
    ("cost_dollars", "Cost of the requests whose cost is known", lambda of: of.cost),
    ("requests_without_cost", "Requests whose cost is not known", lambda of: of.cost_unknown),
    ("cost_saved_dollars", "What cached answers would have cost, where known", lambda of: of.cost_saved),
)


def _labelled(totals: Iterable[Total]) -> _Labelled:
    """By gateway and provider. The first ones keep their labels for good, so that no counter ever falls."""
    labelled: _Labelled = {}
    for total in totals:
        labels = (total.gateway_id, total.provider or OTHER)
        if labels not in labelled and len(labelled) >= MAX_LABELLED:
            labels = (OTHER, OTHER)
        labelled.setdefault(labels, Figures()).add(total.figures)
    return labelled


def _bounded(values: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """By gateway, as far as they may have labels; the rest as one."""
    some = sorted(values.items())
    yield from some[:MAX_LABELLED]
    if len(some) > MAX_LABELLED:
        yield OTHER, sum(value for _, value in some[MAX_LABELLED:])


def _requests(labelled: _Labelled) -> Metric:
    counter = CounterMetricFamily("gaugeway_requests", "Requests by how they ended", labels=[*_LABELS, "outcome"])
    for labels, figures in labelled.items():
        for outcome, requests in figures.outcomes.items():
            counter.add_metric([*labels, outcome.value], requests)
    return counter


def _tokens(labelled: _Labelled) -> Metric:
    counter = CounterMetricFamily(
        "gaugeway_tokens", "Tokens as providers count them", labels=[*_LABELS, "direction"]
    )
    for labels, figures in labelled.items():
        counter.add_metric([*labels, "in"], figures.tokens_in)
        counter.add_metric([*labels, "out"], figures.tokens_out)
    return counter


def _histogram(name: str, text: str, labelled: _Labelled, which: str) -> Metric:
    histogram = HistogramMetricFamily(f"gaugeway_{name}", text, labels=_LABELS)
    for labels, figures in labelled.items():
        timings: Timings = getattr(figures, which)
        buckets = [(str(bound / 1000), _up_to(timings, bound)) for bound in BOUNDS_MS]
        histogram.add_metric(labels, [*buckets, ("+Inf", timings.count)], timings.total / 1000)
    return histogram


def _up_to(timings: Timings, bound_ms: int) -> int:
    """How many are not longer."""
    last = bin_of(bound_ms)
    return sum(logs for number, logs in timings.bins.items() if number <= last)
