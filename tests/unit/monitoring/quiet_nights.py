"""Nights in which no alert may fire: good ones, odd ones, and those in which something is nearly wrong."""

from tests.support.metric_nights import (
    CLOSES,
    DONE,
    MINUTES,
    OPENS,
    always,
    between,
    empty_night,
    missing,
    restarted,
    rising,
)
from tests.unit.monitoring.cases import (
    ALARM,
    BACKFILL,
    BRAKE,
    BROKER,
    BUSY,
    CALLBACKS,
    DEAD,
    DISCREPANCIES,
    ENDED,
    FAILURES,
    GOOD,
    HELD,
    LEFT,
    READ_BACKLOG,
    READY,
    SKEW,
    SUMMARY,
    TICK,
    URGENT,
    WINDOW,
    WORKERS,
    Case,
    gap,
    quiet,
    stuck,
    without,
)

EMPTY = empty_night()

ODD = [
    quiet("a good night", {}),
    Case(name="an empty night", night=EMPTY),
    quiet("a window that is always open", {WINDOW: always(1), HELD: always(1), BUSY: rising(0, DONE, 40)}),
    quiet(
        "an hour twice: the window closes and opens again",
        {
            WINDOW: lambda m: 1 if OPENS <= m < 90 or 150 <= m < CLOSES else 0,
            HELD: lambda m: 1 if OPENS < m < 91 or 150 < m <= CLOSES else 0,
            SUMMARY: lambda m: 60 * (m - m % 5),
        },
    ),
    Case(
        name="the exporter restarts",
        night=missing(GOOD, 140, 144, of="exporter"),
        nearly="NightshiftExporterDown",
    ),
    Case(
        name="the worker restarts",
        night=missing(GOOD, 140, 144, of="worker")
        | {
            BUSY: restarted(GOOD[BUSY], 144),
            ENDED: restarted(GOOD[ENDED], 144),
            WORKERS: between(140, 144, 0, 1),
        },
    ),
    Case(name="Prometheus restarts", night=gap(GOOD, 130, 139)),
    Case(
        name="a new installation: no tick for 8 minutes, no night",
        night=gap(without(EMPTY, SUMMARY), 0, 3) | {TICK: lambda m: 60 * m if m > 8 else None},
    ),
]

NEAR = [
    quiet(
        "only backfill is left", {LEFT: between(OPENS, CLOSES, 500), BACKFILL: always(500)}, "WillNotDrain"
    ),
    quiet(
        "documents come 15 minutes before the close", {LEFT: between(CLOSES - 15, CLOSES, 9)}, "WillNotDrain"
    ),
    quiet("by day it is forecast that some will be left", {LEFT: between(0, OPENS, 50)}, "WillNotDrain"),
    quiet("a worker starts 4 minutes late", {WORKERS: between(0, OPENS + 4, 0, 1)}, "NoWorker"),
    quiet("no worker by day", {WORKERS: between(OPENS, CLOSES)}, "NoWorker"),
    Case(name="no worker in an empty night", night=EMPTY | {WORKERS: always(0)}, nearly="NightshiftNoWorker"),
    quiet("models load for 12 minutes", {BUSY: rising(OPENS + 12, DONE, 40)}, "DeviceIdle"),
    quiet(
        "nothing is computed, and nothing is ready",
        {BUSY: rising(OPENS + 3, 100, 40), READY: between(0, 98, 20)},
        "DeviceIdle",
    ),
    quiet(
        "models are released 4 minutes after the close", {HELD: between(OPENS + 1, CLOSES + 4)}, "DeviceHeld"
    ),
    quiet(
        "urgent work by day",
        {
            URGENT: between(270, 300, 3),
            BUSY: rising(OPENS + 3, 300, 40),
            HELD: lambda m: 1 if OPENS < m <= CLOSES or 270 <= m < 304 else 0,
        },
        "DeviceHeld",
    ),
    quiet("a step is paused for 3 minutes", {BRAKE: between(140, 143)}, "Brake"),
    quiet("nine dead letters at once", {DEAD: between(90, MINUTES + 1, 11, 2)}, "DeadLettersRising"),
    quiet(
        "1.5 percent of a large night are dead letters",
        {DEAD: rising(70, 200, 0.3, 2), ENDED: rising(OPENS, DONE, 20)},
        "DeadLettersRising",
    ),
    quiet("500 dead letters are redriven", {DEAD: between(0, 140, 500, 2)}, "DeadLettersRising"),
    quiet("28 dead letters are redriven at once", {DEAD: between(140, 143, 30, 2)}, "DeadLettersRising"),
    quiet("a failure is redriven within the hour", {FAILURES: between(140, 195, 3)}, "FailuresOpen"),
    quiet("a callback is resent", {CALLBACKS: between(140, 150)}, "CallbacksUndelivered"),
    quiet("a discrepancy is repaired at once", {DISCREPANCIES: between(250, 254)}, "LedgerDiscrepancy"),
    Case(
        name="the worker's machine is off by day",
        night=missing(GOOD, CLOSES + 2, MINUTES + 1, of="worker"),
        nearly="NightshiftWorkerNotScraped",
    ),
    quiet("the broker restarts", {BROKER: between(140, 144, 0, 1)}, "PartDown"),
    quiet("the exporter cannot count once", {READ_BACKLOG: between(140, 149, 0, 1)}, "ExporterCannotRead"),
    quiet("RabbitMQ is short of memory for 3 minutes", {ALARM: between(140, 143)}, "BrokerAlarm"),
    quiet("beat is down for 8 minutes", stuck(TICK, 140, 148), "BeatSilent"),
    quiet("tables take 50 minutes after the close", stuck(SUMMARY, CLOSES, CLOSES + 50), "SummaryLate"),
    quiet("a clock is corrected after 8 minutes", {SKEW: between(140, 148, -90)}, "ClockSkew"),
    quiet("the clocks differ by 40 s", {SKEW: always(-40)}, "ClockSkew"),
]
