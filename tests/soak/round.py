"""One round: some hundred documents, some dozen faults, then an hour of truth: the independent checker."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pika
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ledger.audit import audit
from pipeline.night.summaries import nights
from pipeline.settings import Settings
from pipeline.storage import Store, keys, open_store
from pipeline.tables.summary import summarise
from tests.simulation.checker import Evidence, Finding, bucket, check, folder, good_results
from tests.soak.faults import Fault, Faults, small_disk
from tests.soak.fleet import Fleet
from tests.soak.load import Load
from tests.soak.s3_faults import S3Proxy
from tests.support.command import nightshift
from tests.support.night import Night
from tests.support.servers.proxy import Proxy
from tests.support.servers.rabbit import Rabbit
from tests.support.servers.swift import Swift

log = logging.getLogger("soak")
SETTLE = 900.0
"""Seconds within which everything must have ended once there are no more faults."""
STRANDED = 45.0
"""Seconds without a message in any queue after which a pending task is taken to have none."""
WORKERS = 3


class Outcome(msgspec.Struct, kw_only=True):
    """What came of a round. `recovery`: seconds from the end of a fault to the next ended document, by kind of fault.

    `stranded`: tasks that were pending without a message at the end, until `audit --repair` published them again.
    """

    number: int
    seed: str
    store: str
    documents: int = 0
    ended: dict[str, int] = {}
    faults: dict[str, int] = {}
    recovery: dict[str, list[float]] = {}
    requests: int = 0
    refused_requests: int = 0
    seconds: float = 0.0
    settled: float = 0.0
    stranded: int = 0
    slow_to_stop: list[str] = []
    restarts: dict[str, int] = {}
    findings: list[str] = []
    lost: int = 0
    doubled: int = 0


@dataclass
class Servers:
    """What all rounds share."""

    rabbit: Rabbit
    swift: Swift | None
    clock: Path | None
    folder: Path


@dataclass
class Round:
    """One of them: its own virtual host, store, inbox and processes."""

    servers: Servers
    number: int
    seed: str
    documents: int
    faults: int
    only: tuple[str, ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> Outcome:
        """Do all of it; every process and every proxy has ended when this returns."""
        self.rng = random.Random(self.seed)
        self.place = self.servers.folder / f"round-{self.number:03}"
        self.place.mkdir(parents=True, exist_ok=True)
        on_s3 = self.servers.swift is not None and self.number % 2 == 0
        self.outcome = Outcome(number=self.number, seed=self.seed, store="S3" if on_s3 else "folder")
        began = time.monotonic()
        with ExitStack() as stack:
            self._set_up(stack, on_s3)
            self._work()
        self.outcome.seconds = round(time.monotonic() - began, 1)
        return self.outcome

    def _set_up(self, stack: ExitStack, on_s3: bool) -> None:
        swift = self.servers.swift if on_s3 else None
        disk = stack.enter_context(small_disk(self.place / "disk", 24 if on_s3 else 64))
        env = {
            "NIGHTSHIFT_TIMEZONE": _noon(),
            "NIGHTSHIFT_FAKE_SECONDS": "0.15",
            "NIGHTSHIFT_SPREAD_PAGES": "2",
        }
        env |= {"NIGHTSHIFT_CLOSE_GRACE": "5", "NIGHTSHIFT_MAX_ATTEMPTS": "10", "NIGHTSHIFT_PAGE_GROUP": "2"}
        self.s3: S3Proxy | None = None
        if swift is not None:
            self.s3 = S3Proxy(swift.port, self.seed)
            stack.callback(self.s3.stop)
            name = f"soak-{uuid.uuid4().hex[:12]}"
            boto3.session.Session().client("s3").create_bucket(Bucket=name)
            env |= {
                "NIGHTSHIFT_STORE_URL": f"s3://{name}/night",
                "NIGHTSHIFT_S3_ENDPOINT": f"http://127.0.0.1:{self.s3.port}",
            }
            env |= {"TMPDIR": str(disk)} if disk else {}
            self.objects = bucket(boto3.session.Session().client("s3"), name, "night")
        else:
            root = (disk or self.place) / "store"
            env["NIGHTSHIFT_STORE_URL"] = str(root)
            self.objects = folder(root)
        self.proxy = Proxy(self.servers.rabbit.port)
        stack.callback(self.proxy.stop)
        self.night = Night(self.servers.rabbit, self.place, env, self.proxy.port)
        stack.callback(self._end_night)
        direct = {**self.night.env, "NIGHTSHIFT_S3_ENDPOINT": swift.endpoint if swift else ""}
        self.night.settings = Settings.from_env(
            {n: v for n, v in direct.items() if n.startswith("NIGHTSHIFT_")}
        )
        self.night.store = open_store(self.night.settings.store_url, self.night.settings)
        self.fleet = Fleet(self.night, WORKERS, self.servers.clock)
        self.kinds = Faults(
            self.night, self.fleet, self.servers.rabbit, self.proxy, self.s3, swift, disk
        ).kinds()

    def _end_night(self) -> None:
        if hasattr(self, "fleet"):
            self.outcome.slow_to_stop = self.fleet.stop()
            self.outcome.restarts = dict(self.fleet.restarts)
        self.night.end()

    def _work(self) -> None:
        self.night.window("open")
        load = Load(self.night.inbox, self.documents, self.seed)
        self.good: dict[str, str] = {}
        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(self._send, load)
            try:
                self._begun()
                self._run_faults()
            except BaseException:
                self.stop.set()  # or the sender would go on
                raise
            sending.result()
        self.outcome.documents = self.documents
        settling = time.monotonic()
        settled = self._settle(len(load.offers))
        self.outcome.settled = round(time.monotonic() - settling, 1)
        found = (
            []
            if settled
            else [Finding("unsettled", "", f"not all ended within {SETTLE:.0f} s: {self._left()}")]
        )
        found += check(self.objects, self._evidence(load))
        self._count(found)

    def _begun(self) -> None:
        """Wait until the workers work: the first fault should hit something."""
        end = time.monotonic() + 180
        while not self._ended() and time.monotonic() < end and not self.stop.is_set():
            time.sleep(0.5)

    # load

    def _send(self, load: Load) -> None:
        """Send everything, at the pace of the faults, each message until the broker has confirmed it."""
        repeats: list[bytes] = []
        pause = 4.0 * self.faults / max(self.documents, 1)
        for sent in load.messages():
            if self.stop.is_set():
                self.documents = len(load.offers)
                break
            self._publish(sent.body)
            if sent.again:
                repeats.append(sent.body)
            if repeats and self.rng.random() < 0.1:
                self._publish(repeats.pop(0))
            time.sleep(pause)
        for body in repeats:
            self._publish(body)

    def _publish(self, body: bytes) -> None:
        while not self.stop.is_set():
            with suppress(pika.exceptions.AMQPError, OSError):
                self.night.publish([body])
                return
            time.sleep(1)

    # faults

    def _run_faults(self) -> None:
        rng = random.Random(f"{self.seed}-faults")
        names = sorted(n for n in self.kinds if not self.only or any(part in n for part in self.only))
        counts: Counter[str] = Counter()
        while sum(counts.values()) < self.faults and not self.stop.is_set():
            # each kind once, then any: a short round shows all of them too
            fresh = [name for name in names if not counts[name]] or names
            chosen = rng.sample(fresh, min(len(fresh), 2 if rng.random() < 0.25 else 1))
            counts.update(chosen)
            log.info("round %d, fault %d: %s", self.number, sum(counts.values()), " and ".join(chosen))
            self._fault([self.kinds[name] for name in chosen], rng)
            self._recovery(" and ".join(sorted(chosen)))
            self._look()
        self.outcome.faults = dict(counts)

    def _fault(self, faults: list[Fault], rng: random.Random) -> None:
        running: list[Iterator[None]] = [fault(rng) for fault in faults]
        for one in running:
            next(one)
        time.sleep(rng.choice((0.3, 1, 2, 4, 8)) * rng.uniform(0.5, 1.5))
        for one in reversed(running):
            next(one, None)

    def _recovery(self, name: str) -> None:
        """Wait until another document ends, as long as there is one to end."""
        before, began = self._ended(), time.monotonic()
        while time.monotonic() - began < 180 and not self.stop.is_set():
            if self._ended() > before:
                self.outcome.recovery.setdefault(name, []).append(round(time.monotonic() - began, 1))
                return
            if not any(True for _ in self.night.store.list(keys.PENDING)):
                return
            time.sleep(0.25)
        self.outcome.findings.append(f"no document ended within 180 s after: {name}")

    def _ended(self) -> int:
        return sum(1 for prefix in (keys.RESULTS, keys.FAILED) for _ in self.night.store.list(prefix))

    def _look(self) -> None:
        """Remember the good results that are there: none of them may go."""
        new = [
            key for key in list(self.objects.keys()) if key.startswith("results/") and key not in self.good
        ]
        with suppress(KeyError, ValueError):
            self.good |= good_results(self.objects, new)

    # the end

    def _settle(self, offers: int) -> bool:
        end, idle = time.monotonic() + SETTLE, time.monotonic()
        while time.monotonic() < end and not self.stop.is_set():
            left = self._left()
            if not left:
                return True
            if sum(n for name, n in left.items() if not name.startswith("store:")):
                idle = time.monotonic()
            if time.monotonic() - idle > STRANDED:
                self._repair()
                idle = time.monotonic()
            time.sleep(1)
        return False

    def _left(self) -> dict[str, int]:
        """What is not ended: messages by queue, and markers in the store."""
        found = {name: n for name, n in _queues(self.night).items() if name != "dead" and n}
        for prefix in (keys.PENDING, keys.DELAYED, keys.CALLBACKS):
            if n := sum(1 for _ in self.night.store.list(prefix)):
                found[f"store:{prefix}"] = n
        return found

    def _repair(self) -> None:
        """Publish tasks again whose messages are lost, as an operator would."""
        pending = self.night.pending()
        self.outcome.stranded += len(pending)
        log.warning("round %d: no message for %s", self.number, ", ".join(pending[:10]))
        direct = {"NIGHTSHIFT_BROKER_URL": self.night._url(self.servers.rabbit.port)}
        if self.servers.swift is not None:
            direct["NIGHTSHIFT_S3_ENDPOINT"] = self.servers.swift.endpoint
        done = nightshift("audit", "--repair", **{**self.night.env, **direct})
        log.info("audit --repair: %s", done.stdout.strip() or done.stderr.strip())

    def _evidence(self, load: Load) -> Evidence:
        store = self.night.store
        days = nights(store)
        for day in days:
            summarise(store, day)
        return Evidence(
            offers=load.offers,
            good=self.good,
            dead=_dead_letters(self.night),
            queues={name: n for name, n in _queues(self.night).items() if name != "dead"},
            audits={day: _audited(store, day) for day in days},
            tables={day: _table(store, day) for day in days},
        )

    def _count(self, found: list[Finding]) -> None:
        self.outcome.findings += [str(one) for one in found]
        self.outcome.lost = sum(one.kind in ("lost", "good result gone", "bytes gone") for one in found)
        self.outcome.doubled = sum(
            one.kind in ("ended twice", "done twice", "received twice") for one in found
        )
        ended = Counter[str](record.status for record in self.night.records().values())
        self.outcome.ended = dict(ended)
        if self.s3 is not None:
            self.outcome.requests = sum(self.s3.requests.values())
            self.outcome.refused_requests = self.s3.faults


def _noon() -> str:
    """A time zone in which it is about noon, so that a round is within one run date."""
    offset = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def _queues(night: Night) -> dict[str, int]:
    """Messages by queue, those that workers hold included; the statistics may be some seconds old."""
    listed: list[dict[str, Any]] = json.loads(night._manage("GET", f"queues/{night.vhost}", {}))
    found = {q["name"]: int(q.get("messages", 0)) for q in listed if not q["exclusive"]}
    return {name: known or night.depth(name) for name, known in found.items()}


def _dead_letters(night: Night) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = []
    with night.channel() as channel:
        while True:
            method, properties, _ = channel.basic_get("dead", auto_ack=True)
            if method is None:
                return letters
            letters.append(properties.headers or {})


def _audited(store: Store, day: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(audit(store, day))
    return found


def _table(store: Store, day: str) -> dict[str, str]:
    table = pq.read_table(pa.BufferReader(store.get(keys.summary("documents", day))))
    return dict(zip(table["task_id"].to_pylist(), table["status"].to_pylist(), strict=True))
