"""The Celery application."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import celeryd_init

from pipeline import environment
from tasks import flower, logs, wire
from tasks.gate import Gate

app = Celery("nightshift", include=["tasks.work", "tasks.housekeeping"])
app.config_from_object("celeryconfig")
app.steps["consumer"].add(Gate)

logs.install()
wire.install()
flower.configure()


@celeryd_init.connect
def _pin(**_: Any) -> None:
    environment.pin()  # pool processes that start later keep this worker's settings
