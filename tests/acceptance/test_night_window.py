"""The window with real processes: what runs while it is closed, what happens when it opens and closes."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.storage import keys
from tests.support.command import BLUE, page, pages
from tests.support.night import Night, Process, night, spelled, steady
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit


@pytest.fixture
def closed(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    """A night that only the operator's word opens."""
    with night(rabbit, tmp_path, NIGHTSHIFT_WINDOW="never") as it:
        yield it


def pool(worker: Process) -> set[int]:
    """The two pool processes, once both are there."""
    wait_for(lambda: len(worker.children()) == 2, "two pool processes")
    return set(worker.children())


def released(it: Night) -> list[dict[str, object]]:
    """Notes of workers that let go of their models."""
    return [json.loads(it.store.get(key)) for key in it.store.list(keys.NIGHTS) if "/released-" in key]


def test_closed_means_no_gpu_work_whatever_happens_to_the_worker(closed: Night) -> None:
    closed.publish(closed.documents(20))
    closed.publish([{"task_id": "text", "task_type": "nlp", "text": "colour 123456"}])
    worker = closed.ready(closed.worker())
    queues = "ingest, result, callback, housekeeping, inference_tasks"
    assert f"INFO MainProcess trace=- task=- ready: window closed, consuming {queues}\n" in worker.text()
    wait_for(lambda: (closed.depth("ocr"), closed.depth("ner")) == (20, 1), "all to be ingested by day")
    assert steady(lambda: (closed.depth("ocr"), closed.depth("ner"))) == (20, 1)
    worker.stop()
    closed.ready(closed.worker("restarted"))
    assert steady(lambda: closed.depth("ocr")) == 20
    closed.cut()
    closed.serving()
    closed.publish(closed.documents(1, "after"))
    wait_for(lambda: closed.depth("ocr") == 21, "ingest after the reconnection")
    assert steady(lambda: (closed.depth("ocr"), closed.depth("ner"))) == (21, 1)
    assert not closed.pages_read()
    assert not closed.ended()

    closed.window("open")  # and beat is down: the worker looks by itself
    records = closed.settle(22)
    assert {r.status for r in records.values()} == {"done"}
    assert set(closed.pages_read().values()) <= {1, 2}, (
        "after_0 and ocr_0 are of one colour, and of the same bytes"
    )


def test_close_stops_a_long_pdf_at_a_page_group(rabbit: Rabbit, tmp_path: Path) -> None:
    env = {"NIGHTSHIFT_WINDOW": "never", "NIGHTSHIFT_FAKE_SECONDS": "0.2"}
    with night(rabbit, tmp_path, **env) as it:
        path = pages(it.inbox / "long.pdf", [(5 * n, 100, 100) for n in range(40)])
        it.publish([it.document("long", path)])
        worker = it.ready(it.worker())
        wait_for(lambda: it.depth("ocr") == 1, "the document to be taken in")
        it.window("open")
        wait_for(lambda: sum(it.pages_read().values()) >= 5, "the night to be under way")
        held = pool(worker)
        it.window("closed")
        closed_at = time.monotonic()
        wait_for(lambda: released(it), "the models to be released", 30)
        assert not held & pool(worker), "the processes that held models are gone"
        gone_after = time.monotonic() - closed_at
        assert gone_after < 30
        for event in (
            "window open until",
            "started consuming urgent, ocr, ner",
            "window closed",
            "models released",
        ):
            assert f"INFO MainProcess trace=- task=- {event}" in worker.text()
        (note,) = released(it)
        assert 0 <= float(str(note["seconds"])) <= gone_after
        done = len(list(it.store.list("ocr/")))
        assert 0 < done < 40
        assert done % it.settings.page_group == 0
        assert steady(lambda: (it.depth("ocr"), sum(it.pages_read().values()))) == (1, done)
        handed = worker.text().count("Task nightshift.ocr[")
        assert handed < 200, "it was handed back again and again"

        it.window("open")
        record = it.settle(1)["long"]
        assert [p.number for p in record.pages] == list(range(1, 41))
        assert [round(int(p.text[7:9], 16) / 5) for p in record.pages] == list(range(40))
        assert sum(it.pages_read().values()) == 40, "no page is computed twice"
        assert record.attempts == 1
        print(f"stopped after {done} pages; models gone {gone_after:.1f} s after close")  # noqa: T201


