"""Reading order, page text, and the boxes of spans."""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents import blocks, columns
from pipeline.documents.items import MOST_EDGES, SEARCHED, Item, bands, edges, items_of
from pipeline.documents.layout import assemble, boxes_of
from pipeline.models import Box, TextLine


def box(left: float, top: float, right: float, bottom: float, slope: float = 0.0) -> Box:
    return (
        (left, top + slope * left),
        (right, top + slope * right),
        (right, bottom + slope * right),
        (left, bottom + slope * left),
    )


def line(text: str, left: float, top: float, width: float = 200, height: float = 20, **more: Any) -> TextLine:
    return TextLine(text=text, box=box(left, top, left + width, top + height, **more), confidence=0.9)


def read(lines: list[TextLine], width: int = 1000, height: int = 1400) -> str:
    return assemble(lines, width, height)[0]


def column(name: str, left: float, top: float, count: int = 8, width: float = 400) -> list[TextLine]:
    return [
        line(f"{name}{n} running text that goes on", left, top + 30 * n, width=width) for n in range(count)
    ]


def names(text: str) -> str:
    return "".join(word[0] for word in text.split("\n"))


def test_label_and_amount_stay_in_one_row() -> None:
    lines = [line(f"Item number {n} of the list", 50, 40 * n, 300) for n in range(10)]
    lines += [line(f"{n}.50", 800, 40 * n + 3, 80) for n in range(10)]
    assert read(lines[::-1]).split("\n") == [f"Item number {n} of the list  {n}.50" for n in range(10)]


def test_a_narrow_gap_is_one_space_and_a_wide_one_two() -> None:
    assert read([line("a", 0, 0, 100), line("b", 139, 0, 100), line("c", 280, 0, 100)]) == "a b  c"


def test_columns_of_running_text_are_read_one_after_the_other() -> None:
    text = read(column("R", 520, 103) + column("L", 50, 100))
    assert names(text) == "L" * 8 + "R" * 8


def test_a_crossing_line_separates_above_from_below() -> None:
    lines = column("A", 50, 100) + column("B", 520, 100)
    lines += [
        line("Title across the whole page", 100, 30, 800),
        line("Middle caption across it", 60, 400, 850),
    ]
    lines += column("C", 50, 500) + column("D", 520, 500)
    text = read(lines)
    assert names(text) == "T" + "A" * 8 + "B" * 8 + "M" + "C" * 8 + "D" * 8


def test_three_columns() -> None:
    lines = [
        c for name, left in (("3", 690), ("1", 30), ("2", 360)) for c in column(name, left, 80, width=300)
    ]
    assert names(read(lines)) == "1" * 8 + "2" * 8 + "3" * 8


def test_short_lines_side_by_side_are_rows() -> None:
    left = [line(f"Buyer field {n} here", 50, 30 * n, 120 + 70 * (n % 4)) for n in range(8)]
    right = [line(f"Seller field {n} here", 520, 30 * n, 120 + 70 * (n % 4)) for n in range(8)]
    assert read(left + right).split("\n")[2].split("  ") == ["Buyer field 2 here", "Seller field 2 here"]


def test_chinese_columns_count_characters_twice() -> None:
    lines = [line("春天早晨小桥河边人家" + "甲", 50, 30 * n, 300) for n in range(6)]
    lines += [line("远处山上白云飘着炊烟" + "乙", 500, 30 * n, 300) for n in range(6)]
    assert "".join(row[-1] for row in read(lines).split("\n")) == "甲" * 6 + "乙" * 6


def test_rows_of_a_skewed_scan_stay_together() -> None:
    rows = [(f"Left part of the row {n}", f"right {n}") for n in range(12)]
    lines = [line(left, 50, 40 * n, 400, slope=0.05) for n, (left, _) in enumerate(rows)]
    lines += [line(right, 800, 40 * n, 90, slope=0.05) for n, (_, right) in enumerate(rows)]
    assert read(lines).split("\n") == [f"{left}  {right}" for left, right in rows]


def test_vertical_writing_reads_from_the_right() -> None:
    def down(text: str, left: float) -> TextLine:
        right, top, bottom = left + 40, 50, 50 + 45 * len(text)
        return TextLine(
            text=text, box=((right, top), (right, bottom), (left, bottom), (left, top)), confidence=0.9
        )

    assert read([down("第二行文字", 300), down("第一行文字", 400), down("第三行", 200)]) == (
        "第一行文字\n第二行文字\n第三行"
    )


