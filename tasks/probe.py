"""Whether the broker answers: asked on a connection of its own every few seconds.

A broker that is frozen keeps its connections open and swallows everything; heartbeats notice that after 20 to 25 s.
What is asked here is answered in an alarm as well: for a message of a quorum queue, which most of its nodes must agree
on. Where the user may not read that queue, a question that any node answers alone.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from amqp.exceptions import AccessRefused, InternalError, NotFound

from tasks.broker import majority
from tasks.brokers import shown
from tasks.publish import BROKER_ERRORS
from tasks.routing import PROBE_QUEUE
from tasks.transport import OutOfTime, Silent, within

log = logging.getLogger("nightshift")

SILENT = 14.0
"""Seconds without an answer after which the broker counts as gone: two answers are missing."""

_PERIOD = 4.0  # seconds between two questions
_REPLY = 4.0  # seconds for one answer, and for connecting


class Probe(threading.Thread):
    """Asks for as long as the process lives."""

    def __init__(self, app: Any) -> None:
        super().__init__(name="broker-probe", daemon=True)
        self._app = app
        self._answered_at = time.monotonic()
        self._may_read = True
        self.answers = 0
        """How many there have been."""
        self.minority = ""
        """That queues have no majority of their nodes, as the last answer says; empty if they have."""

    def silence(self) -> float:
        """Seconds since the last answer, or since the start."""
        return time.monotonic() - self._answered_at

    def run(self) -> None:
        """Ask, on one connection for as long as it answers."""
        while True:
            try:
                self._ask()
            except BROKER_ERRORS as error:
                log.debug("the broker does not answer: %s", error)
            except Exception as error:  # whatever it is, the next connection may do better
                log.warning("the broker can't be asked: %s: %s", type(error).__name__, error)
            time.sleep(_PERIOD / 4)

    def _ask(self) -> None:
        connection = self._app.connection_for_read(heartbeat=0)
        try:
            with within(_REPLY):
                connection.connect()
                channel = connection.channel()
            while True:
                with within(_REPLY):
                    self._question(channel, shown(connection))
                self._answered_at = time.monotonic()
                self.answers += 1
                self.minority = ""
                time.sleep(_PERIOD)
        except AccessRefused:
            self._may_read = False
        finally:
            connection.collect()  # without a handshake, which a frozen broker does not answer

    def _question(self, channel: Any, place: str) -> None:
        """Ask; notes where it is about queues that there is no answer, or that they have no majority."""
        if not self._may_read:
            channel.basic_qos(0, 1, False)
            return
        try:
            channel.basic_get(PROBE_QUEUE.name, no_ack=True)
        except NotFound:  # it answers, and opens the channel again; nobody has declared the queue yet
            return
        except InternalError as error:
            self.minority = majority(error, place)
            raise
        except (Silent, OutOfTime):
            why = "it hangs, or they have no majority of their nodes"
            self.minority = f"RabbitMQ has not answered about its queues at {place}: {why}."
            raise


def trouble(seconds: float) -> str:
    """What is wrong after so many seconds without an answer, in one sentence; empty if nothing is."""
    return f"RabbitMQ has not answered for {seconds:.0f} s." if seconds > SILENT else ""
