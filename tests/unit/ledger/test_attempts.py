"""Documents that kill their worker, and those that do not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import structs

from pipeline import guard
from pipeline.errors import PermanentError, Poison, TransientError
from pipeline.night.flow import Flow
from pipeline.storage import keys
from tests.support.command import grey, page, pages
from tests.support.flows import Died, drain, raiser, records_of, submission, to_ocr


def test_what_kills_its_process_is_given_up_after_three_tries(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = to_ocr(flow, page(inbox / "a.png", grey(1)))
    monkeypatch.setattr(engine, "read", raiser(Died()))
    for again in (False, True, True):
        with pytest.raises(Died):
            flow.run(structs.replace(message, redelivered=again))
    with pytest.raises(Poison, match="at each of 3 attempts") as caught:
        flow.run(structs.replace(message, redelivered=True))
    flow.fail(message, caught.value)
    error = records_of(flow)["t"].error
    assert error is not None
    assert error.code == "poison"
    assert not list(flow.store.list(keys.PENDING))


def test_progress_between_kills_acquits(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = to_ocr(flow, pages(inbox / "long.pdf", [grey(10 * n) for n in range(8)]))
    read = engine.read  # type: ignore[attr-defined]
    for n in range(6):  # each try gets one page further
        turns = iter([read, raiser(Died())])
        monkeypatch.setattr(engine, "read", lambda self, image, turns=turns: next(turns)(self, image))
        with pytest.raises(Died):
            flow.run(structs.replace(message, redelivered=n > 0))
        assert len(list(flow.store.list("ocr/"))) == n + 1
    monkeypatch.setattr(engine, "read", read)
    assert drain(flow, [structs.replace(message, redelivered=True)])["result"] == 1
    assert not list(flow.store.list("attempts/"))


def test_orderly_retries_are_no_kills(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = to_ocr(flow, page(inbox / "a.png", grey(1)))
    monkeypatch.setattr(engine, "read", raiser(TransientError("the device is away")))
    for retries in range(6):
        with pytest.raises(TransientError):
            flow.run(structs.replace(message, retries=retries, redelivered=True))


@pytest.mark.parametrize("step", ["ingest", "result"])
def test_a_step_without_models_may_be_killed_too(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (message,) = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    while message.step != step:
        (message,) = flow.run(message)
    where = {
        "ingest": "pipeline.submission.reception.open_document",
        "result": "pipeline.steps.conclude.result_of",
    }[step]
    monkeypatch.setattr(where, raiser(Died()))
    for again in (False, True, True):
        with pytest.raises(Died):
            flow.run(structs.replace(message, redelivered=again))
    with pytest.raises(Poison, match=f"in step {step} at each of 3 attempts") as caught:
        flow.run(structs.replace(message, redelivered=True))
    flow.fail(message, caught.value)
    assert not list(flow.store.list("attempts/"))
    assert [r.error and r.error.code for r in records_of(flow).values()] == ["poison"]


def test_a_document_that_can_not_be_opened_ends_at_its_second_delivery(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))

    @contextmanager
    def giving_up(note: Callable[[PermanentError], None]) -> Iterator[None]:
        note(guard.out_of_memory())
        yield

    with monkeypatch.context() as patch:
        patch.setattr(guard, "giving_up", giving_up)
        patch.setattr("pipeline.submission.reception.open_document", raiser(Died()))
        with pytest.raises(Died):
            flow.run(message)
    with pytest.raises(PermanentError, match="NIGHTSHIFT_WORKER_MEMORY") as caught:
        flow.run(structs.replace(message, redelivered=True))
    flow.fail(message, caught.value)
    assert not list(flow.store.list("attempts/"))
    assert [r.error and r.error.code for r in records_of(flow).values()] == ["out_of_memory"]


def test_only_a_message_that_comes_again_is_another_try(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = to_ocr(flow, page(inbox / "a.png", grey(1)))
    with monkeypatch.context() as patch:
        patch.setattr(engine, "read", raiser(Died()))
        for n in range(5):  # such as `audit --repair` sends in addition to the one in progress
            with pytest.raises(Died):
                flow.run(structs.replace(message, id=f"m{n}", redelivered=True))
    assert drain(flow, [structs.replace(message, id="m4", redelivered=True)])["result"] == 1


def test_an_orderly_failure_leaves_no_count(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = to_ocr(flow, page(inbox / "a.png", grey(1)))
    monkeypatch.setattr(engine, "read", raiser(TransientError("the device is away")))
    with pytest.raises(TransientError):
        flow.run(structs.replace(message, redelivered=True))
    assert not list(flow.store.list("attempts/"))


def test_what_only_waited_in_a_worker_that_died_has_tries_of_its_own(
    flow: Flow, inbox: Path, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = structs.replace(to_ocr(flow, page(inbox / "a.png", grey(1))), redelivered=True)
    flow.settings = flow.settings.replaced({"max_attempts": "1"})
    with monkeypatch.context() as patch:
        patch.setattr(engine, "read", raiser(Died()))
        with pytest.raises(Died):
            flow.run(message)
    with pytest.raises(Poison):
        flow.run(message)


def test_a_first_delivery_costs_the_store_nothing(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    really = flow.store.get
    monkeypatch.setattr(flow.store, "get", lambda key: asked.append(key) or really(key))  # type: ignore[func-returns-value]
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    assert asked
    assert not [key for key in asked if key.startswith("attempts/")]
