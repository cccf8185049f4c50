"""The morning report by real processes: a worker is asked for it by a message, as beat asks."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.storage import keys
from tests.conftest import ROOT
from tests.support.command import nightshift
from tests.support.night import CELERY, Night, night
from tests.support.reports import finish, paper, receive
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit

pytest.importorskip("pipeline.report.render")


def ask(it: Night, task: str) -> None:
    """Publish what beat publishes."""
    command = ["env", f"--chdir={ROOT}", str(CELERY), "-A", "tasks", "call", task]
    subprocess.run(command, env={**os.environ, **it.env}, check=True, capture_output=True)


def test_a_worker_writes_the_report_of_a_night_that_is_over(rabbit: Rabbit, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    opened, closed = now - timedelta(hours=3), now - timedelta(hours=1)
    run_date = f"{opened:%Y-%m-%d}"
    window = f"{opened:%H:%M}-{closed:%H:%M}"
    with night(rabbit, tmp_path, NIGHTSHIFT_WINDOW=window, NIGHTSHIFT_SIGNING_KEY="k" * 32) as it:
        done, _ = receive(it.store, run_date, "one", "two", data=paper())
        finish(it.store, done)
        it.ready(it.worker())
        ask(it, "nightshift.tick")
        wait_for(lambda: it.store.exists(keys.summary("items", run_date)), "tables")
        ask(it, "nightshift.report")
        wait_for(lambda: it.store.exists(keys.report(run_date, "report.json")), "a report", 60)
        found = json.loads(it.store.get(keys.report(run_date, "report.json")))
        counts = json.loads(nightshift("audit", run_date, "--json", **it.env).stdout)
        page = it.store.get(keys.report(run_date, "index.html")).decode()
    assert {name: found["audit"][name] for name in ("received", "done", "pending")} == {
        name: counts[name] for name in ("received", "done", "pending")
    }
    assert found["verdict"]["word"] == "left"
    assert found["looks"][0]["picture"], "its pages are parsed by the reader of the worker"
    assert page[:15].lower() == "<!doctype html>"
    assert "13812345678" not in page
