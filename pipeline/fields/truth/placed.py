"""Where a page shows a value that is known from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from msgspec import structs

from pipeline.fields import rows
from pipeline.fields.truth.agree import letters
from pipeline.fields.values import is_amount
from pipeline.models import Entity, Field, Page

_SHORTEST = 5
"""Letters and digits that a code or name must have to be recognised without its label."""
_MOST = 100
"""Places at which a value is tried."""


def placed(field: Field, pages: Sequence[Page], entities: Sequence[Entity]) -> Field:
    """The field with the place where the first page that shows its value does so.

    Codes and names that are printed just so, with any punctuation, are `verified`; an amount or a date may be that of
    something else.
    """
    assert field.value is not None
    if is_amount(field.name) or field.name.endswith("date"):
        kind = "MONEY" if is_amount(field.name) else "DATE"
        found = next((e for e in entities if e.type == kind and e.value == field.value), None)
        page = next((page for page in pages if found and page.number == found.page), None)
        return _at(field, page, found.start, found.end) if found and page else field
    sought = letters(field.value)
    if len(sought) < _SHORTEST:
        return field
    for page in pages:
        for start, end in _spans(page.text, sought):
            return structs.replace(_at(field, page, start, end), verified=not field.checks)
    return field


def _spans(text: str, sought: str) -> Iterator[tuple[int, int]]:
    """Where the text has these letters and digits, as whole words and close together."""
    squeezed, places = _squeezed(text)
    at = -1
    for _ in range(_MOST):
        at = squeezed.find(sought, at + 1)
        if at < 0:
            return
        start, end = places[at], places[at + len(sought) - 1] + 1
        alone = not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())
        if alone and end - start <= 2 * len(sought) + 8:
            yield start, end


@lru_cache(maxsize=8)
def _squeezed(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text, case folded, and the place of each."""
    found, places = list[str](), list[int]()
    for place, char in enumerate(text):
        for letter in letters(char) if char.isalnum() else "":
            found.append(letter)
            places.append(place)
    return "".join(found), places


def _at(field: Field, page: Page, start: int, end: int) -> Field:
    there = rows.field(field.name, page, [(start, end)], field.value or "", 1.0)
    return structs.replace(
        field, text=there.text, page=there.page, boxes=there.boxes, start=there.start, end=there.end
    )
