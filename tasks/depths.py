"""How many messages wait in the GPU queues, asked in a thread: the event loop waits for no answer."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Any

from tasks.lanes import GPU_QUEUES
from tasks.publish import BROKER_ERRORS

log = logging.getLogger("nightshift.gate")

_PERIOD = 0.5  # seconds between two counts
_STALE = 10.0  # seconds after which a count says nothing any more, and for which a first one is waited for
_PAUSE = 2.0  # seconds after a failure


class Depths(threading.Thread):
    """Counts while it is asked, on a connection of its own that never publishes: those are blocked in an alarm."""

    def __init__(self, app: Any) -> None:
        super().__init__(name="depths", daemon=True)
        self._app = app
        self._counts: dict[str, int] = {}
        self._counted_at = self._asked_at = self._asked_since = -math.inf

    def counts(self) -> dict[str, int] | None:
        """Messages ready by queue, as counted a moment ago; `None` while there is no count yet.

        After ten seconds without one it is empty, so that a lane is not held up by what nobody can know.
        """
        now = time.monotonic()
        if now - self._asked_at > _STALE:
            self._asked_since = now
        self._asked_at = now
        if now - self._counted_at <= _STALE:
            return self._counts
        return None if now - self._asked_since <= _STALE else {}

    def run(self) -> None:
        """Count for as long as the worker lives."""
        while True:
            try:
                self._count()
            except BROKER_ERRORS as error:
                log.debug("cannot count the messages that wait: %s", error)
                time.sleep(_PAUSE)

    def _count(self) -> None:
        while time.monotonic() - self._asked_at > _STALE:
            time.sleep(_PERIOD)
        with self._app.connection_for_read(heartbeat=0) as connection, connection.channel() as channel:
            while time.monotonic() - self._asked_at <= _STALE:
                self._counts = {
                    name: int(channel.queue_declare(name, passive=True).message_count) for name in GPU_QUEUES
                }
                self._counted_at = time.monotonic()
                time.sleep(_PERIOD)
