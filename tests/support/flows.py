"""A flow without broker or processes: steps in, messages out, everything kept in a store."""

from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.errors import PermanentError
from pipeline.messages import Message
from pipeline.models import DocumentResult, Task, from_json
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.submission.contract import Submission


class Died(BaseException):
    """In place of a process that is killed in the middle of a step."""


def flow_of(settings: Settings) -> Flow:
    """What a worker process would run its steps with."""
    return Flow(Night.of(settings))


def submission(path: Path, task_id: str = "t", **more: Any) -> Submission:
    return Submission(**({"task_id": task_id, "task_type": "document", "url": path.as_uri()} | more))


def task_with_callback(flow: Flow, task_id: str = "t") -> Task:
    """A task of this run date that is in no store."""
    return Task(
        task_id=task_id,
        sha256=None,
        source="x",
        run_date=flow.schedule.run_date(),
        callback_url="https://a.example",
    )


def drain(flow: Flow, messages: Iterable[Message]) -> Counter[str]:
    """Run all steps to the end, as workers would; gives how often each ran."""
    waiting, ran = deque(messages), Counter[str]()
    while waiting:
        message = waiting.popleft()
        ran[message.step] += 1
        try:
            waiting.extend(flow.run(message))
        except PermanentError as error:
            waiting.extend(flow.fail(message, error))
    return ran


def records_of(flow: Flow) -> dict[str, DocumentResult]:
    found = [*flow.store.list(keys.RESULTS), *flow.store.list(keys.FAILED)]
    return {keys.task_id_of(key): from_json(flow.store.get(key), DocumentResult) for key in found}


def to_ocr(flow: Flow, path: Path) -> Message:
    """Accept and take in; gives the message that asks for OCR."""
    (message,) = flow.reception.accept(submission(path))
    (message,) = flow.run(message)
    assert message.step == "ocr"
    return message


def raiser(error: BaseException) -> Any:
    """Something to be called that raises."""

    def call(*args: object, **options: object) -> None:
        raise error

    return call
