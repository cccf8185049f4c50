"""Producers: they submit documents by raw messages and by the client, again and again until they have an answer."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.errors import BrokerUnavailable, PermanentError, PipelineError
from pipeline.submission.producer import Producer, Request
from tasks.publish import BROKER_ERRORS, publish
from tests.simulation import documents
from tests.simulation.broker import Envelope
from tests.simulation.checker import Offer, base_of
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.run import Run

CALLBACKS = ("https://hooks.example/done", "https://hooks.example/done?key=secret")
ELSEWHERE = "s3://elsewhere/"
"""A source that is not allowed at first."""
LONG = 300000.0
"""Seconds of a delay of some nights, in runs that are as long."""
_LONG_DAYS = 4
TENANTS = ("t", "u")
_SAME = 0.1  # share of documents with the same bytes as another
_AFTER = 0.3  # share of documents that are submitted again much later, where some are forgotten


@dataclass
class Spec:
    """One submission: when, under which id, what, and how."""

    at: float
    task_id: str
    how: str
    url: str
    data: bytes
    priority: int = 5
    tenant: str = TENANTS[0]
    callback: str = ""
    delay: float = 0.0
    tries: int = 0


@dataclass
class Known:
    """What is known about all submissions under one id."""

    kind: documents.Kind
    sha256: set[str] = field(default_factory=set)
    accepted: bool = False
    lost: float = -1.0
    """When the broker last lost a raw message of it with its disk."""
    callback: bool = False
    tenant: str = ""
    ends: set[str] = field(default_factory=set)
    urls: set[str] = field(default_factory=set)


class Producers:
    """All submissions of a run."""

    def __init__(self, run: Run) -> None:
        self.run, self.world = run, run.world
        self.specs: list[Spec] = []
        self.known: dict[str, Known] = {}
        rng = self.world.rng
        for n in range(rng.randint(3, 8)):
            if not self.world.happens():
                continue
            self._draw(f"doc{n}")
        self.waiting = sorted(self.specs, key=lambda spec: spec.at)

    def _draw(self, name: str) -> None:
        rng = self.world.rng
        kind, data = documents.draw(rng, name)
        others = [spec for spec in self.specs if spec.how not in ("text", "broken")]
        if others and rng.random() < _SAME:  # the same bytes under another id
            other = rng.choice(others)
            kind, data = self.known[other.task_id].kind, other.data
        how = rng.choice(("raw", "raw", "raw further", "client", "client url", "text", "broken", "elsewhere"))
        if how == "text":
            kind, data = documents.KINDS[0], f"sim {name}".encode()
        if how == "broken":
            kind = documents.Kind("broken", "", frozenset({"bad_message"}))
        tenant = rng.choice((TENANTS[0], *TENANTS))
        self.known[name] = Known(kind, ends=set(kind.ends), callback=rng.random() < 0.4, tenant=tenant)
        if how == "elsewhere":
            self.known[name].ends |= {"source_refused"}
        url = f"{ELSEWHERE if how == 'elsewhere' else 's3://inbox/'}{name}.png"
        first = Spec(
            at=rng.random() * 16 * 3600,
            task_id=name,
            how=how,
            url=url,
            data=data,
            priority=rng.choice((0, 5, 5, 9)),
            tenant=tenant,
            callback=rng.choice(CALLBACKS) if self.known[name].callback else "",
            delay=rng.choice((0.0,) * 6 + (7200.0, 40000.0, LONG if self.run.days > _LONG_DAYS else 0.0)),
        )
        self.specs.append(first)
        while rng.random() < 0.35:
            self._again(first)
        if how == "elsewhere":
            self.specs.append(Spec(**(vars(first) | {"at": first.at + 86400.0})))
        if self.run.forgets and rng.random() < _AFTER:  # which may have been forgotten by then
            self.specs.append(
                Spec(**(vars(first) | {"at": first.at + rng.random() * self.run.days * 86400.0}))
            )

    def _again(self, first: Spec) -> None:
        """The same id once more, mostly the same document."""
        rng = self.world.rng
        wait = rng.choice((0.0, 0.0, 1.0, 600.0, 30000.0, 70000.0)) * rng.random()
        spec = Spec(**(vars(first) | {"at": first.at + wait}))
        change = rng.random()
        if not self.world.happens():
            return
        if change < 0.2:
            spec.url = first.url.replace(".png", "-copy.png")
        elif change < 0.25:  # the producer overwrote its file
            spec.data = first.data + b" other"
        elif change < 0.4:
            spec.url, spec.data = first.url.replace(".png", "-other.png"), first.data + b" other"
        self.specs.append(spec)

    def times(self) -> list[float]:
        """When something is to be submitted."""
        return [spec.at for spec in self.waiting]

    def submit_due(self) -> None:
        """Submit what is due, each by a process of its own."""
        while self.waiting and self.waiting[0].at <= self.world.now:
            self._submit(self.waiting.pop(0))

    def _submit(self, spec: Spec) -> None:
        known = self.known[spec.task_id]
        known.sha256.add(documents.sha256(spec.data))
        known.urls.add(spec.url)
        if spec.tries == 0:
            self.world.sources[spec.url] = spec.data
        if spec.data.endswith(b"other"):
            known.ends |= {"id_conflict"}
        process = Process(f"producer of {spec.task_id}")
        self.world.plan(process)
        answer: list[str] = []
        begun = self.world.now

        def work() -> None:
            answer.append(self._offer(spec))

        def ended() -> None:
            if answer == ["accepted"]:
                gone = known.lost >= begun and not spec.how.startswith("client")
                known.accepted |= not gone and not self.run.forgetting.covers(spec.task_id, begun)
            elif answer != ["refused"] and spec.tries < 5:  # no answer: it asks again
                spec.tries, spec.at = spec.tries + 1, self.world.now + 60
                self.waiting = sorted([*self.waiting, spec], key=lambda s: s.at)

        self.run.start(process, work, ended)

    def _offer(self, spec: Spec) -> str:
        self.world.note(f"submits {spec.task_id} by {spec.how} from {spec.url}", spec.task_id)
        later = self.world.at(self.world.now + spec.delay) if spec.delay else None
        deadline = self._deadline(spec)
        if not spec.how.startswith("client"):
            body: dict[str, Any] = {"task_id": spec.task_id, "priority": spec.priority, "tenant": spec.tenant}
            if spec.how == "broken":
                body |= {"task_type": 7}
            elif spec.how != "text":
                kind = documents.FURTHER if spec.how == "raw further" else "document"
                body |= {"task_type": kind, "image_url": spec.url}
            else:
                body |= {"task_type": "nlp", "text": spec.data.decode()}
            if spec.callback:
                body["callback_url"] = spec.callback
            if later:
                body["not_before"] = later.isoformat(timespec="seconds")
            if deadline:
                body["deadline"] = deadline.isoformat(timespec="seconds")
            try:
                self.run.broker.publish_raw(json.dumps(body).encode())
            except BROKER_ERRORS:
                return "error"
            return "accepted"
        night = self.run.workers[0].night
        client = Producer(night.settings, self.world.store, night.schedule.run_date, self._publish)
        request = Request(
            task_id=spec.task_id,
            priority=spec.priority,
            tenant=spec.tenant,
            trace_id=f"trace-{spec.task_id}",
            callback_url=spec.callback,
            not_before=later,
            deadline=deadline,
        )
        try:
            client.submit(spec.url, spec.data if spec.how == "client" else None, request)
        except PermanentError:
            return "refused"
        except PipelineError:
            return "error"
        return "accepted"

    def _deadline(self, spec: Spec) -> datetime | None:
        """For some documents: at any time, or so soon after the next opening that they must be hurried."""
        number = zlib.crc32(f"{self.world.seed} {spec.task_id}".encode())
        if number % 3:
            return None
        now, window = self.world.at(self.world.now), self.run.workers[0].night.schedule.window
        opens = None if number % 2 or window.contains(now) else window.next_open(now)
        return (opens or now) + timedelta(seconds=number % (2400 if opens else 50000))

    def _publish(self, messages: Any) -> None:
        try:
            publish(self.run.broker, messages)
        except BROKER_ERRORS as error:
            raise BrokerUnavailable("The simulated broker does not answer.") from error

    # what happens to them

    def vanish(self, good: dict[str, str]) -> None:
        """A producer removes the source of a document that is done."""
        for task_id in good:
            known = self.known.get(task_id)
            for url in sorted(known.urls) if known else ():
                if self.world.sources.get(url) is not None and self.world.rng.random() < 0.3:
                    self.world.sources[url] = None
                    self.world.note(f"SOURCE VANISHES: {url}", url)

    def lost(self, raw: list[Envelope]) -> None:
        """Raw messages that the broker lost with its disk: nobody can know of them."""
        for envelope in raw:
            known = self.known[envelope.about]
            known.accepted, known.lost = False, self.world.now

    def forget(self, task_id: str) -> None:
        """What was submitted so far is being forgotten."""
        if task_id in self.known:
            self.known[task_id].accepted = False

    def failed(self, key: str, record: dict[str, Any]) -> None:
        """A failure was recorded: is it one that this document may have?"""
        task_id, code = record["task_id"], record["error"]["code"]
        known = self.known.get(base_of(task_id))
        if known is None or task_id != base_of(task_id):
            return
        if code not in self._ends(task_id, known):
            self.run.wrong("wrong failure", key, f"fails with {code}: {record['error']['message']}")

    def _ends(self, task_id: str, known: Known) -> set[str]:
        """How a document may end, given what has happened in this run."""
        ends = known.ends | {"discarded"}
        same = {task_id, *(other for other, one in self.known.items() if one.sha256 & known.sha256)}
        # it seems to kill its workers; a page that could not be read is in the store for all who have these bytes
        if max(self.run.broker.returns.get(one, 0) for one in same) >= 2:
            ends |= {"poison", "partial"}
        if self.run.settings_differ:
            ends |= {"not_read"}
        # a process that was paused accepts again what was forgotten meanwhile, with the bytes that the store had
        if task_id in self.run.forgetting.seen and any(
            self.world.sources.get(url) is None for url in known.urls
        ):
            ends |= {"not_found"}
        if self.world.failed_fetches > self.run.given["max_retries"]:
            ends |= {"source_unavailable"}
        return ends

    def offers(self) -> list[Offer]:
        """What the checker needs to know."""
        return [
            Offer(
                task_id=task_id,
                sha256=known.sha256,
                accepted=known.accepted,
                callback=known.callback,
                ends=self._ends(task_id, known),
                fields={"tenant": known.tenant},
            )
            for task_id, known in self.known.items()
        ]
