"""Producers' and operators' commands as they are typed, with a real broker and real workers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tests
from pipeline.errors import ExitCode, OverLimit
from pipeline.ledger import pending, receipts, records
from pipeline.models import DocumentResult, Task, from_json
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.support.command import FAKES, GREEN, grey, nightshift, page, pages
from tests.support.command import start as start_command
from tests.support.servers import free_port, start, wait_for
from tests.support.servers.rabbit import Rabbit

ROOT = Path(tests.__file__).parent.parent
DAY = "2026-11-22"


@pytest.fixture
def env(tmp_path: Path, broker: str) -> dict[str, str]:
    return {
        "NIGHTSHIFT_BROKER_URL": broker,
        "NIGHTSHIFT_STORE_URL": str(tmp_path / "out"),
        "NIGHTSHIFT_WINDOW": "always",
    }


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "out").mkdir()
    return LocalStore(tmp_path / "out")


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for n in range(4):
        page(tmp_path / "scans" / f"{n}.png", grey(n))
    return tmp_path / "scans"


@pytest.fixture
def worker(tmp_path: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = start(
        [sys.executable, "-m", "celery", "-A", "tasks", "worker", "-c", "1", "-n", "w@test"],
        tmp_path / "worker.log",
        {**FAKES, **env, "PYTHONPATH": str(ROOT)},
    )
    yield process
    process.terminate()
    process.wait(60)


def json_of(env: dict[str, str], *args: object, code: int = 0) -> dict[str, Any]:
    """What a command prints as JSON."""
    done = nightshift(*args, "--json", **env)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def count(store: LocalStore, *prefixes: str) -> int:
    return sum(1 for prefix in prefixes for _ in store.list(prefix))


def tonight(env: dict[str, str]) -> str:
    return str(json.loads(nightshift("status", "--json", **env).stdout)["run_date"])


def fail(store: LocalStore, name: str) -> Task:
    """A document that failed on DAY with `over_limit`."""
    task = Task(task_id=name, sha256=pending.store_document(store, b"x"), source=name)
    receipts.write(store, DAY, [task])
    records.fail(store, task, OverLimit(f"{name} is too long."), run_date=DAY, settings_digest="")
    return task


def test_submitted_documents_are_done_and_the_audit_adds_up(
    scans: Path, store: LocalStore, env: dict[str, str], worker: subprocess.Popen[bytes]
) -> None:
    page(scans / "raises.png", GREEN)
    figures = json_of(env, "submit", scans, "--tenant", "archive", "--priority", 7)
    assert (figures["accepted"], figures["known"], figures["refused"]) == (5, 0, 0)
    wait_for(lambda: count(store, keys.RESULTS, keys.FAILED) == 5, "five ends", 120)
    wait_for(lambda: count(store, keys.PENDING) == 0, "no marker left")

    again = nightshift("submit", scans, **env)
    assert again.stdout.splitlines()[-1] == "0 accepted, 5 already known, 0 refused."
    assert again.stdout.splitlines()[0] == f"Store  {store.url}"
    shown = nightshift("status", **env).stdout
    assert f"1 failed: nightshift failed list --run-date {tonight(env)}" in shown
    assert f"Store      {store.url}" in shown
    night = json_of(env, "status", code=ExitCode.ATTENTION)
    assert night["store"] == store.url
    assert (night["done"], night["failed"], night["pending"], night["broker"]) == (4, 1, 0, "up")
    assert list(night["workers"]) == ["w@test"]
    assert not any(n for name, n in night["queues"].items() if name not in ("dead", "housekeeping"))

    report = json_of(env, "audit", night["run_date"])
    assert [report[n] for n in ("received", "done", "failed", "pending", "hashes")] == [5, 4, 1, 0, 5]
    record = from_json(store.get(next(store.list(keys.RESULTS))), DocumentResult)
    assert (record.tenant, record.priority) == ("archive", 7)

    figures = json_of(env, "summarise", night["run_date"])
    assert figures["rows"]["documents"] == 5
    assert len(pd.read_parquet(figures["summary"]["documents"])) == 5


def test_redriving_with_other_settings_ends_in_a_result(
    tmp_path: Path, store: LocalStore, env: dict[str, str], worker: subprocess.Popen[bytes]
) -> None:
    pages(tmp_path / "long.pdf", [grey(10 * n) for n in range(5)])
    json_of(env, "submit", tmp_path / "long.pdf")
    wait_for(lambda: count(store, keys.RESULTS) == 1, "the result", 120)
    (done,) = store.list(keys.RESULTS)
    record = from_json(store.get(done), DocumentResult)
    task = Task(task_id=record.task_id, sha256=record.sha256, source=record.source)
    records.fail(store, task, OverLimit("too long"), run_date=DAY, settings_digest="")
    store.delete(done)

    for bad in ("max_pages=none", "store_url=x", "ocr_engine=tesseract"):
        refused = nightshift("failed", "redrive", "--code", "over_limit", "--set", bad, **env)
        assert (refused.returncode, refused.stdout) == (2, ""), refused.stderr
    figures = json_of(env, "failed", "redrive", "--code", "over_limit", "--set", "max_pages=3")
    assert figures == {"redriven": 1, "refused": [], "store": store.url}
    wait_for(lambda: count(store, keys.FAILED) == 1, "the new limit to be kept", 60)
    (failure,) = json_of(env, "failed", "show", record.task_id)["failures"]
    assert failure["error"]["code"] == "over_limit"
    json_of(env, "failed", "redrive", "--task-id", record.task_id, "--set", "max_pages=5")
    wait_for(lambda: count(store, keys.RESULTS) == 1, "the result", 60)
    assert count(store, keys.FAILED) == 0


def test_failures_are_listed_shown_and_discarded(scans: Path, store: LocalStore, env: dict[str, str]) -> None:
    for name in ("a", "b"):
        fail(store, name)
    listed = nightshift("failed", "list", **env)
    assert "over_limit 2 a a is too long." in " ".join(listed.stdout.split())
    assert "b is too long." in nightshift("failed", "list", "--code", "over_limit", **env).stdout
    assert "a is too long." in nightshift("failed", "show", "a", **env).stdout
    assert nightshift("failed", "show", "nobody", **env).returncode == 1
    nothing = nightshift("failed", "discard", **env)
    assert (nothing.returncode, "Name the failures" in nothing.stderr) == (2, True)
    assert json_of(env, "failed", "discard", "--task-id", "a", "--reason", "a duplicate")["discarded"] == 1
    assert json_of(env, "failed", "redrive", "--all")["redriven"] == 1
    groups = json_of(env, "failed", "list", "--run-date", DAY)["groups"]
    assert [(g["code"], g["count"]) for g in groups] == [("discarded", 1)]
    report = json_of(env, "audit", DAY)
    assert (report["received"], report["failed"], report["pending"]) == (2, 1, 1)


def test_unreadable_documents_are_told_and_the_rest_accepted(
    scans: Path, store: LocalStore, env: dict[str, str]
) -> None:
    (scans / "broken.zip").write_bytes(b"PK\x03\x04 cut off")
    done = nightshift("submit", scans, **env)
    assert done.returncode == 3
    assert "broken.zip is not a readable zip archive" in done.stdout
    assert done.stdout.splitlines()[-1] == "4 accepted, 0 already known, 1 refused."
    assert count(store, keys.PENDING) == 4
    again = json_of(env, "submit", scans, code=3)
    assert (again["known"], again["accepted"]) == (4, 0)
    night = json_of(env, "status", code=ExitCode.NO_WORKER)
    assert (night["pending"], night["backlog"][0]["task_type"]) == (4, "document")
    assert night["queues"]["ingest"] == 8, "what is under way is announced once more: that can't harm"


def test_the_python_call(scans: Path, store: LocalStore, env: dict[str, str]) -> None:
    script = f"""
