"""How many requests to the store a document costs, so that nobody adds one unnoticed (docs/explanation/night.md)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import grey, pages
from tests.support.requests import (
    CountingBackend,
    by_message,
    by_run,
    by_submit,
    by_tick,
    settings_in,
    unhurried,
)

Way = Callable[..., CountingBackend]


def count(way: Way, tmp_path: Path, inbox: Path, *, of_pages: int, **how: object) -> CountingBackend:
    first = pages(inbox / "first.pdf", [grey(200)])
    second = pages(inbox / "second.pdf", [grey(n) for n in range(of_pages)])
    with unhurried():
        return way(settings_in(tmp_path / "store", inbox), first, second, **how)


@pytest.mark.parametrize(
    ("way", "steps"),
    [
        (by_message, {"accept": 5, "ingest": 4, "ocr": 3, "ner": 5}),
        (by_submit, {"accept": 6, "ingest": 4, "ocr": 3, "ner": 5}),
        (by_run, {"accept": 14, "process": 9}),
    ],
)
def test_requests_of_a_page_with_each_step_on_another_host(
    way: Way, steps: dict[str, int], tmp_path: Path, inbox: Path
) -> None:
    asked = count(way, tmp_path, inbox, of_pages=1)
    assert asked.by_step == steps, "\n".join(asked.lines())


@pytest.mark.parametrize(
    ("way", "by_day", "steps"),
    [
        (by_message, True, {"accept": 5, "ingest": 3, "ocr": 3, "ner": 3}),
        (by_message, False, {"accept": 5, "ingest": 3, "ocr": 1, "ner": 3}),
        (by_submit, True, {"accept": 6, "ingest": 4, "ocr": 3, "ner": 3}),
        (by_submit, False, {"accept": 6, "ingest": 4, "ocr": 1, "ner": 3}),
    ],
)
def test_requests_of_a_page_on_one_host(
    way: Way, by_day: bool, steps: dict[str, int], tmp_path: Path, inbox: Path
) -> None:
    asked = count(way, tmp_path, inbox, of_pages=1, kept=tmp_path / "kept", by_day=by_day)
    assert asked.by_step == steps, "\n".join(asked.lines())


def test_each_page_more_is_one_request_more_on_one_host(tmp_path: Path, inbox: Path) -> None:
    asked = count(by_message, tmp_path, inbox, of_pages=10, kept=tmp_path / "kept", by_day=True)
    steps = {"accept": 5, "ingest": 3, "ocr": 12, "ner": 1, "result": 3}
    assert asked.by_step == steps, "\n".join(asked.lines())


def test_each_page_more_is_three_requests_more_on_several_hosts(tmp_path: Path, inbox: Path) -> None:
    asked = count(by_message, tmp_path, inbox, of_pages=10)
    steps = {"accept": 5, "ingest": 4, "ocr": 12, "ner": 12, "result": 15}
    assert asked.by_step == steps, "\n".join(asked.lines())


def test_past_nights_are_not_listed_at_each_tick(tmp_path: Path, inbox: Path) -> None:
    document = pages(inbox / "a.pdf", [grey(1)])
    few, many = (by_tick(settings_in(tmp_path / f"{n}", inbox), document, nights=n) for n in (3, 30))
    assert few.by_step == many.by_step == {"tick": 18}, "\n".join(many.lines())
    assert [one.operation for one in many.asked].count("list") == 5
