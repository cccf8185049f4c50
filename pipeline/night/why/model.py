"""What is asked and what is answered: facts of the broker, the answer, and its history. Times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

State = Literal[
    "running",
    "reserved",
    "delayed",
    "retry",
    "braked",
    "alias",
    "window_closed",
    "broker_unavailable",
    "alarm",
    "lost_message",
    "no_worker",
    "queued",
    "damaged",
    "done",
    "partial",
    "failed",
    "discarded",
    "callback_due",
    "callback_undelivered",
    "failed_again",
    "removed",
    "forgotten",
]
"""Stable words. The first part: pending documents, what they wait for. The second: how others ended."""


class AtWork(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that has a message of the task: since when it is `running`, or `None` if it only holds it."""

    worker: str
    step: str
    since: datetime | None = None


class AtBroker(msgspec.Struct, frozen=True, kw_only=True):
    """What RabbitMQ and the workers say at this moment.

    `trouble`: one sentence if the broker could not be asked; then the rest is empty. `alarm`: why it takes no
    messages. `messages`, `consumers`: by queue. `workers`: those that answered, `None` where this user may not ask, or
    none may answer. `holders`: workers that have a message of the task. `letters`: reasons of dead letters of the task.
    """

    trouble: str = ""
    alarm: str = ""
    messages: Mapping[str, int] = {}
    consumers: Mapping[str, int] = {}
    workers: tuple[str, ...] | None = None
    holders: tuple[AtWork, ...] = ()
    letters: tuple[str, ...] = ()


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Where the next message of a task waits: its queue, those served `before` it, and where `elsewhere` it may be.

    `gpu`: it is served in the window only. Names of queues are `tasks`' part.
    """

    name: str
    gpu: bool = False
    before: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the history; `at`: ISO time (UTC), or a date, or empty where neither is known."""

    at: str
    what: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `sentence`: where the document is and what it waits for; `following`: what happens next.

    `command`: what an operator could do, empty where nothing is to be done. `deadline`: by when it should be done (UTC,
    ISO); `deadline_state`: see `pipeline.night.why.due`; `deadline_sentence` says it. `since`: ISO time (UTC) from
    which it is as it is, `until`: when that is expected to change. `pages_read` of `pages`: so far. `reprocess`: it is
    done and is processed again. `notes`: further sentences.
    """

    task_id: str
    state: State
    sentence: str
    following: str = ""
    command: str = ""
    since: str = ""
    until: datetime | None = None
    source: str = ""
    sha256: str | None = None
    task_type: str = ""
    tenant: str = ""
    priority: int | None = None
    run_date: str = ""
    step: str = ""
    queue: str = ""
    ahead: int | None = None
    pages: int = 0
    pages_read: int = 0
    deadline: str = ""
    deadline_state: str = ""
    deadline_sentence: str = ""
    generation: int = 0
    reprocess: bool = False
    notes: tuple[str, ...] = ()
    history: tuple[Event, ...] = ()


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One of several tasks that what was typed may mean."""

    task_id: str
    run_date: str = ""
    source: str = ""
    sha256: str | None = None
