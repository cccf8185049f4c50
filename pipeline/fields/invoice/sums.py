"""Amounts of an invoice with what their labels say they are: next to the label, below it, or in its column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.fields.invoice.figures import Figure, Label, Sum, Taxed, figures_of, labels_of
from pipeline.fields.invoice.tables import read_table, taxed_in
from pipeline.fields.invoice.words import DISCOUNT
from pipeline.fields.sheet import Sheet

_ONLY_FIGURE = re.compile(r"[^a-z]*(?:[a-z]{3})?[^a-z]*")


def sums_of(sheet: Sheet, index: int) -> tuple[list[Sum], list[Taxed]]:
    """The labelled amounts of a page, and its rows of taxes by rate, from top to bottom; `index` of the page."""
    found: list[Sum] = []
    taxed: list[Taxed] = []
    figures = [figures_of(sheet, number) for number in range(len(sheet.rows))]
    skip = -1
    for number in range(len(sheet.rows)):
        labels = labels_of(sheet.simple[number])
        if not labels:
            continue
        if (
            not figures[number]
            and len(labels) > 1
            and {kind for kind, *_ in labels} & {"net", "tax", "total"}
        ):
            if number > skip:
                skip = read_table(sheet, index, number, labels, figures, found, taxed)
            continue
        found += _beside(sheet, index, number, labels, figures)
        if line := taxed_in(sheet, index, number, labels, figures[number]):
            taxed.append(line)
    return found, taxed


def _beside(
    sheet: Sheet,
    index: int,
    number: int,
    labels: Sequence[Label],
    figures: Sequence[Sequence[Figure]],
) -> Iterator[Sum]:
    """Each label's amount: the last one before the next label, else a lone one in the row above or below."""
    row = sheet.rows[number]
    if len(figures[number]) == 1 and "  " not in row.text[labels[0].start : labels[-1].end]:
        labels = labels[:1]  # one label of several words: Total amount, VAT 20% included
    if DISCOUNT.search(sheet.simple[number]):
        labels = [label for label in labels if label.kind not in ("due", "total")]
    if not labels:
        return
    ends = [start for _, _, start, _ in labels[1:]] + [len(row.text)]
    for (kind, weight, start, _), end in zip(labels, ends, strict=True):
        inside = [f for f in figures[number] if start <= f.span[0] - row.start < end]
        if inside:
            # in two currencies side by side: one of each
            for figure in {f.currency: f for f in inside}.values():
                if figure.currency or figure is inside[-1]:
                    yield Sum(kind, figure, index, number, weight)
        elif len(labels) == 1 and not figures[number] and kind not in ("prepaid", "other"):
            for near in (number + 1, number - 1):
                if not 0 <= near < len(sheet.rows) or len(figures[near]) != 1:
                    continue
                if _ONLY_FIGURE.fullmatch(sheet.simple[near]):
                    yield Sum(kind, figures[near][0], index, number, weight - 0.3, alone=near > number)
