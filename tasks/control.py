"""Remote control, as for `celery inspect` and `nightshift status`, that ends and never holds up a worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click
from celery.app.control import Control as CeleryControl
from celery.bin.base import CeleryCommand
from kombu import pidbox

from tasks.publish import BROKER_ERRORS
from tasks.transport import within

_SECONDS = 8.0  # for a command or a reply to be published
_REPLY = 5.0  # for one reply of the broker to a command


@contextmanager
def _readable() -> Iterator[None]:
    """For a `celery` command, raise one sentence and exit with 1: Celery would show the type of the error."""
    try:
        yield
    except BROKER_ERRORS as error:
        context = click.get_current_context(silent=True)
        if context is None or not isinstance(context.command, CeleryCommand):
            raise
        raise click.ClickException(f"The command could not be sent: {error}") from error


class Mailbox(pidbox.Mailbox):
    """kombu's mailbox, which publishes again and again until it succeeds, with limits."""

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


class Control(CeleryControl):
    """Celery's remote control with that mailbox."""

    Mailbox = Mailbox
