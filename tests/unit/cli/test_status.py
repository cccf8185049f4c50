"""`status`: its exit codes, what it counts, and `--watch`, without a broker."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline import clock
from pipeline.cli import seen, watch
from pipeline.cli.seen import Running, Seen
from pipeline.cli.watch import Speed
from pipeline.errors import BrokerUnavailable, ExitCode, PermanentError, StoreUnavailable
from pipeline.forecast.model import Forecast
from pipeline.ledger import pending
from pipeline.ledger.counters import Written
from pipeline.models import Failure, Task, to_json
from pipeline.night import recount
from pipeline.night.brake import LIMIT, Brake
from pipeline.night.night import Night
from pipeline.night.status import status
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.unit.cli.conftest import DAY, Nightshift, fail

IDLE: dict[str, list[Running]] = {"w@host": []}


@pytest.fixture
def broker(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the broker says; to be changed."""
    store.root.mkdir()
    says: dict[str, Any] = {"queues": {"ocr": 0, "dead": 0}, "unknown": 0, "workers": IDLE}
    monkeypatch.setattr(seen, "_queues", lambda _: says["queues"])
    monkeypatch.setattr(seen, "_unknown_letters", lambda _: says["unknown"])
    monkeypatch.setattr(seen, "_workers", lambda _: says["workers"])
    monkeypatch.setenv("NIGHTSHIFT_WINDOW", "always")
    return says


def wait(store: LocalStore, name: str = "a", **more: Any) -> None:
    pending.mark(store, Task(task_id=name, sha256=None, source="x", **more))


def state(nightshift: Nightshift, code: int) -> str:
    shown = nightshift("status", code=code).output
    found = json.loads(nightshift("status", "--json", code=code).output)
    assert found["store"] in shown
    return str(found["state"])


def test_all_is_well(store: LocalStore, nightshift: Nightshift, broker: dict[str, Any]) -> None:
    assert state(nightshift, 0) == "ok"
    assert "Forecast   nothing is waiting" in nightshift("status").output
    wait(store)
    assert state(nightshift, 0) == "ok", "a worker is there"


