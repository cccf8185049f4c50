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
        (by_message, {"accept": 4, "ingest": 4, "ocr": 3, "ner": 3, "result": 7}),
        (by_submit, {"accept": 5, "ingest": 4, "ocr": 4, "ner": 4, "result": 7}),
        (by_run, {"accept": 14, "process": 9}),
    ],
)
def test_requests_of_a_page(way: Way, steps: dict[str, int], tmp_path: Path, inbox: Path) -> None:
    asked = count(way, tmp_path, inbox, of_pages=1)
    assert asked.by_step == steps, "\n".join(asked.lines())


def test_requests_of_many_pages(tmp_path: Path, inbox: Path) -> None:
    asked = count(by_message, tmp_path, inbox, of_pages=10)
    steps = {"accept": 4, "ingest": 4, "ocr": 12, "ner": 12, "result": 16}
    assert asked.by_step == steps, "\n".join(asked.lines())
