"""What grows with the number of documents, counted: no step may cost more per document where there are more of them.

Store requests, bytes read and keys listed by each step, for 100 and 500 documents in a store in memory. The slope of
their logarithms is 1 where the cost per document stays the same, and 2 where each document looks at all others.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.ledger.audit import audit
from pipeline.night import recount
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.night.status import status
from pipeline.settings import Settings
from pipeline.storage.memory import MemoryStore
from pipeline.tables.summary import summarise
from tests.support.command import page
from tests.support.counted import Metered, by_hand
from tests.support.flows import drain, submission
from tests.support.night import shade

SMALL, LARGE = 100, 500
SLOPE = 1.05
REQUESTS = 18
"""Most store requests of a one-page document from accept to result. Lower it when there are fewer, never raise it."""


def cost(store: Metered, work: Callable[[], object]) -> dict[str, int]:
    """What some work asks of the store."""
    before = store.amounts()
    work()
    return {name: amount - before[name] for name, amount in store.amounts().items()}


def a_night(inbox: Path, count: int) -> Iterator[tuple[str, dict[str, int]]]:
    """A night of `count` one-page documents, step by step: each step's name and cost."""
    settings = Settings.from_env(
        {},
        store_url=f"memory://scale-{inbox}-{count}",
        window="always",
        allowed_sources=inbox.as_uri(),
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
    )
    plain = Night.of(settings)
    store = Metered(plain.store)
    flow = Flow(Night(settings, store, plain.schedule), at_once=True)
    messages, day = [], flow.schedule.run_date()
    with pytest.MonkeyPatch.context() as patch:
        counting = by_hand(patch, flow.night)

        def accept() -> None:
            for n in range(count):
                path = page(inbox / f"{n}.png", shade(n))
                messages.extend(flow.reception.accept(submission(path, f"t{n:05}")))

        yield "accept", cost(store, accept)
        yield "drain", cost(store, lambda: drain(flow, messages))
        counting.flush()
        yield "recount", cost(store, lambda: recount.recount(flow.night))
        yield "status", cost(store, lambda: status(flow.night))
        yield "summarise", cost(store, lambda: summarise(store, day))
        yield "quick audit", cost(store, lambda: audit(store, day, quick=True))
        yield "audit", cost(store, lambda: audit(store, day))
    assert status(flow.night).done == count
    assert audit(store, day).adds_up


Nights = dict[int, dict[str, dict[str, int]]]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Number of documents -> step -> cost."""
    return {count: dict(a_night(tmp_path_factory.mktemp("inbox"), count)) for count in (SMALL, LARGE)}


def slope(small: int, large: int) -> float:
    """By which power of the number of documents an amount grows; 0 where there is none of it."""
    if not small:
        return math.inf if large else 0.0
    return math.log(large / small) / math.log(LARGE / SMALL)


@pytest.mark.parametrize(
    "step", ["accept", "drain", "recount", "status", "summarise", "quick audit", "audit"]
)
def test_no_step_costs_more_per_document_where_there_are_more(nights: Nights, step: str) -> None:
    small, large = nights[SMALL][step], nights[LARGE][step]
    assert {name: slope(small[name], large[name]) <= SLOPE for name in small} == dict.fromkeys(small, True), (
        small,
        large,
    )


@pytest.mark.parametrize("step", ["status", "recount"])
def test_requests_of_these_stay_the_same(nights: Nights, step: str) -> None:
    assert nights[SMALL][step]["requests"] == nights[LARGE][step]["requests"]


def test_status_reads_the_same_however_many_documents_there_are(nights: Nights) -> None:
    small, large = nights[SMALL]["status"], nights[LARGE]["status"]
    assert large["keys listed"] == small["keys listed"]
    assert large["bytes read"] == pytest.approx(small["bytes read"], rel=0.1), "numbers have more digits"


def test_requests_of_a_document(nights: Nights) -> None:
    night = nights[LARGE]
    assert (night["accept"]["requests"] + night["drain"]["requests"]) / LARGE <= REQUESTS


def test_a_step_that_looks_at_all_others_is_found() -> None:
    def looking(count: int) -> dict[str, int]:
        store = Metered(MemoryStore(f"looking-{count}"))

        def put() -> None:
            for n in range(count):
                store.put(f"pending/{n}", b"")
                list(store.list("pending/"))

        return cost(store, put)

    assert slope(looking(SMALL)["keys listed"], looking(LARGE)["keys listed"]) > 1.9
