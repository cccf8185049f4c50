"""Remote control, as for `celery inspect` and `nightshift status`, that ends and never holds up a worker."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from celery.app.control import Control as CeleryControl
from celery.utils.log import get_logger
from kombu import Exchange, Queue, pidbox

from tasks.publish import BROKER_ERRORS
from tasks.transport import within

log = get_logger("nightshift.control")

READ = frozenset(
    {"ping", "active", "reserved", "scheduled", "revoked", "registered", "stats", "active_queues", "clock"}
    | {"dump_active", "dump_reserved", "dump_schedule", "dump_revoked", "dump_tasks", "query_task"}
    | {"heartbeat", "enable_events"}
)
"""Commands that change nothing, and whose replies contain no setting: tasks are shown by their ids."""

_SECONDS = 8.0  # for a command or a reply to be published
_REPLY = 5.0  # for one reply of the broker to a command


@contextmanager
def _readable() -> Iterator[None]:
    """For a `celery` command, raise one sentence and exit with 1: Celery would show the type of the error."""
    try:
        yield
    except BROKER_ERRORS as error:
        import click
        from celery.bin.base import (
            CeleryCommand,
        )  # Celery's command line: a tenth of the start of other processes

        context = click.get_current_context(silent=True)
        if context is None or not isinstance(context.command, CeleryCommand):
            raise
        raise click.ClickException(f"The command could not be sent: {error}") from error


class Mailbox(pidbox.Mailbox):
    """kombu's mailbox, which publishes again and again until it succeeds, with limits.

    Its exchanges are declared by `tasks.topology`: to ask a worker needs no right to configure them.
    """

    def get_queue(self, hostname: str) -> Queue:
        """Make the queue for commands to this process, another one for each connection.

        It is on the node that declares it, and expires soon. One name for all would keep a worker from connecting to
        any node of a cluster while the one with its queue is down.
        """
        return super().get_queue(f"{hostname}.{uuid.uuid4().hex[:8]}")

    def _get_exchange(self, *args: Any) -> Exchange:
        return _declared(super()._get_exchange(*args))

    def _get_reply_exchange(self, *args: Any) -> Exchange:
        return _declared(super()._get_reply_exchange(*args))

    def _broadcast(
        self,
        command: str,
        arguments: Any = None,
        destination: Any = None,
        reply: bool = False,
        timeout: float | None = 1,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        with _readable(), within(_SECONDS + (timeout or 0), _REPLY):
            return super()._broadcast(command, arguments, destination, reply, timeout, *args, **kwargs)

    def _publish_reply(self, *args: Any, **kwargs: Any) -> None:
        """Reply from a thread, as a worker's event loop waits for nothing; a reply that can't be sent is dropped."""
        publish = super()._publish_reply

        def reply() -> None:
            with suppress(*BROKER_ERRORS), within(_SECONDS):
                publish(*args, **kwargs)

        threading.Thread(target=reply, name="reply", daemon=True).start()


def _declared(exchange: Exchange) -> Exchange:
    exchange.no_declare = True
    return exchange


class Control(CeleryControl):
    """Celery's remote control with that mailbox."""

    Mailbox = Mailbox


def limit(allowed: str) -> None:
    """Have this worker refuse remote control commands, unless all are `allowed` (NIGHTSHIFT_REMOTE_CONTROL).

    Anyone who may publish to the exchange `celery.pidbox` can send them to every worker.
    """
    from celery.worker.control import Panel

    if allowed == "all":
        return
    for name in set(Panel.data) - READ:
        Panel.data[name] = _refused(name, allowed)


def _refused(name: str, allowed: str) -> Callable[..., dict[str, str]]:
    def refuse(state: Any, **_: Any) -> dict[str, str]:  # noqa: ARG001 - Celery's signature
        log.warning("refused the remote control command %s (NIGHTSHIFT_REMOTE_CONTROL=%s)", name, allowed)
        return {"error": f"{name} is refused (NIGHTSHIFT_REMOTE_CONTROL={allowed})"}

    return refuse
