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
    shown = [one.picture for one in report.looks] + [one.picture for one in report.documents]
    pictures = "".join(f'<img src="data:image/png;base64,{one}">' for one in shown if one)
    said = html.escape(to_json(written.bare(report)).decode())
    return f"<!doctype html><html lang={language}><p>{said}</p>{pictures}</html>"


@pytest.fixture(autouse=True)
def _plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "as_html", plain_page)


@pytest.fixture
def store() -> Store:
    return MemoryStore("report")
