"""Which GPU queues are served, by plain values."""

import pytest

from tasks.lanes import GPU_QUEUES, allowed, preferred, wanted


@pytest.mark.parametrize(
    ("queues", "window_open", "urgent_by_day", "expected"),
    [
        (GPU_QUEUES, True, False, ["urgent", "ocr", "ner", "filler"]),
        (GPU_QUEUES, False, False, []),
        (GPU_QUEUES, False, True, ["urgent"]),
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


@pytest.mark.parametrize(
    ("queues", "waiting", "expected"),
    [
        (ALL, {}, ALL),
        (ALL, {"urgent": 1, "ocr": 5, "filler": 9}, ["urgent"]),
        (ALL, {"ocr": 5, "filler": 9}, ["urgent", "ocr", "ner"]),
        (ALL, {"ner": 1}, ["urgent", "ocr", "ner"]),
        (ALL, {"filler": 9}, ALL),
        (["filler"], {"ocr": 1}, []),
        (["filler"], {"urgent": 1}, ["filler"]),
        (["ocr", "ner"], {"urgent": 1, "ocr": 1}, ["ocr", "ner"]),
        (["urgent"], {"ocr": 1}, ["urgent"]),
        ([], {"urgent": 1}, []),
    ],
)
def test_urgent_goes_before_normal_before_backfill(
    queues: list[str], waiting: dict[str, int], expected: list[str]
) -> None:
    assert preferred(queues, lambda name: waiting.get(name, 0)) == expected


def test_the_broker_is_not_asked_where_the_answer_does_not_matter() -> None:
    asked: list[str] = []

    def waiting(name: str) -> int:
        asked.append(name)
        return 1

    assert preferred(["ocr", "ner"], waiting) == ["ocr", "ner"]
    assert asked == []
    assert preferred(ALL, waiting) == ["urgent"]
    assert asked == ["urgent"]


def test_no_lane_is_added_before_the_messages_are_counted() -> None:
    assert wanted(["ingest"], ALL, None, ["ingest", "ocr"]) == ["ingest", "ocr"]
    assert wanted(["ingest"], ALL, {"urgent": 1}, ["ingest"]) == ["ingest", "urgent"]
    assert wanted(["ingest"], ALL, {}, []) == ["ingest", *ALL]
    assert wanted(["ingest"], [], {}, ["ocr"]) == ["ingest"]
