"""Backlog and forecast: how much is left, of what, and when will it be done?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders

from scripts.dashboards.parts import BLUE, GREEN, LANES, ORANGE, TENANT, board, graph, number

DONE_IN = 'max(nightshift_forecast_done_in_seconds{{quantile="{}"}})'
LEFT = 'max(nightshift_forecast_left_documents{{quantile="{}"}})'


def dashboard() -> builders.Dashboard:
    """For decisions on capacity."""
    made = board(
        "backlog",
        "backlog and forecast",
        "What is left, and when it will be done.",
        "now-2d",
        ["tenant"],
    )
    for title, about, expression, unit in (
        ("Documents pending", "Accepted and not ended.", "sum(nightshift_pending_documents)", "short"),
        ("Pages pending", "Known pages of these documents.", "sum(nightshift_pending_pages)", "short"),
        (
            "Oldest document",
            "Age of the oldest pending document, backfill excluded.",
            'max(nightshift_oldest_pending_seconds{lane!="backfill"})',
            "dtdurations",
        ),
        ("Done in, likely", "Forecast with a probability of one half.", DONE_IN.format("0.5"), "dtdurations"),
        (
            "Done in, at the latest",
            "Forecast with a probability of 90 %.",
            DONE_IN.format("0.9"),
            "dtdurations",
        ),
    ):
        made.with_panel(number(title, about, expression, unit=unit))
    return (
        made.with_panel(
            number(
                "Left at close",
                "Forecast with a probability of one half.",
                LEFT.format("0.5"),
                steps={1: ORANGE},
            )
        )
        .with_panel(
            graph(
                "Documents pending, by lane",
                "Backfill is served when no other work waits.",
                {"{{lane}}": "sum by (lane) (nightshift_pending_documents)"},
                colours=LANES,
            )
        )
        .with_panel(
            graph(
                "Pages pending, by lane",
                "Pages are known once a document has been ingested.",
                {"{{lane}}": "sum by (lane) (nightshift_pending_pages)"},
                colours=LANES,
            )
        )
        .with_panel(
            graph(
                "Time until all is done, forecast",
                "A line that falls by one hour per hour means that the forecast holds.",
                {"likely (50 %)": DONE_IN.format("0.5"), "at the latest (90 %)": DONE_IN.format("0.9")},
                unit="s",
                colours={"likely (50 %)": BLUE, "at the latest (90 %)": ORANGE},
            )
        )
        .with_panel(
            graph(
                "Documents left at close, forecast",
                "More than 0: not all will be done in this window.",
                {"likely (50 %)": LEFT.format("0.5"), "at most (90 %)": LEFT.format("0.9")},
                colours={"likely (50 %)": BLUE, "at most (90 %)": ORANGE},
            )
        )
        .with_panel(
            graph(
                "Documents accepted and ended per hour",
                "If more are accepted than end, over a day, the backlog grows.",
                {
                    "accepted": f'sum(increase(nightshift_documents_total{{outcome="accepted", {TENANT}}}[1h]))',
                    "ended": "sum(increase(nightshift_documents_total"
                    f'{{outcome=~"done|partial|failed", {TENANT}}}[1h]))',
                },
                colours={"accepted": BLUE, "ended": GREEN},
            )
        )
        .with_panel(
            graph(
                "Documents accepted per hour, by tenant",
                "Who sends how much; documents without a tenant have an empty name.",
                {
                    "{{tenant}}": "sum by (tenant) "
                    f'(increase(nightshift_documents_total{{outcome="accepted", {TENANT}}}[1h]))'
                },
                every="1h",
            )
        )
        .with_panel(
            graph(
                "Age of the oldest document, by lane",
                "A document that grows old in a lane that is served needs attention: `nightshift why ID`.",
                {"{{lane}}": "max by (lane) (nightshift_oldest_pending_seconds)"},
                unit="s",
                colours=LANES,
            )
        )
        .with_panel(
            graph(
                "Messages ready in RabbitMQ, by queue",
                "Messages that no worker has taken yet; `retry-10` to `retry-300` wait for their time.",
                {"{{queue}}": "max by (queue) (nightshift_queue_messages)"},
            )
        )
    )
