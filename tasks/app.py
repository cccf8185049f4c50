"""The Celery application."""

from __future__ import annotations

from celery import Celery

from tasks import flower, logs
from tasks.gate import Gate

app = Celery("nightshift", include=["tasks.work", "tasks.housekeeping"])
app.config_from_object("celeryconfig")
app.steps["consumer"].add(Gate)

logs.install()
flower.configure()
