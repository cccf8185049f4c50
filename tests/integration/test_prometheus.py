"""A real Prometheus with our configuration scrapes what our metrics promise, and answers every query about it."""

from __future__ import annotations

import http.server
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from pipeline.telemetry.metrics import METRICS, By, Metric
from tests.support.dashboards import expressions
from tests.support.monitored import check_all, configured
from tests.support.servers import wait_for
from tests.support.servers.prometheus import Prometheus, Refused

VALUES = {
    "outcome": ("accepted", "done", "partial", "failed", "read", "unread"),
    "quantile": ("0.5", "0.9"),
    "lane": ("urgent", "normal", "backfill"),
    "queue": ("ocr", "ner-2", "dead"),
    "part": ("broker", "store", "backlog"),
    "device": ("gpu:0",),
}
"""Values of labels; of others, one."""


FAMILIES: dict[str, Any] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


class Stand:
    """What a worker or the exporter exposes: every metric that it declares; counters rise with each scrape."""

    def __init__(self, by: By) -> None:
        self.metrics = [metric for metric in METRICS if metric.by == by]
        self.scrapes = 0
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def text(self) -> bytes:
        self.scrapes += 1
        return prometheus_client.generate_latest(self.registry)

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        for metric in self.metrics:
            family = FAMILIES[metric.kind](metric.name, metric.help, labels=metric.labels)
            for labels in self._labels(metric):
                if metric.kind == "histogram":
                    bounds = (*metric.buckets, math.inf)
                    names = [str(bound) if bound < math.inf else "+Inf" for bound in bounds]
                    up_to = [
                        (name, float(self.scrapes * (bound >= 2)))
                        for name, bound in zip(names, bounds, strict=True)
                    ]
                    family.add_metric(labels, buckets=up_to, sum_value=2.0 * self.scrapes)
                else:
                    family.add_metric(labels, float(self.scrapes) if metric.kind == "counter" else 1.0)
            yield family

    def _labels(self, metric: Metric) -> list[list[str]]:
        if not metric.labels:
            return [[]]
        values = [VALUES.get(label, ("one",)) for label in metric.labels]
        most = max(map(len, values))
        return [[(known * most)[at] for known in values] for at in range(most)]


@contextmanager
def served(stand: Stand) -> Iterator[int]:
    """Its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)
            self.end_headers()
            self.wfile.write(stand.text())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with served(Stand("worker")) as worker, served(Stand("exporter")) as exporter:
        configured(folder, {"nightshift-worker": worker, "nightshift-exporter": exporter})
        server = Prometheus(folder)
        server.run()
        wait_for(lambda: server.query("count_over_time(nightshift_window_open[1h]) > 3"), "four scrapes")
        yield server
        server.stop()


def test_every_query_is_answered(prometheus: Prometheus) -> None:
    check_all(prometheus, may_lack={"ALERTS"})


def test_a_query_that_prometheus_refuses_is_noticed(prometheus: Prometheus) -> None:
    with pytest.raises(Refused, match="parse error"):
        prometheus.query("sum(nightshift_workers")


def test_prometheus_formats_every_expression(prometheus: Prometheus) -> None:
    for where, expression in expressions().items():
        assert prometheus.ask("format_query", query=expression), where
