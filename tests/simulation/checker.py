"""The independent checker: whether each accepted document ended exactly once, from the raw objects of a store.

It shares no code with the product: it lists keys, reads JSON, and compares with what the producers know that they
submitted. It works on any store that can be listed and read (`Objects`): in memory, a folder, or a bucket.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.simulation import remains

_BACKFILL = 2
"""Highest priority of backfill."""


@dataclass(frozen=True)
class Objects:
    """A store to be checked: all keys, and the bytes of one; `get` raises `KeyError` for a missing one."""

    keys: Callable[[], Iterable[str]]
    get: Callable[[str], bytes]


def folder(root: Path) -> Objects:
    """A store in a folder; temporary files of writers are left out."""

    def keys() -> list[str]:
        found = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
        return [key for key in found if not key.rsplit("/", 1)[-1].startswith(".")]

    def get(key: str) -> bytes:
        try:
            return (root / key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    return Objects(keys, get)


def bucket(client: Any, name: str, prefix: str = "") -> Objects:
    """A store in an S3 bucket; `client` is boto3's."""
    below = f"{prefix}/" if prefix else ""

    def keys() -> Iterable[str]:
        for part in client.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=below):
            for item in part.get("Contents", ()):
                yield item["Key"].removeprefix(below)

    def get(key: str) -> bytes:
        try:
            data: bytes = client.get_object(Bucket=name, Key=below + key)["Body"].read()
        except client.exceptions.NoSuchKey:
            raise KeyError(key) from None
        return data

    return Objects(keys, get)


