from hashlib import sha256
from pathlib import Path

from msgspec import structs

from pipeline.errors import PermanentError
from pipeline.ledger import digests, pending, records
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night.dispatch import resume
from pipeline.night.flow import Flow
from pipeline.storage import keys
from pipeline.submission.contract import Submission
from tests.support.command import grey, page
from tests.support.flows import drain, records_of, submission

DAY, NEXT = "2026-11-22", "2026-11-23"


def test_a_step_that_is_repeated_after_its_record_was_written_removes_the_older_one(flow: Flow) -> None:
    """A redrive died before it removed the failure, and the process of the redriven task before it looked again."""
    store, error = flow.store, PermanentError("no")
    task = Task(task_id="t", sha256=None, source="s3://inbox/t", accepted_on=DAY)
    again = structs.replace(task, generation=1, accepted_on=NEXT, replaces=DAY, run_date=NEXT)
    pending.mark_next(store, again)
    for one, day in ((task, DAY), (again, NEXT)):
        record = records.failure_of(one, error, run_date=day, settings_digest="")
        store.put(keys.failed(day, "t", one.generation), digests.encode(record))
    assert flow.fail(Message(step="ingest", task_id="t", generation=1), error) == []
    assert list(store.list(keys.FAILED)) == [keys.failed(NEXT, "t", 1)]
    assert not list(store.list(keys.PENDING))


def test_a_clock_that_is_behind_dates_no_record_before_its_receipt(flow: Flow) -> None:
    """The audit looks for a record from the date of the receipt on."""
    later = "2126-11-22"
    pending.mark(flow.store, Task(task_id="t", sha256=None, source="s3://inbox/t", accepted_on=later))
    flow.fail(Message(step="ingest", task_id="t"), PermanentError("no"))
    assert list(flow.store.list(keys.FAILED)) == [keys.failed(later, "t")]


def test_a_marker_that_a_paused_acceptance_has_set_back_is_ingested_again(flow: Flow, inbox: Path) -> None:
    """Without it the document would end without pages, or as a defect of Nightshift."""
    path = page(inbox / "a.png", grey(1))
    (ingest,) = flow.reception.accept(submission(path))
    before = pending.get(flow.store, "t")
    (ocr,) = flow.run(ingest)
    assert before is not None
    for set_back in (before, structs.replace(before, sha256=sha256(path.read_bytes()).hexdigest())):
        pending.mark(flow.store, set_back)
        for step in ("ocr", "ner", "result"):
            (again,) = flow.run(structs.replace(ocr, step=step))
            assert again.step == "ingest"
    drain(flow, [again])
    (record,) = records_of(flow).values()
    assert (record.status, len(record.pages)) == ("done", 1)


def test_a_marker_that_a_paused_acceptance_has_set_back_keeps_the_bytes_that_ended(
    flow: Flow, inbox: Path
) -> None:
    """Its source holds others by now: the audit compares the record with what is known of the submission."""
    path = page(inbox / "a.png", grey(1))
    (ingest,) = flow.reception.accept(submission(path))
    before = pending.get(flow.store, "t")
    assert before is not None
    drain(flow, [ingest])
    page(path, grey(2))
    pending.mark(flow.store, before)
    assert flow.run(ingest) == []
    assert audit(flow.store, flow.schedule.run_date()).gaps == ()
    assert not list(flow.store.list(keys.PENDING))


def test_a_text_that_was_not_ingested_is_resumed_by_that(flow: Flow) -> None:
    """Its marker has all that the next step needs; but a quota or a deadline is looked at by ingest alone."""
    (ingest,) = flow.reception.accept(Submission(task_id="t", task_type="nlp", text="Room 7"))
    for step in ("ingest", "ner"):
        task = pending.get(flow.store, "t")
        assert task is not None
        assert [one.step for one in resume(task, 40)] == [step]
        flow.run(structs.replace(ingest, id="m1"))
