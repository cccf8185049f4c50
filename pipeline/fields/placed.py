"""Where a page shows a value that is known from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import structs

from pipeline.fields import rows
from pipeline.fields.agree import AMOUNTS, CODES, WORDS
from pipeline.models import Entity, Field, Page

_LONG = 5
"""Characters that a code or name must have to be recognised without its label."""


def placed(field: Field, pages: Sequence[Page], entities: Sequence[Entity]) -> Field:
    """The field with the place where the first page that shows its value does so.

    Codes and names that are printed just so are `verified`; an amount or a date may be that of something else.
    """
    assert field.value is not None
    if field.name in AMOUNTS or field.name.endswith("date"):
        kind = "MONEY" if field.name in AMOUNTS else "DATE"
        found = next((e for e in entities if e.type == kind and e.value == field.value), None)
        page = next((page for page in pages if found and page.number == found.page), None)
        return _at(field, page, found.start, found.end) if found and page else field
    if len(field.value) < _LONG:
        return field
    gap = r"\s*" if field.name in CODES else r"[\W_]{0,6}"
    parts = field.value if field.name in CODES else WORDS.findall(field.value)
    pattern = re.compile(r"(?<!\w)" + gap.join(map(re.escape, parts)) + r"(?!\w)", re.I)
    for page in pages:
        if match := pattern.search(page.text):
            return structs.replace(_at(field, page, *match.span()), verified=not field.checks)
    return field


def _at(field: Field, page: Page, start: int, end: int) -> Field:
    there = rows.field(field.name, page, [(start, end)], field.value or "", 1.0)
    return structs.replace(
        field, text=there.text, page=there.page, boxes=there.boxes, start=there.start, end=there.end
    )
