"""What Celery's own lines say."""

import logging
from io import StringIO

import pytest
from celery.exceptions import Reject

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
