"""How many cells a sheet of an Excel workbook spans: readers make room for all of them, written or not.

Two cells in opposite corners of a sheet of 2 KB span 17,000,000,000.
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
_BINARY_CELLS = range(1, 12)  # types of records that are cells (MS-XLSB, 2.3.1); 0 is a row


def check_span(package: zipfile.ZipFile, name: str) -> None:
    """Raise `OverLimit` for a sheet that spans more than `MAX_CELLS`; `name` for messages."""
    for part in package.namelist():
        if part.startswith("xl/worksheets/") and part.endswith((".xml", ".bin")):
            data = package.read(part)
            span = _span(_places(data) if part.endswith(".xml") else _binary_places(data))
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


def _places(data: bytes) -> set[tuple[int, int]]:
    """The rows and columns that are named in a sheet's XML."""
    named = {(letters, digits) for letters, digits in _PLACE.findall(data)}
    return {(int(digits), _column(letters)) for letters, digits in named}


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
