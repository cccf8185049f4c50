"""A simulated day of GPU pods: documents arrive, the exporter says how many wait, KEDA decides, pods come and go.

Real are the chart's ScaledObject, the window and its time zone. `python -m tests.support.cluster.night` prints
the table of docs/how-to/kubernetes.md.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.night.window import OffPeakWindow
from tests.support.cluster.keda import Keda
from tests.support.scraped import Values

EXPORTER_PERIOD = 15  # seconds between two looks of `nightshift exporter`
STEP = 5
STARTING = 60  # seconds until a new pod works
STOPPING = 10  # seconds that an idle pod needs to end; a busy one ends with its page group
LANES = ("urgent", "ocr", "ner", "filler")

Arrivals = Callable[[datetime], Mapping[str, int]]


class Day:
    """From local noon to the next one.

    arrivals: documents by lane that come within `STEP` seconds of a moment. speed: documents per second and pod.
    dark: whether the exporter is gone at a moment. sick: whether it answers, but has no values of the broker.
    phases: seconds after which the exporter, KEDA and the autoscaler look for the first time.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        date: datetime,
        arrivals: Arrivals,
        *,
        window: str = "22:00-06:00",
        zone: str = "UTC",
        speed: float = 1.0,
        dark: Callable[[datetime], bool] = lambda _: False,
        sick: Callable[[datetime], bool] = lambda _: False,
        phases: tuple[int, int, int] = (10, 5, 0),
    ) -> None:
        self.window = OffPeakWindow.parse(window, zone)
        self.zone = ZoneInfo(zone)
        self.now = date.replace(hour=12, tzinfo=self.zone).astimezone(UTC)
        self._end = (date + timedelta(days=1)).replace(hour=12, tzinfo=self.zone).astimezone(UTC)
        self.waiting = dict.fromkeys(LANES, 0.0)
        self._arrivals, self._speed, self._dark, self._sick = arrivals, speed, dark, sick
        self._said: Values = {}
        self._phase = phases[0]
        self._starts: list[datetime] = []  # when each running pod was made
        self._ends: list[datetime] = []  # when those that are stopping will be gone
        self._keda = Keda(manifest, self._scraped, lambda: self.pods, phases[1:])
        self.minutes: list[tuple[datetime, int, int, int]] = []
        """By minute: local time, documents waiting, replicas that KEDA wants, pods that exist."""
        self.changes: list[tuple[datetime, int]] = []
        """Each change of the replicas wanted, with its time (UTC)."""

    @property
    def pods(self) -> int:
        """Pods that exist, those that start or stop included."""
        return len(self._starts) + len(self._ends)

    def run(self) -> "Day":
        """Simulate it."""
        second = 0
        while self.now < self._end:
            self._step(second)
            self.now += timedelta(seconds=STEP)
            second += STEP
        return self

    def _step(self, second: int) -> None:
        for lane, count in self._arrivals(self.now).items():
            self.waiting[lane] += count
        self._work()
        if (second - self._phase) % EXPORTER_PERIOD == 0:
            self._said = self.exposed()
        before = self._keda.replicas
        self._keda.second(second)
        if self._keda.replicas != before:
            self.changes.append((self.now, self._keda.replicas))
        self._ends = [end for end in self._ends if end > self.now]
        while len(self._starts) > self._keda.replicas:
            self._starts.pop()
            self._ends.append(self.now + timedelta(seconds=STOPPING))
        self._starts += [self.now] * (self._keda.replicas - len(self._starts))
        if second % 60 == 0:
            local = self.now.astimezone(self.zone)
            self.minutes.append((local, round(sum(self.waiting.values())), self._keda.replicas, self.pods))

    def _work(self) -> None:
        """Each worker keeps the window for itself, as the gate does."""
        ready = sum(self.now - made >= timedelta(seconds=STARTING) for made in self._starts)
        if not ready or not self.window.contains(self.now, None):
            return
        left = ready * self._speed * STEP
        for lane in LANES:
            done = min(self.waiting[lane], left)
            self.waiting[lane] -= done
            left -= done

    def exposed(self) -> Values:
        """What the exporter says now, by name and label values."""
        left = self.window.seconds_left(self.now, None)
        found: Values = {("nightshift_window_open",): float(self.window.contains(self.now, None))}
        if left is not None:
            found["nightshift_window_closes_in_seconds",] = left
        if not self._sick(self.now):
            found |= {("nightshift_queue_messages", lane): float(n) for lane, n in self.waiting.items()}
        return found

    def _scraped(self) -> Values:
        if self._dark(self.now):
            raise ConnectionRefusedError
        return self._said


def by_day(count: int) -> Arrivals:
    """So many documents, evenly from noon until one."""
    steps = 3600 // STEP
    came = [0, 0]  # steps so far, documents so far

    def arrive(_: datetime) -> Mapping[str, int]:
        if came[0] >= steps:
            return {}
        came[0] += 1
        due = count * came[0] // steps - came[1]
        came[1] += due
        return {"ocr": due}

    return arrive


def rows(day: Day) -> list[str]:
    """The minutes at which the number of replicas or pods changed, and the one before each, as rows of a table."""
    found = []
    for before, (at, waiting, replicas, pods), after in zip(
        day.minutes, day.minutes[1:], day.minutes[2:], strict=False
    ):
        if (replicas, pods) != before[2:] or (replicas, pods) != after[2:]:
            found.append(f"{at:%H:%M %Z} | {waiting:,} | {replicas} | {pods}")
    return found


def main() -> None:
    """Print the table of the documentation."""
    from tests.support.cluster.chart import of_kind, render

    (made,) = of_kind(render(), "ScaledObject").values()
    nights = (
        ("20,000 documents", datetime(2026, 11, 20), 20_000),
        ("60 documents", datetime(2026, 11, 20), 60),
        ("too many, clocks go forward", datetime(2026, 3, 28), 300_000),
        ("too many, clocks go back", datetime(2026, 10, 24), 300_000),
    )
    lines = ["| night | time | waiting | replicas | pods |", "| --- | --- | --- | --- | --- |"]
    for title, date, documents in nights:
        day = Day(made, date, by_day(documents), zone="Europe/Berlin").run()
        lines += [f"| {title if not index else ''} | {row} |" for index, row in enumerate(rows(day))]
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
