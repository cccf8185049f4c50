"""One step of one task: what is done, and which messages come next. Publishing them is the caller's part.

ingest -> ocr -> ner -> result, and a callback if one was asked for. Each step finds its task by the
pending marker; a task without one has ended, so a message that comes twice does nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import structs

from pipeline.documents.open import open_document
from pipeline.errors import NotRead, PermanentError, PipelineError
from pipeline.ledger import pending, receipts, records
from pipeline.ledger.attempts import MAX_RESTARTS, counted, forget
from pipeline.messages import Message, is_urgent
from pipeline.models import TEXT, Page, Task
from pipeline.night import callbacks
from pipeline.night.window import OffPeakWindow, Override
from pipeline.settings import Settings
from pipeline.steps import conclude, extract, recognize
from pipeline.steps.engines import Engines
from pipeline.steps.task_types import StepInput, after, further_steps, task_type
from pipeline.storage import Store, keys, open_store
from pipeline.storage.objects import read_or_none
from pipeline.submission.reception import Reception


class Flow:
    """What a process needs for any step: settings, store, window, and models on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store: Store = open_store(settings.store_url, settings)
        self.window = OffPeakWindow.parse(settings.window, settings.timezone)
        self.reception = Reception(self.store, settings, self.run_date)
        self._engines = lru_cache(maxsize=2)(self._make_engines)

    def _make_engines(self, overrides: tuple[tuple[str, str], ...]) -> Engines:
        return Engines(self.settings.replaced(dict(overrides)))

    def engines(self, task: Task) -> Engines:
        """The models for this task; a redriven one may have settings of its own."""
        return self._engines(tuple(sorted(task.overrides.items())))

    def run_date(self) -> str:
        """The night that work starting now belongs to."""
        return self.window.run_date(datetime.now(UTC)).isoformat()

    def override(self) -> Override | None:
        """The operator's override of the window, if one is in force."""
        found = read_or_none(self.store, keys.control("window"), Override)
        return found if found and found.ends > datetime.now(UTC) else None

    def may_use_gpu(self, priority: int) -> bool:
        """Whether GPU work of this priority may start now; where an operator closed the window, none may."""
        override = self.override()
        if is_urgent(priority) and self.settings.urgent_by_day:
            return override is None or override.state != "closed"
        return self.window.contains(datetime.now(UTC), override)

    def run(self, message: Message) -> list[Message]:
        """Do one step; returns the messages that come next.

        Raises `PermanentError` for a document that can't be done, `TransientError` when trying again may
        help, `RunError` when something else than the document must be mended first.
        """
        if message.step == "callback":
            return self._callback(message)
        task = pending.get(self.store, message.task_id)
        if task is None:
            return []
        if not task.run_date and message.step != "ingest":
            task = structs.replace(task, run_date=self.run_date())
            pending.update(self.store, task)
        built_in = {"ingest": self._ingest, "ocr": self._ocr, "ner": self._ner, "result": self._result}
        step = built_in.get(message.step, self._further)
        with counted(self.store, message, self.settings.max_attempts, lambda: self._progress(message, task)):
            try:
                return step(message, task)
            except NotRead as error:
                return self._restart(message, task, error)

    def _progress(self, message: Message, task: Task) -> int:
        """Pages read so far; other steps have done all or nothing."""
        if message.step != "ocr":
            return 0
        read = keys.pages(task.sha256 or "", self.engines(task).reading_digest)
        return sum(1 for _ in self.store.list(read))

    def _restart(self, message: Message, task: Task, error: NotRead) -> list[Message]:
        """Go back to the first step: settings were changed since, or the workers' are not the same."""
        if message.retries == message.outages and self.settings.max_retries:
            raise error  # the store may show it in a moment
        if task.restarts >= MAX_RESTARTS:
            raise PermanentError(
                f"{error.message} It was read {MAX_RESTARTS + 1} times over: give the workers of all steps the same "
                "OCR and NER settings, then redrive it.",
                code=error.code,
            ) from error
        task = structs.replace(task, restarts=task.restarts + 1, reading="")
        pending.update(self.store, task)
        return self.begin(task)

    def _ingest(self, message: Message, task: Task) -> list[Message]:
        """Take a document in, any time of day."""
        taken = self.reception.ingest(task, message.id)
        return self.begin(taken) if taken else []

    def begin(self, task: Task) -> list[Message]:
        """Messages of the first step behind ingest; a long document spreads over workers."""
        step = after(task.task_type, "ingest")
        size = self.settings.spread_pages
        if step != "ocr" or task.pages <= size:
            return [Message.of(step, task)]
        return [
            Message.of(step, task, first, min(first + size - 1, task.pages))
            for first in range(1, task.pages + 1, size)
        ]

    def _ocr(self, message: Message, task: Task) -> list[Message]:
        """Read pages, group by group; stops between groups when the window closes, and hands itself back."""
        engines, low, high = self.engines(task), message.first or 1, message.last or task.pages
        if message.first and task.reading != engines.reading_digest:
            task = self._begin_reading(task, engines.reading_digest)
        assert task.sha256 is not None
        with open_document(self.store.get(keys.document(task.sha256)), engines.settings.limits) as document:
            for start in range(low, high + 1, self.settings.page_group):
                if not self.may_use_gpu(task.priority):
                    return [message]
                numbers = range(start, min(start + self.settings.page_group, high + 1))
                recognize.recognize(document, task.sha256, numbers, store=self.store, engines=engines)
        others = [n for n in range(1, task.pages + 1) if not low <= n <= high]
        if all(recognize.has_page(task.sha256, n, store=self.store, engines=engines) for n in others):
            return [Message.of(after(task.task_type, "ocr"), task)]
        return []  # whoever reads the last pages goes on

    def _begin_reading(self, task: Task, digest: str) -> Task:
        """Note as what the pages of a spread document are read: parts of two kinds would never make a whole."""
        if task.reading:
            raise NotRead(f"A part of {task.task_id} was read with other settings than are in force here.")
        task = structs.replace(task, reading=digest)
        pending.update(self.store, task)
        return task

    def _ner(self, message: Message, task: Task) -> list[Message]:
        """Find the entities of all pages."""
        if not self.may_use_gpu(task.priority):
            return [message]
        assert task.sha256 is not None
        extract.extract(self._pages(task), task.sha256, store=self.store, engines=self.engines(task))
        return [Message.of(after(task.task_type, "ner"), task)]

    def _further(self, message: Message, task: Task) -> list[Message]:
        """Run a step of a further task type."""
        step = further_steps()[message.step]
        if step.gpu and not self.may_use_gpu(task.priority):
            return [message]
        names = task_type(task.task_type).names
        before = self._entities(task) if "ner" in names[: names.index(step.name)] else None
        found = step.run(StepInput(task, self._pages(task), before.entities if before else ()))
        self.store.put(keys.output(message.task_id, step.name), msgspec.json.encode(found))
        return [Message.of(after(task.task_type, step.name), task)]

    def _result(self, message: Message, task: Task) -> list[Message]:
        """Write the result and take the marker away."""
        names = task_type(task.task_type).names
        outputs = {
            step: msgspec.json.decode(self.store.get(keys.output(message.task_id, step)))
            for step in names
            if step in further_steps()
        }
        assert task.sha256 is not None
        pages, found = self._pages(task), self._entities(task) if "ner" in names else None
        told = callbacks.promise(self.store, task)
        conclude.conclude(
            task,
            pages,
            found,
            media_type=task.media_type or "",
            run_date=task.run_date,
            store=self.store,
            engines=self.engines(task),
            outputs=outputs,
            late=task.run_date != self.run_date(),
        )
        return told

    def _callback(self, message: Message) -> list[Message]:
        """Tell whoever asked for it that a task has ended."""
        callbacks.tell(self.store, message, self.settings)
        return []

    def fail(self, message: Message, error: PermanentError) -> list[Message]:
        """Record that a task failed for good; what was asked to be told of it, is."""
        if message.step == "callback":
            callbacks.give_up(self.store, message, error)
            return []
        task = pending.get(self.store, message.task_id)
        if task is None:
            return []
        if not task.run_date:
            task = structs.replace(task, run_date=self.run_date())
        try:
            digest = self.engines(task).digest
        except PipelineError:  # settings that fit no engine must not keep a failure from being recorded
            digest = ""
        told = callbacks.promise(self.store, task)
        if task.alias_of:  # it had no receipt while it might have been a repetition
            receipts.write(self.store, task.run_date, [task])
        late = task.run_date != self.run_date()
        if message.step == "ingest":
            self.reception.note_failure(task)
        records.fail(self.store, task, error, run_date=task.run_date, settings_digest=digest, late=late)
        forget(self.store, task.task_id)
        return told

    def _pages(self, task: Task) -> tuple[Page, ...]:
        assert task.sha256 is not None
        if task.media_type == TEXT:
            text = self.store.get(keys.document(task.sha256)).decode()
            return (Page(number=1, width=0, height=0, source="text_layer", text=text),)
        engines = self.engines(task)
        found = [
            recognize.stored_page(task.sha256, n, store=self.store, engines=engines)
            for n in range(1, task.pages + 1)
        ]
        if any(page is None for page in found):
            raise NotRead(f"Pages of {task.task_id} are not in the store as these settings read them.")
        return tuple(page for page in found if page is not None)

    def _entities(self, task: Task) -> extract.Entities:
        assert task.sha256 is not None
        found = extract.stored_entities(task.sha256, store=self.store, engines=self.engines(task))
        if found is None:
            raise NotRead(f"Entities of {task.task_id} are not in the store as these settings find them.")
        return found
