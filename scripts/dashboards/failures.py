"""Failures: what failed and why, and is every part of the system well?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders

from scripts.dashboards.parts import GREEN, GREY, ORANGE, RED, TENANT, board, graph, number, states

TABLE: tuple[tuple[str, str, str, dict[float, str]], ...] = (
    (
        "Failed, undecided",
        "Failed documents that nobody has discarded or redriven, and done ones that could not be reprocessed: "
        "`nightshift failed list`.",
        "max(nightshift_failures_open) + (max(nightshift_reprocessing_failures_open) or vector(0))",
        {1: ORANGE},
    ),
    (
        "Failed within 24 hours",
        "Share of the documents that ended.",
        f'(sum(increase(nightshift_documents_total{{outcome="failed", {TENANT}}}[24h])) or vector(0)) / '
        f'(sum(increase(nightshift_documents_total{{outcome=~"done|partial|failed", {TENANT}}}[24h])) > 0) '
        "or vector(0)",
        {0.02: ORANGE, 0.1: RED},
    ),
    (
        "Dead letters",
        "Messages in the queue `dead`: `nightshift dead list`.",
        'max(nightshift_queue_messages{queue="dead"})',
        {1000: ORANGE},
    ),
    (
        "Callbacks undelivered",
        "Callbacks that were abandoned: `nightshift callbacks list`.",
        "max(nightshift_callbacks_undelivered)",
        {1: ORANGE},
    ),
    (
        "Discrepancies",
        "Of the audit of the last reported night: `nightshift audit`.",
        "max(nightshift_ledger_discrepancies)",
        {1: RED},
    ),
    (
        "Paused steps",
        "A step is paused while nearly all documents fail: `nightshift status`.",
        "sum(nightshift_brake) or vector(0)",
        {1: RED},
    ),
)


def dashboard() -> builders.Dashboard:
    """For the operator in the morning."""
    made = board("failures", "failures", "What failed, why, and which part is unwell.", "now-2d", ["tenant"])
    for title, about, expression, steps in TABLE:
        unit = "percentunit" if "within" in title else "short"
        made.with_panel(number(title, about, expression, steps=steps, unit=unit))
    return (
        made.with_panel(
            graph(
                "Failed and partial documents per hour",
                "By outcome and type of document.",
                {
                    "{{outcome}} {{kind}}": "sum by (outcome, kind) "
                    f'(increase(nightshift_documents_total{{outcome=~"failed|partial", {TENANT}}}[1h]))'
                },
                every="1h",
            )
        )
        .with_panel(
            graph(
                "Dead letters per hour, by reason",
                "The error code; docs/how-to/runbook.md says what to do about it.",
                {"{{code}}": "sum by (code) (increase(nightshift_dead_letters_total[1h]))"},
                every="1h",
            )
        )
        .with_panel(
            graph(
                "Retries per hour, by step and reason",
                "Steps that are tried again. Many of one reason point to a source, a model or the store.",
                {"{{step}} {{code}}": "sum by (step, code) (increase(nightshift_retries_total[1h]))"},
                every="1h",
            )
        )
        .with_panel(
            graph(
                "Missed deadlines",
                "Documents that wait although their deadlines have passed, and those that ended late within an hour.",
                {
                    "waiting": "max(nightshift_overdue_documents)",
                    "ended late": f"sum(increase(nightshift_deadlines_missed_total{{{TENANT}}}[1h]))",
                },
                every="1h",
            )
        )
        .with_panel(
            states(
                "Parts",
                "What the exporter gets an answer from, and workers from which Prometheus does.",
                {
                    "{{part}}": "max by (part) (nightshift_up)",
                    "RabbitMQ accepts messages": "1 - max(nightshift_broker_alarm)",
                    "worker {{instance}}": 'max by (instance) (up{job="nightshift-worker"})',
                },
                {"0": ("down", RED), "1": ("up", GREEN)},
            )
        )
        .with_panel(
            states(
                "Alerts",
                "Alerts of docker/prometheus/rules.yml. Empty: none in this time.",
                {
                    "{{alertname}}": "max by (alertname) "
                    '(ALERTS{alertname=~"Nightshift.*", alertstate="firing"})'
                },
                {"1": ("firing", RED)},
            )
        )
        .with_panel(
            graph(
                "Age of housekeeping, tables and readings",
                "Housekeeping runs every 30 s. Tables are looked at every 5 minutes, every hour while work continues. "
                "A part that the exporter cannot read has no age.",
                {
                    "housekeeping": "time() - max(nightshift_last_tick_timestamp_seconds > 0)",
                    "tables": "time() - max(nightshift_last_summary_timestamp_seconds > 0)",
                    "read: {{part}}": "max by (part) (nightshift_read_age_seconds)",
                },
                unit="s",
                colours={"housekeeping": GREEN, "tables": GREY},
            )
        )
        .with_panel(
            graph(
                "Difference of clocks",
                "Between this system and the store, without its sign. S3 servers refuse 15 minutes.",
                {"difference": "max(abs(nightshift_clock_skew_seconds))"},
                unit="s",
                limit=60,
            )
        )
    )
