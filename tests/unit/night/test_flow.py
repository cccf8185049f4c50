"""A task's way through its steps."""

from collections import Counter, deque
from pathlib import Path

import pytest
from msgspec import structs

from pipeline.errors import NotRead, PermanentError
from pipeline.ledger import pending
from pipeline.messages import Message
from pipeline.night.flow import Flow
from pipeline.steps.engines import Engines
from pipeline.steps.task_types import ENTRY_POINTS, Step, StepInput, TaskType
from pipeline.storage import keys
from pipeline.submission.contract import Submission
from tests.support.command import grey, page, pages
from tests.support.entry_points import register
from tests.support.flows import drain, flow_of, records_of, submission, to_ocr


def test_a_document_goes_through_all_steps(flow: Flow, inbox: Path) -> None:
    sent = submission(page(inbox / "a.png", grey(1)), trace_id="trace", priority=9, metadata={"k": "v"})
    ran = drain(flow, flow.reception.accept(sent))
    assert ran == {"ingest": 1, "ocr": 1, "ner": 1, "result": 1}
    result = records_of(flow)["t"]
    assert (result.status, result.trace_id, result.priority) == ("done", "trace", 9)
    assert (result.metadata, result.pages[0].text) == ({"k": "v"}, "colour 016464")
    assert [e.value for e in result.entities] == ["016464"]
    assert result.extraction is not None
    assert (result.extraction.document_type, result.extraction.fields) == ("other", ())
    assert result.fields == Engines(flow.settings).fields_info
    for prefix in (keys.PENDING, "attempts/"):
        assert not list(flow.store.list(prefix))


def test_every_step_may_run_twice(flow: Flow, inbox: Path, log: Path) -> None:
    waiting = deque(flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    while waiting:
        message = waiting.popleft()
        following = flow.run(message)
        again = flow.run(structs.replace(message, redelivered=True))
        expected = [structs.replace(one, fresh=False) for one in following]
        assert again in (expected, []), "what comes next is the same, or nothing at the end"
        waiting.extend(following)
    assert len(records_of(flow)) == 1
    assert len(log.read_text().split()) == 1


@pytest.mark.parametrize(
    ("first", "last", "steps"), [(1, 2**31, {"ocr": 1, "ner": 1, "result": 1}), (9, 12, {"ocr": 1})]
)
def test_pages_that_a_document_does_not_have_are_not_read(
    flow: Flow, inbox: Path, log: Path, first: int, last: int, steps: dict[str, int]
) -> None:
    message = to_ocr(flow, pages(inbox / "a.pdf", [grey(1), grey(2)]))
    assert drain(flow, [structs.replace(message, first=first, last=last)]) == steps
    assert len(log.read_text().split() if log.exists() else []) == (2 if first == 1 else 0)


def test_a_text_needs_no_ocr(flow: Flow) -> None:
    sent = Submission(task_id="t", task_type="nlp", text="colour 123456")
    assert drain(flow, flow.reception.accept(sent)) == {"ingest": 1, "ner": 1, "result": 1}
    result = records_of(flow)["t"]
    assert [e.value for e in result.entities] == ["123456"]
    assert (result.extraction, result.fields) == (None, None)


def test_other_field_rules_give_another_result_of_the_same_pages_and_entities(
    flow: Flow, tmp_path: Path
) -> None:
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "swatch.txt").write_text("colour swatch sample")
    before = Engines(flow.settings)
    after = Engines(flow.settings.replaced({"document_types": str(tmp_path / "types")}))
    assert after.digest != before.digest
    assert after.fields_info.digest != before.fields_info.digest
    assert (after.reading_digest, after.entities_digest) == (before.reading_digest, before.entities_digest)


def test_a_task_type_of_another_package(flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, ENTRY_POINTS, "classify", "tests.support.classify:CLASSIFY")
    sent = submission(page(inbox / "a.png", grey(1)), task_type="classify")
    assert drain(flow, flow.reception.accept(sent)) == {"ingest": 1, "ocr": 1, "keywords": 1, "result": 1}
    result = records_of(flow)["t"]
    assert result.outputs == {"keywords": {"class": "swatch", "hits": "1"}}
    assert (result.ner, result.pages[0].text) == (None, "colour 016464")


