"""Counts in sentences: one document, many documents."""

from __future__ import annotations


def count(number: int, one: str, many: str = "") -> str:
    """`1 document`, `12,431 documents`; `many`: where it is not `one` and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