import pipeline
from pipeline.errors import PipelineError
print(pipeline.submit({str(scans / "0.png")!r}, tenant="t", not_before="23:59"))
print(pipeline.submit(b"bytes", task_id="mine", metadata={{"box": "7"}}))
print(pipeline.submit(b"some text", task_id="text", task_type="nlp"))
for bad in (dict(document=b"other", task_id="mine"), dict(document="http://a.example/x"), dict(document="nowhere")):
    try:
        pipeline.submit(**bad)
    except PipelineError as error:
        print(error.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    first, *rest = done.stdout.split()
    assert rest == ["mine", "text", "id_conflict", "source_refused", "usage"], done.stderr
    assert first.startswith("0_png-")
    text, mine = pending.get(store, "text"), pending.get(store, "mine")
    assert text is not None
    assert mine is not None
    assert (text.media_type, text.task_type, mine.metadata) == ("text/plain", "nlp", {"box": "7"})


def test_the_window_by_hand(store: LocalStore, env: dict[str, str]) -> None:
    env = env | {"NIGHTSHIFT_WINDOW": "never", "NIGHTSHIFT_TIMEZONE": "Asia/Shanghai"}
    assert "closed until opened by hand (never)" in nightshift("window", **env).stdout
    assert json_of(env, "window", "show")["next_open"] is None
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    assert json_of(env, "window", "open", "--until", until)["open"] is True
    night = json_of(env, "status")
    assert (night["window"]["open"], night["window"]["override"][:4]) == (True, "open")
    assert "By hand     open until" in nightshift("window", **env).stdout
    assert json_of(env, "window", "close", "--until", "03:00")["override"].startswith("closed until")
    assert json_of(env, "window", "clear")["override"] == ""


def test_audit_finds_a_discrepancy_and_repairs_it(
    scans: Path, store: LocalStore, env: dict[str, str]
) -> None:
    ids = [d["task_id"] for d in json_of(env, "submit", scans)["documents"]]
    night = tonight(env)
    store.delete(keys.pending(ids[0]))
    report = json_of(env, "audit", night, code=4)
    assert [(g["kind"], g["task_id"]) for g in report["gaps"]] == [("missing", ids[0])]
    assert "+ 1 missing" in nightshift("audit", night, **env).stdout
    report = json_of(env, "audit", night, "--repair")
    assert (report["restored"], report["published"], report["pending"], report["gaps"]) == (1, 4, 4, [])


def test_a_broker_away_loses_nothing(scans: Path, store: LocalStore, env: dict[str, str]) -> None:
    env = env | {"NIGHTSHIFT_BROKER_URL": f"amqp://user:secret@127.0.0.1:{free_port()}//"}
    failed = fail(store, "a")
    for args in (["submit", scans], ["failed", "redrive", "--all"], ["audit", DAY, "--repair"], ["status"]):
        begun = time.monotonic()
        done = nightshift(*args, **env)
        assert time.monotonic() - begun < 12
        assert done.returncode == 1
        assert "does not answer" in done.stderr
        assert "secret" not in done.stderr + done.stdout
        assert len(done.stderr.strip().splitlines()) == 1
    assert "0 done" in done.stdout, "the status still shows the state of the store"
    assert "does not answer" in json_of(env, "status", code=1)["broker"]
    assert list(store.list(keys.FAILED)) == [keys.failed(DAY, failed.task_id)]
    assert count(store, keys.PENDING) == 0


def test_submitting_to_another_store(
    scans: Path, tmp_path: Path, store: LocalStore, env: dict[str, str]
) -> None:
    other = tmp_path / "other"
    figures = json_of(env, "submit", scans, "--store", other)
    assert (figures["accepted"], figures["store"]) == (4, other.as_uri())
    assert count(LocalStore(other), keys.PENDING) == 4
    assert count(store, keys.PENDING) == 0
    shown = nightshift("submit", scans, "--store", other, **env).stdout.splitlines()
    assert shown == [f"Store  {other.as_uri()}", "0 accepted, 4 already known, 0 refused."]
    night = json_of(env, "status", "--store", other, code=ExitCode.NO_WORKER)
    assert (night["pending"], night["store"]) == (4, other.as_uri())


@pytest.mark.long
def test_ctrl_c_keeps_what_was_submitted(tmp_path: Path, store: LocalStore, env: dict[str, str]) -> None:
    (tmp_path / "many").mkdir()
    for n in range(3000):
        (tmp_path / "many" / f"{n}.txt").write_bytes(b"%d" % n)
    process = start_command("submit", tmp_path / "many", **env)
    wait_for(lambda: count(store, keys.CLAIMS) > 50, "some to be accepted")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == "nightshift: Stopped: finished work is kept; run the same command again to continue.\n"
    accepted = count(store, keys.CLAIMS)
    assert 50 < accepted < 3000
    again = json_of(env, "submit", tmp_path / "many")
    assert (again["known"], again["accepted"]) == (accepted, 3000 - accepted)


@pytest.mark.long
def test_a_broker_that_dies_midway_loses_nothing(
    tmp_path: Path, store: LocalStore, env: dict[str, str], rabbit: Rabbit
) -> None:
    (tmp_path / "many").mkdir()
    for n in range(1500):
        (tmp_path / "many" / f"{n}.txt").write_bytes(b"%d" % n)
    process = start_command("submit", tmp_path / "many", **env)
    try:
        wait_for(lambda: count(store, keys.CLAIMS) > 200, "some to be accepted")
    finally:
        rabbit.kill()
    out, err = process.communicate(timeout=60)
    accepted = count(store, keys.CLAIMS)
    rabbit.run()
    assert (process.returncode, out) == (1, "")
    assert "of 1500 documents are submitted; run the same command again" in " ".join(err.split())
    assert "Traceback" not in err
    assert 200 < count(store, keys.PENDING) <= accepted < 1500
    back = (ExitCode.OK, ExitCode.NO_WORKER)
    wait_for(lambda: nightshift("status", **env).returncode in back, "the broker to be back")
    again = json_of(env, "submit", tmp_path / "many")
    assert (again["known"], again["accepted"]) == (accepted, 1500 - accepted)
    report = json_of(env, "audit", tonight(env))
    assert (report["received"], report["pending"]) == (1500, 1500)


@pytest.mark.parametrize(
    ("args", "changed", "code", "sentence"),
    [
        (["submit", "{scans}"], {"NIGHTSHIFT_BROKER_URL": "{wrong}"}, 1, "rejects the user name or password"),
        (["status"], {"NIGHTSHIFT_BROKER_URL": "{wrong}"}, 1, "rejects the user name or password"),
        (["submit", "{scans}"], {"NIGHTSHIFT_BROKER_URL": "{broker}x"}, 1, "no such virtual host"),
        (["submit", "{scans}", "--task-type", "speech"], {}, 2, "Unknown task type 'speech'"),
        (["submit", "{scans}", "--priority", "12"], {}, 2, "--priority"),
        (["submit", "{scans}", "--callback-url", "https://a.example/x"], {}, 2, "a.example"),
        (["submit", "{scans}", "--not-before", "soon"], {}, 2, 'Invalid time "soon"'),
        (["submit", "nowhere"], {}, 2, "nowhere does not exist"),
        (["submit", "{scans}"], {"NIGHTSHIFT_STORE_URL": "/proc/nightshift"}, 1, "Can't write to the store"),
        (["status"], {"NIGHTSHIFT_WINDOW": "22-6"}, 2, "Invalid setting NIGHTSHIFT_WINDOW"),
        (["window", "open", "--until", "25:00"], {}, 2, 'Invalid time "25:00"'),
        (["window", "open"], {}, 2, "--until"),
        (["audit", "someday"], {}, 2, '"someday" is not a valid run date'),
        (["summarise", "2020-01-01"], {}, 1, "check the run date"),
        (["status"], {"NIGHTSHIFT_STORE_URL": "nowhere"}, 1, "No store found at"),
        (["failed", "list", "--store", "nowhere"], {}, 1, "set NIGHTSHIFT_STORE_URL"),
        (["failed", "list", "--run-date", "x"], {}, 2, '"x" is not a valid run date'),
    ],
)
def test_mistakes_get_one_sentence_and_an_exit_code(
    scans: Path,
    store: LocalStore,
    env: dict[str, str],
    args: list[str],
    changed: dict[str, str],
    code: int,
    sentence: str,
) -> None:
    broker = env["NIGHTSHIFT_BROKER_URL"]
    spelt = {"scans": scans, "broker": broker, "wrong": broker.replace("guest:guest", "guest:wrong")}
    changed = {name: value.format(**spelt) for name, value in changed.items()}
    done = nightshift(*(arg.format(**spelt) for arg in args), **(env | changed))
    assert done.returncode == code, done.stderr
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert count(store, keys.PENDING) == 0
