"""Amounts whose labels are not in their rows: a skewed scan, or a column of amounts that is printed higher or lower."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from pipeline.fields.amounts import squash
from pipeline.fields.receipt.labels import kind_of
from pipeline.fields.receipt.sums import NETS, TOTALS, Marked
from pipeline.fields.rows import Row
from pipeline.models import Box

_KINDS = frozenset({*TOTALS, *NETS, "tax", "tip", "service", "discount", "rounding", "cash", "change"})
_SHIFTS = (-0.5, 0.5, -1.0, 1.0, -1.5, 1.5, -2.0, 2.0)
"""How far the amounts may be from their labels, in the usual distance of rows; negative: higher."""
_AROUND = 4
"""Rows above the first and below the last label of a sum that may hold its amounts."""
_LONGEST = 60
"""Maximum number of rows between the first and the last label."""
_LABEL = 40
"""Maximum length of a label."""


def realigned(rows: Sequence[Row], marked: Sequence[Marked]) -> Iterator[list[Marked]]:
    """Other ways to give the labels of the sums to the amounts, the nearest first."""
    starts: dict[int, int] = {}
    for m in marked:
        starts.setdefault(m.amount.row, m.amount.entity.start)
    labels = {
        number: kind
        for number, row in enumerate(rows)
        if (kind := kind_of(squash(row.text[: starts.get(number, row.end) - row.start][:_LABEL]))) in _KINDS
    }
    if not labels or max(labels) - min(labels) > _LONGEST or labels.keys() <= starts.keys():
        return  # every label has an amount in its row
    first, last = max(min(labels) - _AROUND, 0), max(labels) + _AROUND
    middles = [_middle(row.lines[0].box) for row in rows[first : last + 1]]
    if len(middles) < 2:
        return
    pitch = median([below - above for above, below in pairwise(middles)])
    inside = [m for m in marked if first <= m.amount.row <= last and m.amount.last]
    if len(labels) == 1:  # then nothing tells that the other amounts are not in their rows
        inside = [m for m in inside if rows[m.amount.row].text.strip() == m.amount.entity.text.strip()]
    for shift in _SHIFTS if pitch > 0 else ():
        given = _given(rows, labels, inside, shift * pitch, 0.5 * pitch)
        yield [
            Marked(m.amount, given.get(m.amount.entity.start, "")) if first <= m.amount.row <= last else m
            for m in marked
        ]
    if len(labels) > 1:
        yield _listed(labels, marked, last)


def _listed(labels: Mapping[int, str], marked: Sequence[Marked], last: int) -> list[Marked]:
    """All labels above all amounts: the first amount has the first label."""
    numbers = sorted(labels)
    amounts = [m for m in marked if numbers[0] <= m.amount.row and m.amount.last]
    given = {m.amount.entity.start: labels[number] for number, m in zip(numbers, amounts, strict=False)}
    return [
        Marked(
            m.amount, given.get(m.amount.entity.start, "") if numbers[0] <= m.amount.row <= last else m.kind
        )
        for m in marked
    ]


def _given(
    rows: Sequence[Row], labels: Mapping[int, str], amounts: Sequence[Marked], shift: float, reach: float
) -> dict[int, str]:
    """The kind of each amount, by the start of its entity, if it is `shift` below its label."""
    given: dict[int, str] = {}
    places = [
        (_middle(m.amount.entity.boxes[0]), m.amount.entity.start) for m in amounts if m.amount.entity.boxes
    ]
    for number, kind in labels.items():
        at = _middle(rows[number].lines[0].box) + shift
        free = [(abs(middle - at), start) for middle, start in places if start not in given]
        nearest = min(free, default=None)
        if nearest and nearest[0] <= reach:
            given[nearest[1]] = kind
    return given


def _middle(box: Box) -> float:
    return sum(y for _, y in box) / len(box)
