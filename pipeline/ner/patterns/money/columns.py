"""Columns of counts and rates: numbers below headings such as Qty, Menge, MwSt % are no amounts."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from pipeline.ner.characters import lowered

_COUNTS = re.compile(
    r"\(?(?:(?:qty|q'ty|quant|quantity|quantité|qté|menge|anzahl|stück|can(?:t|tidad)|unidades|uds|quantità|qtà|qtd"
    r"|aantal|antal|antall|ilość|hours|std|stunden|kwh|weight|gewicht|poids|(?:tax|vat|gst|exchange) rate|kurs|taux"
    r"|(?:mwst|ust|steuer)\.?-? ?satz|pos|points)(?![a-zß-ÿ])|q\.tà"
    r"|(?:(?:disc(?:ount)?|rabatt|nachlass|skonto|remise|vat|tax|gst|mwst|ust|tva|iva|btw)\.?[ -]{0,2})?[(\[]?%"
    r"|数 ?量|重 ?量|税 ?率|汇率|件数|里程)"
)
_AMOUNTS = re.compile(
    r"price|amount|total|[a-z]*preis|[a-z]*betrag|summe|netto|montant|prix|\bp\.?u\b|\bht\b|\bttc\b|importe|precio"
    r"|importo|prezzo|bedrag|prijs|belopp|kwota|单 ?价|金 ?额|价"
)
_WORD = re.compile(r"(?<![^ ])(?=[^ ])")
_CELLS = re.compile(r"[^\n]*?[^ \n](?=  |\n|\Z)")
_DECIMALS = re.compile(r"[0-9][.,][0-9]{2}(?![0-9])")
_NUMBERS = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_FEW = 3
_LONGEST = 400
_MOST_CELLS = 40


class Columns:
    """The tables of a page, as far as two spaces part their columns."""

    def __init__(self, page: str) -> None:
        self.page = lowered(page)

    @cached_property
    def _rows(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.page))]

    @cached_property
    def _headings(self) -> list[tuple[int, list[str]]]:
        """Where heading rows begin, and their cells."""
        found = []
        for row, begin in enumerate(self._rows):
            text = self._row(row)
            if "  " in text and not _DECIMALS.search(text) and _COUNTS.search(text) and _AMOUNTS.search(text):
                found.append((begin, _cells(text)[:_MOST_CELLS]))
        return found

    def counted(self, start: int, end: int) -> bool:
        """Whether the number at `start:end` is below the heading of a column of counts or rates."""
        place = bisect_right(self._headings, start, key=lambda heading: heading[0]) - 1
        row = bisect_right(self._rows, start) - 1
        if place < 0 or self._headings[place][0] == self._rows[row]:
            return False
        text, offset = self._row(row), end - self._rows[row]
        spans = [match.span() for match in _CELLS.finditer(text)]
        at = next((n for n, (_, stop) in enumerate(spans) if offset <= stop), None)
        if at is None or len(_NUMBERS.findall(text[slice(*spans[at])])) != 1:
            return False
        heading = _heading_of(at, len(spans), self._headings[place][1])
        return heading is not None and _COUNTS.match(heading) is not None

    def _row(self, row: int) -> str:
        """The text of a row, unless it is too long for one of a table."""
        start = self._rows[row]
        end = self._rows[row + 1] - 1 if row + 1 < len(self._rows) else len(self.page)
        return self.page[start:end] if end - start <= _LONGEST else ""


def _cells(row: str) -> list[str]:
    """The headings of a row; one space parts a count from an amount too (`USt. % Steuerbetrag`)."""
    cells = []
    for cell in re.split(" {2,}", row.strip()):
        begin, kind = 0, None
        for word in _WORD.finditer(cell):
            now = _COUNTS if _COUNTS.match(cell, word.start()) else None
            now = now or (_AMOUNTS if _AMOUNTS.match(cell, word.start()) else None)
            if now and kind and now is not kind:
                cells.append(cell[begin : word.start()].strip())
                begin = word.start()
            kind = now or kind
        cells.append(cell[begin:])
    return cells


def _heading_of(at: int, cells: int, headings: list[str]) -> str | None:
    """The heading of a cell in a row of so many; `None` if the row may be none of the table, such as a sum."""
    if at == 0 and cells > 1 and cells >= len(headings) - (len(headings) > _FEW):
        return headings[0]
    # Of many cells one may be missing, in the middle more often than at the right edge.
    missing = len(headings) - cells
    if not 0 <= missing <= (len(headings) > _FEW) or (missing and at == cells - 1):
        return None
    return headings[missing + at]
