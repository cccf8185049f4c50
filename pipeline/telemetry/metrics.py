"""Every metric that Nightshift exposes, declared once: its name, what it counts, its labels, who exposes it.

`python -m pipeline.telemetry` prints the table of docs/reference/metrics.md. Names and units follow
Prometheus' conventions: seconds and bytes, counters end in `_total`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram"]
By = Literal["worker", "exporter"]

STEP_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Seconds: from one page with a text layer to a group of slow scans."""


class Metric(msgspec.Struct, frozen=True):
    """One metric. `by`: each worker exposes its own part of it (to be summed), or the exporter the one value."""

    name: str
    kind: Kind
    by: By
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


METRICS = (
    Metric(
        "nightshift_documents_total",
        "counter",
        "worker",
        "Documents by outcome: accepted (a worker has ingested or refused it), done, partial, failed; kind: task type.",
        ("outcome", "kind", "tenant"),
    ),
    Metric(
        "nightshift_pages_total",
        "counter",
        "worker",
        "Pages by outcome: read, unread; source: ocr, text_layer, mixed, none.",
        ("outcome", "source", "tenant"),
    ),
    Metric(
        "nightshift_deadlines_missed_total",
        "counter",
        "worker",
        "Documents that ended after their deadlines; kind: task type.",
        ("kind", "tenant"),
    ),
    Metric(
        "nightshift_step_seconds",
        "histogram",
        "worker",
        "Seconds that one step of one document took.",
        ("step",),
        STEP_BUCKETS,
    ),
    Metric(
        "nightshift_retries_total",
        "counter",
        "worker",
        "Steps that are tried again, by error code.",
        ("step", "code"),
    ),
    Metric(
        "nightshift_dead_letters_total",
        "counter",
        "worker",
        "Messages that were dead-lettered, by error code.",
        ("code",),
    ),
    Metric(
        "nightshift_device_busy_seconds_total",
        "counter",
        "worker",
        "Seconds during which models computed, by device (cpu, gpu:0).",
        ("device",),
    ),
    Metric(
        "nightshift_device_batches_total",
        "counter",
        "worker",
        "Batches that the processes of NIGHTSHIFT_DEVICES have computed.",
        ("device",),
    ),
    Metric(
        "nightshift_device_images_total",
        "counter",
        "worker",
        "Images in these batches: pages for detection, lines for recognition.",
        ("device",),
    ),
    Metric(
        "nightshift_device_slots_total",
        "counter",
        "worker",
        "Images that these batches had room for; images by slots is how full they were.",
        ("device",),
    ),
    Metric(
        "nightshift_device_starts_total",
        "counter",
        "worker",
        "Starts of a process that holds a device; more than one each time the window opens: it died.",
        ("device",),
    ),
    Metric(
        "nightshift_model_load_seconds",
        "histogram",
        "worker",
        "Seconds that loading the models of a step took.",
        ("step",),
        STEP_BUCKETS,
    ),
    Metric(
        "nightshift_device_held",
        "gauge",
        "worker",
        "1 while processes of this worker may hold models, else 0.",
    ),
    Metric(
        "nightshift_release_seconds",
        "gauge",
        "worker",
        "Seconds from the last close of the window until the models of this worker were gone.",
    ),
    Metric(
        "nightshift_broker_alarm",
        "gauge",
        "worker",
        "1 while RabbitMQ takes no messages from this worker (memory or disk alarm), else 0.",
    ),
    Metric(
        "nightshift_up",
        "gauge",
        "exporter",
        "1 while a part answers, else 0: broker, workers, store, backlog, failures.",
        ("part",),
    ),
    Metric(
        "nightshift_read_age_seconds",
        "gauge",
        "exporter",
        "Seconds since the exporter last read a part; its values are absent while it does not answer.",
        ("part",),
    ),
    Metric("nightshift_build_info", "gauge", "exporter", "1; its label has the version.", ("version",)),
    Metric(
        "nightshift_queue_messages",
        "gauge",
        "exporter",
        "Messages that are ready in RabbitMQ, by queue.",
        ("queue",),
    ),
    Metric(
        "nightshift_pending_documents",
        "gauge",
        "exporter",
        "Documents that are accepted and have not ended, by lane.",
        ("lane",),
    ),
    Metric(
        "nightshift_pending_pages", "gauge", "exporter", "Pages of these documents that are known.", ("lane",)
    ),
    Metric(
        "nightshift_oldest_pending_seconds",
        "gauge",
        "exporter",
        "Age of the oldest document that has not ended, by lane.",
        ("lane",),
    ),
    Metric("nightshift_window_open", "gauge", "exporter", "1 while the window is open, else 0."),
    Metric(
        "nightshift_window_closes_in_seconds", "gauge", "exporter", "Seconds until it closes; 0 while closed."
    ),
    Metric(
        "nightshift_window_opens_in_seconds", "gauge", "exporter", "Seconds until it opens; 0 while open."
    ),
    Metric(
        "nightshift_forecast_done_in_seconds",
        "gauge",
        "exporter",
        "Seconds until the backlog is done, windows included; quantile: 0.5 or 0.9.",
        ("quantile",),
    ),
    Metric(
        "nightshift_forecast_left_documents",
        "gauge",
        "exporter",
        "Documents that will be left when tonight's window closes; quantile: 0.5 or 0.9.",
        ("quantile",),
    ),
    Metric(
        "nightshift_workers", "gauge", "exporter", "Workers that answer, or sent a sign of life just now."
    ),
    Metric(
        "nightshift_device_utilization_ratio",
        "gauge",
        "worker",
        "Share of time during which a GPU of this host computed, as its driver says.",
        ("device",),
    ),
    Metric(
        "nightshift_device_memory_bytes",
        "gauge",
        "worker",
        "Memory in use on a GPU of this host; of the device cpu: by the process of NIGHTSHIFT_DEVICES.",
        ("device",),
    ),
    Metric("nightshift_last_tick_timestamp_seconds", "gauge", "exporter", "When housekeeping last ended."),
    Metric(
        "nightshift_last_summary_timestamp_seconds",
        "gauge",
        "exporter",
        "When the tables of a night were last looked at.",
    ),
    Metric(
        "nightshift_clock_skew_seconds",
        "gauge",
        "exporter",
        "By how much this clock is ahead of the store's (negative: behind).",
    ),
    Metric(
        "nightshift_ledger_discrepancies",
        "gauge",
        "exporter",
        "Discrepancies that the audit of the last reported night found.",
    ),
    Metric(
        "nightshift_failures_open",
        "gauge",
        "exporter",
        "Failed documents that nobody has discarded or redriven.",
    ),
    Metric(
        "nightshift_reprocessing_failures_open",
        "gauge",
        "exporter",
        "Done documents that could not be reprocessed; their previous results are kept.",
    ),
    Metric("nightshift_callbacks_undelivered", "gauge", "exporter", "Callbacks that were given up."),
    Metric(
        "nightshift_overdue_documents",
        "gauge",
        "exporter",
        "Documents that wait although their deadlines have passed.",
    ),
    Metric(
        "nightshift_brake", "gauge", "exporter", "1 while a step is paused since nearly all fails.", ("step",)
    ),
)


def table() -> str:
    """All metrics as a markdown table."""
    rows = ["| metric | type | from | labels | what it says |", "| --- | --- | --- | --- | --- |"]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.kind} | {metric.by} | {labels} | {metric.help} |")
    return "\n".join(rows)
