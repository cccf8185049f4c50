"""Task ids of tenants that are bound to broker users: none can take another one's."""

from pathlib import Path

import pytest
from msgspec import structs

from pipeline.errors import PermanentError
from pipeline.ledger import claims
from pipeline.ledger.audit import audit
from pipeline.night import failures
from pipeline.night.dispatch import resume
from pipeline.night.flow import Flow
from pipeline.submission.contract import Submission
from tests.support.command import grey, page
from tests.support.flows import drain, records_of, submission

BOUND = "scanner=archive, portal=clinic"


@pytest.fixture
def shared(flow: Flow) -> Flow:
    flow.reception.settings = structs.replace(flow.reception.settings, tenant_users=BOUND)
    return flow


def _ended(flow: Flow) -> dict[str, tuple[str, str, str]]:
    return {
        name: (record.status, record.tenant, record.error.code if record.error else "")
        for name, record in records_of(flow).items()
    }


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("first_ends", [True, False])
def test_two_tenants_may_use_one_id(shared: Flow, inbox: Path, *, same: bool, first_ends: bool) -> None:
    theirs = submission(page(inbox / "a.png", grey(1)), "x", tenant="clinic")
    ours = submission(page(inbox / "b.png", grey(1 if same else 2)), "x", tenant="archive")
    derived = f"x#{claims.origin_of(ours.url, None, 'archive')}"
    messages = shared.reception.accept(theirs)
    if first_ends:
        drain(shared, messages)
        messages = []
    messages += shared.reception.accept(ours)
    messages += shared.reception.accept(ours)  # a repetition is still one
    drain(shared, messages)
    assert _ended(shared) == {"x": ("done", "clinic", ""), derived: ("done", "archive", "")}
    report = audit(shared.store, shared.schedule.run_date())
    assert (report.received, report.done, report.gaps) == (2, 2, ())


def test_nobody_gets_the_document_of_another_tenant_by_naming_its_source(shared: Flow, inbox: Path) -> None:
    path = page(inbox / "a.png", grey(1))
    drain(shared, shared.reception.accept(submission(path, "x", tenant="clinic")))
    drain(shared, shared.reception.accept(submission(path, "x", tenant="archive")))
    assert sorted(ended[:2] for ended in _ended(shared).values()) == [("done", "archive"), ("done", "clinic")]


def test_within_a_tenant_an_id_is_one_task(shared: Flow, inbox: Path) -> None:
    first = submission(page(inbox / "a.png", grey(1)), "x", tenant="archive")
    again = submission(page(inbox / "b.png", grey(1)), "x", tenant="archive")
    other = submission(page(inbox / "c.png", grey(3)), "x", tenant="archive")
    messages = [m for one in (first, again, other) for m in shared.reception.accept(one)]
    drain(shared, messages)
    assert sorted(_ended(shared).values()) == [("done", "archive", ""), ("failed", "archive", "id_conflict")]


def test_a_refused_message_is_not_replaced_by_another_tenant(shared: Flow, inbox: Path) -> None:
    refused = Submission(task_id="x", task_type="document", url="https://example.org/a.png", tenant="clinic")
    error = PermanentError("Not an allowed source.", code="source_refused")
    assert shared.reception.refuse(b"", error, refused).task_id == "x"
    drain(shared, shared.reception.accept(submission(page(inbox / "a.png", grey(1)), "x", tenant="archive")))
    assert sorted(_ended(shared).values()) == [
        ("done", "archive", ""),
        ("failed", "clinic", "source_refused"),
    ]


def test_a_failure_of_a_bound_tenant_can_be_redriven(shared: Flow, inbox: Path) -> None:
    path = inbox / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    drain(shared, shared.reception.accept(submission(path, "x", tenant="archive")))
    (record,) = records_of(shared).values()
    assert record.status == "failed"
    task = failures.redrive(shared.store, record, {})
    assert task.origin == claims.origin_of(path.as_uri(), None, "archive")
    drain(shared, resume(task, 0))
    assert audit(shared.store, shared.schedule.run_date()).adds_up
