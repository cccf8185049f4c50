"""One step of one task: what is done, and which messages come next. Publishing them is the caller's part.

ingest -> ocr -> ner -> result, and a callback if one was asked for. Each step finds its task by the
pending marker; a task without one has ended, so a message that comes twice does nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import structs

from pipeline import logs
from pipeline.errors import NotRead, PermanentError, PipelineError, Poison
from pipeline.ledger import counting, ends, generations, pending, receipts, records
from pipeline.ledger.attempts import MAX_RESTARTS, MAX_SKIPPED_PAGES, counted, forget, retries_of
from pipeline.ledger.ends import Dates, End
from pipeline.messages import Message, handed_back, is_urgent
from pipeline.models import TEXT, DocumentResult, Page, Status, Task
from pipeline.night import callbacks, deadlines
from pipeline.night.dispatch import begin
from pipeline.night.measures import Measures
from pipeline.night.night import Night
from pipeline.reader import open_document
from pipeline.steps import conclude, extract, recognize
from pipeline.steps.budget import Budget
from pipeline.steps.engines import EnginesByTask
from pipeline.steps.task_types import StepInput, after, further_steps, task_type
from pipeline.storage import keys
from pipeline.submission.reception import Reception
from pipeline.telemetry import spans

_REFUSED = "It was refused when it came; the process that was to record this has died."


class Unwell(NamedTuple):
    """How the step that ran last ended its document, where that is not done."""

    status: Status
    code: str


class Flow:
    """Runs steps in one process: the night it belongs to, and models on first use.

    `unwell`: how the step that ran last ended its document, if it did and the document is not done.
    """

    def __init__(self, night: Night) -> None:
        self.night = night
        self.settings, self.store, self.schedule = night.settings, night.store, night.schedule
        self.reception = Reception(self.store, self.settings, self.schedule.run_date)
        self.engines = EnginesByTask(self.settings)
        self.unwell: Unwell | None = None
        self._begun = ("", "")  # task id of the step that ran last, and when that was submitted
        self.measures = Measures(night)

    def run(self, message: Message) -> list[Message]:
        """Do one step; returns the messages that come next.

        Raises `PermanentError` for a document that can't be done, `TransientError` when a retry may
        help, `RunError` when something other than the document must be fixed first (`pipeline.steps.verdict`).
        """
        self.unwell, self._begun = None, ("", "")
        if message.step == "callback":
            callbacks.notify(self.store, message, self.settings)
            return []
        task = pending.get(self.store, message.task_id, message.generation)
        if task is None:
            return []
        self._begun = task.task_id, task.submitted_at
        logs.note(run_date=task.run_date)
        spans.note({"nightshift.task_type": task.task_type, "nightshift.pages": task.pages})
        if message.step != "ingest" and (task.media_type is None or task.sha256 is None):
            return [
                Message.of("ingest", task)
            ]  # a process that was paused while it accepted the task has set it back
        if not task.run_date and message.step != "ingest":
            task = structs.replace(task, run_date=self._tonight(task))
            pending.mark(self.store, task)
        built_in = {"ingest": self._ingest, "ocr": self._ocr, "ner": self._ner, "result": self._result}
        step = built_in.get(message.step, self._further)
        limit = self.settings.max_attempts
        try:
            counts = counted(self.store, message, limit, lambda: self._progress(message, task))
            with counts, self.measures.step(message.step):
                return step(message, task)
        except NotRead as error:
            return self._restart(message, task, error)
        except Poison as error:
            return self._skip_page(message, task, error)

    def fail(self, message: Message, error: PermanentError) -> list[Message]:
        """Record that a task failed permanently; returns the message of its callback, if one was asked for."""
        if message.step == "callback":
            callbacks.abandon(self.store, message, error)
            self.unwell = Unwell("failed", error.code)
            return []
        task = pending.get(self.store, message.task_id, message.generation)
        if task is None or self._is_of_another(task):
            return []
        if not task.run_date:
            task = structs.replace(task, run_date=self._tonight(task))
        if end := self._end_of(task):
            return self._ended(task, end)
        try:
            digest = self.engines(task).digest
        except PipelineError:  # settings that fit no engine must not keep a failure from being recorded
            digest = ""
        if task.alias_of:  # it had no receipt while it might have been a repetition
            task = structs.replace(task, has_receipt=True)
            if not pending.update(self.store, task):
                return []
            accepted_on = task.accepted_on or task.run_date
            task = structs.replace(task, receipt=receipts.write(self.store, accepted_on, [task]))
        following = callbacks.note_due(self.store, task)
        if message.step == "ingest":
            self.reception.note_failure(task)
            self.measures.accepted(task)
        result = records.failure_of(task, error, run_date=task.run_date, settings_digest=digest)
        left = self._finish(task, result, following)
        forget(self.store, task.task_id)
        return left

    def _is_of_another(self, task: Task) -> bool:
        """Whether its step was about a task that was forgotten since, and whose id was submitted again."""
        task_id, submitted = self._begun
        return task_id == task.task_id and submitted != task.submitted_at

    def _tonight(self, task: Task) -> str:
        """Run date of a task that begins now: never before its receipt, even where the clock here is behind."""
        return max(self.schedule.run_date(), task.accepted_on)

    def _dates(self, task: Task) -> Dates:
        return Dates.for_task(task, self.schedule.run_date)

    def _end_of(self, task: Task) -> End | None:
        """How a task has ended already: by a record of its generation, or as a later one has begun."""
        if end := ends.end_of(self.store, task, self._dates(task)):
            return end
        if not generations.superseded(self.store, task.task_id, task.generation):
            return None
        return End(task_id=task.task_id, status="failed", run_date="", generation=task.generation + 1)

    def _ended(self, task: Task, end: End) -> list[Message]:
        """Remove the marker of a task that has ended; nothing follows but a callback that is still due."""
        if end.generation == task.generation:
            records.settle(self.store, end, self._dates(task))
        pending.remove(self.store, task.task_id, task.generation)
        counting.of(self.store).gone(task)
        return callbacks.left(self.store, end) if end.generation == task.generation else []

    def _finish(self, task: Task, result: DocumentResult, following: list[Message]) -> list[Message]:
        """Store a task's record; returns `following`, or what is left to do where another record counts."""

        by_others = False

        def note_again() -> None:  # the note may be gone with the callback of the failure that this replaces
            nonlocal by_others
            by_others = True
            if following:
                callbacks.note_due(self.store, task)

        result = structs.replace(result, traceparent=spans.current().parent or result.traceparent)
        spans.note({"nightshift.outcome": result.status, "nightshift.run_date": result.run_date})
        instead = records.finish(self.store, result, self._dates(task), ended_before=note_again)
        overdue = deadlines.forget(self.store, task)
        if not by_others:
            self.measures.ended(task, result, counts=instead is None, overdue=overdue)
        if instead is None:
            if result.status != "done":
                self.unwell = Unwell(result.status, result.error.code if result.error else "")
            return following
        if following and (instead.run_date, instead.generation) != (result.run_date, result.generation):
            callbacks.withdraw(self.store, task)
        return callbacks.left(self.store, instead) if instead.generation == task.generation else []

    def _skip_page(self, message: Message, task: Task, error: Poison) -> list[Message]:
        """Give up the page that crashes or hangs its worker and read the others; raises `error` where there is none."""
        if message.step != "ocr" or task.sha256 is None or task.pages == 1:
            raise error
        engines, first, last = self.engines(task), message.first or 1, message.last or task.pages
        number = recognize.missing_page(task.sha256, first, last, store=self.store, engines=engines)
        if number is None or task.skipped >= MAX_SKIPPED_PAGES:
            raise error
        pending.update(self.store, structs.replace(task, skipped=task.skipped + 1))
        page = recognize.unread_page(number, error)
        recognize.store_page(page, task.sha256, store=self.store, engines=engines, tenant=task.tenant)
        forget(self.store, task.task_id)
        return [message]

    def _progress(self, message: Message, task: Task) -> int:
        """Pages read so far; other steps have done all or nothing."""
        if message.step != "ocr":
            return 0
        read = keys.pages(task.sha256 or "", self.engines(task).reading_digest)
        return sum(1 for _ in self.store.list(read))

    def _restart(self, message: Message, task: Task, error: NotRead) -> list[Message]:
        """Go back to the first step: settings were changed since, or the workers' settings disagree."""
        if not retries_of(message) and self.settings.max_retries:
            raise error  # the store may show it in a moment
        if task.restarts >= MAX_RESTARTS:
            raise PermanentError(
                f"{error.message} It was read {MAX_RESTARTS + 1} times: give the workers of all steps the same "
                "OCR and NER settings, then redrive it.",
                code=error.code,
            ) from error
        task = structs.replace(task, restarts=task.restarts + 1, reading="")
        pending.update(self.store, task)
        return begin(task, self.settings.spread_pages)

    def _ingest(self, message: Message, task: Task) -> list[Message]:
        """Fetch and check a document, at any time of day; not again where that was done, and it has ended since."""
        if self.reception.is_repeated(task) and (end := self._end_of(task)):
            return self._ended(task, end)
        if task.refused:
            raise PermanentError(_REFUSED, code=task.refused)
        ingested = self.reception.ingest(task, message.id)
        if ingested:
            first = not task.ingested_by or bool(task.not_before)  # else its message was delivered twice
            if first:
                self.measures.accepted(ingested)
            deadlines.note(self.store, ingested, first=first)
        return begin(ingested, self.settings.spread_pages) if ingested else []

    def _ocr(self, message: Message, task: Task) -> list[Message]:
        """Read pages, group by group; at window close stops between two groups and requeues itself."""
        if message.first > task.pages:
            return []  # about no page that it has
        engines, low = self.engines(task), message.first or 1
        high = min(message.last or task.pages, task.pages)
        if message.first and task.reading != engines.reading_digest:
            task = self._begin_reading(task, engines.reading_digest)
        assert task.sha256 is not None
        engines.urgent = is_urgent(task.priority)
        with open_document(pending.document(self.store, task.sha256), engines.settings.limits) as document:
            budget = Budget(document, task.sha256, high - low + 1, store=self.store, engines=engines)
            start = low
            while start <= high:
                group = min(self.settings.page_group, high + 1 - start)
                if not (group := self.measures.admission.pages("ocr", group, task.priority)):
                    return [handed_back(message)]
                with self.measures.work("ocr", group, each=1, part=high - low >= group) as on_page:
                    pages = recognize.recognize(
                        document,
                        task.sha256,
                        range(start, start + group),
                        store=self.store,
                        engines=engines,
                        budget=budget,
                        tenant=task.tenant,
                        on_page=on_page,
                        alone=message.redelivered,
                    )
                self.measures.read(pages, on_page)
                start += group
        others = [n for n in range(1, task.pages + 1) if not low <= n <= high]
        if all(recognize.has_page(task.sha256, n, store=self.store, engines=engines) for n in others):
            return [Message.of(after(task.task_type, "ocr"), task)]
        return []  # the worker that reads the last pages continues

    def _begin_reading(self, task: Task, digest: str) -> Task:
        """Note with which settings the pages of a spread document are read: all its parts must use the same."""
        if task.reading:
            raise NotRead(f"A part of {task.task_id} was read with other settings than are in force here.")
        task = structs.replace(task, reading=digest)
        pending.update(self.store, task)
        return task

    def _ner(self, message: Message, task: Task) -> list[Message]:
        """Find the entities of all pages."""
        if not self.measures.admission.whole("ner", task.pages, task.priority):
            return [handed_back(message)]
        assert task.sha256 is not None
        pages = self._pages(task)
        with self.measures.work("ner", len(pages), each=len(pages)) as on_entities:
            found = extract.extract(
                pages, task.sha256, store=self.store, engines=self.engines(task), on_entities=on_entities
            )
        self.measures.extracted(found.seconds, on_entities)
        return [Message.of(after(task.task_type, "ner"), task)]

    def _further(self, message: Message, task: Task) -> list[Message]:
        """Run a step of a further task type."""
        step = further_steps()[message.step]
        if step.gpu and not self.measures.admission.whole(step.name, task.pages, task.priority):
            return [handed_back(message)]
        names = task_type(task.task_type).names
        pages = self._pages(task)
        before = self._entities(task, pages) if "ner" in names[: names.index(step.name)] else None
        with self.measures.work(step.name, len(pages), each=len(pages)) as done:
            found = step.run(StepInput(task, pages, before.entities if before else ()))
            done(True)
        key = keys.output(task.task_id, step.name, task.generation)
        self.store.put(key, msgspec.json.encode(found))
        return [Message.of(after(task.task_type, step.name), task)]

    def _result(self, _: Message, task: Task) -> list[Message]:
        """Write the result and remove the marker, unless the task has ended since it was marked."""
        names = task_type(task.task_type).names
        outputs = {
            step: msgspec.json.decode(self.store.get(keys.output(task.task_id, step, task.generation)))
            for step in names
            if step in further_steps()
        }
        pages = self._pages(task)
        found = self._entities(task, pages) if "ner" in names else None
        result = conclude.result_of(
            task,
            pages,
            found,
            media_type=task.media_type or "",
            run_date=task.run_date,
            engines=self.engines(task),
            outputs=outputs,
        )
        if end := self._end_of(task):
            return self._ended(task, end)
        following = self._finish(task, result, callbacks.note_due(self.store, task))
        self.measures.concluded(result)
        return following

    def _pages(self, task: Task) -> tuple[Page, ...]:
        """All pages of a task, as the steps before have read them; raises `NotRead`."""
        assert task.sha256 is not None
        if task.media_type == TEXT:
            text = pending.document(self.store, task.sha256).decode()
            return (Page(number=1, width=0, height=0, text_from="text_layer", text=text),)
        return recognize.all_pages(task, store=self.store, engines=self.engines(task))

    def _entities(self, task: Task, pages: tuple[Page, ...]) -> extract.Entities:
        """All entities of a task, as the step before has found them; raises `NotRead`."""
        return extract.all_entities(task, pages, store=self.store, engines=self.engines(task))
