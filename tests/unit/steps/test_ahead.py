"""Work ahead in threads: in order, bounded, and the first error ends it."""

import threading

import pytest

from pipeline.steps.ahead import ahead


def test_results_come_in_order_whichever_is_ready_first() -> None:
    second = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            assert second.wait(10), "the second was not begun while the first lasts"
        second.set()
        return number

    assert list(ahead(work, [1, 2, 3, 4, 5], 2)) == [1, 2, 3, 4, 5]


def test_no_more_are_begun_than_may_wait() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return number

    found = ahead(work, range(100), 3)
    assert next(found) == 0
    del found
    assert len(begun) <= 3 + 1


def test_an_error_comes_in_its_place_and_ends_it() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 2:
            raise ValueError(number)
        done.append(number)
        return number

    found = ahead(work, range(50), 4)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ValueError, match="2"):
        next(found)
    assert len(done) < 10


def test_one_at_a_time_is_done_by_the_caller_itself() -> None:
    threads = set(ahead(lambda _: threading.get_ident(), range(5), 1))
    assert threads == {threading.get_ident()}
