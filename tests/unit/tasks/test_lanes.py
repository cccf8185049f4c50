"""Which GPU queues are served, by plain values."""

import pytest

from tasks.lanes import (
    FIRST_TURN,
    GPU_QUEUES,
    allowed,
    first_turn,
    for_all_turns,
    is_for_last,
    preferred,
    wanted,
)


@pytest.mark.parametrize(
    ("queues", "window_open", "urgent_by_day", "expected"),
    [
        (FIRST_TURN, True, False, ["urgent", "ocr", "ner", "filler"]),
        (GPU_QUEUES, False, False, []),
        (GPU_QUEUES, False, True, ["urgent", "urgent-2", "urgent-3"]),
        (("ocr", "ner"), True, True, ["ocr", "ner"]),
        (("ocr", "ner"), False, True, []),
        ((), True, True, []),
    ],
)
def test_all_in_the_window_and_at_most_urgent_work_outside_it(
    queues: tuple[str, ...], window_open: bool, urgent_by_day: bool, expected: list[str]
) -> None:
    assert allowed(queues, window_open=window_open, urgent_by_day=urgent_by_day) == expected


ALL = list(GPU_QUEUES)


def every(*names: str) -> list[str]:
    return [queue for name in names for queue in (name, f"{name}-2", f"{name}-3")]


@pytest.mark.parametrize(
    ("queues", "waiting", "expected"),
    [
        (ALL, {}, ALL),
        (ALL, {"urgent": 1, "ocr": 5, "filler": 9}, ["urgent"]),
        (ALL, {"urgent-3": 1, "ocr": 5}, every("urgent")),
        (ALL, {"ocr": 5, "filler": 9}, [*every("urgent"), "ocr", *every("ner")]),
        (ALL, {"ocr": 5, "ocr-2": 1}, [*every("urgent"), "ocr", *every("ner"), *every("filler")][:7]),
        (ALL, {"ocr-2": 5, "ner-3": 1}, [*every("urgent"), "ocr", "ocr-2", *every("ner")]),
        (ALL, {"filler": 9}, [*every("urgent", "ocr", "ner"), "filler"]),
        (every("filler"), {"ocr-3": 1}, []),
        (every("filler"), {"urgent": 1}, every("filler")),
        (every("ocr", "ner"), {"urgent": 1, "ocr": 1}, ["ocr", *every("ner")]),
        (every("urgent"), {"ocr": 1}, every("urgent")),
        ([], {"urgent": 1}, []),
    ],
)
def test_urgent_goes_before_normal_before_backfill(
    queues: list[str], waiting: dict[str, int], expected: list[str]
) -> None:
    assert preferred(queues, lambda name: waiting.get(name, 0)) == expected


def test_one_slice_of_four_belongs_to_the_last_turn_that_has_messages() -> None:
    counts = {"ocr": 9, "ocr-2": 5, "ner-3": 1, "ner": 2}
    assert wanted([], every("ocr", "ner"), counts, [], last=True) == ["ocr-2", "ner-3"]
    assert wanted([], every("ocr", "ner"), {}, [], last=True) == every("ocr", "ner")
    of_a_minute = [is_for_last(1_800_000_000 + second) for second in range(60)]
    assert of_a_minute == [False] * 45 + [True] * 15


def test_a_worker_is_given_the_queues_of_turn_1() -> None:
    assert for_all_turns(["ner", "ocr", "ingest"]) == every("ocr", "ner")
    assert {first_turn(name) for name in GPU_QUEUES} == set(FIRST_TURN)
    assert first_turn("retry-10") == "retry-10"


def test_no_lane_is_added_before_the_messages_are_counted() -> None:
    assert wanted(["ingest"], ALL, None, ["ingest", "ocr"]) == ["ingest", "ocr"]
    assert wanted(["ingest"], ALL, {"urgent": 1}, ["ingest"]) == ["ingest", "urgent"]
    assert wanted(["ingest"], ALL, {}, []) == ["ingest", *ALL]
    assert wanted(["ingest"], [], {}, ["ocr"]) == ["ingest"]
