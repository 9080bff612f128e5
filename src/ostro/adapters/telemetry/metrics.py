"""The page of figures, made when somebody asks: on the hot path parts only count, each for itself."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from math import inf
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

from ostro.adapters.telemetry.catalogue import FIGURES, PREFIX, Figure
from ostro.model.figures import Histogram

# One number, numbers by their labels (as many as the figure has), or a histogram.
Reading = float | Histogram | Mapping[Any, float]


class Metrics:
    """`read` gives all figures of the catalogue by name, but for `unfinished`; those `counts` gives, by kind and
    state. A figure that is missing is left out of the page; one that is not in the catalogue is a KeyError."""

    def __init__(
        self,
        read: Callable[[], Mapping[str, Reading]],
        counts: Callable[[], Awaitable[Mapping[str, Mapping[str, int]]]],
    ) -> None:
        self._read = read
        self._counts = counts
        self._latest: Mapping[str, Mapping[str, int]] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    async def render(self) -> bytes:
        """The answer to a scrape."""
        self._latest = await self._counts()
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        readings: dict[str, Reading] = dict(self._read())
        readings["unfinished"] = {
            (kind, state): count for kind, states in self._latest.items() for state, count in states.items()
        }
        for figure in FIGURES:
            reading = readings.pop(figure.name, None)
            if reading is not None:
                yield _family(figure, reading)
        if readings:
            raise KeyError(f"not in the catalogue of metrics: {', '.join(readings)}")


def _family(figure: Figure, reading: Reading) -> Metric:
    name = PREFIX + figure.name
    if isinstance(reading, Histogram):
        return _histogram(figure, name, reading)
    kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
    family = kind(name, figure.text, labels=figure.labels)
    for labels, value in reading.items() if isinstance(reading, Mapping) else [((), reading)]:
        family.add_metric(labels, value)
    return family


def _histogram(figure: Figure, name: str, reading: Histogram) -> Metric:
    family = HistogramMetricFamily(name, figure.text)
    buckets: list[tuple[str, float]] = []
    below = 0
    for bound, count in zip((*reading.bounds, inf), reading.counts, strict=True):
        below += count
        buckets.append(("+Inf" if bound == inf else str(float(bound)), below))
    family.add_metric((), buckets, reading.total)
    return family
