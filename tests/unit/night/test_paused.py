"""A process that is paused before any call of its store, and goes on later, changes nothing that has ended.

Each test pauses one process (`DOES`) before each of its calls in turn, lets others do something (`MEANWHILE`), lets it
go on, or die and its message be delivered again, and looks at the store when all is done. `make test` takes every third
call, another one first in each test; `make soak` takes all.
"""

import zlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import PermanentError
from pipeline.messages import Message
from pipeline.night import callbacks, failures, reprocess
from pipeline.night.dispatch import resume
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.steps.engines import EnginesByTask
from pipeline.storage import Store
from tests.support.command import grey, page
from tests.support.flows import Died
from tests.support.paused import SPREAD, PausedStore, Site
from tests.support.thinned import EVERY


def calls_of(request: pytest.FixtureRequest) -> Iterator[int]:
    """The calls before which this test pauses, by number."""
    return count(zlib.crc32(request.node.name.encode()) % EVERY, EVERY)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.from_env(
        {},
        store_url="memory://site",
        window="always",
        timezone="UTC",
        allowed_sources=tmp_path_factory.mktemp("inbox").as_uri(),
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
        callback_secret="s",
        allowed_callbacks="https://a.example",
    )


@pytest.fixture(scope="module")
def engines(settings: Settings) -> EnginesByTask:
    return EnginesByTask(settings)


@pytest.fixture
def site(
    settings: Settings, engines: EnginesByTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Site]]:
    inbox = Path(settings.allowed_sources.removeprefix("file://"))
    picture = page(tmp_path / "a.png", grey(1)).read_bytes()

    def made(**options: str) -> Site:
        one = Site(inbox, picture, engines, settings, **options)
        monkeypatch.setattr(callbacks, "post", one.post)
        return one

    yield made
    clock.take_from(None)


def to(step: str) -> Callable[[Site], Message]:
    return lambda site: _at(step, site, site.accept())


def redriven_to(step: str) -> Callable[[Site], Message]:
    def prepared(site: Site) -> Message:
        site.fail()
        return _at(step, site, site.redrive())

    return prepared


def reprocessed_to(step: str) -> Callable[[Site], Message]:
    def prepared(site: Site) -> Message:
        site.process_all()
        return _at(step, site, site.reprocess())

    return prepared


def _at(step: str, site: Site, messages: list[Message]) -> Message:
    site.at_once = site.flow.at_once = step != "result"
    while messages[0].step != step:
        messages = site.deliver(messages[0])
    return structs.replace(messages[0], id="same")


class Work(NamedTuple):
    """What the paused process does: `prepared` is there before, `work` returns the messages that it publishes."""

    prepared: Callable[[Site], Message | None]
    work: Callable[[Flow, Site, Message], list[Message]]


def _accept(flow: Flow, site: Site, _: Message) -> list[Message]:
    return flow.reception.accept(site.submission)


def _step(flow: Flow, site: Site, message: Message) -> list[Message]:
    return site.deliver(message, flow)


def _fail(flow: Flow, _: Site, message: Message) -> list[Message]:
    return flow.fail(message, PermanentError("it fails late", code="late"))


def _redrive(flow: Flow, site: Site, _: Message) -> list[Message]:
    return site.redrive(flow.store)


def _discard(flow: Flow, site: Site, _: Message) -> list[Message]:
    if record := site.failure():
        failures.discard(flow.store, record, "")
    return []


def _reprocess(flow: Flow, site: Site, _: Message) -> list[Message]:
    task = site.stale()
    if task is None:
        return []
    reprocess.mark_pending(flow.store, task)
    return resume(task, SPREAD)


DOES = {
    "accept": Work(lambda _: None, _accept),
    "ingest": Work(to("ingest"), _step),
    "ocr": Work(to("ocr"), _step),
    "ner": Work(to("ner"), _step),
    "result": Work(to("result"), _step),
    "fail ingest": Work(to("ingest"), _fail),
    "fail result": Work(to("result"), _fail),
    "redrive": Work(lambda site: site.fail(), _redrive),
    "discard": Work(lambda site: site.fail(), _discard),
    "ingest of a redriven one": Work(redriven_to("ingest"), _step),
    "result of a redriven one": Work(redriven_to("result"), _step),
    "failure of a redriven one": Work(redriven_to("result"), _fail),
    "reprocess": Work(lambda site: site.process_all(), _reprocess),
    "result of a reprocessed one": Work(reprocessed_to("result"), _step),
    "failure of a reprocessed one": Work(reprocessed_to("result"), _fail),
}


def _nothing(site: Site) -> None:
    site.later(9)


def _done(site: Site) -> None:
    site.process_all()


def _done_later(site: Site) -> None:
    site.later()
    site.process_all()
    site.later()


