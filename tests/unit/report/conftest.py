"""Reports without the page's layout, which has tests of its own."""

import html

import pytest

from pipeline.models import to_json
from pipeline.report import written
from pipeline.report.facts import Report
from pipeline.storage import Store
from pipeline.storage.memory import MemoryStore


def plain_page(report: Report, language: str) -> str:
    """All that a report says, as a page."""
    return f"<!doctype html><html lang={language}><p>{html.escape(to_json(report).decode())}</p></html>"


@pytest.fixture(autouse=True)
def _plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "as_html", plain_page)


@pytest.fixture
def store() -> Store:
    return MemoryStore("report")
