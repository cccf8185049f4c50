"""One step of one task: what is done, and which messages come next. Publishing them is the caller's part.

ingest -> ocr -> ner -> result, and a callback if one was asked for. Each step finds its task by the
pending marker; a task without one has ended, so a message that comes twice does nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import structs

from pipeline import callbacks, keys, ledger, steps
from pipeline.engines import Engines
from pipeline.errors import NotFound, PermanentError, PipelineError, Poison, TransientError
from pipeline.intake import open_document
from pipeline.models import TEXT, Entity, Page, Task, from_json
from pipeline.reception import Reception
from pipeline.settings import Settings
from pipeline.step_messages import Message, is_urgent, message
from pipeline.storage import Store, open_store
from pipeline.task_types import Read, after, further_steps, task_type
from pipeline.window import OffPeakWindow, Override


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
        try:
            found = from_json(self.store.get(keys.control("window")), Override)
        except (NotFound, msgspec.DecodeError):
            return None
        return found if found.ends > datetime.now(UTC) else None

    def may_use_gpu(self, priority: int) -> bool:
        """Whether GPU work of this priority may start now."""
        if is_urgent(priority) and self.settings.urgent_by_day:
            return True
        return self.window.contains(datetime.now(UTC), self.override())

    def run(self, message: Message) -> list[Message]:
        """Do one step; returns the messages that come next.

        Raises `PermanentError` for a document that can't be done, `TransientError` when trying again may
        help, `RunError` when something else than the document must be mended first.
        """
        built_in = {
            "ingest": self._ingest,
            "ocr": self._ocr,
            "ner": self._ner,
            "result": self._result,
            "callback": self._callback,
        }
        return built_in.get(message.step, self._further)(message)

    def _ingest(self, order: Message) -> list[Message]:
        """Take a document in, any time of day."""
        task = self.reception.take_in(order.task_id)
        return self.begin(task) if task else []

    def begin(self, task: Task) -> list[Message]:
        """Messages of the first step behind ingest; a long document spreads over workers."""
        step = after(task.task_type, "ingest")
        size = self.settings.spread_pages
        if step != "ocr" or task.pages <= size:
            return [message(step, task)]
        return [
            message(step, task, first, min(first + size - 1, task.pages))
            for first in range(1, task.pages + 1, size)
        ]

    def _ocr(self, order: Message) -> list[Message]:
        """Read pages, group by group; stops between groups when the window closes, and hands itself back."""
        task = self._start(order)
        if task is None:
            return []
        assert task.sha256 is not None
        engines, low, high = self.engines(task), order.first or 1, order.last or task.pages
        with open_document(self.store.get(keys.document(task.sha256)), engines.settings.limits) as document:
            for start in range(low, high + 1, self.settings.page_group):
                if not self.may_use_gpu(task.priority):
                    self._end(order)
                    return [order]
                numbers = range(start, min(start + self.settings.page_group, high + 1))
                steps.recognize(document, task.sha256, numbers, store=self.store, engines=engines)
        self._end(order)
        others = [n for n in range(1, task.pages + 1) if not low <= n <= high]
        if all(steps.has_page(task.sha256, n, store=self.store, engines=engines) for n in others):
            return [message(after(task.task_type, "ocr"), task)]
        return []  # whoever reads the last pages goes on

    def _ner(self, order: Message) -> list[Message]:
        """Find the entities of all pages."""
        task = self._start(order)
        if task is None:
            return []
        if not self.may_use_gpu(task.priority):
            self._end(order)
            return [order]
        assert task.sha256 is not None
        steps.extract(self._pages(task), task.sha256, store=self.store, engines=self.engines(task))
        self._end(order)
        return [message(after(task.task_type, "ner"), task)]

    def _further(self, order: Message) -> list[Message]:
        """Run a step of a further task type."""
        task = self._start(order)
        if task is None:
            return []
        step = further_steps()[order.step]
        if step.gpu and not self.may_use_gpu(task.priority):
            self._end(order)
            return [order]
        found = step.run(Read(task, self._pages(task), self._entities(task)))
        self.store.put(keys.output(order.task_id, step.name), msgspec.json.encode(found))
        self._end(order)
        return [message(after(task.task_type, step.name), task)]

    def _result(self, order: Message) -> list[Message]:
        """Write the result and take the marker away."""
        task = ledger.pending(self.store, order.task_id)
        if task is None:
            return []
        names = task_type(task.task_type).names
        outputs = {
            step: msgspec.json.decode(self.store.get(keys.output(order.task_id, step)))
            for step in names
            if step in further_steps()
        }
        assert task.sha256 is not None
        engines = self.engines(task)
        pages = self._pages(task)
        steps.conclude(
            task,
            pages,
            steps.extract(pages, task.sha256, store=self.store, engines=engines) if "ner" in names else None,
            media_type=task.media_type or "",
            run_date=task.run_date or self.run_date(),
            store=self.store,
            engines=engines,
            outputs=outputs,
        )
        return self._answer(task)

    def _answer(self, task: Task) -> list[Message]:
        if not task.callback_url or task.reprocess:
            return []
        return [structs.replace(message("callback", task), run_date=task.run_date or self.run_date())]

    def _callback(self, order: Message) -> list[Message]:
        """Tell whoever asked for it that a task has ended."""
        record = ledger.ended(self.store, order.run_date, order.task_id)
        if record is None:
            raise PermanentError(f"There is no result of {order.task_id} to tell of.", code="result_missing")
        callbacks.deliver(record, self.store.url, self.settings)
        return []

    def fail(self, order: Message, error: PermanentError) -> list[Message]:
        """Record that a task failed for good; what was asked to be told of it, is."""
        if order.step == "callback":
            key = keys.undelivered(order.run_date, order.task_id)
            self.store.put(key, msgspec.json.encode({"code": error.code, "message": error.message}))
            return []
        task = ledger.pending(self.store, order.task_id)
        if task is None:
            return []
        if not task.run_date:
            task = structs.replace(task, run_date=self.run_date())
        try:
            digest = self.engines(task).digest
        except PipelineError:  # settings that fit no engine must not keep a failure from being recorded
            digest = ""
        ledger.fail(self.store, task, error, run_date=task.run_date, settings_digest=digest)
        return self._answer(task)

    def _start(self, order: Message) -> Task | None:
        """Find a task and count this attempt before the work starts; raises `Poison` at the limit."""
        task = ledger.pending(self.store, order.task_id)
        if task is None:
            return None
        if not task.run_date:
            task = structs.replace(task, run_date=self.run_date())
            ledger.mark(self.store, task)
        prefix = keys.pages(task.sha256 or "", self.engines(task).reading_digest)
        attempt = ledger.count_attempt(
            self.store,
            keys.attempts(order.task_id, order.step, order.first),
            retries=order.retries,
            progress=lambda: sum(1 for _ in self.store.list(prefix)),
        )
        limit = self.settings.max_attempts
        if attempt > limit:
            where = f" on pages {order.first} to {order.last}" if order.first else ""
            raise Poison(
                f"The document killed or hung its worker in step {order.step}{where} at each of {limit} tries; "
                "look at it by hand, or redrive it with other settings."
            )
        return task

    def _end(self, order: Message) -> None:
        """The step ended by itself, so its attempt does not count against the document."""
        self.store.delete(keys.attempts(order.task_id, order.step, order.first))

    def _pages(self, task: Task) -> tuple[Page, ...]:
        assert task.sha256 is not None
        if task.media_type == TEXT:
            text = self.store.get(keys.document(task.sha256)).decode()
            return (Page(number=1, width=0, height=0, source="text_layer", text=text),)
        engines = self.engines(task)
        found = [
            steps.stored_page(task.sha256, n, store=self.store, engines=engines)
            for n in range(1, task.pages + 1)
        ]
        if any(page is None for page in found):
            raise TransientError(f"Pages of {task.task_id} are not in the store yet.", code="pages_missing")
        return tuple(page for page in found if page is not None)

    def _entities(self, task: Task) -> tuple[Entity, ...]:
        if "ner" not in task_type(task.task_type).names:
            return ()
        assert task.sha256 is not None
        return steps.extract(
            self._pages(task), task.sha256, store=self.store, engines=self.engines(task)
        ).entities
