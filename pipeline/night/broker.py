"""Where messages go, as the night sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from pipeline.messages import Message
from pipeline.telemetry.w3c import NONE, Context


class Broker(Protocol):
    """Where messages go; each method returns when the broker has confirmed them, and raises what publishing raises."""

    def publish(self, messages: Iterable[Message]) -> None:
        """Send the messages of next steps."""
        ...

    def publish_later(self, message: Message, *, outage: int | None = None) -> int:
        """Send a message that waits first; returns for how many seconds. `outage`: it uses up no retry."""
        ...

    def publish_raw_later(self, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
        """Send a raw message that waits first, as long as a paused step; returns for how many seconds."""
        ...

    def publish_dead(
        self,
        body: bytes,
        *,
        reason: str,
        code: str,
        task_id: str,
        trace_id: str,
        sender: str = "",
        trace: Context = NONE,
    ) -> None:
        """Put a refused message, or a reference to a failed task, into the dead-letter queue."""
        ...
