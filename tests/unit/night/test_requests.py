"""How many requests to the store a document costs, so that nobody adds one unnoticed (docs/explanation/night.md)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import grey, pages
from tests.support.requests import CountingBackend, by_message, by_run, by_submit, settings_in

Way = Callable[..., CountingBackend]


def count(way: Way, tmp_path: Path, inbox: Path, *, of_pages: int) -> CountingBackend:
    first = pages(inbox / "first.pdf", [grey(200)])
    second = pages(inbox / "second.pdf", [grey(n) for n in range(of_pages)])
    return way(settings_in(tmp_path / "store", inbox), first, second)


@pytest.mark.parametrize(
    ("way", "steps"),
    [
        (by_message, {"accept": 7, "ingest": 7, "ocr": 6, "ner": 5, "result": 12}),
        (by_submit, {"accept": 9, "ingest": 6, "ocr": 6, "ner": 5, "result": 12}),
        (by_run, {"accept": 15, "process": 11}),
    ],
)
def test_requests_of_a_page(way: Way, steps: dict[str, int], tmp_path: Path, inbox: Path) -> None:
    asked = count(way, tmp_path, inbox, of_pages=1)
    assert asked.by_step == steps, "\n".join(asked.lines())


def test_requests_of_many_pages(tmp_path: Path, inbox: Path) -> None:
    asked = count(by_message, tmp_path, inbox, of_pages=10)
    steps = {"accept": 7, "ingest": 7, "ocr": 25, "ner": 14, "result": 21}
    assert asked.by_step == steps, "\n".join(asked.lines())
