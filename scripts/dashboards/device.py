"""Device: does it compute while the window is open, and is it released when the window closes?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders

from scripts.dashboards.parts import GREEN, GREY, INSTANCE, ORANGE, RED, board, graph, number, states

BUSY = f"nightshift_device_busy_seconds_total{{{INSTANCE}}}"
LOAD = f"nightshift_model_load_seconds_bucket{{{INSTANCE}}}"


def _rate(what: str) -> str:
    """Of one of the counters of device processes."""
    return f"rate(nightshift_device_{what}_total{{{INSTANCE}}}[$__rate_interval])"


def dashboard() -> builders.Dashboard:
    """For those who share the device."""
    return (
        board("device", "device", "What the device does, and when it is released.", "now-24h", ["instance"])
        .with_panel(
            number(
                "Window",
                "Workers may hold the device while it is open.",
                "max(nightshift_window_open)",
                texts={"0": ("closed", GREY), "1": ("open", GREEN)},
            )
        )
        .with_panel(
            number(
                "Workers that hold it",
                "Workers that may have models in the memory of the device.",
                f"sum(nightshift_device_held{{{INSTANCE}}})",
            )
        )
        .with_panel(
            number(
                "Released after close",
                "The slowest worker: from the last close until its models were gone.",
                f"max(nightshift_release_seconds{{{INSTANCE}}})",
                unit="s",
                steps={60: ORANGE, 300: RED},
                none="not yet",
            )
        )
        .with_panel(
            number(
                "Computing now",
                "Processes that compute, on average over 5 minutes.",
                f"sum(rate({BUSY}[5m])) or vector(0)",
            )
        )
        .with_panel(
            number(
                "Computed within 24 hours",
                "Seconds of all processes added up.",
                f"sum(increase({BUSY}[24h])) or vector(0)",
                unit="dtdurations",
            )
        )
        .with_panel(
            number(
                "Pages per second computed",
                "Pages read within 24 hours, divided by the seconds computed.",
                f'sum(increase(nightshift_pages_total{{outcome="read", {INSTANCE}}}[24h]))'
                f" / (sum(increase({BUSY}[24h])) > 0) or vector(0)",
            )
        )
        .with_panel(
            states(
                "Held, by worker",
                "Next to the window: a worker that holds the device while it is closed is at fault, except for urgent "
                "work by day.",
                {
                    "window": "max(nightshift_window_open)",
                    "{{instance}}": f"max by (instance) (nightshift_device_held{{{INSTANCE}}})",
                },
                {"0": ("free", GREY), "1": ("in use", GREEN)},
            )
        )
        .with_panel(
            graph(
                "Processes that compute, by device",
                "At most the number of processes. Low with a backlog: pages are not read fast enough.",
                {"{{device}}": f"sum by (device) (rate({BUSY}[$__rate_interval]))"},
            )
        )
        .with_panel(
            graph(
                "Utilisation of the GPU, as its driver says",
                "Empty on machines without one.",
                {
                    "{{instance}} {{device}}": "max by (instance, device) "
                    f"(nightshift_device_utilization_ratio{{{INSTANCE}}})"
                },
                unit="percentunit",
            )
        )
        .with_panel(
            graph(
                "Memory in use on the GPU",
                "Of all programs on that machine, not only workers. Empty on machines without one.",
                {
                    "{{instance}} {{device}}": "max by (instance, device) "
                    f"(nightshift_device_memory_bytes{{{INSTANCE}}})"
                },
                unit="bytes",
            )
        )
        .with_panel(
            graph(
                "How full batches are",
                "Images by the room for them, with NIGHTSHIFT_DEVICES. Low with a backlog: too few in progress.",
                {"{{device}}": f"sum by (device) ({_rate('images')}) / sum by (device) ({_rate('slots')})"},
                unit="percentunit",
            )
        )
        .with_panel(
            graph(
                "Batches per second",
                "With NIGHTSHIFT_DEVICES, by device.",
                {"{{device}}": f"sum by (device) ({_rate('batches')})"},
            )
        )
        .with_panel(
            graph(
                "Starts of device processes",
                "Within an hour. More than one after the window opened: it died, and the worker's log says how.",
                {
                    "{{device}}": f"sum by (device) (increase(nightshift_device_starts_total{{{INSTANCE}}}[1h]))"
                },
            )
        )
        .with_panel(
            graph(
                "Seconds to load models, by step",
                "Median over an hour. Models are loaded once per process and window.",
                {"{{step}}": f"histogram_quantile(0.5, sum by (le, step) (increase({LOAD}[1h])))"},
                unit="s",
            )
        )
    )
