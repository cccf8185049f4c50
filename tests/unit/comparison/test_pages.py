"""The pages that contenders read."""

from pathlib import Path

import pytest

from benchmarks.comparison.pages.labelled import labelled
from benchmarks.comparison.pages.made import made
from benchmarks.comparison.pages.page_set import NoPages
from tests.support.command import GREEN, page


def test_a_seed_gives_the_same_pages(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    first = made(tmp_path / "a", 2, seed=3)
    assert made(tmp_path / "b", 4, seed=3).first(2).facts() == first.facts()
    assert made(tmp_path / "c", 2, seed=4).facts()["sha256"] != first.facts()["sha256"]


def test_pages_of_both_languages_say_what_is_printed_on_them(tmp_path: Path) -> None:
    english, chinese = made(tmp_path, 2, seed=1).pages
    assert (english.is_chinese, chinese.is_chinese) == (False, True)
    for found, label in ((english, "TOTAL"), (chinese, "合计")):
        at = found.lines.index(label)
        subtotal, tax, total = (float(found.lines[at + n]) for n in (-3, -1, 1))
        assert total == pytest.approx(subtotal + tax)


def test_receipts_of_sroie(tmp_path: Path) -> None:
    for n in range(5):
        page(tmp_path / f"sroie/img/{n}.jpg", GREEN)
        (tmp_path / "sroie/box").mkdir(exist_ok=True)
        (tmp_path / f"sroie/box/{n}.csv").write_text(f"1,2,3,4,5,6,7,8,TOTAL, RM {n}\nnot a line\n")
    found = labelled(tmp_path, 2)
    assert [(one.path.name, one.lines) for one in found.pages] == [
        ("0.jpg", ("TOTAL, RM 0",)),
        ("2.jpg", ("TOTAL, RM 2",)),
    ]


def test_own_pages_with_texts(tmp_path: Path) -> None:
    page(tmp_path / "img/a.png", GREEN)
    page(tmp_path / "img/without.png", GREEN)
    (tmp_path / "text").mkdir()
    (tmp_path / "text/a.txt").write_text("发票\n12.50\n", encoding="utf-8")
    (found,) = labelled(tmp_path, 10).pages
    assert (found.lines, found.is_chinese) == (("发票", "12.50"), True)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    page(tmp_path / "img/a.png", GREEN)
    with pytest.raises(NoPages, match=r"expected sroie/img"):
        labelled(tmp_path, 10)
