"""The morning report in a real browser: it fits, it can be read by all, it asks for nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.report.render import render
from tests.support import example_reports as reports
from tests.support.browser import chromium, look

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize(
    ("night", "language", "width", "scheme"),
    [
        ("good", "zh", 360, "dark"),
        ("good", "en", 1100, "light"),
        ("left", "en", 360, "light"),
        ("left", "zh", 1100, "dark"),
        ("stopped", "zh", 1100, "light"),
        ("running", "en", 1600, "dark"),
        ("empty", "en", 360, "dark"),
        ("old", "zh", 768, "light"),
        ("small", "en", 360, "light"),
        ("small", "zh", 1100, "dark"),
    ],
)
def test_it_can_be_read(
    browser: "Browser", tmp_path: Path, night: str, language: str, width: int, scheme: Any
) -> None:
    file = tmp_path / "index.html"
    file.write_text(render(reports.NIGHTS[night](), language), encoding="utf-8")
    with look(browser, file.as_uri(), width=width, scheme=scheme) as seen:
        assert seen.too_wide() <= 0
        assert seen.has_glyphs("增值税发票已读完汉字Aé")
        assert seen.violations() == []
        plots = seen.page.locator("svg.plot")
        shown = [plots.nth(index).is_visible() for index in range(plots.count())]
        assert sum(shown) * 2 == len(shown), "each plot in one of its two widths"
        seen.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
        assert seen.too_wide() <= 0
        assert seen.requests == [file.as_uri()]
        assert seen.complaints == []


def test_a_click_selects_a_command_whole(browser: "Browser", tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(render(reports.left(), "en"), encoding="utf-8")
    for width in (360, 1100):
        with look(browser, file.as_uri(), width=width) as seen:
            seen.page.locator(".command").first.click()
            assert seen.page.evaluate("String(getSelection())") == reports.left().todo[0].command


def test_the_largest_report_fits(browser: "Browser", tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(render(reports.largest(), "en"), encoding="utf-8")
    with look(browser, file.as_uri(), width=360) as seen:
        assert seen.too_wide() <= 0
