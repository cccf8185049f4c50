"""The checker of simulations and soaks can fail: a store that is sound passes, and each way to break it is found."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.storage.local import LocalStore
from tests.simulation import checker, patches
from tests.simulation.checker import Evidence, Objects
from tests.simulation.gpu import Windows
from tests.simulation.run import Run

Store = dict[str, bytes]


SEED = 43
"""The first run that has all of that, when it was last looked for."""


@pytest.fixture(scope="module")
def sound() -> tuple[Store, Evidence]:
    """A store with done, partial and failed documents and callbacks, and what the producers know of it."""
    with patches.installed():
        for seed in range(SEED, SEED + 200):
            run = Run(seed)
            evidence = run.all()
            statuses = {key.split("/")[0] for key in run.world.raw.list("")}
            if {"failed", "partial", "results"} <= statuses and evidence.posted and evidence.dead:
                store = dict(run.world.raw._objects)
                if _can_show(store, evidence):
                    return store, evidence
    pytest.fail("no seed gives all of these")


def _can_show(store: Store, evidence: Evidence) -> bool:
    """Whether the run has documents of all the kinds that are damaged here, as another seed may have tomorrow."""
    for damage, kind in ((wrong_reason, "wrong end"), (receipt_on_another_date, "received twice")):
        other = dict(store)
        damage(other)
        if kind not in check(other, evidence):
            return False
    if "no dead letter" not in check(store, replace(evidence, dead=[])):
        return False
    return "no callback" in check(store, replace(evidence, posted=[]))


def check(store: Store, evidence: Evidence) -> set[str]:
    found = checker.check(Objects(lambda: list(store), store.__getitem__), evidence)
    return {finding.kind for finding in found}


def key_of(store: Store, prefix: str, status: str = "") -> str:
    for key in sorted(store):
        if key.startswith(prefix) and (not status or json.loads(store[key])["status"] == status):
            return key
    raise KeyError(prefix)


def changed(store: Store, key: str, **fields: Any) -> None:
    store[key] = json.dumps(json.loads(store[key]) | fields).encode()


def test_a_sound_store_passes(sound: tuple[Store, Evidence]) -> None:
    assert check(*sound) == set()


def result_gone(store: Store) -> None:
    del store[key_of(store, "results/", "done")]


def result_replaced_by_a_failure(store: Store) -> None:
    key = key_of(store, "results/", "done")
    record = json.loads(store.pop(key)) | {"status": "failed", "error": {"code": "poison", "message": ""}}
    store[key.replace("results/", "failed/")] = json.dumps(record).encode()


def result_of_other_bytes(store: Store) -> None:
    changed(store, key_of(store, "results/", "done"), sha256="0" * 64)


def result_of_other_pages(store: Store) -> None:
    key = key_of(store, "results/", "done")
    pages = json.loads(store[key])["pages"]
    pages[0]["text"] = "0" * 64 + " 1"
    changed(store, key, pages=pages)


def second_record(store: Store) -> None:
    key = key_of(store, "results/", "done")
    record = json.loads(store[key]) | {"run_date": "2026-06-01"}
    store[f"results/run_date=2026-06-01/{key.rsplit('/', 1)[1]}"] = json.dumps(record).encode()


def failure_beside_a_result(store: Store) -> None:
    key = key_of(store, "results/", "done")
    record = json.loads(store[key]) | {"status": "failed", "error": {"code": "poison", "message": ""}}
    store[key.replace("results/", "failed/")] = json.dumps(record).encode()


def failure_gone(store: Store) -> None:
    del store[key_of(store, "failed/")]


def marker_left(store: Store) -> None:
    store["pending/doc1.json"] = b"{}"


def marker_of_a_generation_left(store: Store) -> None:
    store["pending/doc1@2.json"] = b"{}"


def note_of_a_callback_left(store: Store) -> None:
    store["callbacks/run_date=2026-03-27/doc1.json"] = b"{}"


def receipt_gone(store: Store) -> None:
    for key in [key for key in store if key.startswith("receipts/")]:
        del store[key]


def receipt_on_another_date(store: Store) -> None:
    key = key_of(store, "receipts/")
    store[f"receipts/date=2026-06-01/{key.rsplit('/', 1)[1]}"] = store[key]


def bytes_gone(store: Store) -> None:
    sha = json.loads(store[key_of(store, "results/", "done")])["sha256"]
    del store[f"documents/{sha}"]


def bytes_changed(store: Store) -> None:
    sha = json.loads(store[key_of(store, "results/", "done")])["sha256"]
    store[f"documents/{sha}"] += b"!"


def tenant_lost(store: Store) -> None:
    changed(store, key_of(store, "results/", "done"), tenant="")


def note_of_a_partial_result_gone(store: Store) -> None:
    del store[key_of(store, "partial/")]


def failed_again_alone(store: Store) -> None:
    store["failed_again/run_date=2026-06-01/doc1.json"] = store[key_of(store, "results/")]


def record_damaged(store: Store) -> None:
    store[key_of(store, "results/")] = b"{"


def wrong_reason(store: Store) -> None:
    for key in [key for key in store if key.startswith("failed/")]:
        changed(store, key, error={"code": "internal", "message": ""})


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (result_gone, "lost"),
        (result_gone, "good result gone"),
        (result_gone, "audit"),
        (result_gone, "tables"),
        (result_replaced_by_a_failure, "good result gone"),
        (result_replaced_by_a_failure, "tables"),
        (result_of_other_bytes, "other bytes"),
        (result_of_other_bytes, "good result replaced"),
        (result_of_other_pages, "other pages"),
        (second_record, "ended twice"),
        (second_record, "done twice"),
        (failure_beside_a_result, "ended twice"),
        (failure_gone, "lost"),
        (marker_left, "left over"),
        (marker_of_a_generation_left, "left over"),
        (note_of_a_callback_left, "left over"),
        (receipt_gone, "no receipt"),
        (receipt_on_another_date, "received twice"),
        (bytes_gone, "bytes gone"),
        (bytes_changed, "bytes changed"),
        (tenant_lost, "other fields"),
        (note_of_a_partial_result_gone, "partial note"),
        (failed_again_alone, "failed again"),
        (record_damaged, "damaged"),
        (wrong_reason, "wrong end"),
    ],
)
def test_a_broken_store_is_found(
    sound: tuple[Store, Evidence], damage: Callable[[Store], None], kind: str
) -> None:
    store = dict(sound[0])
    damage(store)
    assert kind in check(store, sound[1])


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"queues": {"ocr": 1}}, "messages left"),
        ({"dead": []}, "no dead letter"),
        ({"posted": []}, "no callback"),
        ({"tables": {"2026-03-27": {"doc9": "done"}}}, "tables"),
    ],
)
def test_other_evidence_is_used(sound: tuple[Store, Evidence], change: dict[str, Any], kind: str) -> None:
    assert kind in check(sound[0], replace(sound[1], **change))


def key_of_a_forgotten_task(store: Store) -> None:
    store["attempts/gone/ocr-m1.json"] = b"1"


def object_that_names_a_forgotten_task(store: Store) -> None:
    store["control/odd.json"] = b'{"example": "s3://inbox/gone.png"}'


def bytes_of_a_forgotten_task(store: Store) -> None:
    store[f"ocr/{'0' * 64}/ab/000001.json"] = b"{}"


def plan_left(store: Store) -> None:
    store["forgetting/run.json"] = b"{}"


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (key_of_a_forgotten_task, "not forgotten"),
        (object_that_names_a_forgotten_task, "not forgotten"),
        (bytes_of_a_forgotten_task, "not forgotten"),
        (plan_left, "left over"),
    ],
)
def test_what_is_left_of_a_forgotten_task_is_found(
    sound: tuple[Store, Evidence], damage: Callable[[Store], None], kind: str
) -> None:
    store, evidence = dict(sound[0]), replace(sound[1], gone={"gone": {"0" * 64}})
    for harmless in ("gone1", "gone%230123456789ab", "begone"):  # other tasks
        store[f"attempts/{harmless}/ocr-m1.json"] = b"1"
    assert check(store, evidence) == set()
    damage(store)
    assert check(store, evidence) == {kind}


def test_a_dead_letter_of_a_forgotten_task_is_found(sound: tuple[Store, Evidence]) -> None:
    store, evidence = sound
    dead = [*(evidence.dead or ()), {"task_id": "gone", "code": "x"}]
    assert check(store, replace(evidence, gone={"gone": ()}, dead=dead)) == {"not forgotten"}


def test_a_record_of_a_forgotten_submission_and_one_over_its_quota_are_found(
    sound: tuple[Store, Evidence],
) -> None:
    store, evidence = dict(sound[0]), sound[1]
    key = key_of(store, "results/", "done")
    record = json.loads(store[key])
    seen = {record["task_id"]: {record["first_seen"]}}
    assert check(store, replace(evidence, seen=seen)) == {"came back"}
    changed(store, key, priority=5)
    assert check(store, replace(evidence, backfill=[record["tenant"]])) == {"quota"}


def test_an_audit_that_hides_something_is_found(sound: tuple[Store, Evidence]) -> None:
    store, evidence = sound
    assert evidence.audits
    day, said = next(iter(evidence.audits.items()))
    lying = {day: {**said, "done": said["done"] + 1}}
    assert "audit" in check(store, replace(evidence, audits=lying))
    assert "audit gap" in check(store, replace(evidence, audits={day: {**said, "gaps": ["lost"]}}))


def test_a_folder_is_checked_in_the_same_way(sound: tuple[Store, Evidence], tmp_path: Path) -> None:
    store, evidence = sound
    local = LocalStore(tmp_path)
    for key, data in store.items():
        local.put(key, data)
    assert checker.check(checker.folder(tmp_path), evidence) == []
    local.delete(key_of(store, "results/", "done"))
    assert checker.check(checker.folder(tmp_path), evidence)


class TestWindows:
    windows = Windows("22:00-06:00", ZoneInfo("Europe/Berlin"), urgent_by_day=True, grace=25)
    awake = 3600.0

    def overrun(self, hour: int, minute: int, second: int = 0, queue: str = "ocr") -> float:
        moment = datetime(2026, 1, 10, hour - 1, minute, second, tzinfo=UTC)  # Berlin is one hour ahead
        return self.windows.overrun(queue, moment.timestamp(), moment, self.awake)

    def test_open_or_just_closed(self) -> None:
        assert not self.overrun(23, 0)
        assert not self.overrun(5, 59)
        assert not self.overrun(6, 0, 20)

    def test_after_close(self) -> None:
        assert self.overrun(6, 1)
        assert self.overrun(12, 0)
        assert not self.overrun(12, 0, queue="urgent")
        assert self.overrun(12, 0, queue="ner")

    def test_a_worker_that_was_suspended_gets_its_grace_period(self) -> None:
        moment = datetime(2026, 1, 10, 11, tzinfo=UTC)
        assert not self.windows.overrun("ocr", moment.timestamp(), moment, awake=20)

    @pytest.mark.parametrize(("state", "late"), [("open", False), ("closed", True)])
    def test_overrides(self, state: str, late: bool) -> None:
        written = json.dumps({"state": state, "until": "2026-01-10T20:00:00+00:00"}).encode()
        since = datetime(2026, 1, 10, 5, tzinfo=UTC).timestamp()
        windows = replace(self.windows, overrides=[(since, written)])
        moment = datetime(2026, 1, 10, 11, tzinfo=UTC)
        assert bool(windows.overrun("ocr", moment.timestamp(), moment, self.awake)) == late
        assert bool(windows.overrun("urgent", moment.timestamp(), moment, self.awake)) == late


def test_a_record_that_retention_has_left_is_found(sound: tuple[Store, Evidence]) -> None:
    store, evidence = sound
    night = checker.day_of(key_of(store, "results/"))
    assert check(store, replace(evidence, removed={night: ["results"]})) == {"kept too long"}


@pytest.mark.parametrize(("at", "kinds"), [("2000-01-01", set()), ("2999-01-01", {"kept too long"})])
def test_a_record_that_was_written_after_retention_stays(
    sound: tuple[Store, Evidence], at: str, kinds: set[str]
) -> None:
    store, evidence = sound
    night = checker.day_of(key_of(store, "results/"))
    note = {"at": {"results": f"{at}T00:00:00.000+00:00"}}
    store[f"nights/run_date={night}/removed.json"] = json.dumps(note).encode()
    assert check(store, replace(evidence, removed={night: ["results"]})) == kinds


def test_bytes_of_a_record_that_retention_has_removed_are_used(sound: tuple[Store, Evidence]) -> None:
    store, evidence = dict(sound[0]), sound[1]
    records = [json.loads(data) for key, data in store.items() if key.startswith("results/")]
    hashes = [record["sha256"] for record in records]
    record = next(one for one in records if hashes.count(one["sha256"]) == 1)
    del store[f"results/run_date={record['run_date']}/{record['task_id']}.json"]
    gone = replace(evidence, gone={"gone": [record["sha256"]]})
    assert "not forgotten" in check(store, gone)
    assert "not forgotten" not in check(store, replace(gone, removed={record["run_date"]: ["results"]}))