def _failed(site: Site) -> None:
    site.fail()


def _failed_later(site: Site) -> None:
    site.later()
    site.fail()
    site.later()


def _discarded(site: Site) -> None:
    site.fail()
    site.discard()


def _redriven(site: Site) -> None:
    site.fail()
    site.waiting += site.redrive()


def _redriven_and_done(site: Site) -> None:
    site.fail()
    site.later()
    site.drain(site.redrive())
    site.later()


def _redriven_and_failed(site: Site) -> None:
    site.fail()
    site.later()
    for message in site.redrive():
        site.flow.fail(message, PermanentError("no", code="again"))
    site.later(5)


def _reprocessed(site: Site) -> None:
    site.process_all()
    site.drain(site.reprocess())


def _reprocessed_without_success(site: Site) -> None:
    site.process_all()
    site.later()
    for message in site.reprocess():
        site.flow.fail(message, PermanentError("no", code="again"))


MEANWHILE = {
    "nothing": _nothing,
    "done": _done,
    "done later": _done_later,
    "failed": _failed,
    "failed later": _failed_later,
    "discarded": _discarded,
    "redriven": _redriven,
    "redriven and done": _redriven_and_done,
    "redriven and failed": _redriven_and_failed,
    "reprocessed": _reprocessed,
    "reprocessed without success": _reprocessed_without_success,
}


@pytest.mark.parametrize("dies", [None, 0], ids=["goes on", "dies"])
@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("does", DOES)
def test_pausing(
    site: Callable[[], Site], does: str, meanwhile: str, dies: int | None, request: pytest.FixtureRequest
) -> None:
    for at in calls_of(request):
        one = site()
        one.late = dies is None  # a callback that waits must not be lost
        calls, wrongs = _paused(one, DOES[does], MEANWHILE[meanwhile], at, dies)
        if at >= len(calls):
            assert len(calls) > 2, "it asked the store"
            break
        assert not wrongs, f"paused before {calls[at]}"


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("does", ["fail result", "failure of a redriven one", "result of a redriven one"])
def test_pausing_before_a_write_and_dying_right_after_it(
    site: Callable[[], Site], does: str, meanwhile: str, request: pytest.FixtureRequest
) -> None:
    for at in calls_of(request):
        calls, wrongs = _paused(site(), DOES[does], MEANWHILE[meanwhile], at, 1)
        if at >= len(calls):
            break
        assert not wrongs, f"paused before {calls[at]}"


@pytest.mark.parametrize("dies", [None, 0, 1], ids=["goes on", "dies", "dies right after"])
@pytest.mark.parametrize("meanwhile", ["nothing", "done", "done later", "failed", "failed later"])
@pytest.mark.parametrize("does", ["ingest", "ner", "result", "fail ingest", "fail result"])
def test_pausing_where_nobody_is_called_back(
    site: Callable[..., Site], does: str, meanwhile: str, dies: int | None, request: pytest.FixtureRequest
) -> None:
    """Then a first result is written without a look before it, and one after it."""
    for at in calls_of(request):
        calls, wrongs = _paused(site(callback_url=""), DOES[does], MEANWHILE[meanwhile], at, dies)
        if at >= len(calls):
            break
        assert not wrongs, f"paused before {calls[at]}"


def _paused(
    site: Site, does: Work, others: Callable[[Site], None], at: int, dies: int | None
) -> tuple[list[str], list[str]]:
    """Its calls, and what is wrong when all is done."""
    good = []
    message = does.prepared(site) or Message(step="", task_id="t")

    def meanwhile() -> None:
        others(site)
        site.tidy_up()
        good.append(site.good())

    store = PausedStore(site.store, at, meanwhile, dies)
    try:
        messages = does.work(site.process(store), site, message)
    except Died:
        messages = does.work(site.flow, site, structs.replace(message, redelivered=True))
    if not good:
        return store.calls, []
    site.drain(messages)
    site.settle()
    return store.calls, site.wrongs(good[0])


def test_the_wrongs_are_found(site: Callable[[], Site]) -> None:
    """Without what this release does against them."""
    one = site()
    one.process_all()
    good = one.good()
    assert good is not None
    assert one.wrongs(good) == []
    _copy(one.store, "results/run_date=2026-11-24/t.json", "results/run_date=2026-11-25/t.json")
    assert one.wrongs(good) == [
        "2 records: ['results/run_date=2026-11-24/t.json', 'results/run_date=2026-11-25/t.json']",
        "twice in the audit",
    ]
    for key in list(one.store.list("results/")):
        one.store.delete(key)
    assert "a good result is gone" in one.wrongs(good)


def _copy(store: Store, old: str, new: str) -> None:
    store.put(new, store.get(old))
