"""Which images are computed next, and together: by a virtual clock."""

from pipeline.device.batches import Batches, Item

A, B = ("detect", (32, 32)), ("detect", (64, 64))


def test_a_full_batch_is_taken_at_once_and_a_partial_one_after_the_wait() -> None:
    batches: Batches[Item] = Batches(lambda _: 2, wait=0.5)
    batches.expect(9, 10.0)
    batches.add([Item(A, 1), Item(A, 2), Item(A, 3)], 10.0)  # type: ignore[arg-type]
    assert [item.owner for item in batches.take(10.0)] == [1, 2]
    assert batches.take(10.0) == []
    assert batches.due(10.0) == 0.25
