"""A real night under a real Prometheus with our rules: every query is answered, counts agree, nothing false fires."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipeline.storage import keys
from tests.support.command import GREEN, grey, pages
from tests.support.monitored import check_all, configured
from tests.support.night import Night, Process, night
from tests.support.servers import free_port, start, wait_for
from tests.support.servers.prometheus import Prometheus
from tests.support.servers.rabbit import Rabbit

NOT_IN_A_GOOD_NIGHT = {"ALERTS", "nightshift_retries_total"}
NOT_WITHOUT_A_GPU = {"nightshift_device_utilization_ratio", "nightshift_device_memory_bytes"}
NOT_WITHOUT_A_DEVICE_PROCESS = {
    f"nightshift_device_{what}_total" for what in ("batches", "images", "slots", "starts")
}
NOT_BEFORE_THE_CLOSE = {"nightshift_release_seconds", "nightshift_ledger_discrepancies"}
"""Series that may be missing while the window is open; the report of the night brings the last one."""

OF_THE_BACKLOG = {
    "nightshift_pending_documents",
    "nightshift_pending_pages",
    "nightshift_oldest_pending_seconds",
    "nightshift_forecast_done_in_seconds",
    "nightshift_forecast_left_documents",
}
"""Of an exporter that reads the backlog, all of them are required."""


@contextmanager
def scraped(it: Night, ports: Mapping[str, int]) -> Iterator[Prometheus]:
    """A Prometheus that scrapes these each second."""
    configured(it.folder, ports)
    prometheus = Prometheus(it.folder)
    prometheus.run()
    try:
        yield prometheus
    finally:
        prometheus.stop()


def export(it: Night, port: int) -> None:
    """Start the exporter."""
    listen = f"127.0.0.1:{port}"
    command = [Path(sys.executable).parent / "nightshift", "exporter", "--listen", listen]
    log = it.folder / "exporter.log"
    it.processes.append(Process("exporter", log, start(command, log, it.env)))


def value(prometheus: Prometheus, query: str) -> float:
    """The one value of a query; -1 without any."""
    found = prometheus.query(query)
    return float(found[0]["value"][1]) if found else -1


def pending_or_firing(prometheus: Prometheus) -> set[str]:
    """The alerts whose conditions hold."""
    return {one["metric"]["alertname"] for one in prometheus.query("ALERTS")}


def test_a_night_is_seen_as_it_is(rabbit: Rabbit, tmp_path: Path) -> None:
    ports = {"nightshift-worker": free_port(), "nightshift-exporter": free_port()}
    with night(rabbit, tmp_path, NIGHTSHIFT_WINDOW="never") as it, scraped(it, ports) as prometheus:
        it.window("open")
        worker = it.ready(it.worker(NIGHTSHIFT_METRICS_ADDRESS=f"127.0.0.1:{ports['nightshift-worker']}"))
        wait_for(lambda: prometheus.up() == {"nightshift-worker"}, "Prometheus to scrape the worker")
        documents = it.documents(8, tenant="archive")
        missed = {"deadline": datetime.now(UTC).isoformat()}
        half = it.document("half", pages(it.inbox / "half.pdf", [grey(1), GREEN]), **missed)
        (it.inbox / "wrong.png").write_bytes(bytes(range(256)) * 4)
        wrong = it.document("wrong", it.inbox / "wrong.png")
        it.publish([*documents, half, wrong])
        outcomes = Counter(record.status for record in it.settle(10).values())
        assert outcomes == {"done": 8, "partial": 1, "failed": 1}
        for outcome, count in (outcomes + Counter(accepted=10)).items():
            query = f'sum(nightshift_documents_total{{outcome="{outcome}"}})'
            wait_for(lambda query=query, count=count: value(prometheus, query) == count, query)  # type: ignore[misc]
        it.beat()
        it.tick()
        wait_for(lambda: list(it.store.list(keys.NIGHTS)), "housekeeping to write the tables")
        export(it, ports["nightshift-exporter"])  # now, since it counts what failed once per minute
        wait_for(lambda: value(prometheus, "nightshift_last_summary_timestamp_seconds") > 0, "the tables", 90)
        wait_for(lambda: value(prometheus, "nightshift_failures_open") == 1, "the failure", 90)
        wait_for(lambda: value(prometheus, "nightshift_workers") == 1, "signs of life of the worker")
        wait_for(
            lambda: pending_or_firing(prometheus) == {"NightshiftFailuresOpen"}, "alerts about nothing to end"
        )
        counted = prometheus.query('nightshift_up{part="backlog"}')
        may_lack = NOT_IN_A_GOOD_NIGHT | NOT_WITHOUT_A_GPU | NOT_BEFORE_THE_CLOSE
        may_lack |= NOT_WITHOUT_A_DEVICE_PROCESS
        check_all(prometheus, may_lack=may_lack if counted else may_lack | OF_THE_BACKLOG)

        it.window("closed")
        wait_for(
            lambda: value(prometheus, "sum(nightshift_device_held)") == 0, "the device to be released", 90
        )
        wait_for(lambda: value(prometheus, "max(nightshift_release_seconds)") >= 0, "how long that took")
        wait_for(lambda: pending_or_firing(prometheus) == {"NightshiftFailuresOpen"}, "no alert by day")
        assert worker.main.poll() is None
