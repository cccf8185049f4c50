"""The dead-letter queue as `tasks.dead` shows it, and sending messages back from there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pipeline.night.dead import Letter
from tasks import routing
from tests.simulation.broker import MemoryBroker


class Letters:
    """Dead letters of one broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self.sent_back: set[str] = set()

    def all(self) -> list[Letter]:
        """What is in the queue; one call to the broker."""
        found: list[Letter] = self._broker.world.call(
            "dead", "", lambda: list(map(_letter, self._broker.dead))
        )
        return found

    def sweep(self, remove: Callable[[Letter], bool]) -> None:
        """Remove the letters for which `remove` is true; one call to the broker."""
        self._broker.world.call("dead", "", lambda: None)
        dead = self._broker.dead
        for letter in list(dead):
            if remove(_letter(letter)):  # which may take long: others come meanwhile
                dead[:] = [one for one in dead if one is not letter]

    def send_back(self, chosen: Callable[[Letter], bool]) -> None:
        """Publish messages again where they came from, each removed once that is confirmed."""
        for letter in list(self._broker.dead):
            found = _letter(letter)
            if not chosen(found) or not found.queue:
                continue
            if found.queue == routing.RAW:
                self._broker.publish_raw(letter["body"].encode())
            else:
                self._broker.publish_again(letter["envelope"])
            self.sent_back.add(found.task_id)
            if letter in self._broker.dead:
                self._broker.dead.remove(letter)


def _letter(headers: dict[str, Any]) -> Letter:
    ours = bool(headers["code"])
    step = _step(headers["body"]) if ours else ""
    envelope = headers.get("envelope")
    queue = (envelope.queue if envelope else "") or (routing.RAW if ours and not step else "")
    return Letter(
        id=hashlib.sha256(f"{headers['code']} {headers['task_id']} {headers['body']}".encode()).hexdigest()[
            :12
        ],
        code=headers["code"] or headers["reason"],
        reason=headers["reason"],
        ours=ours,
        task_id=headers["task_id"] if ours or envelope else "",
        queue=queue,
        step=step,
        at=datetime.fromisoformat(headers["at"]) if "at" in headers else None,
    )


def _step(body: str) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("step", "")) if isinstance(found, dict) else ""
