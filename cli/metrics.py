"""Statistics objects as Prometheus metrics, read when somebody asks.

Each metric names the attribute that it reads: a number, or a mapping from the value of its labels (a tuple of them where there are
several) to a number. None is unknown, and left out. What collects and enriches knows nothing of Prometheus.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from analysis.printable import printable

COUNTER = "_total"  # how the names of counters end
MAX_SERIES = 1000  # of one metric; what has further labels is added up under OTHERS
MAX_LABEL = 128  # characters of the value of a label, which strangers may have written
OTHERS = "(others)"

Family = CounterMetricFamily | GaugeMetricFamily


class Metric(NamedTuple):
    name: str
    attribute: str
    meaning: str
    labels: tuple[str, ...] = ()


class Observed(NamedTuple):
    statistics: object
    metrics: tuple[Metric, ...]


class Statistics(Collector):
    """What a registry asks for metrics."""

    def __init__(self, observed: Iterable[Observed]) -> None:
        self._observed = tuple(observed)

    def describe(self) -> list[Family]:
        """Nothing: a registry would else read everything when this is registered."""
        return []

    def collect(self) -> Iterator[Family]:
        for statistics, metrics in self._observed:
            for metric in metrics:
                yield family(metric, getattr(statistics, metric.attribute))


def family(metric: Metric, value: object) -> Family:
    kind = CounterMetricFamily if metric.name.endswith(COUNTER) else GaugeMetricFamily
    made = kind(metric.name, metric.meaning, labels=metric.labels)
    for labels, number in _series(metric, value).items():
        made.add_metric(labels, number)
    return made


def _series(metric: Metric, value: object) -> dict[tuple[str, ...], float]:
    """A number for each set of labels, once: two sightings of one name would make a scrape fail as a whole."""
    series: dict[tuple[str, ...], float] = defaultdict(float)
    others = (OTHERS,) * len(metric.labels)
    pairs: list[tuple[object, Any]] = list(value.items()) if isinstance(value, Mapping) else [((), value)]
    for key, number in pairs:
        labels = tuple(map(_label, key if isinstance(key, tuple) else (key,)))
        if number is not None:
            series[labels if labels in series or len(series) < MAX_SERIES else others] += float(number)
    return series


def _label(value: object) -> str:
    return printable(str(value)[:MAX_LABEL])[:MAX_LABEL]
