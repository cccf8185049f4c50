"""How many cells a sheet of a workbook spans: readers make room for all of them, written or not.

Two cells in opposite corners of a sheet of 2 KB span 17,000,000,000, and so does one cell that is repeated.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterable, Iterator

from pipeline.errors import OverLimit

MAX_CELLS = 10_000_000
"""Cells of one sheet, empty ones between the outermost included; they take about 1 GB."""

_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})(\d{1,9})["']""")
# A row or cell that does not say its place follows the one before it.
_UNPLACED = re.compile(rb"<(?:\w+:)?(?:row|c)(?:>|/|\s(?![^<>]*\br\s*=)[^<>]*>)")
_TAG = re.compile(rb"<(?:\w+:)?(?:(row)|c)\b([^<>]*)")
_OPEN_TAG = re.compile(rb"<table:(?:(table)|(table-row)|(?:covered-)?table-cell)(?=[\s/>])([^<>]*)>")
_REPEATED = re.compile(rb"""table:number-(?:rows|columns)-repeated\s*=\s*["'](\d{1,20})["']""")
_BINARY_CELLS = range(1, 12)  # types of records that are cells (MS-XLSB, 2.3.1); 0 is a row


def check_span(package: zipfile.ZipFile, name: str) -> None:
    """Raise `OverLimit` for a sheet that spans more than `MAX_CELLS`; `name` for messages."""
    for part in package.namelist():
        span = 0
        if part.startswith("xl/worksheets/") and part.endswith((".xml", ".bin")):
            data = package.read(part)
            span = _span(_places(data) if part.endswith(".xml") else _binary_places(data))
        elif part == "content.xml":
            span = _open_span(package.read(part))
        if span > MAX_CELLS:
            raise OverLimit(
                f"A sheet of the {name} spans {span:,} cells, more than {MAX_CELLS:,}: delete stray cells far down "
                "or far to the right, then save and send it again."
            )


def _span(places: Iterable[tuple[int, int]]) -> int:
    """Cells of the smallest rectangle that holds all places (row, column)."""
    rows, columns = [0, 0], [0, 0]
    first = True
    for row, column in places:
        if first:
            rows, columns, first = [row, row], [column, column], False
        rows = [min(rows[0], row), max(rows[1], row)]
        columns = [min(columns[0], column), max(columns[1], column)]
    return (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1)


def _places(data: bytes) -> Iterable[tuple[int, int]]:
    """The rows and columns of a sheet's XML."""
    if _UNPLACED.search(data):
        return _counted_places(data)
    named = {(letters, digits) for letters, digits in _PLACE.findall(data)}
    return {(int(digits), _column(letters)) for letters, digits in named}


def _counted_places(data: bytes) -> Iterator[tuple[int, int]]:
    """The cells of a sheet's XML, where some of them follow each other without a place."""
    row = column = 0
    for tag in _TAG.finditer(data):
        place = _PLACE.search(tag[2])
        if tag[1]:
            row, column = int(place[2]) if place else row + 1, 0
            continue
        column = _column(place[1]) if place else column + 1
        row = int(place[2]) if place else row
        yield row, column


def _open_span(data: bytes) -> int:
    """Cells that the largest sheet of an OpenDocument spreadsheet spans, up to the last one with a value."""
    row = column = repeated = rows = columns = largest = 0
    for tag in _OPEN_TAG.finditer(data):
        count = int(found[1]) if (found := _REPEATED.search(tag[3])) else 1
        if tag[1]:
            row = column = repeated = rows = columns = 0
        elif tag[2]:
            row, column, repeated = row + repeated, 0, count
        else:
            column += count
            if b"value-type" in tag[3] or not tag[3].endswith(b"/"):
                rows, columns = max(rows, row + repeated), max(columns, column)
                largest = max(largest, rows * columns)
    return largest


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _binary_places(data: bytes) -> Iterator[tuple[int, int]]:
    """The cells of a sheet in binary form (.xlsb)."""
    at = row = 0
    while at < len(data):
        kind, at = _number(data, at, 2)
        size, at = _number(data, at, 4)
        if kind == 0 and at + 4 <= len(data):
            (row,) = struct.unpack_from("<I", data, at)
        elif kind in _BINARY_CELLS and at + 4 <= len(data):
            yield row, struct.unpack_from("<I", data, at)[0]
        at += size


def _number(data: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of up to `most` bytes, seven bits in each, and where it ends."""
    value = 0
    for step in range(most):
        byte = data[at] if at < len(data) else 0
        value |= (byte & 0x7F) << (7 * step)
        at += 1
        if byte < 0x80:
            break
    return value, at
