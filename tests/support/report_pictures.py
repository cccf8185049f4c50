"""The pictures of the morning report in the documentation: python -m tests.support.report_pictures."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from pipeline.report.render import render
from tests.conftest import ROOT
from tests.support import example_reports as reports
from tests.support.browser import chromium, look

IMAGES = ROOT / "docs" / "images"
_COLOURS = 96


def main() -> None:
    """Write both pictures: invented nights, on a large screen and on a small one."""
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "index.html"
        file.write_text(render(reports.left(), "en"), encoding="utf-8")
        with look(browser, file.as_uri(), width=1180, height=1640) as seen:
            _save(seen.page.screenshot(), "report.png")
        file.write_text(render(reports.good(), "zh"), encoding="utf-8")
        with look(browser, file.as_uri(), width=390, height=1080, scheme="dark") as seen:
            _save(seen.page.screenshot(), "report-phone.png")


def _save(png: bytes, name: str) -> None:
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    picture.save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main()