@dataclass
class Offer:
    """What a producer submitted under one task id.

    `sha256`: of the bytes that it may have seen, one or more if the same id was submitted with others. `accepted`:
    whether it was informed of it, or the broker confirmed it. `ends`: `done`, `partial`, or codes of failures that it
    may end with.
    """

    task_id: str
    sha256: set[str]
    accepted: bool = True
    callback: bool = False
    ends: set[str] = field(default_factory=lambda: {"done"})
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what kind, which task, and a sentence."""

    kind: str
    task_id: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.task_id}: {self.detail}"


@dataclass
class Evidence:
    """What is known apart from the store; `None` where it was not observed.

    `good`: bytes hash by task id of each good result that was ever seen. `dead`: headers of the dead letters. `queues`:
    messages left by queue. `posted`: bodies of callbacks that were received. `audits`: what the product's audit says by
    run date: received, done, partial, failed, pending and gaps. `tables`: status by run date and task id, as the
    summary has it. `apart`: ids of repeated submissions that an operator redrove, each a document of its own.
    `sent_back`: ids of dead letters that an operator sent back: a failure that this does not end needs no second one.
    `hash_of_text`: the bytes that a page's text was read from, where the text tells. `gone`: ids that were forgotten,
    with the hashes of their bytes: nothing is left of one that was not submitted again. `seen`: when the submissions
    of these were made that were forgotten. `removed`: kinds that retention has removed, by run date. `backfill`:
    tenants whose quota is 0 pages.
    """

    offers: Sequence[Offer]
    good: Mapping[str, str] = field(default_factory=dict)
    dead: Sequence[Mapping[str, Any]] | None = None
    queues: Mapping[str, int] | None = None
    posted: Sequence[Mapping[str, Any]] | None = None
    audits: Mapping[str, Mapping[str, Any]] | None = None
    tables: Mapping[str, Mapping[str, str]] | None = None
    apart: Collection[str] = ()
    sent_back: Collection[str] = ()
    hash_of_text: Callable[[str], str] | None = None
    gone: Mapping[str, Collection[str]] = field(default_factory=dict)
    seen: Mapping[str, Collection[str]] = field(default_factory=dict)
    removed: Mapping[str, Collection[str]] = field(default_factory=dict)
    backfill: Collection[str] = ()


def task_id_of(key: str) -> str:
    """Task id in the last part of a key; a mark of the generation is no part of it."""
    name = key.rsplit("/", 1)[-1].removesuffix(".json")
    return unquote(name.partition("@")[0])


def day_of(key: str) -> str:
    """Run date in a key."""
    return key.split("date=", 1)[1].split("/", 1)[0]


def base_of(task_id: str) -> str:
    """The id that a producer gave: another submission under a used id is marked with `#`."""
    return task_id.partition("#")[0]


def good_results(objects: Objects, keys: Iterable[str]) -> dict[str, str]:
    """Bytes hash by task id of the good results among these keys: a snapshot, to be compared at the end."""
    found = {}
    for key in keys:
        if key.startswith("results/"):
            record = json.loads(objects.get(key))
            if record["status"] in ("done", "partial"):
                found[task_id_of(key)] = record["sha256"]
    return found


def check(objects: Objects, evidence: Evidence) -> list[Finding]:
    """Everything that is wrong once all work should have ended; an empty list is a pass."""
    return _Check(objects, evidence).all()


class _Check:
    def __init__(self, objects: Objects, evidence: Evidence) -> None:
        self.objects, self.evidence = objects, evidence
        self.keys = sorted(objects.keys())
        self.found: list[Finding] = []
        self.records: dict[str, list[str]] = {}
        self.content: dict[str, dict[str, Any]] = {}
        self.receipts: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.forgotten: dict[str, set[str]] = {}
        self.archived: dict[str, tuple[str, str]] = {}
        """Run date and status, by the tables, of each task whose record retention has removed."""

    def below(self, prefix: str) -> list[str]:
        return [key for key in self.keys if key.startswith(prefix)]

    def wrong(self, kind: str, task_id: str, detail: str) -> None:
        self.found.append(Finding(kind, task_id, detail))

    def all(self) -> list[Finding]:
        self._read()
        self._nothing_left()
        self._once()
        self._offers()
        self._bytes()
        self._good_stays()
        self._companions()
        self._receipts()
        self._audits()
        self._messages()
        self._callbacks()
        self._tables()
        self._retention()
        self._forgotten()
        self._quotas()
        return self.found

    def _read(self) -> None:
        for key in (*self.below("results/"), *self.below("failed/"), *self.below("failed_again/")):
            try:
                self.content[key] = json.loads(self.objects.get(key))
            except ValueError as error:
                self.wrong("damaged", task_id_of(key), f"{key}: {error}")
                continue
            if not key.startswith("failed_again/"):
                self.records.setdefault(task_id_of(key), []).append(key)
        for key in self.below("receipts/"):
            if not key.endswith(".jsonl"):
                continue
            for line in self.objects.get(key).splitlines():
                receipt = json.loads(line)
                if "task_id" in receipt:
                    day = self.receipts.setdefault(day_of(key), {})
                    day.setdefault(receipt["task_id"], []).append(receipt)
                if "forgotten" in receipt:
                    self.forgotten.setdefault(day_of(key), set()).add(receipt["forgotten"])
        for night, kinds in self.evidence.removed.items():
            for task_id, status in (self.evidence.tables or {}).get(night, {}).items():
                kind = "failures" if status == "failed" else "results"
                if kind in kinds and task_id not in self.records:
                    self.archived[task_id] = (night, status)

    def _nothing_left(self) -> None:
        for prefix, what in (
            ("pending/", "a pending marker is left"),
            ("delayed/", "a delay is left"),
            ("deadlines/", "a note of a deadline is left"),
            ("callbacks/", "a note of a callback is left"),
            ("forgetting/", "a plan of what is to be forgotten is left"),
        ):
            for key in self.below(prefix):
                self.wrong("left over", task_id_of(key), f"{what}: {key}")

    def _once(self) -> None:
        for task_id, keys in self.records.items():
            if len(keys) > 1:
                self.wrong("ended twice", task_id, f"has {len(keys)} records: {', '.join(keys)}")
            for key in keys:
                record = self.content[key]
                failed = key.startswith("failed/")
                if record["task_id"] != task_id or record["run_date"] != day_of(key):
                    self.wrong(
                        "other record", task_id, f"{key} is of {record['task_id']}, {record['run_date']}"
                    )
                if (record["status"] == "failed") != failed:
                    self.wrong("other record", task_id, f"{key} has the status {record['status']}")
        done: dict[str, list[str]] = {}
        for task_id, keys in self.records.items():
            results = [key for key in keys if key.startswith("results/")]
            # a repetition whose failure was being recorded has a receipt, and so must end by itself
            own = task_id in self.evidence.apart or any(task_id in day for day in self.receipts.values())
            done.setdefault(task_id if own else base_of(task_id), []).extend(results)
        for base, keys in done.items():
            if len(keys) > 1 and len({self.content[key]["sha256"] for key in keys}) == 1:
                self.wrong("done twice", base, f"the same bytes have {len(keys)} results: {', '.join(keys)}")

    def _offers(self) -> None:
        for offer in self.evidence.offers:
            own = [k for t, keys in self.records.items() if base_of(t) == offer.task_id for k in keys]
            main = self.records.get(offer.task_id, [])
            received = any(base_of(t) == offer.task_id for tasks in self.receipts.values() for t in tasks)
            own += [day for t, (day, _) in self.archived.items() if base_of(t) == offer.task_id]
            if not own and (offer.accepted or received):
                self.wrong("lost", offer.task_id, "was accepted and has no record")
            for key in main:
                record = self.content[key]
                end = record["status"] if record["status"] != "failed" else record["error"]["code"]
                if end not in offer.ends:
                    why = (record.get("error") or {}).get("message", "")
                    self.wrong(
                        "wrong end", offer.task_id, f"ended as {end} ({why}), expected {sorted(offer.ends)}"
                    )
                for name, value in offer.fields.items():
                    if record.get(name) != value and record["sha256"] in offer.sha256:
                        self.wrong(
                            "other fields", offer.task_id, f"{name} is {record.get(name)!r}, not {value!r}"
                        )

    def _bytes(self) -> None:
        offered = {offer.task_id: offer.sha256 for offer in self.evidence.offers}
        for task_id, keys in self.records.items():
            for key in keys:
                sha = self.content[key]["sha256"]
                if key.startswith("results/") and sha not in offered.get(base_of(task_id), {sha}):
                    self.wrong(
                        "other bytes", task_id, f"{key} is about {sha}, which nobody submitted under its id"
                    )
                if key.startswith("results/"):
                    if "documents" not in self.evidence.removed.get(day_of(key), ()):
                        self._stored(task_id, sha)
                    self._pages(task_id, key)

    def _pages(self, task_id: str, key: str) -> None:
        if self.evidence.hash_of_text is None:
            return
        record = self.content[key]
        for page in record["pages"]:
            shown = self.evidence.hash_of_text(page["text"]) if page["text"] else record["sha256"]
            if shown != record["sha256"]:
                self.wrong("other pages", task_id, f"{key}: page {page['number']} is of {shown}")

    def _stored(self, task_id: str, sha: str) -> None:
        try:
            data = self.objects.get(f"documents/{sha}")
        except KeyError:
            self.wrong("bytes gone", task_id, f"documents/{sha} does not exist")
            return
        if hashlib.sha256(data).hexdigest() != sha:
            self.wrong("bytes changed", task_id, f"documents/{sha} has other bytes")

    def _good_stays(self) -> None:
        for task_id, sha in self.evidence.good.items():
            keys = [key for key in self.records.get(task_id, ()) if key.startswith("results/")]
            if self.archived.get(task_id, ("", "failed"))[1] != "failed":
                continue
            if not keys:
                self.wrong("good result gone", task_id, "had a result, which is gone")
            elif sha not in (now := [self.content[key]["sha256"] for key in keys]):
                self.wrong(
                    "good result replaced", task_id, f"had a result about {sha}, now it is about {now}"
                )

    def _companions(self) -> None:
        """Notes that stand next to a result, and only there."""
        partial = {
            k for k, r in self.content.items() if k.startswith("results/") and r["status"] == "partial"
        }
        noted = {"results/" + key.removeprefix("partial/") for key in self.below("partial/")}
        for key in sorted(partial ^ noted):
            self.wrong(
                "partial note", task_id_of(key), f"{key}: partial {key in partial}, noted {key in noted}"
            )
        for key in self.below("failed_again/"):
            retained = "results" not in self.evidence.removed.get(day_of(key), ())
            if retained and "results/" + key.removeprefix("failed_again/") not in self.content:
                self.wrong("failed again", task_id_of(key), f"{key} has no result with it")

    def _receipts(self) -> None:
        days: dict[str, set[str]] = {}
        accepted: dict[str, set[str]] = {}  # a refusal gives way to a later acceptance under the same id
        for day, tasks in self.receipts.items():
            for task_id, receipts in tasks.items():
                days.setdefault(task_id, set()).add(day)
                if not all(receipt.get("refused") for receipt in receipts):
                    accepted.setdefault(task_id, set()).add(day)
        days |= accepted
        for task_id, on in days.items():
            if len(on) > 1:
                self.wrong("received twice", task_id, f"has receipts on {', '.join(sorted(on))}")
            if task_id not in self.records and task_id not in self.archived:
                self.wrong("lost", task_id, f"has a receipt of {min(on)} and no record")
        for task_id, keys in self.records.items():
            if task_id not in days:
                self.wrong("no receipt", task_id, f"{keys[0]} has no receipt")
            elif min(map(day_of, keys)) < min(days[task_id]):
                self.wrong(
                    "too early", task_id, f"{keys[0]} is of a night before its receipt, {min(days[task_id])}"
                )

    def counts(self, day: str) -> dict[str, int]:
        """What the audit of a run date should say, by the raw records."""
        counts = dict.fromkeys(("received", "done", "partial", "failed", "pending"), 0)
        counts["forgotten"] = len(self.forgotten.get(day, ()))
        counts["received"] = counts["forgotten"]
        for task_id in self.receipts.get(day, {}):
            counts["received"] += 1
            statuses = {self.content[key]["status"] for key in self.records.get(task_id, ())}
            statuses |= {self.archived[task_id][1]} if task_id in self.archived else set()
            for status in ("done", "partial", "failed"):  # the first that is there
                if status in statuses:
                    counts[status] += 1
                    break
            else:
                counts["pending"] += any(task_id_of(key) == task_id for key in self.below("pending/"))
        return counts

    def _audits(self) -> None:
        for day, said in (self.evidence.audits or {}).items():
            own = self.counts(day)
            shown = {name: said[name] for name in own}
            if shown != own:
                self.wrong("audit", day, f"says {shown}, while the records say {own}")
            for gap in said["gaps"]:
                self.wrong("audit gap", day, str(gap))

    def _messages(self) -> None:
        for queue, number in (self.evidence.queues or {}).items():
            if number:
                self.wrong("messages left", queue, f"{number} messages are left in {queue}")
        if self.evidence.dead is None:
            return
        about = {*self.evidence.sent_back, *(letter.get("task_id") for letter in self.evidence.dead)}
        for task_id, keys in self.records.items():
            if not keys[0].startswith("failed/"):
                continue
            if task_id not in about and self.content[keys[0]]["error"]["code"] != "discarded":
                self.wrong("no dead letter", task_id, f"{keys[0]} has no dead letter")

    def _callbacks(self) -> None:
        if self.evidence.posted is None:
            return
        sent: dict[str, list[Mapping[str, Any]]] = {}
        for body in self.evidence.posted:
            sent.setdefault(body["task_id"], []).append(body)
        abandoned = {task_id_of(key) for key in self.below("undelivered/")}
        for offer in self.evidence.offers:
            keys = self.records.get(offer.task_id)
            if not offer.callback or not keys or offer.task_id in abandoned:
                continue
            record = self.content[keys[0]]
            if not record.get("callback_url"):
                continue
            statuses = {body["status"] for body in sent.get(offer.task_id, ())}
            if not statuses or (record["status"] not in statuses and not record["reprocess"]):
                seen = ", ".join(sorted(statuses)) or "never sent"
                self.wrong("no callback", offer.task_id, f"ended as {record['status']}; its callback: {seen}")

    def _tables(self) -> None:
        if self.evidence.tables is None:
            return
        nights = {day_of(key) for keys in self.records.values() for key in keys}
        for day in sorted(nights | set(self.evidence.tables)):
            own = {
                t: self.content[k]["status"] for t, ks in self.records.items() for k in ks if day_of(k) == day
            }
            removed = self.evidence.removed.get(day, ())
            archived = {
                task_id: status
                for task_id, status in self.evidence.tables.get(day, {}).items()
                if task_id not in own and ("failures" if status == "failed" else "results") in removed
            }
            rows = {t: s for t, s in self.evidence.tables.get(day, {}).items() if t not in archived}
            if rows != own:
                self.wrong("tables", day, f"have {dict(rows)}, while the records are {own}")

    def _removed_at(self, night: str) -> dict[str, str]:
        """When retention removed each kind of a night, as the store says."""
        key = f"nights/run_date={night}/removed.json"
        found: dict[str, str] = json.loads(self.objects.get(key))["at"] if key in self.below(key) else {}
        return found

    def _retention(self) -> None:
        """Records that their tables have, of a kind that was removed from their night after they were written.

        One that was written since stays: of a task that was reprocessed or redriven, or of a process that was paused.
        """
        for task_id, keys in self.records.items():
            for key in keys:
                night, status = day_of(key), self.content[key]["status"]
                kind = "failures" if status == "failed" else "results"
                as_in_table = (self.evidence.tables or {}).get(night, {}).get(task_id) == status
                since = self._removed_at(night).get(kind, "")
                later = bool(since) and self.content[key]["done_at"] > since
                if kind in self.evidence.removed.get(night, ()) and as_in_table and not later:
                    self.wrong("kept too long", task_id, f"{key} is left, although {kind} were removed")

    def _forgotten(self) -> None:
        received = {task_id for day in self.receipts.values() for task_id in day}
        gone = {t: hashes for t, hashes in self.evidence.gone.items() if t not in received}
        used = {record["sha256"] for record in self.content.values()}
        archived = {
            base_of(task_id) for task_id in self.archived
        }  # whose bytes are kept, although no record is
        used |= {sha for offer in self.evidence.offers if offer.task_id in archived for sha in offer.sha256}
        for task_id, detail in remains.find(self.keys, self.objects.get, gone, used):
            self.wrong("not forgotten", task_id, detail)
        for letter in self.evidence.dead or ():
            if letter.get("task_id") in gone:
                self.wrong("not forgotten", letter["task_id"], f"a dead letter is left: {letter['code']}")
        for task_id, keys in self.records.items():
            for key in keys:
                if self.content[key]["first_seen"] in self.evidence.seen.get(task_id, ()):
                    self.wrong("came back", task_id, f"{key} is of a submission that was forgotten")

    def _quotas(self) -> None:
        for task_id, keys in self.records.items():
            for key in keys:
                record = self.content[key]
                of_these = key.startswith("results/") and record["tenant"] in self.evidence.backfill
                if of_these and record["priority"] > _BACKFILL:
                    self.wrong("quota", task_id, f"{key} has the priority {record['priority']}")
