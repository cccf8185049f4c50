"""Turns and quotas of tenants, counted at ingest."""

from collections import Counter
from pathlib import Path

import pytest
from msgspec import structs

from pipeline import tenants
from pipeline.errors import PermanentError
from pipeline.models import Task
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import open_store, recent
from pipeline.submission import shares
from pipeline.submission.contract import Submission
from pipeline.submission.shares import Shares
from tests.support.flows import drain, flow_of, records_of

NIGHT = "2026-11-22"
STORE = open_store("memory://shares", Settings.from_env({}))


def task(tenant: str, pages: int = 1, priority: int = 5) -> Task:
    return Task(task_id="t", sha256=None, source="message", tenant=tenant, pages=pages, priority=priority)


def test_the_first_pages_of_every_tenant_are_in_turn_1() -> None:
    count = Shares(STORE, {})
    turns = Counter(count.placed(task("many"), NIGHT).turn for _ in range(50_000))
    assert turns == {1: 100, 2: 1_900, 3: 48_000}
    assert [count.placed(task("few"), NIGHT).turn for _ in range(10)] == [1] * 10
    assert count.placed(task("many"), "2026-11-23").turn == 1, "another night"


def test_a_document_is_placed_by_its_last_page() -> None:
    count = Shares(STORE, {})
    assert [count.placed(task("a", pages), NIGHT).turn for pages in (60, 60, 1_880, 1)] == [1, 2, 2, 3]
    assert count.placed(task("b", 2_001), NIGHT).turn == 3
    assert count.placed(task("text", 0), NIGHT).turn == 1


def test_each_lane_has_turns_of_its_own() -> None:
    count = Shares(STORE, {})
    count.placed(task("a", 100), NIGHT)
    assert count.placed(task("a", priority=9), NIGHT).turn == 1
    assert count.placed(task("a", priority=3), NIGHT).turn == 2, "normal as well"


def test_what_exceeds_a_quota_is_backfill() -> None:
    count = Shares(STORE, {"a": 2, "*": 3})
    assert [count.placed(task("a"), NIGHT).priority for _ in range(3)] == [5, 5, 2]
    assert count.placed(task("a", priority=0), NIGHT).priority == 0
    assert [count.placed(task("", 3), NIGHT).priority, count.placed(task(""), NIGHT).priority] == [5, 2]


def test_quotas_count_the_pages_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "_PERIOD", 0.0)
    store = open_store("memory://quotas", Settings.from_env({}))
    one, other = (Shares(store, {"*": 10}) for _ in range(2))
    assert [count.placed(task("a", 5), NIGHT).priority for count in (one, other, one)] == [5, 5, 2]
    for key in list(store.list("nights/")):
        store.put(key, b"damaged")
    assert other.placed(task("a"), NIGHT).priority == 5, "a damaged count is not counted"


def test_a_host_that_saw_a_task_before_another_one_ingested_it_goes_by_its_marker(
    flow: Flow, tmp_path: Path
) -> None:
    """The host has accepted it within the last minute; since then it has become backfill."""
    one, other = (flow_of(structs.replace(flow.settings, tenant_pages="a=0")) for _ in range(2))
    for host, name in ((one, "one"), (other, "other")):
        (tmp_path / name).mkdir()
        recent.use(host.store, recent.Folder(tmp_path / name, 1 << 20))
    sent = Submission(task_id="t", task_type="nlp", text="colour 123456", tenant="a", priority=9)
    (ingest,) = one.reception.accept(sent)
    drain(one, other.run(ingest))
    assert records_of(one)["t"].priority == 2


def test_turns_cost_no_request_without_quotas() -> None:
    class Untouched:
        def __getattr__(self, name: str) -> None:
            raise AssertionError(name)

    assert Shares(Untouched(), {}).placed(task("a"), NIGHT).turn == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["a", "a=", "a=x", "=5", "a=1,a=2", "a=-1", "a=1,,b=2"])
def test_invalid_quotas(text: str) -> None:
    with pytest.raises(ValueError, match=r"name|part|number"):
        tenants.quotas(text)


def test_quotas_and_users_are_read() -> None:
    assert tenants.quotas(" archive = 20000, *=0 ") == {"archive": 20_000, "*": 0}
    assert tenants.quotas("") == {}
    assert tenants.users("") == {}
    assert tenants.users("scanner=archive, portal=archive") == {"scanner": "archive", "portal": "archive"}
    assert tenants.quota({"a": 1}, "b") is None
    for text in ("scanner", "=a", "a="):
        with pytest.raises(ValueError, match=r"name|part|number"):
            tenants.users(text)


@pytest.mark.parametrize(
    ("user", "tenant", "expected"),
    [
        ("scanner", "", "archive"),
        ("scanner", "archive", "archive"),
        ("scanner", "clinic", None),
        ("other", "archive", None),
        ("", "archive", None),
        ("", "", ""),
        ("other", "clinic", "clinic"),
    ],
)
def test_a_tenant_is_bound_to_broker_users(flow: Flow, user: str, tenant: str, expected: str | None) -> None:
    reception = flow.reception
    reception.settings = structs.replace(reception.settings, tenant_users="scanner=archive")
    sent = Submission(task_id="t", task_type="nlp", text="text", tenant=tenant)
    if expected is not None:
        assert reception.sent_by(user, sent).tenant == expected
        return
    with pytest.raises(PermanentError) as error:
        reception.sent_by(user, sent)
    assert error.value.code == "tenant_refused"
