"""What Celery's own lines say."""

import logging

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
