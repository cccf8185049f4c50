"""The Celery application."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import celeryd_init, worker_process_init, worker_shutting_down

from pipeline import environment
from tasks import flower, limits, logs, transport
from tasks.gate import Gate

_ALARM = 30.0  # seconds for which a step waits to publish while the broker is in alarm, before its message is requeued

transport.install()
app = Celery("nightshift", include=["tasks.work", "tasks.housekeeping"], control="tasks.control:Control")
app.config_from_object("celeryconfig")
app.steps["consumer"].add(Gate)

logs.install()
flower.configure()
worker_process_init.connect(limits.guard_process)


@celeryd_init.connect
def _pin(**_: Any) -> None:
    environment.pin()  # pool processes that start later keep this worker's settings


@worker_shutting_down.connect
def _hurry(**_: Any) -> None:
    transport.hurry()


@worker_process_init.connect
def _wait_in_alarm(**_: Any) -> None:
    transport.wait_in_alarm(_ALARM)
