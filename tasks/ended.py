"""How a Celery task ends whose document failed or is partial: as FAILURE with the code, its message acknowledged.

Everything about the document is stored and published by then: this only shows. Flower and other listeners to events see
it; nothing is retried or rejected.
"""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request as CeleryRequest


class DocumentFailed(Exception):
    """The document failed, or its message was refused; the argument is the code."""


class DocumentPartial(Exception):
    """Something of the document could not be read; the argument is the code."""


ENDS = (DocumentFailed, DocumentPartial)


class Request(CeleryRequest):
    """A request that acknowledges its message where the task ended with its document."""

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> None:
        """As Celery's, but for `ENDS`: the setting `task_acks_on_failure` can't tell them from a fault."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, ENDS):
            exc_info.traceback = ""  # which line of ours raised it says nothing
            self.acknowledge()
        super().on_failure(exc_info, *args, **kwargs)
