"""What keeps a page below 1 MB, whatever a report holds: rows that are shown, and bytes of pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from msgspec import structs

from pipeline.report.facts import Document, Look

PICTURES = 560_000
"""Characters of base64 of all pictures together: those of fields first, then those of documents, in their order."""

LARGEST = 1_000_000
"""Bytes of a page. One that would be larger, which takes very long texts everywhere, is made with fewer pictures."""

MOST = {
    "todo": 30,
    "outages": 20,
    "shares": 12,
    "looks": 12,
    "documents": 50,
    "groups": 20,
    "steps": 20,
    "workers": 40,
    "clouds": 12,
    "conditions": 60,
}
"""Rows of each table at most."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
Pictured = TypeVar("Pictured", Look, Document)


def within(items: Iterable[Pictured], room: int) -> tuple[list[Pictured], int]:
    """The items, without pictures for which there is no room or that are not base64; and the room that is left."""
    kept = []
    for item in items:
        if len(item.picture) > room or not _BASE64.fullmatch(item.picture):
            kept.append(structs.replace(item, picture=""))
        else:
            room -= len(item.picture)
            kept.append(item)
    return kept, room
