"""The Celery application."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    celeryd_init,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)

from pipeline import environment, reader, scratch
from pipeline.errors import PipelineError, UsageError
from pipeline.ledger import counting
from pipeline.ledger.actions import record_settings
from pipeline.night import keep_days
from pipeline.night.night import Night
from pipeline.remote.policy import callback_policy, report_policy, source_policy
from pipeline.settings import Settings
from tasks import (
    broker,
    brokers,
    control,
    devices,
    flower,
    limits,
    logs,
    metrics,
    secure,
    signing,
    topology,
    tracing,
    transport,
    wire,
)
from tasks.gate import Gate

_LAST_COUNT = 2.0  # seconds for what a process has counted to be put before it ends, and with it its models
_ALARM = 30.0  # seconds for which a step waits to publish while the broker is in alarm, before its message is requeued


def _check_settings() -> None:
    """End Celery's command line with one sentence for a setting that is invalid; raise it in any other process."""
    celery = "celery.bin.celery" in sys.modules
    try:
        settings = Settings.from_env()
        secure.check(settings)
        if celery:
            Night.of(settings)
            source_policy(settings)
            callback_policy(settings)
            report_policy(settings)
            keep_days.parse(settings.keep_days)
    except UsageError as error:
        if not celery:
            raise
        sys.stderr.write(f"nightshift: {error.message}\n")
        sys.exit(error.exit_code)


_check_settings()
transport.install()
app = Celery(
    "nightshift",
    include=["tasks.work", "tasks.housekeeping"],
    amqp="tasks.brokers:AMQP",
    control="tasks.control:Control",
)
app.config_from_object("celeryconfig")
app.steps["consumer"].add(Gate)

logs.install()
wire.install()
signing.install()
flower.configure()
worker_process_init.connect(limits.guard_process)
worker_process_init.connect(tracing.start)
worker_process_shutdown.connect(tracing.stop)


@celeryd_init.connect
def _pin(**_: Any) -> None:
    environment.pin()  # pool processes that start later keep this worker's settings
    control.limit(Settings.from_env().remote_control)


@worker_init.connect
def _prepare(**_: Any) -> None:
    """Remove what killed processes left; end with one sentence where documents can't be parsed as settings require."""
    try:
        settings = Settings.from_env()
        scratch.start(settings.temp_dir)
        reader.check(settings)
        metrics.start(settings)
        devices.start(settings)
    except PipelineError as error:
        logging.getLogger("nightshift").critical("%s", error.message)
        sys.exit(error.exit_code)


@beat_init.connect
def _end_beat_if_lasting(**_: Any) -> None:
    """End beat with one sentence if waiting for the broker is of no use, as a worker does."""
    with app.connection_for_write() as connection:
        try:
            topology.prepare(connection)
        except broker.ERRORS as error:
            sentence, lasting = broker.trouble(error, brokers.shown(connection))
            if lasting:
                logging.getLogger("nightshift").critical("%s", sentence)
                sys.exit(1)


@worker_ready.connect
def _record_worker(**_: Any) -> None:
    _record_start("worker")


@worker_ready.connect
def _be_present(**_: Any) -> None:
    """Have this worker known to `status` before its pool has counted anything, also where nobody may ask it."""
    night = Night.of(Settings.from_env())
    worker = f"{socket.gethostname()}/{os.getpid()}"  # its processes name their parent, see `tasks.base`
    counting.start(night.store, night.schedule.run_date, worker=worker).present()


@beat_init.connect
def _record_beat(**_: Any) -> None:
    _record_start("beat")


def _record_start(what: str) -> None:
    """Record the settings in force; in a thread, since a store that does not answer must not hold up the night."""

    def record() -> None:
        try:
            settings = Settings.from_env()
            record_settings(Night.of(settings).store, what, settings)
        except PipelineError as error:
            log = logging.getLogger("nightshift")
            log.warning("the settings of this %s could not be recorded: %s", what, error.message)

    threading.Thread(target=record, name="record-settings", daemon=True).start()


@worker_shutdown.connect
def _end_devices(**_: Any) -> None:
    """What was in progress has ended: nothing asks the devices any more."""
    devices.stop()


@worker_shutting_down.connect
def _hurry(**_: Any) -> None:
    transport.hurry()


@worker_process_shutdown.connect
def _count(**_: Any) -> None:
    """Put what this pool process has counted: it ends without the exit hooks of Python."""
    counting.stop(_LAST_COUNT)


@worker_process_init.connect
def _wait_in_alarm(**_: Any) -> None:
    transport.wait_in_alarm(_ALARM)
