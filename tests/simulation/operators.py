"""The operator's commands, as `pipeline.cli` runs them, each a process that may die or be paused in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pipeline.errors import PermanentError, PipelineError
from pipeline.ledger import actions, forgetting
from pipeline.ledger import audit as ledger_audit
from pipeline.messages import Message
from pipeline.models import DocumentResult
from pipeline.night import brake, callbacks, failures, forget, inventory, remnants, reprocess, selection
from pipeline.night.dispatch import resume, resume_all
from pipeline.night.search import Search
from pipeline.night.window import Override
from pipeline.storage import keys
from tasks.publish import BROKER_ERRORS, publish
from tests.simulation.process import Process
from tests.simulation.producers import TENANTS

if TYPE_CHECKING:
    from pipeline.night.night import Night
    from tests.simulation.run import Run

_SEARCHED = 0.3  # share of runs of forgetting after which the whole store is searched


class Operator:
    """Gives commands at random."""

    def __init__(self, run: Run) -> None:
        self.run, self.world = run, run.world
        self.redriven: set[str] = set()
        self.commands: tuple[Callable[[Night], None], ...] = (
            self._redrive,
            self._redrive,
            self._redrive_dead,
            self._discard,
            self._reprocess,
            self._reprocess,
            self.repair,
            self._window,
            self._resend,
            self.release,
            self._restored,
            *([self._forget, self._forget, self._resume_forgetting] if run.forgets else []),
        )

    def act(self) -> None:
        """Give any command."""
        self.give(self.world.rng.choice(self.commands))

    def give(self, command: Callable[[Night], None]) -> None:
        """Give one command."""
        name = f"operator ({command.__name__.removeprefix('_')})"
        process = Process(name)
        self.world.plan(process)
        night = self.run.workers[0].night

        def work() -> None:
            with suppress(PipelineError, *BROKER_ERRORS):
                command(night)

        self.run.start(process, work, lambda: None)

    def clear(self) -> None:
        """End an override, so that the quiet nights have their windows."""
        self.run.workers[0].seen.clear_override()

    def release(self, night: Night) -> None:
        """Let the documents of paused steps fail."""
        for note in list(brake.notes(night.store)):
            brake.release(night.store, note.step)

    def _send(self, messages: Any) -> None:
        publish(self.run.broker, messages)

    def _redrive(self, night: Night) -> None:
        self._redrive_all(night, lambda _: True)

    def _redrive_dead(self, night: Night) -> None:
        """`nightshift dead redrive --all`."""
        about = {letter.task_id for letter in self.run.letters.all() if letter.step not in ("", "callback")}
        self.run.letters.send_back(lambda letter: not letter.step)
        self._redrive_all(night, lambda record: record.task_id in about)

    def _redrive_all(self, night: Night, chosen: Callable[[DocumentResult], bool]) -> None:
        records = [record for record in failures.find(night.store) if chosen(record)]
        changed = self.world.rng.choice(({}, {"render_dpi": "300", "max_pages": "50"}))
        for record in records:
            if (
                failures.code_of(record) == "id_conflict"
            ):  # would become a document of its own, under an id of its own
                continue
            try:
                task = failures.redrive(night.store, record, changed, today=night.schedule.run_date())
            except PermanentError:
                continue
            self.redriven.add(record.task_id)
            self.world.note(f"redrives {record.task_id}", record.task_id)
            self._send([Message.of("ingest", task)])

    def _discard(self, night: Night) -> None:
        for record in failures.find(night.store):
            failures.discard(night.store, record, "")

    def _reprocess(self, night: Night) -> None:
        for row in list(self._rows(night)):
            for found in reprocess.examine(night, [row]):
                if found.state != "stale":
                    continue
                assert found.task is not None
                reprocess.mark_pending(night.store, found.task)
                try:
                    self._send(resume(found.task, night.settings.spread_pages))
                except BaseException:
                    reprocess.withdraw(night.store, found.task)
                    raise

    def _rows(self, night: Night) -> Iterator[reprocess.Row]:
        if self.world.rng.random() < 0.5:
            yield from reprocess.rows(night.store, "pages > 0", reprocess.Now(night.settings))
            return
        for key in list(self.world.raw.list(keys.RESULTS)):  # also of nights that have no tables yet
            yield reprocess.Row(
                run_date=keys.run_date_of(key),
                task_id=keys.task_id_of(key),
                source="",
                pages=1,
                mean_confidence=None,
                reason="",
                seconds=0.0,
            )

    def repair(self, night: Night) -> None:
        """`nightshift audit --repair` for each run date."""
        for day in sorted({key.split("date=")[1].split("/")[0] for key in night.store.list(keys.RECEIPTS)}):
            ledger_audit.restore(
                night.store,
                ledger_audit.audit(night.store, day),
                lambda end: remnants.notify_again(night.store, end),
            )
            self._send(resume_all(night))

    def _restored(self, _: Night) -> None:
        """A damaged object was restored from a backup; the notice about it is left."""
        at = (self.world.clock() - timedelta(hours=1)).isoformat(timespec="seconds")
        letter = {"reason": "It was damaged.", "code": "damaged", "task_id": "doc0", "at": at}
        self.run.broker.dead.append(letter | {"body": '{"task_id": "doc0", "step": "ocr"}'})

    def _forget(self, night: Night) -> None:
        """`nightshift forget`."""
        forget.resume(night.store)
        if forgetting.in_progress(night.store):
            return
        plan = selection.plan(night.store, self._chosen(night), actor="operator")
        if plan is None:
            return
        actions.record(night.store, "forget", detail={"run": plan.run})
        done = forget.carry_out(night.store, plan)
        is_about = forget.is_about(night.store, plan)
        self.run.letters.sweep(lambda letter: is_about(letter.task_id))
        if self.world.rng.random() < _SEARCHED:
            Search(night.store, plan, inventory.users(night.store, plan.hashes)).run()
        forget.finish(night.store, plan, done)

    def _chosen(self, night: Night) -> selection.Selector:
        rng, known = self.world.rng, self.run.producers.known
        by = rng.choice(("task_id", "task_id", "task_id", "sha256", "sha256", "tenant", "before"))
        if by == "before":
            today = date.fromisoformat(night.schedule.run_date())
            return selection.Selector(before=(today - timedelta(days=1)).isoformat())
        if by == "tenant":
            return selection.Selector(tenant=rng.choice(TENANTS))
        name = rng.choice([*sorted(known), "doc0"])
        if by == "sha256" and name in known and known[name].sha256:
            return selection.Selector(sha256=rng.choice(sorted(known[name].sha256)))
        return selection.Selector(task_id=name)

    def _resume_forgetting(self, night: Night) -> None:
        """`nightshift forget --resume`, given where no other one is known to live."""
        alive = any(
            "forget" in process.name or process.name == "tick" for process, _ in self.run.scheduler.paused
        )
        forget.resume(night.store, at_once=not alive)

    def _window(self, night: Night) -> None:
        state: Literal["open", "closed", "clear"] = self.world.rng.choice(("open", "closed", "clear"))
        if state == "clear":
            night.schedule.clear_override()
            return
        until = self.world.clock() + timedelta(hours=self.world.rng.random() * 8)
        night.schedule.set_override(Override(state=state, until=until.isoformat()))

    def _resend(self, night: Night) -> None:
        for one in list(callbacks.undelivered(night.store)):
            if message := callbacks.resend(night.store, one):
                self._send([message])
