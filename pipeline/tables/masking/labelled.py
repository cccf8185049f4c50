"""Personal data behind their labels: in the same line, in the next cell, in the next line, in a column below."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from rich.cells import cell_len

from pipeline.mask_policy import NUMBERS
from pipeline.ner.characters import plain
from pipeline.tables.masking.digits import count, number_at, over_lines
from pipeline.tables.masking.found import Found
from pipeline.tables.masking.labels import STOP, Label, labels_of

_LEAST = {"ID_NUMBER": 4, "MEDICAL_ID": 3, "BANK_ACCOUNT": 6, "BANK_CARD": 8, "PHONE": 7}
"""Digits that a number behind such a label has at least."""
_MOST = {"ID_NUMBER": 18, "BANK_ACCOUNT": 22, "BANK_CARD": 19}
"""Digits of a number that may go on in the next line."""
_FAR = {"BANK_ACCOUNT": 60}
"""Characters between a label and its number, where the name of a bank may stand between them."""
_NEAR = 14
_FILL = re.compile(r"[^0-9A-Za-z\u00c0-\uffff]*")
_NOTHING = re.compile(r"[^0-9A-Za-z\u00c0-\u024f\u3040-\u9fff\uac00-\ud7af]*")
_GAP = re.compile(r" {2,}|\|")
_ENDS = re.compile(r" {2,}|[;\n|]")
_NO = re.compile(r"\W*(?:no|nr|number|[号號][码碼]?)\W*", re.IGNORECASE)
"""The rest of a label in a line of its own."""
_LISTED = re.compile(r" ?(?:[-*•·]|[0-9]{1,2} ?[.、):])")
_FULL = 40
"""Columns, of which a Han character takes two, of a line that may go on in the next one."""
_ROWS = 500
"""Rows below a heading that may belong to it."""
_BELOW = {"HEALTH": 10, "ADDRESS": 3}
"""Lines below a label that is alone in its line, and belong to it."""


@lru_cache(maxsize=16)
def labelled(text: str) -> tuple[Found, ...]:
    """Values behind labels of persons; each is certain to be masked by its kind."""
    labels = [one for one in labels_of(text) if one.certain]
    if not any(one.kind != STOP for one in labels):
        return ()
    return tuple(sorted(set(_Sheet(plain(text), labels).found())))


class _Sheet:
    """The lines of a page and the labels in them."""

    def __init__(self, page: str, labels: list[Label]) -> None:
        self.page = page
        self.starts = [0, *(match.end() for match in re.finditer("\n", page))]
        self.ends = [*(start - 1 for start in self.starts[1:]), len(page)]
        self.of_line: dict[int, list[Label]] = {}
        line = 0
        for one in labels:
            line = bisect_right(self.starts, one.start, line) - 1
            self.of_line.setdefault(line, []).append(one)

    def found(self) -> Iterator[Found]:
        for line, here in self.of_line.items():
            if self._only_labels(line, here):
                yield from self._below(line, here)
            else:
                yield from self._behind(line, here)

    def _labels(self, line: int) -> list[Label]:
        return self.of_line.get(line, [])

    def _only_labels(self, line: int, here: list[Label]) -> bool:
        """Whether a line has labels and nothing else."""
        at = self.starts[line]
        for one in here:
            if _NOTHING.fullmatch(self.page, at, max(at, one.start)) is None:
                return False
            at = one.end
        return _NOTHING.fullmatch(self.page, at, max(at, self.ends[line])) is not None

    def _behind(self, line: int, here: list[Label]) -> Iterator[Found]:
        """The values in the same line; the last label's may be in the next one."""
        ends = [*(one.start for one in here[1:]), self.ends[line]]
        for label, end in zip(here, ends, strict=True):
            if label.kind == STOP or end == label.end:  # a part of a longer word, such as 账户 of 账户余额
                continue
            if not self.page[label.end : end].strip(" :=#.-|"):
                if end == self.ends[line]:
                    yield from self._next(line, label)
                continue
            values = list(self._value(label.kind, label.end, end))
            yield from values
            if end == self.ends[line]:
                if label.kind == "HEALTH":
                    yield from self._further(line)
                elif label.kind in _FAR and not values:
                    yield from self._next(line, label)

    def _value(self, kind: str, start: int, end: int) -> Iterator[Found]:
        if kind not in NUMBERS:
            yield from self._words(kind, start, end)
            return
        number = number_at(self.page, start, end, _LEAST[kind])
        if number is None or number[0] - start > _FAR.get(kind, _NEAR):
            return
        first, last = number
        if kind in _MOST:
            last = over_lines(self.page, last, count(self.page[first:last]), _MOST[kind])
        yield Found(first, last, kind)

    def _words(self, kind: str, start: int, end: int) -> Iterator[Found]:
        filled = _FILL.match(self.page, start, end)
        first = filled.end() if filled else start
        if kind not in _BELOW:
            gap = _ENDS.search(self.page, first, end)
            end = gap.start() if gap else end
        value = self.page[first:end].rstrip(" ,;:/|(")
        if value.strip():
            yield Found(first, first + len(value), kind)

    def _next(self, line: int, label: Label) -> Iterator[Found]:
        """The value below a label that ends its line: a line without labels, or some of them for long values."""
        first = line + 1
        if first < len(self.starts) and _NO.fullmatch(self.page, self.starts[first], self.ends[first]):
            first += 1
        for below in range(first, first + _BELOW.get(label.kind, 1)):
            if below >= len(self.starts) or self._labels(below) or self._is_blank(below):
                return
            yield from self._value(label.kind, self.starts[below], self.ends[below])

    def _further(self, line: int) -> Iterator[Found]:
        """The further points of a list, and the lines that a full line goes on in."""
        for below in range(line + 1, min(line + 1 + _BELOW["HEALTH"], len(self.starts))):
            start, end = self.starts[below], self.ends[below]
            if labels := self._labels(below):  # inside a sentence it is a word of it
                end = labels[0].start
            listed = _LISTED.match(self.page, start, end)
            if not self.page[start:end].strip() or not (listed or self._is_full(below - 1)):
                return
            yield from self._words("HEALTH", start, end)

    def _is_full(self, line: int) -> bool:
        return cell_len(self.page[self.starts[line] : self.ends[line]].strip()) >= _FULL

    def _is_blank(self, line: int) -> bool:
        return not self.page[self.starts[line] : self.ends[line]].strip()

    def _below(self, line: int, here: list[Label]) -> Iterator[Found]:
        """The values below a line of labels: below one label, below a stack of them, or in columns below several."""
        if len(here) > 1:
            yield from self._columns(line, here)
            return
        if line and len(before := self._labels(line - 1)) == 1 and self._only_labels(line - 1, before):
            return  # one of a stack, which its first one has dealt with
        stack = [here[0]]
        while len(one := self._labels(line + len(stack))) == 1 and self._only_labels(line + len(stack), one):
            stack.append(one[0])
        if len(stack) == 1:
            yield from self._next(line, here[0])
            return
        for label, below in zip(stack, range(line + len(stack), line + 2 * len(stack)), strict=True):
            if below >= len(self.starts) or self._labels(below):
                break
            if label.kind != STOP:
                yield from self._value(label.kind, self.starts[below], self.ends[below])

    def _columns(self, line: int, here: list[Label]) -> Iterator[Found]:
        """The cells below each label of a heading, as far as the rows have as many cells as it has."""
        for below in range(line + 1, min(line + 1 + _ROWS, len(self.starts))):
            labels = self._labels(below)
            if self._is_blank(below) or (labels and self._only_labels(below, labels)):
                return
            cells = self._cells(below)
            if len(cells) != len(here):  # cells that were read as one: all of them
                kinds = {one.kind for one in here} - {STOP}
                if labels or (below > line + 1 and "HEALTH" not in kinds) or below > line + _BELOW["HEALTH"]:
                    return
                for kind in kinds:
                    yield from self._value(kind, self.starts[below], self.ends[below])
                continue
            for label, (start, end) in zip(here, cells, strict=True):
                if label.kind != STOP:
                    yield from self._value(label.kind, start, end)

    def _cells(self, line: int) -> list[tuple[int, int]]:
        """The cells of a line, divided by wide gaps, else by single blanks."""
        start, end = self.starts[line], self.ends[line]
        for gap in (_GAP, re.compile(" ")):
            cuts = [(match.start(), match.end()) for match in gap.finditer(self.page, start, end)]
            if cuts:
                edges = [start, *(at for cut in cuts for at in cut), end]
                return [(a, b) for a, b in list(pairwise(edges))[::2] if b > a]
        return [(start, end)]
