"""Statistics objects as Prometheus metrics, read when somebody asks.

What a metric reads is a number, or a mapping from the value of its label (of its labels, where there are two) to a number; None
is unknown, and left out. What collects and enriches knows nothing of Prometheus.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from analysis.printable import printable

COUNTER = "_total"  # how the names of counters end
MAX_SERIES = 1000  # of one metric; what has further labels is added up under OTHERS
MAX_LABEL = 128  # characters of the value of a label, which strangers may have written
OTHERS = "(others)"

Family = CounterMetricFamily | GaugeMetricFamily


Number = int | float | None
Value = Number | Mapping[str, Number] | Mapping[tuple[str, str], Number]
S = TypeVar("S")


@dataclass(frozen=True)
class Metric(Generic[S]):
    name: str
    meaning: str
    read: Callable[[S], Value]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observed(Generic[S]):
    """``statistics`` is called once for each scrape, so that its metrics are of one moment where it gives a copy."""

    statistics: Callable[[], S]
    metrics: tuple[Metric[S], ...]

    def families(self) -> Iterator[Family]:
        statistics = self.statistics()
        for metric in self.metrics:
            yield family(metric, metric.read(statistics))


class Metrics(Collector):
    """What a registry asks for metrics."""

    def __init__(self, observed: Iterable[Observed[Any]]) -> None:
        self._observed = tuple(observed)

    def describe(self) -> list[Family]:
        """Nothing: a registry would else read everything when this is registered."""
        return []

    def collect(self) -> Iterator[Family]:
        for observed in self._observed:
            yield from observed.families()


def family(metric: Metric[Any], value: Value) -> Family:
    kind = CounterMetricFamily if metric.name.endswith(COUNTER) else GaugeMetricFamily
    made = kind(metric.name, metric.meaning, labels=metric.labels)
    for labels, number in _series(metric, value).items():
        made.add_metric(labels, number)
    return made


def _series(metric: Metric[Any], value: Value) -> dict[tuple[str, ...], float]:
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
