"""Pages that hold text of which next to nothing could be read."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.models import Page

MOST = 0.5
"""Maximum share of a page's regions and native lines that may be unread; scans that can be read stay below 0.1."""


def mostly_unread(pages: Iterable[Page]) -> tuple[int, ...]:
    """Numbers of the pages that hold text of which most could not be read, as in a script unknown to the OCR model."""
    return tuple(page.number for page in pages if page.regions_unread > MOST * _parts(page))


def _parts(page: Page) -> int:
    """Text regions of a page; a native text layer counts by its lines."""
    return page.regions_found if page.text_from == "ocr" else page.regions_unread + len(page.lines)
