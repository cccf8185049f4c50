"""The night: is the window open, is it going to be enough, what has been done?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders

from scripts.dashboards.parts import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    OUTCOMES,
    RED,
    TENANT,
    board,
    graph,
    number,
)

ENDED = 'outcome=~"done|partial|failed"'


def dashboard() -> builders.Dashboard:
    """For the operator during a night."""
    return (
        board("night", "the night", "The window, the backlog and what has been done.", "now-24h", ["tenant"])
        .with_panel(
            number(
                "Window",
                "Work on the device runs only while the window is open.",
                "max(nightshift_window_open)",
                texts={"0": ("closed", GREY), "1": ("open", GREEN)},
            )
        )
        .with_panel(
            number(
                "Until it closes or opens",
                "Time until the window closes; while it is closed, until it opens.",
                "max(nightshift_window_closes_in_seconds) > 0 or max(nightshift_window_opens_in_seconds)",
                unit="dtdurations",
            )
        )
        .with_panel(
            number(
                "Documents pending",
                "Documents that are accepted and have not ended.",
                "sum(nightshift_pending_documents)",
            )
        )
        .with_panel(
            number(
                "Done in",
                "Forecast: the backlog is done after this time with a probability of one half.",
                'max(nightshift_forecast_done_in_seconds{quantile="0.5"})',
                unit="dtdurations",
            )
        )
        .with_panel(
            number(
                "Left at close",
                "Forecast: documents that will be left when the window closes (probability of one half).",
                'max(nightshift_forecast_left_documents{quantile="0.5"})',
                steps={1: ORANGE},
            )
        )
        .with_panel(
            number(
                "Workers",
                "Workers that answer.",
                "max(nightshift_workers)",
                texts={"0": ("none", RED)},
            )
        )
        .with_panel(
            graph(
                "Documents ended per 5 minutes",
                "By outcome; a partial document lacks some of its pages.",
                {
                    "{{outcome}}": f"sum by (outcome) (increase(nightshift_documents_total{{{ENDED}, {TENANT}}}[5m]))"
                },
                colours=OUTCOMES,
                every="5m",
            )
        )
        .with_panel(
            graph(
                "Backlog",
                "Documents pending, of all lanes. The shaded time is the window.",
                {"pending": "sum(nightshift_pending_documents)"},
                colours={"pending": BLUE},
            )
        )
        .with_panel(
            graph(
                "Pages read per minute",
                "By where the text comes from: OCR, the text layer of the file, or both.",
                {
                    "{{source}}": "60 * sum by (source) "
                    f'(rate(nightshift_pages_total{{outcome="read", {TENANT}}}[$__rate_interval]))'
                },
            )
        )
        .with_panel(
            graph(
                "Seconds per document, by step",
                "Median and 95th percentile.",
                {
                    f"{{{{step}}}} {word}": f"histogram_quantile({share}, sum by (le, step) "
                    "(rate(nightshift_step_seconds_bucket[$__rate_interval])))"
                    for word, share in (("median", 0.5), ("95 %", 0.95))
                },
                unit="s",
            )
        )
    )
