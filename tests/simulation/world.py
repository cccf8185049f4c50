"""The world of one run: its time, its chance, its store, and the one process that is running.

Everything comes from the seed. Each store call and each publish passes through `World.call`, where the running process
may die, be paused, or get an error, before the call has taken effect or after it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple, TypeVar

from pipeline.errors import (
    NotFound,
    PermanentError,
    PipelineError,
    RunError,
    StoreUnavailable,
    TransientError,
)
from pipeline.storage.memory import MemoryStore
from tests.simulation import documents
from tests.simulation.faults import DIE, ERROR, FOCUS, NEVER, PAUSE, Aim, Coverage, Point, Rates
from tests.simulation.process import Died, Process

T = TypeVar("T")
_ROOT = str(Path(__file__).resolve().parent.parent.parent)
_CALL = 0.007  # seconds that a call takes
_START = datetime(2026, 3, 27, 12, tzinfo=UTC)
_SERVERS = {"publish": "broker", "ready": "broker", "dead": "broker", "fetch": "", "post": "receiver"}


class Site(NamedTuple):
    """Where in the pipeline a call comes from, as `night/flow.py:57`; empty for calls of the simulation itself.

    `name`: the same by function and line in it, which stays when the rest of the file changes.
    """

    line: str = ""
    name: str = ""

    @classmethod
    def of(cls, path: str, code: CodeType, line: int) -> Site:
        """Of a line of a function."""
        return cls(f"{path}:{line}", f"{path}:{code.co_qualname}+{line - code.co_firstlineno}")


_sites: dict[tuple[CodeType, int], Site] = {}


def _site() -> Site:
    """Where the running call comes from."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        key = (frame.f_code, frame.f_lineno)
        site = _sites.get(key)
        if site is None:
            path = frame.f_code.co_filename.removeprefix(_ROOT + "/")
            inside = path.startswith("pipeline/") and not path.startswith("pipeline/storage/")
            site = _sites[key] = Site.of(path.removeprefix("pipeline/"), *key) if inside else Site()
        if site.line:
            return site
        frame = frame.f_back
    return Site()


@dataclass(frozen=True)
class Event:
    """One line of the trace."""

    at: float
    who: str
    what: str
    about: str