@pytest.mark.long
def test_models_without_work_are_given_back_before_close_and_come_back(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with night(rabbit, tmp_path, NIGHTSHIFT_IDLE_GRACE="1") as it:
        worker = it.ready(it.worker())
        wait_for(lambda: len(pool(worker)) == 2, "the pool")
        it.publish(it.documents(2, "first"))
        it.settle(2)
        wait_for(lambda: released(it), "the models to be released", 30)
        (note,) = released(it)
        assert note["early"]
        assert float(str(note["seconds"])) > 1
        assert "without work, in the window" in worker.text()
        held = pool(worker)
        it.publish(it.documents(2, "second"))
        assert {r.status for r in it.settle(4).values()} == {"done"}
        wait_for(lambda: worker.text().count("models released") == 2, "the models to be released again", 30)
        assert not held & pool(worker)
        assert {r.attempts for r in it.records().values()} == {1}
        assert "Traceback" not in worker.text()


def test_what_does_not_stop_at_close_is_killed_and_handed_back(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, NIGHTSHIFT_WINDOW="never", NIGHTSHIFT_CLOSE_GRACE="2") as it:
        it.publish([it.document("hangs", page(it.inbox / "hangs.png", BLUE))])
        worker = it.ready(it.worker())
        it.window("open")
        wait_for(it.pages_read, "the page to be begun")
        held = pool(worker)
        it.window("closed")
        wait_for(lambda: released(it), "the models to be released", 30)
        assert not held & pool(worker)
        assert steady(lambda: it.depth("ocr")) == 1
        assert (it.pending(), it.depth("dead")) == (["hangs"], 0)


def test_urgent_goes_first_and_filler_last(closed: Night) -> None:
    lanes = {"urgent": 9, "ocr": 5, "filler": 0}
    found = {name: closed.documents(100, name, priority=priority) for name, priority in lanes.items()}
    for number, name in enumerate(lanes):  # other colours, to tell the lanes apart in the engine's log
        for n in range(100):
            page(closed.inbox / f"{name}_{n}.png", (n, 100, 50 * number + 50))
    closed.publish(message for trio in zip(*reversed(found.values()), strict=True) for message in trio)
    closed.ready(closed.worker())
    for name in lanes:
        wait_for(lambda name=name: closed.depth(name) == 100, f"the lane {name} to fill")  # type: ignore[misc]
    closed.window("open")
    closed.settle(300)
    order = [int(colour[4:], 16) // 50 - 1 for colour in closed.fake_log.read_text().split()]
    assert sorted(order) == [0] * 100 + [1] * 100 + [2] * 100
    misplaced = sum(lane != place for lane, place in zip(order, sorted(order), strict=True))
    assert misplaced <= 16, "only what was in hand when a lane ran empty may overlap"
    print(f"{misplaced} of 300 out of order")  # noqa: T201


def test_a_long_pdf_is_read_by_two_workers_and_assembled_once(rabbit: Rabbit, tmp_path: Path) -> None:
    env = {"NIGHTSHIFT_SPREAD_PAGES": "8", "NIGHTSHIFT_PAGE_GROUP": "4", "NIGHTSHIFT_FAKE_SECONDS": "0.1"}
    with night(rabbit, tmp_path, **env) as it:
        workers = [it.ready(it.worker(name)) for name in ("w1", "w2")]
        it.publish(
            [it.document("long", pages(it.inbox / "long.pdf", [(5 * n, 100, 100) for n in range(44)]))]
        )
        record = it.settle(1)["long"]
        assert [round(int(p.text[7:9], 16) / 5) for p in record.pages] == list(range(44))
        assert len(record.entities) == 44
        assert sum(it.pages_read().values()) == 44
        shares = [worker.text().count("Task nightshift.ocr[") // 2 for worker in workers]
        assert sum(shares) == 6
        assert min(shares) >= 1, "both had a part of it"
        assert it.ended() == {"long": 1}


def test_colours_are_told_apart() -> None:
    assert len({spelled(n) for n in range(10_000)}) == 10_000


@pytest.mark.long
def test_urgent_work_by_day_keeps_no_normal_work_and_no_model(rabbit: Rabbit, tmp_path: Path) -> None:
    env = {"NIGHTSHIFT_WINDOW": "never", "NIGHTSHIFT_URGENT_BY_DAY": "true", "NIGHTSHIFT_CLOSE_GRACE": "2"}
    with night(rabbit, tmp_path, **env) as it:
        it.publish([it.document("hangs", page(it.inbox / "hangs.png", BLUE))])
        worker = it.ready(it.worker())
        it.window("open")
        wait_for(it.pages_read, "the page to be begun")
        held = pool(worker)
        it.store.delete(keys.control("window"))  # as scheduled, no operator's word
        wait_for(lambda: released(it), "the models to be released", 30)
        assert not held & pool(worker)
        assert steady(lambda: it.depth("ocr")) == 1

        held = pool(worker)
        it.publish(it.documents(3, "urgent", priority=9))
        wait_for(lambda: len(it.ended()) == 3, "urgent documents to be done by day", 30)
        wait_for(lambda: not held & pool(worker), "the models to be released again", 30)
        assert it.pending() == ["hangs"]
        assert len(released(it)) == 1