def test_rows_and_columns_of_hebrew_read_from_the_right() -> None:
    words = ["\u05de\u05d5\u05e6\u05e8", "\u05db\u05de\u05d5\u05ea", "\u05de\u05d7\u05d9\u05e8"]
    lines = [line(word, 800 - 300 * n, 100, 100) for n, word in enumerate(words)]
    lines += [line(amount, 800 - 300 * n, 140, 100) for n, amount in enumerate(["3", "4", "5.00"])]
    assert read(lines) == "  ".join(words) + "\n3  4  5.00"
    prose = "\u05de\u05d5\u05e6\u05e8 \u05d7\u05d3\u05e9 \u05d5\u05d8\u05d5\u05d1 \u05de\u05d0\u05d5\u05d3"
    left, right = ([line(f"{prose} {n}", x, 100 + 30 * n, 400) for n in range(8)] for x in (50, 550))
    assert [part.split()[-1] for part in read(left + right).split("\n")] == [*"01234567"] * 2
    assert assemble(left + right, 1000, 1400)[1][0].box[0][0] == 550


def test_no_lines() -> None:
    assert assemble([], 100, 100) == ("", ())


positions = st.floats(0, 2000, allow_nan=False)
text_lines = st.builds(
    lambda text, left, top, width, height, slope: line(text, left, top, width, height, slope=slope),
    st.text(max_size=40),
    positions,
    positions,
    st.floats(0, 900),
    st.floats(0, 80),
    st.floats(-0.3, 0.3),
)


@given(st.lists(text_lines, max_size=40))
def test_every_line_is_found_where_it_says(lines: list[TextLine]) -> None:
    text, ordered = assemble(lines, 2000, 2000)
    assert sorted(item.text for item in ordered) == sorted(item.text for item in lines)
    assert all(text[item.start : item.end] == item.text for item in ordered)
    assert all(a.end < b.start for a, b in pairwise(ordered))
    assert len(text) == (ordered[-1].end if ordered else 0)


@given(st.lists(text_lines, max_size=12), st.integers(0, 200), st.integers(0, 200))
def test_a_span_has_one_box_inside_each_line_it_touches(lines: list[TextLine], start: int, size: int) -> None:
    _, ordered = assemble(lines, 2000, 2000)
    touched = [item for item in ordered if set(range(item.start, item.end)) & set(range(start, start + size))]
    found = boxes_of(ordered, start, start + size)
    assert len(found) == len(touched)
    for item, part in zip(touched, found, strict=True):
        assert item.box[0][0] - 1e-6 <= part[0][0] <= part[1][0] <= item.box[1][0] + 1e-6


def test_a_span_box_counts_chinese_characters_as_two_and_follows_the_slope() -> None:
    item = TextLine(text="日期ab", box=((0, 0), (600, 60), (600, 90), (0, 30)), confidence=1.0)
    (part,) = boxes_of([item], 2, 3)
    assert [round(v, 6) for point in part for v in point] == [400, 40, 500, 50, 500, 80, 400, 70]


def test_a_span_over_two_lines_has_two_boxes() -> None:
    _, lines = assemble([line("total due", 0, 0, 90), line("12.50 EUR", 0, 40, 90)], 200, 100)
    first, second = boxes_of(lines, 6, 15)
    assert [x for x, _ in first] == pytest.approx([60, 90, 90, 60])
    assert [x for x, _ in second] == pytest.approx([0, 50, 50, 0])


def test_the_boxes_of_a_span_are_found_without_a_look_at_every_line() -> None:
    looked = 0

    class Counted(list[TextLine]):
        def __getitem__(self, at: Any) -> Any:
            nonlocal looked
            found = super().__getitem__(at)
            looked += len(found) if isinstance(at, slice) else 1
            return found

    box = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    lines = Counted(TextLine(text="abcd", box=box, confidence=1.0, start=5 * at) for at in range(10_000))
    assert boxes_of(lines, 20_003, 20_007) == (
        ((6.75, 0.0), (9.0, 0.0), (9.0, 9.0), (6.75, 9.0)),
        ((0.0, 0.0), (4.5, 0.0), (4.5, 9.0), (0.0, 9.0)),
    )
    assert looked < 50


def test_the_search_for_gutters_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    searching = bands

    def counted(items: Sequence[Item], x: float) -> list[list[Item]]:
        looked_at.append(len(items))
        return searching(items, x)

    for room in (columns, blocks):
        monkeypatch.setattr(room, "bands", counted)
    chance = random.Random(3)
    many = [
        line("running text of a column", chance.random() * 1600, chance.random() * 2200, width=1, height=0)
        for _ in range(3000)
    ]
    assert len(read(many, 1700, 2300)) > 3000 * 20
    assert sum(looked_at) <= SEARCHED


def test_a_page_of_wide_drawings_has_a_bounded_number_of_edges() -> None:
    items = items_of([line("x", n, 5, width=1, height=1) for n in range(20_000)])
    assert len(edges(items)) <= MOST_EDGES + 1