def test_close_hands_the_document_back_between_page_groups(
    flow: Flow, inbox: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = to_ocr(flow, pages(inbox / "long.pdf", [grey(10 * n) for n in range(8)]))
    answers = iter([60.0, 0.0])
    monkeypatch.setattr(flow.schedule, "seconds_left", lambda priority: next(answers))
    left = flow.run(message)
    assert left == [structs.replace(message, fresh=False, run_date=flow.schedule.run_date())]
    assert len(list(flow.store.list("ocr/"))) == 4
    assert not list(flow.store.list("attempts/")), "an orderly stop is no failed try"
    monkeypatch.undo()
    monkeypatch.setenv("NIGHTSHIFT_FAKE_LOG", str(log))
    drain(flow, left)
    assert len(records_of(flow)["t"].pages) == 8
    assert len(log.read_text().split()) == 8


def test_a_long_document_is_assembled_by_whoever_reads_the_last_pages(
    flow: Flow, inbox: Path, log: Path
) -> None:
    (message,) = flow.reception.accept(
        submission(pages(inbox / "long.pdf", [grey(10 * n) for n in range(20)]))
    )
    parts = flow.run(message)
    assert [(p.first, p.last) for p in parts] == [(1, 8), (9, 16), (17, 20)]
    assert [flow.run(part) for part in (parts[2], parts[0])] == [[], []]
    (following,) = flow.run(parts[1])
    assert drain(flow, [following]) == {"ner": 1, "result": 1}
    assert [p.number for p in records_of(flow)["t"].pages] == list(range(1, 21))
    assert drain(flow, parts) == {"ocr": 3}, "parts that come again do nothing"
    assert len(log.read_text().split()) == 20


def test_a_failed_callback_fails_no_document(flow: Flow, inbox: Path) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    message = Message(step="callback", task_id="t", run_date=flow.schedule.run_date())
    assert flow.fail(message, PermanentError("The receiver refuses it.", code="callback_failed")) == []
    assert records_of(flow)["t"].status == "done"
    assert flow.store.exists(keys.undelivered(flow.schedule.run_date(), "t"))
    assert pending.get(flow.store, "t") is None


@pytest.mark.parametrize("changed", ["NER", "OCR"])
@pytest.mark.parametrize("step", ["ner", "result"])
def test_settings_that_change_under_a_task_send_it_back(
    flow: Flow, inbox: Path, log: Path, monkeypatch: pytest.MonkeyPatch, changed: str, step: str
) -> None:
    (message,) = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    while message.step != step:
        (message,) = flow.run(message)
    if changed == "NER":
        monkeypatch.setenv("NIGHTSHIFT_FAKE_NER", "SHADE")
        flow = flow_of(flow.settings)
    else:
        flow = flow_of(flow.settings.replaced({"render_dpi": "100"}))
    if (changed, step) == ("NER", "ner"):
        assert drain(flow, [message]) == {"ner": 1, "result": 1}, "nothing is missing"
    else:
        with pytest.raises(NotRead):
            flow.run(message)
        again = structs.replace(message, retries=1)
        want = {"ocr": 1, "ner": 1, "result": 1}
        assert drain(flow, [again]) == Counter(want) + Counter({step: 1})
    (result,) = records_of(flow).values()
    assert result.status == "done"
    assert {e.type for e in result.entities} == {"SHADE" if changed == "NER" else "COLOUR"}
    assert len(log.read_text().split()) == (1 if changed == "NER" else 2)


def test_workers_of_different_settings_do_not_send_a_task_to_and_fro(flow: Flow, inbox: Path) -> None:
    other = flow_of(flow.settings.replaced({"render_dpi": "100"}))
    message = to_ocr(flow, page(inbox / "a.png", grey(1)))
    for _ in range(3):
        (message,) = flow.run(message)
        (message,) = other.run(structs.replace(message, retries=1))
        assert message.step == "ocr"
    (message,) = flow.run(message)
    with pytest.raises(PermanentError, match="the same OCR and NER settings") as caught:
        other.run(structs.replace(message, retries=1))
    other.fail(message, caught.value)
    assert [r.error and r.error.code for r in records_of(flow).values()] == ["not_read"]


def test_entities_are_not_found_by_the_step_that_writes_the_result(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs by day too, where no model may."""
    message = to_ocr(flow, page(inbox / "a.png", grey(1)))
    (message,) = flow.run(message)
    (message,) = flow.run(message)
    assert message.step == "result"
    for key in list(flow.store.list("ner/")):
        flow.store.delete(key)
    monkeypatch.setattr(flow.schedule, "seconds_left", lambda _: 0.0)
    (message,) = flow.run(structs.replace(message, retries=1))
    assert message.step == "ocr"
    assert flow.run(message) == [message]


def test_settings_that_change_between_the_parts_of_a_long_document(
    flow: Flow, inbox: Path, log: Path
) -> None:
    (message,) = flow.reception.accept(
        submission(pages(inbox / "long.pdf", [grey(10 * n) for n in range(20)]))
    )
    first, second, third = flow.run(message)
    assert flow.run(first) == []
    flow = flow_of(flow.settings.replaced({"render_dpi": "100"}))
    for part in (second, third):
        with pytest.raises(NotRead):
            flow.run(part)
    again = flow.run(structs.replace(second, retries=1))
    assert [(p.step, p.first) for p in again] == [("ocr", 1), ("ocr", 9), ("ocr", 17)]
    assert drain(flow, [structs.replace(third, retries=1), *again])["result"] >= 1
    assert [p.number for p in records_of(flow)["t"].pages] == list(range(1, 21))
    assert len(log.read_text().split()) == 8 + 20


def test_a_step_of_ones_own_before_ner_sees_no_entities(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []

    def look(given: StepInput) -> dict[str, str]:
        seen.append((len(given.pages), len(given.entities)))
        return {"seen": "yes"}

    kind = TaskType("sorted", ("ocr", Step("before", look), "ner", Step("behind", look)))
    monkeypatch.setattr("pipeline.steps.task_types.registered", lambda: {"sorted": kind})
    sent = submission(page(inbox / "a.png", grey(1)), task_type="sorted")
    assert drain(flow, flow.reception.accept(sent))["result"] == 1
    assert seen == [(1, 0), (1, 1)]
    assert set(records_of(flow)["t"].outputs) == {"before", "behind"}


@pytest.mark.parametrize("fails", [False, True])
def test_what_ends_after_its_night_is_told_of_to_its_tables(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    message = to_ocr(flow, page(inbox / "a.png", grey(1)))
    monkeypatch.setattr(flow.schedule, "run_date", lambda: "2126-11-01")
    (message,) = flow.run(message)
    monkeypatch.setattr(flow.schedule, "run_date", lambda: "2126-11-09")
    if fails:
        flow.fail(message, PermanentError("no"))
    else:
        drain(flow, [message])
    (key,) = flow.store.list(keys.CHANGED)
    assert keys.run_date_of(key) == records_of(flow)["t"].run_date == "2126-11-01"