def test_a_backlog_in_an_open_window_without_a_worker(
    store: LocalStore, nightshift: Nightshift, broker: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker["workers"] = {}
    assert state(nightshift, 0) == "ok", "there is nothing to do"
    wait(store)
    fail(store, "b")
    assert state(nightshift, 5) == "no_worker", "more urgent than the failure"
    shown = nightshift("status", code=5).output
    assert "documents wait, and no worker answers" in shown
    assert "\n           once a worker runs\n" in shown, "the forecast does not know"
    broker["workers"] = None
    assert state(nightshift, 5) == "no_worker", "nor has any counted something"
    monkeypatch.setenv("NIGHTSHIFT_REMOTE_CONTROL", "off")
    broker["workers"] = {}
    assert state(nightshift, 5) == "no_worker"
    one = Written(at=clock.utc(), sums={"night|2026-11-22|busy": 1.0}, worker="host/1")
    store.put(keys.counter(DAY, "ab" * 8), to_json(one))
    assert state(nightshift, 7) == "attention", "one has, a moment ago"
    monkeypatch.delenv("NIGHTSHIFT_REMOTE_CONTROL")
    assert state(nightshift, 5) == "no_worker", "it would answer"
    monkeypatch.setenv("NIGHTSHIFT_WINDOW", "never")
    assert state(nightshift, 7) == "attention", "it waits for the window"


def test_delayed_documents_need_no_worker(
    store: LocalStore, nightshift: Nightshift, broker: dict[str, Any]
) -> None:
    broker["workers"] = {}
    later = datetime(2099, 1, 1, tzinfo=UTC)
    wait(store, not_before=later.isoformat())
    store.put(keys.delayed(later, "a"), b"")
    assert state(nightshift, 0) == "ok"


def test_a_paused_step(store: LocalStore, nightshift: Nightshift, broker: dict[str, Any]) -> None:
    brake = Brake(store)
    for _ in range(LIMIT):
        brake.failed("ingest", PermanentError("x", code="not_found"))
    assert state(nightshift, 6) == "paused"
    nightshift("brake", "release", "ingest")
    assert state(nightshift, 0) == "ok"


def test_what_needs_a_person(store: LocalStore, nightshift: Nightshift, broker: dict[str, Any]) -> None:
    broker["queues"], broker["unknown"] = {"ocr": 0, "dead": 1}, 1
    assert state(nightshift, 7) == "attention"
    broker["queues"] = {"ocr": 0, "dead": 0}
    assert state(nightshift, 0) == "ok"
    store.put(keys.undelivered(DAY, "a"), to_json(Failure(code="refused", message="404")))
    assert state(nightshift, 7) == "attention"
    store.delete(keys.undelivered(DAY, "a"))
    store.put(keys.pending("half"), b"{")
    assert state(nightshift, 7) == "attention"
    assert "set aside with a damaged record" in nightshift("status", code=7).output
    store.delete(keys.pending("half"))
    fail(store, "b")
    assert state(nightshift, 7) == "attention"
    nightshift("failed", "discard", "--task-id", "b")
    assert state(nightshift, 0) == "ok"


def test_a_broker_that_is_unavailable(
    store: LocalStore, nightshift: Nightshift, broker: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_: object) -> None:
        raise BrokerUnavailable("RabbitMQ does not answer.")

    monkeypatch.setattr(seen, "_workers", unavailable)
    wait(store)
    done = nightshift("status", code=1)
    assert "Pending    1 document" in done.output
    assert "\n           once RabbitMQ answers\n" in done.output
    assert json.loads(nightshift("status", "--json", code=1).output)["state"] == "unavailable"


def test_counters_are_shown_with_their_age_and_counted_again_on_request(
    store: LocalStore, nightshift: Nightshift, broker: dict[str, Any]
) -> None:
    assert "Counted    from the store itself, just now" in nightshift("status").output
    assert "0 s ago; all documents in the store 0 min ago" in nightshift("status", "--recount").output
    wait(store)
    assert "Pending    0 documents" in nightshift("status").output, "marked behind the counters' back"
    assert "Pending    1 document" in nightshift("status", "--recount").output
    found = json.loads(nightshift("status", "--json").output)
    assert found["recounted"]
    assert found["as_of"]
    assert found["lanes"] == {"normal": 1}


def outlook(p50: datetime | None, **more: Any) -> Forecast:
    values: dict[str, Any] = {
        "at": datetime.now(UTC),
        "documents": 7,
        "pages": 20,
        "p50": p50,
        "p90": p50 and p50 + timedelta(hours=1),
        "close": None,
        "left_p50": 0,
        "left_p90": 0,
        "nights": 1,
        "inflow": 0.0,
        "pages_a_second": 2.0,
        "basis": "no page was read yet",
    }
    return Forecast(**values | more)


def test_the_forecast_is_shown_where_there_is_one(
    store: LocalStore, nightshift: Nightshift, broker: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = datetime(2026, 11, 23, 3, tzinfo=UTC)
    monkeypatch.setattr("pipeline.night.outlook.outlook", lambda *_, **__: outlook(done))
    shown = nightshift("status").output
    assert "Forecast   done Mon 2026-11-23 03:00 UTC, at the latest Mon 2026-11-23 04:00 UTC" in shown
    assert json.loads(nightshift("status", "--json").output)["forecast"]["p50"] == "2026-11-23T03:00:00Z"
    monkeypatch.setattr("pipeline.night.outlook.outlook", lambda *_, **__: outlook(None))
    assert "Forecast   not within a year (no page was read yet)" in nightshift("status").output


def test_watching_needs_a_terminal(store: LocalStore, nightshift: Nightshift, broker: dict[str, Any]) -> None:
    assert "--watch needs a terminal" in str(nightshift("status", "--watch", code=2).exception)
    assert "without --json" in str(nightshift("status", "--watch", "--json", code=2).exception)


def watched(night: Night, looks: list[Any], width: int = 80) -> str:
    """What is drawn for these looks, one after the other; then Ctrl-C."""
    left = iter(looks)

    def look() -> Seen:
        found = next(left, KeyboardInterrupt())
        if isinstance(found, BaseException):
            raise found
        assert isinstance(found, Seen)
        return found

    out = Console(file=io.StringIO(), width=width, height=60, force_terminal=True, color_system=None)
    watch.watch(look, night, out=out, pause=lambda _: None)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.fixture
def night(store: LocalStore) -> Night:
    return Night.of(Settings.from_env({}, store_url=str(store.root), window="22:00-06:00"))


def test_a_watch_shows_progress_and_ends_with_ctrl_c(
    night: Night, store: LocalStore, broker: dict[str, Any]
) -> None:
    for n in range(3):
        wait(store, str(n), media_type="image/png", pages=1)
    fail(store, "b", night.schedule.run_date())
    recount.recount(night)
    now = datetime.now(UTC)
    one = Seen(store=status(night), queues={"ocr": 2, "ocr-2": 1}, workers={"w": [Running("a", "ocr", 1.0)]})
    one.forecast = outlook(now + timedelta(minutes=65, seconds=30))
    shown = watched(night, [one, StoreUnavailable("The store does not answer."), one])
    assert "3 documents, 3 known pages" in shown
    assert "25.0% of 4 documents" in shown
    assert "1 h 5 min (at the latest 2 h 5 min)" in shown
    assert "ocr 3" in shown
    assert "1 online, 1 step running" in shown
    assert re.search(r"Attention\s+failed 1\s", shown)
    assert "The store does not answer. Looking again." in shown
    assert "\x1b[?25h" in shown, "the cursor is back"
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n")
    assert max(map(len, plain.splitlines())) <= 80


def test_a_watch_without_broker_forecast_and_documents(night: Night, broker: dict[str, Any]) -> None:
    one = Seen(store=status(night), unavailable="RabbitMQ does not answer.")
    shown = watched(night, [one])
    assert "no documents" in shown
    assert re.search(r"Left +nothing", shown)
    assert "RabbitMQ does not answer." in shown


def test_pages_per_second_are_those_of_the_last_minute() -> None:
    speed = Speed()
    for second in range(0, 200, 2):
        speed.add(second, second * 3)
    assert speed.pages_a_second == 3.0
    for second in range(200, 270, 2):
        speed.add(second, 600)
    assert speed.pages_a_second == 0.0
    speed.add(280, 2)
    assert Speed().pages_a_second is speed.pages_a_second is None, "another night has begun"


def test_exit_codes_are_documented() -> None:
    text = (Path(__file__).parents[3] / "docs/reference/commands.md").read_text()
    for code in (ExitCode.NO_WORKER, ExitCode.PAUSED, ExitCode.ATTENTION):
        assert f"| {int(code)} | `status`" in text


def test_missed_deadlines(
    store: LocalStore, night: Night, nightshift: Nightshift, broker: dict[str, Any]
) -> None:
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    wait(store, "a", deadline=at, media_type="image/png", pages=1)
    wait(store, "b", deadline=at, media_type="image/png", pages=1, priority=0)
    assert state(nightshift, 7) == "attention"
    shown = nightshift("status", code=7).output
    assert "Deadlines  1 document past the deadline and not done: nightshift forecast" in shown
    late = {f"night|{night.schedule.run_date()}|late": 2.0}
    store.put(keys.counter(DAY, "ab" * 8), to_json(Written(at=clock.utc(), sums=late)))
    recount.recount(night)
    assert "not done: nightshift forecast; 2 ended late" in nightshift("status", code=7).output
    assert json.loads(nightshift("status", "--json", code=7).output)["late"] == 2