class World:
    """See above. `only`: numbers of the faults and events that happen, to find a shorter way to a failure."""

    def __init__(self, seed: int, *, only: frozenset[int] | None = None, aims: Sequence[Aim] = ()) -> None:
        self.seed, self.only, self.aims = seed, only, list(aims)
        self.rng = random.Random(seed)
        self.rates = Rates.draw(self.rng)
        self.parquet = False
        self.now = 0.0
        self.calm = False
        self.running: Process | Any = None
        self.raw = MemoryStore(f"simulation-{seed}")
        self.store = WatchedStore(self)
        self.coverage = Coverage()
        self.focused: set[str] = set()
        self.happened = 0
        self.faults: list[int] = []
        self.trace: list[Event] = []
        self.down_until = {"store": 0.0, "broker": 0.0, "receiver": 0.0, "": 0.0}
        self.sources: dict[str, bytes | None] = {}
        self.failed_fetches = 0
        self.posted: list[tuple[str, bytes]] = []
        self.on_write: Callable[[str, str], None] = lambda op, key: None
        self.on_compute: Callable[[Process, float, str], None] = lambda process, start, what: None
        self.on_gate: Callable[[Process], None] = lambda process: None
        self.broker_error: Callable[[], Exception] = RuntimeError

    # time and chance

    def clock(self) -> datetime:
        """The time as the running process sees it."""
        skew = self.running.skew if self.running is not None else timedelta()
        return self.at(self.now) + skew

    @staticmethod
    def at(now: float) -> datetime:
        """The moment that is `now` seconds after the beginning."""
        return _START + timedelta(seconds=now)

    def sleep(self, seconds: float) -> None:
        """What `time.sleep` does."""
        self.now += seconds

    def chance(self, rate: str) -> bool:
        """Whether something of this kind happens now; never once things have calmed down."""
        value: float = getattr(self.rates, rate)
        return not self.calm and value > 0 and self.rng.random() < value and self.happens()

    def happens(self) -> bool:
        """Count one more thing that goes wrong; whether it really happens, or is left out in this run."""
        self.happened += 1
        if self.only is not None and self.happened not in self.only:
            return False
        self.faults.append(self.happened)
        return True

    def note(self, what: str, about: str = "") -> None:
        """Add a line to the trace."""
        who = self.running.name if self.running is not None else "-"
        self.trace.append(Event(self.now, who, what, about))

    # calls and what happens to them

    def plan(self, process: Process) -> None:
        """Decide after how many calls the process is hit next."""
        process.left = NEVER if self.calm else self.rates.until_next(self.rng)

    def call(self, op: str, key: str, effect: Callable[[], T], *, writes: bool = False) -> T:
        """One call of the running process to the store or the broker."""
        process = self.running
        if process is None:
            return effect()
        if process.dead:
            raise Died
        self.now += _CALL
        if process.gated:
            self.on_gate(process)
        site, name = _site()
        if site not in self.coverage.reached:
            self.coverage.reached.add(site)
            if self.rates.in_focus(name):
                self.focused.add(site)
        process.left -= 1
        if not self.calm and site not in self.coverage.open:
            self.coverage.open.add(site)
            if self.aims and self.aims[0].site == site:
                return self._hit(process, site, op, key, effect, writes, self.aims.pop(0).point)
        if process.left <= 0 or (site in self.focused and self.rng.random() < FOCUS):
            return self._hit(process, site, op, key, effect, writes)
        if self.now < self.down_until[_SERVERS.get(op, "store")]:
            raise self._error(op)
        return self._do(op, key, effect, writes)

    def _do(self, op: str, key: str, effect: Callable[[], T], writes: bool) -> T:
        found = effect()
        if writes and found is not False:  # else it was not written, as there was an object
            self.note(f"{op} {key}", key)
            self.on_write(op, key)
        return found

    def _hit(
        self,
        process: Process,
        site: str,
        op: str,
        key: str,
        effect: Callable[[], T],
        writes: bool,
        point: Point | None = None,
    ) -> T:
        point = point or Point(self.rates.kind(self.rng), self.rng.random() < 0.5)
        kind, after = point.kind, point.after
        seconds = self._pause_length()
        self.plan(process)
        if (kind == PAUSE and process.fiber is None) or not self.happens():
            return self._do(op, key, effect, writes)
        number, when = self.happened, "after" if after else "before"
        self.coverage.hit.add((site, point))
        where = f"{when} {op} {key} ({site}) #{number}"
        if kind == PAUSE:
            return self._pause(process, seconds, where, after, lambda: self._do(op, key, effect, writes))
        if after and (writes or kind == DIE):
            with suppress(PipelineError):
                self._do(op, key, effect, writes)
        self.note(f"{'DIES' if kind == DIE else 'GETS AN ERROR'} {where}", key)
        if kind == DIE:
            process.dead = True
            raise Died
        assert kind == ERROR
        raise self._error(op)

    def _pause(self, process: Process, seconds: float, where: str, after: bool, effect: Callable[[], T]) -> T:
        error: PipelineError | None = None
        found: Any = None
        if after:
            try:
                found = effect()
            except PipelineError as raised:
                error = raised
        self.note(f"IS PAUSED for {seconds:.0f} s {where}", where)
        process.wakes = self.now + seconds
        assert process.fiber is not None
        process.fiber.pause()
        if process.dead:
            raise Died
        self.note(f"GOES ON {where}", where)
        if error is not None:
            raise error
        result: T = found if after else effect()
        return result

    def _pause_length(self) -> float:
        if self.rng.random() < self.rates.long_pause:
            return self.rng.choice((120.0, 1200.0, 7200.0, 30000.0, 90000.0)) * self.rng.random() * 2
        return self.rng.random() * 5

    def _error(self, op: str) -> Exception:
        if op in ("publish", "ready", "dead"):
            return self.broker_error()
        if op == "fetch":
            self.failed_fetches += 1
            return TransientError("The simulated source does not answer.", code="source_unavailable")
        if op == "post":
            if self.rng.random() < 0.4:
                return PermanentError("The simulated receiver refuses.", code="callback_rejected")
            return TransientError("The simulated receiver does not answer.", code="callback_unavailable")
        if self.rng.random() < 0.2:
            return RunError("The simulated store refuses access.", code="store_refused")
        return StoreUnavailable("The simulated store does not answer.")

    # what is outside of the night

    def read_page(self, document: Any, number: int, *, cured: bool, newer: bool) -> Any:
        """Read one page on the device; it may kill its process."""
        self.compute(f"ocr of page {number} of {document.text}")
        if number in document.crash and not cured:
            self.note("DIES of its document", document.text)
            self.running.dead = True
            raise Died
        return documents.page(document, number, cured=cured, newer=newer)

    def compute(self, what: str) -> None:
        """Use the device for a while."""
        process, start = self.running, self.now
        seconds = self.rng.choice((0.2, 1.0, 20.0)) if not self.calm else 0.5
        self.note(what, what)
        self.on_compute(process, start, what)
        while seconds > 0:
            self.now += min(seconds, 5.0)
            seconds -= 5.0
            if process.gated:
                self.on_gate(process)

    def fetch(self, url: str) -> bytes:
        """Fetch a source."""
        data = self.call("fetch", url, lambda: self.sources.get(url))
        if data is None:
            raise NotFound(f"{url} not found.")
        return data

    def post(self, url: str, body: bytes) -> None:
        """Send a callback."""
        self.call("post", url, lambda: self.posted.append((url, body)), writes=True)


class WatchedStore:
    """The store as processes see it: each call passes through `World.call`."""

    def __init__(self, world: World) -> None:
        self._world, self._store = world, world.raw
        self.url = world.raw.url

    def put(self, key: str, data: bytes) -> None:
        self._world.call("put", key, lambda: self._store.put(key, data), writes=True)

    def put_new(self, key: str, data: bytes) -> bool:
        return self._world.call("put", key, lambda: self._store.put_new(key, data), writes=True)

    def put_file(self, key: str, path: Path) -> None:
        self._world.call("put_file", key, lambda: self._store.put_file(key, path), writes=True)

    def get(self, key: str) -> bytes:
        return self._world.call("get", key, lambda: self._store.get(key))

    def exists(self, key: str) -> bool:
        return self._world.call("exists", key, lambda: self._store.exists(key))

    def list(self, prefix: str) -> Iterator[str]:
        return iter(self._world.call("list", prefix, lambda: list(self._store.list(prefix))))

    def folders(self, prefix: str) -> Iterator[str]:
        return iter(self._world.call("folders", prefix, lambda: list(self._store.folders(prefix))))

    def delete(self, key: str) -> None:
        self._world.call("delete", key, lambda: self._store.delete(key), writes=True)

    @property
    def is_versioned(self) -> bool:
        return False

    def purge(self, key: str) -> int:
        return 0

    def purge_below(self, prefix: str) -> int:
        return 0

    def check(self) -> None:
        self._world.call("check", "", self._store.check)
