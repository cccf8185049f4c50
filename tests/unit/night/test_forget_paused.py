"""A process is paused between two calls of its store, and goes on after its document was forgotten: it stays so."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline import clock
from pipeline.ledger.audit import audit
from pipeline.ledger.forgetting import Plan
from pipeline.night import callbacks, forget, inventory, selection
from pipeline.night.search import Search
from pipeline.night.selection import Selector
from pipeline.settings import Settings
from pipeline.steps.engines import EnginesByTask
from pipeline.storage import keys
from tests.support.command import grey, page
from tests.support.paused import PausedStore, Site
from tests.support.thinned import EVERY


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Site]]:
    settings = Settings.from_env(
        {},
        store_url="memory://unused",
        window="always",
        allowed_sources=tmp_path.as_uri(),
        allowed_callbacks="https://a.example",
        callback_secret="s",
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
    )
    picture = page(tmp_path / "a.png", grey(1)).read_bytes()

    def made() -> Site:
        one = Site(tmp_path, picture, EnginesByTask(settings), settings)
        monkeypatch.setattr(callbacks, "post", one.post)
        return one

    yield made
    clock.take_from(None)


def test_whenever_a_worker_was_paused_nothing_comes_back(sites: Callable[[], Site]) -> None:
    at, ended = 0, False
    while not ended:
        site = sites()
        messages = site.accept()
        plans: list[Plan] = []

        def meanwhile(site: Site = site, plans: list[Plan] = plans) -> None:
            plan = selection.plan(site.store, Selector(task_id="t"), actor="alice")
            assert plan is not None
            forget.finish(site.store, plan, forget.carry_out(site.store, plan))
            plans.append(plan)

        paused = PausedStore(site.store, at, meanwhile)
        flow = site.process(paused)
        waiting = list(messages)
        while waiting:
            waiting.extend(site.deliver(waiting.pop(0), flow))
        ended = not plans
        if ended:
            meanwhile()
        site.settle()
        site.now += timedelta(hours=2)
        forget.resume(site.store)
        site.settle()
        plan = plans[0]
        found = Search(site.store, plan, inventory.users(site.store, plan.hashes)).run()
        assert found.hits == [], (at, paused.calls[at - 1 : at + 1])
        report = audit(site.store, site.flow.schedule.run_date())
        assert report.adds_up, (at, report.gaps)
        at += EVERY
    assert at > 20


@pytest.mark.parametrize("done", [True, False], ids=["done", "accepted"])
def test_whenever_a_worker_was_paused_what_was_submitted_again_is_done(
    sites: Callable[[], Site], done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has the forgotten submission; the same id has been submitted again before it goes on."""
    at, ended = 0, False
    while not ended:
        site = sites()
        messages = site.accept()
        plans: list[Plan] = []
        minutes = SimpleNamespace(
            monotonic=lambda plans=plans: 61.0 * len(plans)
        )  # it takes longer than that
        monkeypatch.setattr("pipeline.ledger.forgotten.time", minutes)

        def meanwhile(site: Site = site, plans: list[Plan] = plans) -> None:
            plan = selection.plan(site.store, Selector(task_id="t"), actor="alice")
            assert plan is not None
            forget.finish(site.store, plan, forget.carry_out(site.store, plan))
            plans.append(plan)
            if done:
                site.drain(site.accept())
            else:
                site.waiting += site.accept()

        paused = PausedStore(site.store, at, meanwhile)
        flow = site.process(paused)
        waiting = list(messages)
        while waiting:
            waiting.extend(site.deliver(waiting.pop(0), flow))
        ended = not plans
        if ended:
            meanwhile()
        site.settle()
        site.now += timedelta(hours=2)
        forget.resume(site.store)
        site.settle()
        good = site.good()
        (target,) = plans[0].targets
        assert good is not None, (at, paused.calls[at - 1 : at + 1])
        assert good.first_seen not in target.seen, (at, paused.calls[at - 1 : at + 1])
        assert not list(site.store.list(keys.PENDING)), at
        report = audit(site.store, site.flow.schedule.run_date())
        assert report.adds_up, (at, report.gaps)
        at += EVERY
    assert at > 20
