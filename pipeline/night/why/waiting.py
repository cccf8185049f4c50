"""A pending task, its next step, and where the message of that step waits."""

from __future__ import annotations

import msgspec

from pipeline.errors import PermanentError
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night.dispatch import resume
from pipeline.night.why.facts import Facts
from pipeline.night.why.model import Queue, State
from pipeline.night.why.moment import Moment
from pipeline.steps.task_types import after


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """The reason for which a task waits; the fields are those of `Why`."""

    state: State
    sentence: str
    following: str = ""
    command: str = ""
    since: str = ""
    until: object = None
    ahead: int | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A pending task, its next step, and the queue of the message that asks for it."""

    facts: Facts
    task: Task
    message: Message
    queue: Queue
    moment: Moment

    @property
    def step(self) -> str:
        """Its next step."""
        return self.message.step

    @property
    def pages(self) -> str:
        """`, 3 of 12 pages read` while pages are being read."""
        if self.step != "ocr" or not self.facts.pages_read:
            return ""
        return f", {self.facts.pages_read} of {self.task.pages} pages read"


def of(facts: Facts, task: Task, moment: Moment) -> Waiting:
    """Where a pending task is."""
    try:
        step = resume(task, moment.spread_pages)[0].step
    except PermanentError:  # of a task type that is not installed here
        step = "ingest"
    if step == "ocr" and task.pages and facts.pages_read >= task.pages:
        step = after(task.task_type, step)
    if step == "ner" and facts.entities:
        step = after(task.task_type, step)
    message = Message.of(step, task)
    return Waiting(facts=facts, task=task, message=message, queue=moment.place(message), moment=moment)
