"""Metrics as text for Prometheus to scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pipeline.telemetry.metrics import METRICS

Readings = Mapping[tuple[str, tuple[str, ...]], float]
"""Values of gauges by name and label values."""


class Gauges:
    """Gauges with values of this moment, as a collector of `prometheus_client`."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        self._read = read

    def collect(self) -> Iterator[Any]:
        """Those that have a value; a name that is not declared is left out."""
        from prometheus_client.core import GaugeMetricFamily

        values = dict(self._read())
        for metric in METRICS:
            found = {labels: value for (name, labels), value in values.items() if name == metric.name}
            if metric.kind == "gauge" and found:
                family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
                for labels, value in sorted(found.items()):
                    family.add_metric(labels, value)
                yield family


def text(collectors: Iterable[Any]) -> bytes:
    """What these collectors have now, in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    made: bytes = generate_latest(registry)
    return made


CONTENT = "text/plain; version=0.0.4; charset=utf-8"
"""Media type of `text`."""
