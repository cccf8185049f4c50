"""Which images are computed next, and together: by a virtual clock."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.device.batches import LATELY, PASSED, Batches, Item, Key

A: Key = ("detect", (32, 32))
B: Key = ("detect", (64, 64))
C: Key = ("recognize", (48, 320))
MOST = {A: 2, B: 3, C: 5}
WAIT = 0.1


def batches_of(*items: Item, now: float = 0.0, expected: int = 0) -> Batches[Item]:
    """Images that came at the same time, and as many owners who may ask soon."""
    batches: Batches[Item] = Batches(MOST.__getitem__, WAIT)
    for owner in range(expected):
        batches.expect(100 + owner, now)
    batches.add(items, now)
    return batches


def owners(batch: list[Item]) -> list[int]:
    return [item.owner for item in batch]


def test_a_full_batch_does_not_wait_and_takes_the_oldest() -> None:
    batches = batches_of(Item(A, 1), Item(A, 2), Item(A, 3), expected=1)
    assert owners(batches.take(0.0)) == [1, 2]
    assert batches.take(0.0) == []
    assert len(batches) == 1


def test_a_partial_batch_waits_no_longer_than_it_may() -> None:
    batches = batches_of(Item(A, 1), expected=1)
    assert batches.take(0.0) == []
    assert batches.due(0.0) == WAIT
    assert batches.due(0.04) == pytest.approx(WAIT - 0.04)
    assert owners(batches.take(WAIT)) == [1]
    assert batches.due(WAIT) is None


def test_nobody_waits_for_those_who_wait_themselves() -> None:
    batches = batches_of(Item(A, 1), Item(B, 2))
    assert batches.due(0.0) == 0.0
    assert owners(batches.take(0.0)) == [1]
    batches.expect(1, 0.0)
    assert batches.take(0.0) == []
    batches.add([Item(C, 1)], 0.01)
    assert owners(batches.take(0.01)) == [2]


def test_nobody_waits_for_one_that_has_not_asked_for_long_or_is_gone() -> None:
    batches = batches_of(expected=2)
    batches.wait = 10 * LATELY
    batches.add([Item(A, 1)], LATELY - 0.01)
    assert batches.due(LATELY - 0.01) == pytest.approx(0.01)
    batches.drop(100)
    assert batches.take(LATELY - 0.01) == []
    batches.drop(101)
    assert owners(batches.take(LATELY - 0.01)) == [1]


def test_urgent_images_come_first_and_take_others_of_their_size_along() -> None:
    batches = batches_of(*(Item(A, n) for n in range(4)), Item(B, 7), Item(B, 8, urgent=True), expected=1)
    assert owners(batches.take(0.0)) == [8, 7]
    assert owners(batches.take(0.0)) == [0, 1]


def test_a_batch_of_one_for_what_is_to_be_alone() -> None:
    batches = batches_of(Item(B, 1, alone=True), Item(B, 2), Item(B, 3, alone=True))
    assert [owners(batches.take(0.0)) for _ in range(3)] == [[1], [3], [2]]


def test_batches_become_smaller_while_images_wait() -> None:
    most = {A: 4}
    batches: Batches[Item] = Batches(most.__getitem__, WAIT)
    batches.add([Item(A, n) for n in range(7)], 0.0)
    assert owners(batches.take(0.0)) == [0, 1, 2, 3]
    most[A] = 2
    assert owners(batches.take(0.0)) == [4, 5]


def test_a_lone_image_is_passed_over_a_few_times_only() -> None:
    batches = batches_of(Item(B, 1), expected=1)
    batches.wait = 1000.0
    taken = []
    for _ in range(PASSED + 1):
        batches.add([Item(A, 2), Item(A, 2), Item(A, 3, urgent=True)], 0.0)
        batches.expect(100, 0.0)
        taken.append(owners(batches.take(0.0)))
    assert taken == [[3, 2]] * PASSED + [[1]]


class Step(NamedTuple):
    """What happens, and how much time has gone by then."""

    seconds: float
    what: str
    owner: int
    key: Key
    images: int
    urgent: bool
    alone: bool


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0.0, 0.01, 0.06, 0.5]),
        st.sampled_from(["add", "add", "take", "take", "take", "expect", "drop"]),
        st.integers(1, 6),
        st.sampled_from([A, B, C]),
        st.integers(1, 7),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=60,
)


class Run:
    """Steps applied to batches, everything checked that must hold after each."""

    def __init__(self) -> None:
        self.batches: Batches[Item] = Batches(MOST.__getitem__, WAIT)
        self.now = 0.0
        self.waiting: list[Item] = []
        self.passed: dict[int, int] = {}  # by image: batches since it came, less those of images before it
        self.asked_lately: dict[int, float] = {}

    def apply(self, step: Step) -> None:
        self.now += step.seconds
        if step.what == "add":
            items = [
                Item(step.key, step.owner, urgent=step.urgent, alone=step.alone) for _ in range(step.images)
            ]
            for item in items:
                self.passed[id(item)] = -(PASSED + 1) * len(self.waiting)
                self.waiting.append(item)
            self.asked_lately.pop(step.owner, None)
            self.batches.add(items, self.now)
        elif step.what == "expect":
            self.asked_lately[step.owner] = self.now
            self.batches.expect(step.owner, self.now)
        elif step.what == "drop":
            self.waiting = [item for item in self.waiting if item.owner != step.owner]
            self.asked_lately.pop(step.owner, None)
            self.batches.drop(step.owner)
        else:
            self.take()
        assert len(self.batches) == len(self.waiting)

    def take(self) -> list[Item]:
        due = self.batches.due(self.now)
        batch = self.batches.take(self.now)
        if not self.waiting:
            assert due is None
            assert not batch
            return []
        assert due is not None
        assert (due == 0.0) == bool(batch)
        assert due <= WAIT
        if not batch:
            self.check_wait()
            return []
        self.check(batch)
        self.waiting = [item for item in self.waiting if not any(item is taken for taken in batch)]
        return batch

    def check_wait(self) -> None:
        assert any(self.now - since < LATELY for since in self.asked_lately.values())
        assert not any(item.urgent for item in self.waiting)
        assert all(self.now - item.arrived < WAIT for item in self.waiting)

    def check(self, batch: list[Item]) -> None:
        assert len({(item.key, item.alone) for item in batch}) == 1
        assert len(batch) <= (1 if batch[0].alone else MOST[batch[0].key])
        assert all(any(item is known for known in self.waiting) for item in batch)
        urgent = [item for item in self.waiting if item.urgent]
        oldest = self.waiting[0]
        assert not urgent or any(urgent[0] is item or oldest is item for item in batch)
        for item in self.waiting:
            self.passed[id(item)] += 1
            assert self.passed[id(item)] <= PASSED + 1, "an image starves"


@given(STEPS)
def test_whatever_comes(steps: list[Step]) -> None:
    run = Run()
    for step in steps:
        run.apply(step)
    while run.waiting:
        run.now += 2 * WAIT
        assert run.take()
    assert run.batches.take(run.now) == []
