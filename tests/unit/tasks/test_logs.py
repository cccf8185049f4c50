"""What Celery's own lines say."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace

import pytest
from celery.exceptions import Reject

from pipeline.logs import note
from tasks import logs


def test_a_requeued_message_is_logged_without_a_traceback() -> None:
    def record(error: Exception) -> logging.LogRecord:
        return logging.makeLogRecord({"exc_info": (type(error), error, None)})

    requeued, failed = record(Reject("why", requeue=True)), record(ValueError())
    assert logs._without_traceback(requeued)
    assert logs._without_traceback(failed)
    assert requeued.exc_info is None
    assert failed.exc_info is not None


@pytest.mark.parametrize(
    "name", ["botocore.endpoint", "celery.pool", "kombu", "amqp", "urllib3.connectionpool"]
)
def test_debug_lines_of_libraries_are_not_shown(name: str) -> None:
    out = StringIO()
    root = logging.Logger("root")
    root.addHandler(logging.StreamHandler(out))
    logs._show(root)
    for level in (logging.DEBUG, logging.INFO):
        for logger in (name, "nightshift", "nightshift.gate"):
            root.handle(logging.LogRecord(logger, level, "", 0, f"{logger} {level}", (), None))
    assert f"{name} 10" not in out.getvalue()
    assert all(line in out.getvalue() for line in (f"{name} 20", "nightshift 10", "nightshift.gate 10"))


@pytest.fixture
def fresh() -> Iterator[None]:
    """Settings are read again, and the process logs as before afterwards."""
    caches = (logs._settings, logs._formatter)
    for cache in caches:
        cache.cache_clear()
    before = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(before)
    for cache in caches:
        cache.cache_clear()


def shown(level: int = logging.INFO) -> tuple[logging.Logger, StringIO]:
    """A root logger as Celery sets it up with that `--loglevel`."""
    out = StringIO()
    root = logging.Logger("root")
    root.setLevel(level)
    root.addHandler(logging.StreamHandler(out))
    logging.setLogRecordFactory(logs._record)
    logs._show(root)
    return root, out


@pytest.mark.usefixtures("fresh")
def test_lines_say_what_they_are_about() -> None:
    root, out = shown()
    with logs.about("tr", "t1", step="ocr"):
        root.info("one")
        note(run_date="2026-11-22")
        root.info("two")
    root.info("three")
    note(run_date="2026-11-22")  # nothing is open
    one, two, three = out.getvalue().splitlines()
    assert one.endswith("INFO MainProcess trace=tr task=t1 step=ocr one")
    assert two.endswith("INFO MainProcess trace=tr task=t1 step=ocr run_date=2026-11-22 two")
    assert three.endswith("INFO MainProcess trace=- task=- three")


@pytest.mark.usefixtures("fresh")
def test_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_LOG_FORMAT", "json")
    worker = SimpleNamespace(quiet=False)
    logs._name_worker("w1@host", worker)
    root, out = shown()
    with logs.about("tr", "t1", step="ocr"):
        root.info("of 11010519491231002X")
    logs._name()
    found = json.loads(out.getvalue())
    assert (found["trace_id"], found["task_id"], found["step"], found["worker"]) == (
        "tr",
        "t1",
        "ocr",
        "w1@host",
    )
    assert "run_date" not in found
    assert "1949" not in found["event"]
    assert worker.quiet, "its banner is no JSON"


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("setting", "celery", "lines"),
    [
        ("", logging.WARNING, ["warning"]),
        ("", logging.INFO, ["info", "warning"]),
        ("INFO", logging.WARNING, ["info", "warning"]),
        ("ERROR", logging.INFO, []),
    ],
)
def test_our_level_wins_over_that_of_celery(
    setting: str, celery: int, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_LOG_LEVEL", setting)
    root, out = shown(celery)
    root.info("info")
    root.warning("warning")
    assert [line.rpartition(" ")[2] for line in out.getvalue().splitlines()] == lines
