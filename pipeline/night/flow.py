"""One step of one task: what is done, and which messages come next. Publishing them is the caller's part.

ingest -> ocr -> ner -> result, and a callback if one was asked for. Each step finds its task by the
pending marker; a task without one has ended, so a message that comes twice does nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import structs

from pipeline import clock, logs
from pipeline.errors import NotRead, PermanentError, PipelineError, Poison
from pipeline.ledger import counting, ends, generations, pending, receipts, records
from pipeline.ledger.attempts import MAX_RESTARTS, MAX_SKIPPED_PAGES, counted, drop, forget, retries_of
from pipeline.ledger.ends import Dates, End
from pipeline.messages import Message, handed_back, is_urgent
from pipeline.models import TEXT, DocumentResult, Page, Status, Task
from pipeline.night import callbacks, deadlines, remnants
from pipeline.night.dispatch import begin
from pipeline.night.measures import Measures
from pipeline.night.night import Night
from pipeline.reader import open_document
from pipeline.steps import conclude, extract, recognize
from pipeline.steps.budget import Budget
from pipeline.steps.engines import EnginesByTask
from pipeline.steps.task_types import StepInput, after, further_steps, task_type
from pipeline.storage import keys, recent
from pipeline.submission.reception import SOON, Reception
from pipeline.telemetry import spans

_REFUSED = "It was refused when it came; the process that was to record this has died."


class Unwell(NamedTuple):
    """How the step that ran last ended its document, where that is not done."""

    status: Status
    code: str


class Flow:
    """Runs steps in one process: the night it belongs to, and models on first use.

    `at_once`: `ner` also writes the result of a document of one page, so that its entities need not be stored between
    two steps. `unwell`: how the step that ran last ended its document, if it did and the document is not done;
    `concluded`: whether it wrote a result.
    """

    def __init__(self, night: Night, *, at_once: bool = False) -> None:
        self.night, self.at_once = night, at_once
        self.settings, self.store, self.schedule = night.settings, night.store, night.schedule
        self.reception = Reception(self.store, self.settings, self.schedule.run_date)
        self.engines = EnginesByTask(self.settings)
        self.unwell: Unwell | None = None
        self.concluded = False
        self._begun = ("", "")  # task id of the step that ran last, and when that was submitted
        self._looked = clock.Mark.now()  # when its marker was read
        self.measures = Measures(night)

    def run(self, message: Message) -> list[Message]:
        """Do one step; returns the messages that come next.

        Raises `PermanentError` for a document that can't be done, `TransientError` when a retry may
        help, `RunError` when something other than the document must be fixed first (`pipeline.steps.verdict`).
        """
        self.unwell, self.concluded, self._begun = None, False, ("", "")
        if message.step == "callback":
            callbacks.notify(self.store, message, self.settings)
            return []
        self._looked = clock.Mark.now()
        task = self._marker(message)
        if task is None:
            return remnants.settle(self.store, message, self.schedule.run_date)
        self._begun = task.task_id, task.submitted_at
        logs.note(run_date=task.run_date)
        spans.note({"nightshift.task_type": task.task_type, "nightshift.pages": task.pages})
        if message.step != "ingest" and (task.media_type is None or task.sha256 is None):
            return [
                Message.of("ingest", task)
            ]  # a process that was paused while it accepted the task has set it back
        if message.step != "ingest":
            task = structs.replace(task, run_date=self._night_of(task, message))
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

    def _marker(self, message: Message) -> Task | None:
        """The marker of the task that a message is about, `None` if it has ended.

        What begins with it looks at it, or at one that this host wrote at this moment; `ner` and what follows are
        ended by a look after they have written, so that one that was seen in the last minute is enough for them: not
        one of before the task was ingested, maybe by another host.
        """
        within = SOON if message.step in ("ingest", "ocr") else recent.LONGEST
        may_be_old = message.is_first and not message.first  # parts of a document change its marker
        seen = pending.seen(self.store, message.task_id, message.generation, within) if may_be_old else None
        if seen and (seen.ingested_by or message.step == "ingest"):
            return seen  # not one of before it was ingested, by this host or another
        task = pending.get(self.store, message.task_id, message.generation)
        if task and message.step == "ocr":  # not before it is ingested, when it changes
            pending.keep(self.store, task)
        return task

    def fail(self, message: Message, error: PermanentError) -> list[Message]:
        """Record that a task failed permanently; returns the message of its callback, if one was asked for."""
        if message.step == "callback":
            callbacks.abandon(self.store, message, error)
            self.unwell = Unwell("failed", error.code)
            return []
        task = pending.get(self.store, message.task_id, message.generation)
        if task is None:
            drop(self.store, message)
            return remnants.settle(self.store, message, self.schedule.run_date)
        if self._is_of_another(task):
            return []
        task = structs.replace(task, run_date=self._night_of(task, message))
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
        left = self._finish(task, self._traced(result), following)
        forget(self.store, task.task_id)
        return left

    def _is_of_another(self, task: Task) -> bool:
        """Whether its step was about a task that was forgotten since, and whose id was submitted again."""
        task_id, submitted = self._begun
        return task_id == task.task_id and submitted != task.submitted_at

    def _night_of(self, task: Task, message: Message) -> str:
        """Run date of a task: of its marker, else the night in which the step before was done, else this one.

        Never before its receipt, even where the clock here is behind.
        """
        return task.run_date or max(message.run_date or self.schedule.run_date(), task.accepted_on)

    @staticmethod
    def _after(message: Message, task: Task) -> list[Message]:
        """The message of the step that follows; it belongs to the same night."""
        following = Message.of(after(task.task_type, message.step), task)
        return [structs.replace(following, run_date=task.run_date, fresh=message.finds_nothing)]

    @staticmethod
    def _handed_back(message: Message, task: Task) -> list[Message]:
        return [structs.replace(handed_back(message), run_date=task.run_date)]

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
        own = end.generation == task.generation
        if own:
            records.settle(self.store, end, self._dates(task))
        pending.remove(self.store, task.task_id, task.generation)
        if own and end.status == "failed":  # again: who writes a result meanwhile looks for the marker only
            records.settle(self.store, end, self._dates(task))
        counting.of(self.store).gone(task)
        if not own:
            return []
        deadlines.forget(self.store, task)  # the process that wrote the record may not have got so far
        return callbacks.left(self.store, end)

    @staticmethod
    def _traced(result: DocumentResult) -> DocumentResult:
        return structs.replace(result, traceparent=spans.current().parent or result.traceparent)

    def _finish(
        self, task: Task, result: DocumentResult, following: list[Message], *, written: bool = False
    ) -> list[Message]:
        """Store a task's record; returns `following`, or what is left to do where another record counts.

        `written`: it is stored, see `records.finish`.
        """

        by_others = False

        def note_again() -> None:  # the note may be gone with the callback of the failure that this replaces
            nonlocal by_others
            by_others = True
            if following:
                callbacks.note_due(self.store, task)

        spans.note({"nightshift.outcome": result.status, "nightshift.run_date": result.run_date})
        instead = records.finish(
            self.store, result, self._dates(task), written=written, ended_before=note_again
        )
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
        return [structs.replace(message, fresh=False)]

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
        now = pending.get(self.store, task.task_id, task.generation)
        if now is None:
            return []
        task = structs.replace(now, run_date=task.run_date, restarts=now.restarts + 1, reading="")
        pending.update(self.store, task)
        return [
            structs.replace(one, run_date=task.run_date) for one in begin(task, self.settings.spread_pages)
        ]

    def _ingest(self, message: Message, task: Task) -> list[Message]:
        """Fetch and check a document, at any time of day; not again where that was done, and it has ended since."""
        if task.refused:
            if end := self._end_of(task):
                return self._ended(task, end)
            raise PermanentError(_REFUSED, code=task.refused)
        left: list[Message] | None = None

        def has_ended(task: Task) -> bool:
            nonlocal left
            if end := self._end_of(task):
                left = self._ended(task, end)
            return left is not None

        ingested = self.reception.ingest(task, message, looked=self._looked, has_ended=has_ended)
        if left is not None:
            return left
        if ingested is None:
            return []
        entered, new = ingested
        first = not task.ingested_by or bool(task.not_before)  # else its message was delivered twice
        if first:
            self.measures.accepted(entered)
        deadlines.note(self.store, entered, first=first)
        fresh = new or message.finds_nothing
        return [structs.replace(one, fresh=fresh) for one in begin(entered, self.settings.spread_pages)]

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
                    return self._handed_back(message, task)
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
                        look=not message.finds_nothing,
                        alone=message.redelivered,
                    )
                self.measures.read(pages, on_page)
                start += group
        others = {n for n in range(1, task.pages + 1) if not low <= n <= high}
        if others and others - recognize.stored_numbers(task.sha256, store=self.store, engines=engines):
            return []  # the worker that reads the last pages continues
        return self._after(message, task)

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
            return self._handed_back(message, task)
        assert task.sha256 is not None
        pages = self._pages(task)
        ends = self.at_once and self._may_end(message, task, pages)
        with self.measures.work("ner", len(pages), each=len(pages)) as on_entities:
            found = extract.extract(
                pages,
                task.sha256,
                store=self.store,
                engines=self.engines(task),
                on_entities=on_entities,
                look=not message.finds_nothing,
                keep=not ends,
            )
        self.measures.extracted(found.seconds, on_entities)
        if ends:
            with self.measures.step("result"):
                return self._conclude(message, task, pages, found)
        return self._after(message, task)

    @staticmethod
    def _may_end(message: Message, task: Task, pages: tuple[Page, ...]) -> bool:
        """Whether a document may end with `ner`: one page, of which finding the entities again costs less than a step.

        Not a message that was delivered before: what has failed, or killed its process, is left to a step of its own.
        """
        whole = len(pages) == 1 and not pages[0].error and not task.callback_url
        return message.is_first and whole and after(task.task_type, "ner") == "result"

    def _further(self, message: Message, task: Task) -> list[Message]:
        """Run a step of a further task type."""
        step = further_steps()[message.step]
        if step.gpu and not self.measures.admission.whole(step.name, task.pages, task.priority):
            return self._handed_back(message, task)
        names = task_type(task.task_type).names
        pages = self._pages(task)
        before = self._entities(task, pages) if "ner" in names[: names.index(step.name)] else None
        with self.measures.work(step.name, len(pages), each=len(pages)) as done:
            found = step.run(StepInput(task, pages, before.entities if before else ()))
            done(True)
        key = keys.output(task.task_id, step.name, task.generation)
        self.store.put(key, msgspec.json.encode(found))
        return self._after(message, task)

    def _result(self, message: Message, task: Task) -> list[Message]:
        """Write the result and remove the marker, unless the task has ended since it was marked."""
        names = task_type(task.task_type).names
        outputs = {
            step: msgspec.json.decode(self.store.get(keys.output(task.task_id, step, task.generation)))
            for step in names
            if step in further_steps()
        }
        pages = self._pages(task)
        found = self._entities(task, pages) if "ner" in names else None
        return self._conclude(message, task, pages, found, outputs)

    def _conclude(
        self,
        message: Message,
        task: Task,
        pages: tuple[Page, ...],
        found: extract.Entities | None,
        outputs: dict[str, dict[str, str]] | None = None,
    ) -> list[Message]:
        result = conclude.result_of(
            task,
            pages,
            found,
            media_type=task.media_type or "",
            run_date=task.run_date,
            engines=self.engines(task),
            outputs=outputs,
        )
        result = self._traced(result)
        # a callback is noted before its record is written, and not again for one that has ended
        first = message.is_first and not task.callback_url
        written = first and records.write_first(self.store, result, self._dates(task))
        if not written and (end := self._end_of(task)):
            return self._ended(task, end)
        following = self._finish(task, result, callbacks.note_due(self.store, task), written=written)
        self.concluded = True
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
