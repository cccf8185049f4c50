"""When a night is looked at again: the rule alone, without a store; and which folders are nights."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.ledger.ends import Dates
from pipeline.models import Task
from pipeline.night.summaries import LEASE, WHEN_OVER, WHILE_WORKING, Activity, Look, is_due, nights
from pipeline.night.why import facts
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def look(age: timedelta, activity: Activity = "idle", *, begun: bool = False) -> Look:
    return Look(at=NOW - age, records=1, activity=activity, begun=begun)


def test_a_night_never_looked_at_is_due() -> None:
    assert is_due(None, NOW, "working", changed=False)


@pytest.mark.parametrize(
    ("last", "activity", "changed", "wait"),
    [
        ("idle", "idle", False, WHEN_OVER),
        ("waiting", "waiting", False, WHEN_OVER),
        ("working", "working", False, WHILE_WORKING),
        ("working", "working", True, WHILE_WORKING),
        ("working", "waiting", False, WHEN_OVER),
        ("idle", "idle", True, timedelta(0)),
        ("waiting", "waiting", True, timedelta(0)),
        ("working", "idle", False, timedelta(0)),
        ("waiting", "idle", False, timedelta(0)),
    ],
)
def test_how_long_a_look_holds(last: Activity, activity: Activity, changed: bool, wait: timedelta) -> None:
    assert is_due(look(wait, last), NOW, activity, changed=changed)
    if wait:
        assert not is_due(look(wait - SECOND, last), NOW, activity, changed=changed)


@pytest.mark.parametrize("activity", ["working", "waiting", "idle"])
def test_a_summary_that_was_begun_is_left_alone_for_its_lease(activity: Activity) -> None:
    for changed in (True, False):
        assert not is_due(look(LEASE - SECOND, begun=True), NOW, activity, changed=changed)
        assert is_due(look(LEASE, begun=True), NOW, activity, changed=changed)


@pytest.mark.parametrize("prefix", [keys.RESULTS, keys.FAILED, keys.NIGHTS, keys.RECEIPTS])
def test_folders_that_nightshift_did_not_make_are_no_nights(prefix: str) -> None:
    store = MemoryStore("nights")
    for name in ("run_date=2026-11-22", "run_date=unknown", "run_date=0", "lost+found"):
        store.put(f"{prefix}{name}/x", b"")
    known = ["2026-11-22"]
    assert nights(store) == (known if prefix != keys.RECEIPTS else [])
    assert facts.nights(store, "2026-11-23", 14) == (known if prefix != keys.NIGHTS else [])
    task = Task(task_id="a", sha256=None, source="x", accepted_on="2026-11-01")
    found = Dates("2026-11-01", lambda: "2026-11-23").of(store, task)
    assert found == ["2026-11-23", *(known if prefix in (keys.RESULTS, keys.FAILED) else [])]
