"""One simulated run: some nights in which things go wrong, then quiet ones, then the checker."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import structs

from pipeline.errors import PipelineError
from pipeline.ledger.audit import audit
from pipeline.night import dead, housekeeping
from pipeline.night.course import Course
from pipeline.night.night import Night
from pipeline.storage import keys
from tasks.publish import BROKER_ERRORS, publish
from tests.simulation import checker, documents, tables
from tests.simulation.broker import MemoryBroker
from tests.simulation.checker import Evidence, Finding
from tests.simulation.faults import NEVER, Aim
from tests.simulation.forgetting import Forgetting
from tests.simulation.gpu import Windows
from tests.simulation.letters import Letters
from tests.simulation.operators import Operator
from tests.simulation.patches import running
from tests.simulation.process import Process
from tests.simulation.producers import ELSEWHERE, LONG, TENANTS, Producers
from tests.simulation.scheduler import Scheduler
from tests.simulation.workers import Worker, settings_of
from tests.simulation.world import World

_SUSPENDED = 90.0  # seconds after which the broker takes a silent worker's messages back
_QUIET_NIGHTS = 6
_MOST_ROUNDS = 2000  # after which things calm down early
_RELEASED = 0.1  # probability, each time that nothing is ready, that somebody releases a brake
_WITH_COURSE = (
    0.1  # share of runs in which ticks take samples of the night: they cost time and change no document
)
_REST = 4 * 3600.0  # seconds without any work left, within which tables are written
_TIDY = 6 * 3600.0  # seconds after forgetting, within which two sweeps have removed its dead letters
KEPT = ("all=1", "documents=1,checkpoints=1", "results=1,failures=1", "results=1")
ALLOWED = "s3://inbox/"
_WORK_LEFT = ("pending/", "callbacks/", "delayed/", "changed/", "forgetting/", "deadlines/")


@dataclass
class Outcome:
    """What came of one run."""

    seed: int
    findings: list[Finding]
    world: World
    nights: int = 0
    documents: int = 0
    messages: int = 0
    submitted: list[bytes] = field(default_factory=list)
    aims: Sequence[Aim] = ()

    @property
    def kind(self) -> str:
        """Kind of the first finding; empty for a run that passed."""
        return self.findings[0].kind if self.findings else ""


class Run:
    """The state of one run other than the world's."""

    def __init__(
        self,
        seed: int,
        *,
        only: frozenset[int] | None = None,
        aims: Sequence[Aim] = (),
        parquet: bool = False,
    ) -> None:
        world = self.world = World(seed, only=only, aims=aims)
        world.parquet = parquet
        rng = world.rng
        self.broker = MemoryBroker(world)
        world.broker_error = self.broker.error
        world.on_write, world.on_compute, world.on_gate = self._written, self._computed, self._gate
        self.given: dict[str, Any] = {
            "window": rng.choice(("22:00-06:00", "22:00-06:00", "20:00-23:30", "always", "00:30-05:00")),
            "timezone": rng.choice(("UTC", "Europe/Berlin", "Asia/Shanghai", "America/New_York")),
            "urgent_by_day": rng.random() < 0.3,
            "close_grace": rng.choice((5.0, 25.0)),
            "spread_pages": rng.choice((2, 40)),
            "page_group": rng.choice((1, 2, 8)),
            "max_retries": rng.choice((1, 2, 6)),
            "max_attempts": rng.choice((2, 3)),
            "max_pages": documents.MAX_PAGES,
            "allowed_sources": ALLOWED,
            "allowed_callbacks": "https://hooks.example/",
            "callback_secret": "0123456789abcdef",
            "tenant_pages": rng.choice(("", "", "t=2", "u=0, *=4")),
            "keep_days": rng.choice(("",) * 24 + KEPT),
            "store_url": world.raw.url,
        }
        self.windows = Windows(
            self.given["window"],
            ZoneInfo(self.given["timezone"]),
            self.given["urgent_by_day"],
            self.given["close_grace"],
        )
        self.version = 0
        self.settings_differ = False
        self.good: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.scheduler = Scheduler(world, self._paused, self._crashed)
        self.start = self.scheduler.start
        self.ticked = -1e9
        self.days = rng.choice((1,) * 12 + (2,) * 6 + (5,))
        if self.given["keep_days"]:
            self.days = rng.choice((3, 4))
        self.forgets = rng.random() < 0.4
        sampled = rng.random() < _WITH_COURSE or self.given["keep_days"].startswith("all")
        self.course = Course() if sampled else None
        self.forgetting = Forgetting(self)
        self.widened = rng.random() * 86400.0
        self.disk_lost = False
        with running(world):
            self.workers = [
                Worker(world, self.broker, f"w{n}", self.settings(), self._skew())
                for n in range(rng.choice((2, 3)))
            ]
        self.producers = Producers(self)
        self.letters = Letters(self.broker)
        self.operator = Operator(self)

    def settings(self) -> Any:
        """The settings that new workers start with."""
        return settings_of(
            tuple((self.given | {"ocr_max_side": documents.FIRST_SIDE + self.version}).items())
        )

    def _skew(self) -> float:
        return (self.world.rng.random() * 2 - 1) * self.world.rates.skew

    # processes

    def _paused(self, process: Process) -> None:
        if process.gate is not None and process.wakes - self.world.now > _SUSPENDED:
            self._suspended(process)

    def _crashed(self, process: Process, error: Exception) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        self.wrong("crash", process.name, f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})")

    def _suspended(self, process: Process) -> None:
        """A worker's machine stops for a while: the broker misses it, another one takes its place."""
        worker = process.gate
        if process.held is not None:
            self._return(process.held)
        if worker.child is process:
            worker.child = worker.fork()

    def _return(self, envelope: Any) -> None:
        if self.broker.give_back(envelope):
            self.world.note(f"BROKER takes back {envelope}", envelope.about)

    # a round

    def round(self) -> None:
        """One event: a process goes on, something happens outside, a message is handled, or time passes."""
        self.broker.expire()
        self.scheduler.wake()
        self.producers.submit_due()
        if not self.world.calm:
            self._happen()
        if not self._serve():
            self._pass_time()

    def _widen(self) -> None:
        """An operator allows further sources, and restarts the workers."""
        self.widened = math.inf
        self.given["allowed_sources"] = f"{ALLOWED},{ELSEWHERE}"
        for worker in self.workers:
            if worker.free:
                worker.start(self.settings(), worker.skew.total_seconds())

    def _happen(self) -> None:
        world, rng, chance = self.world, self.world.rng, self.world.chance
        if world.now >= self.widened:
            self._widen()
        if chance("connection"):
            holders = [w.child for w in self.workers if w.child.held is not None]
            if holders:
                self._return(rng.choice(holders).held)
        if chance("outage"):
            server = rng.choice(("store", "broker", "receiver"))
            longest = (5.0, 120.0, 4000.0) if server != "receiver" else (4000.0, 200000.0)
            world.down_until[server] = world.now + rng.choice(longest) * rng.random()
            world.note(f"OUTAGE of the {server}")
        if chance("disk_lost"):
            world.note("THE BROKER LOSES ITS DISK")
            self.disk_lost = True
            self.producers.lost(self.broker.lose_disk())
        if chance("restart"):
            worker = rng.choice(self.workers)
            if worker.free:
                if rng.random() < 0.3:
                    self.version, self.settings_differ = self.version + 1, True
                skew = self._skew() * (100 if rng.random() < 0.1 else 1)
                world.note(f"{worker.name} is restarted, settings {self.version}, clock {skew:+.0f} s")
                worker.start(self.settings(), skew)
        if chance("clock"):
            worker = rng.choice(self.workers)
            worker.skew = worker.child.skew = timedelta(seconds=self._skew())
            world.note(f"the clock of {worker.name} jumps to {worker.skew.total_seconds():+.0f} s")
        if chance("operator"):
            self.operator.act()
        if chance("vanish"):
            self.producers.vanish(self.good)

    def _serve(self) -> bool:
        free = [w for w in self.workers if w.free]
        self.world.rng.shuffle(free)
        for worker in free:
            if queues := worker.queues():
                queue = self.world.rng.choice(queues)
                number = len(self.broker.ready[queue])
                index = (
                    self.world.rng.randrange(number) if number > 1 and self.world.chance("reordered") else 0
                )
                child, work = worker.child, worker.take(queue, index)
                self.start(child, work, partial(worker.ended, child))
                self.world.now += self.world.rng.random() * 0.2
                return True
        return False

    def _pass_time(self) -> None:
        """Nothing is ready: go on to the next thing that is due, or a while later."""
        world = self.world
        coming = [at for at, _ in self.broker.waiting]
        coming += [process.wakes for process, _ in self.scheduler.paused]
        coming += self.producers.times()
        step = world.rng.choice((1.0, 900.0, 1800.0, 5400.0))
        world.now = max(world.now + 0.1, min([world.now + step, *coming]))
        for worker in self.workers:
            if worker.free:
                self._gate_of_idle(worker)
        if not world.calm and self._braked() and world.rng.random() < _RELEASED:
            self.operator.give(self.operator.release)
        if world.now - self.ticked >= 30:
            self.ticked = world.now
            self.tick()

    def _gate_of_idle(self, worker: Worker) -> None:
        gate = Process(f"{worker.name} gate", skew=worker.skew)
        self.world.plan(gate)

        def work() -> None:
            with suppress(PipelineError):
                worker.tick(worker.child)

        if worker.release.in_use:
            self.start(gate, work, lambda: None)

    def tick(self) -> None:
        """What a worker does with beat's task."""
        worker = self.world.rng.choice(self.workers)
        process = Process("tick", skew=worker.skew)
        self.world.plan(process)

        def work() -> None:
            with suppress(PipelineError, *BROKER_ERRORS):
                try:
                    housekeeping.tick(
                        worker.night,
                        lambda: self.world.call("ready", "", self.broker.count),
                        partial(publish, self.broker),
                        self.course,
                    )
                finally:
                    dead.tidy(worker.night, self.letters.sweep)

        self.start(process, work, lambda: None)

    # what is watched while it runs

    def _written(self, op: str, key: str) -> None:
        self.forgetting.written(op, key)
        if key == "control/window.json":
            data = self.world.raw.get(key) if op == "put" else None
            self.windows.overrides.append((self.world.now, data))
        elif key.startswith("results/"):
            self._result_written(op, key)
        elif key.startswith("failed/") and op == "put":
            self.producers.failed(key, json.loads(self.world.raw.get(key)))

    def _result_written(self, op: str, key: str) -> None:
        task_id = checker.task_id_of(key)
        if op == "put":
            record = json.loads(self.world.raw.get(key))
            sha = record["sha256"]
            if self.forgetting.is_forgotten(task_id, record["first_seen"]):  # to be taken back
                return
            was = self.good.setdefault(task_id, sha)
            if was != sha:
                self.wrong("good result replaced", key, f"was about {was}, is now about {sha}")
        elif task_id in self.good and "results" not in self.forgetting.removed.get(checker.day_of(key), ()):
            name = key.rsplit("/", 1)[1]
            if not any(other.endswith(f"/{name}") for other in self.world.raw.list("results/")):
                self.wrong("good result gone", key, "was deleted, and there is no other")

    def wrong(self, kind: str, key: str, detail: str) -> None:
        """Note at once what must never happen."""
        task_id = checker.task_id_of(key)
        self.world.note(f"WRONG: {kind}", key)
        self.findings.append(Finding(kind, task_id, f"{key} {detail}"))

    def _gate(self, process: Process) -> None:
        if self.world.now - process.woken >= 1.0:
            process.gate.tick(process)

    def _computed(self, process: Process, start: float, what: str) -> None:
        if process.held is None:
            return
        late = self.windows.overrun(process.held.queue, start, self.world.clock(), start - process.woken)
        if late:
            self.wrong("device after close", process.held.about, f"used it: {what}")

    # the end

    def all(self) -> Evidence:
        """Simulate everything; returns what the checker is given apart from the store."""
        world = self.world
        with running(world):
            end = timedelta(days=self.days, hours=18).total_seconds()
            rounds = 0
            while world.now < end and rounds < _MOST_ROUNDS:
                self.round()
                rounds += 1
            self.calm()
            world.running = None
            return self.evidence()

    def calm(self) -> None:
        """Nothing goes wrong any more: all paused processes go on, clocks are right, settings agree."""
        world = self.world
        world.note("--- calm ---")
        world.calm = True
        world.focused.clear()
        world.rates = replace(world.rates, focus=None)
        world.down_until = dict.fromkeys(world.down_until, 0.0)
        self.scheduler.finish()
        for worker in self.workers:
            worker.child.left = NEVER
            worker.start(self.settings(), 0.0)
        self.operator.clear()
        self.windows.overrides.append((world.now, None))
        end = world.now + timedelta(days=_QUIET_NIGHTS).total_seconds() + LONG  # of a delay that begins then
        since = world.now
        while world.now < min(end, max(since + _REST, self.forgetting.last + _TIDY)):
            self.round()
            if self._braked():
                worker = self.workers[0]
                self.operator.release(Night(worker.settings, world.raw, worker.seen))
            busy = self.broker.waiting or any(self.broker.ready.values()) or self.producers.times()
            if busy or self._retaining() or any(key.startswith(_WORK_LEFT) for key in world.raw._objects):
                since = world.now

    def _retaining(self) -> bool:
        """Whether retention has begun on a night and goes on once the window is closed."""
        notes = (data for key, data in self.world.raw._objects.items() if key.endswith("/removed.json"))
        return any(json.loads(data)["begun"] for data in notes)

    def _braked(self) -> bool:
        return any(key.startswith(keys.BRAKES) for key in self.world.raw._objects)

    def evidence(self) -> Evidence:
        """What the checker is given apart from the store."""
        store = self.world.raw
        days = {key.split("date=")[1].split("/")[0] for key in store.list("receipts/")}
        audits = {
            day: structs.asdict(report) | {"gaps": [f"{g.kind} {g.task_id}: {g.detail}" for g in report.gaps]}
            for day in sorted(days)
            for report in [audit(store, day)]
        }
        return Evidence(
            offers=self.producers.offers(),
            good=self.good,
            dead=None if self.disk_lost else self.broker.dead,
            queues={name: len(queue) for name, queue in self.broker.ready.items()},
            posted=[json.loads(body) for _, body in self.world.posted],
            audits=audits,
            tables=tables.statuses(store),
            apart=self.operator.redriven,
            sent_back=self.letters.sent_back,
            gone=self.forgetting.gone(),
            seen=self.forgetting.seen,
            removed=self.forgetting.removed,
            backfill=[t for t in TENANTS if f"{t}=0" in self.given["tenant_pages"]],
            hash_of_text=lambda text: (
                text.split(" ")[0] if not text.startswith("sim ") else documents.sha256(text.encode())
            ),
        )


def simulate(
    seed: int, *, only: frozenset[int] | None = None, aims: Sequence[Aim] = (), parquet: bool = False
) -> Outcome:
    """One run from its seed; patches must be installed (`patches.installed`).

    `only`: the faults that happen. `aims`: faults in addition, one after the other; until the first hits, the
    run is the same as without them.
    """
    run = Run(seed, only=only, aims=aims, parquet=parquet)
    evidence, raw = run.all(), run.world.raw
    found = [
        *run.findings,
        *checker.check(checker.Objects(lambda: raw.list(""), raw._objects.__getitem__), evidence),
    ]
    return Outcome(
        seed,
        list({(f.kind, f.task_id): f for f in reversed(found)}.values())[::-1],
        run.world,
        nights=run.days + 1,
        documents=len(run.producers.specs),
        messages=run.broker.number,
        submitted=[spec.data for spec in run.producers.specs],
        aims=aims,
    )
