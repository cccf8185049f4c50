"""Who gets a task id: it is claimed first, then looked at."""

import pytest

from pipeline.ledger import claims
from pipeline.ledger.claims import Taken
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore

DAY, NEXT = "2026-11-22", "2026-11-23"
ONE, OTHER = "1" * 12, "2" * 12


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore("claims")


def test_the_first_has_the_id(store: MemoryStore) -> None:
    assert claims.take(store, "t", ONE, DAY) == Taken(True, False, DAY)
    assert claims.take(store, "t", ONE, DAY) == Taken(True, True, DAY)


@pytest.mark.parametrize(("first", "then"), [(DAY, NEXT), (NEXT, DAY)])
def test_whose_clock_is_in_another_night_learns_the_date_of_the_first(
    store: MemoryStore, first: str, then: str
) -> None:
    claims.take(store, "t", ONE, first)
    assert claims.take(store, "t", ONE, then) == Taken(True, True, first)
    assert list(store.list("")) == [keys.taken("t", ONE, first)]


def test_another_submission_does_not_get_it_and_leaves_no_claim(store: MemoryStore) -> None:
    claims.take(store, "t", ONE, DAY)
    assert claims.take(store, "t", OTHER, NEXT) == Taken(False, True, NEXT, others=(ONE,))
    assert list(store.list("")) == [keys.taken("t", ONE, DAY)]
