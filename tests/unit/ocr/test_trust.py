"""What counts as read: confidence, and text long enough for the ink of its line."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.documents.unread import mostly_unread
from pipeline.models import Page, TextLine
from pipeline.ocr.trust import judge

Image = NDArray[np.uint8]
GOOD = ("a line that was read", 0.97)


def crop(letters: int, height: int = 30, *, width: int | None = None, tall: float = 0.7) -> Image:
    """A white line with this many dark letters, half as wide as high, and a gap after each."""
    image = np.full((height, width or letters * height // 2 + 4, 3), 255, np.uint8)
    for n in range(letters):
        left = 2 + n * height // 2
        top = round(height * (0.85 - tall))
        image[top : round(height * 0.85), left : left + height // 2 - 4] = 20
    return image


LINE = crop(20)


def test_lines_that_are_read_are_kept() -> None:
    assert judge([LINE] * 3, [GOOD] * 3) == ([0, 1, 2], 3, 0)


@pytest.mark.parametrize("read", [("", 0.0), ("a line that was read", 0.3), ("12  .", 0.99)])
def test_a_line_of_which_little_was_read_is_unread(read: tuple[str, float]) -> None:
    assert judge([LINE] * 4, [GOOD, read, GOOD, GOOD]) == ([0, 2, 3], 4, 1)


def test_a_white_line_on_a_dark_ground_is_judged_alike() -> None:
    dark = np.asarray(255 - LINE, np.uint8)
    assert judge([dark] * 3, [GOOD, ("1", 0.99), GOOD]) == ([0, 2], 3, 1)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (crop(4, width=900), "Sum:"),  # a long empty box
        (np.hstack([crop(3), np.full((30, 400, 3), 255, np.uint8), crop(4)]), "Tea 1.20"),
        (np.hstack([crop(3), crop(40, tall=0.1), crop(4)]), "Tea......1.20"),  # a leader
        (crop(6), "合计三元"),
    ],
)
def test_what_is_no_letter_needs_no_text(image: Image, text: str) -> None:
    assert judge([image, LINE, LINE], [(text, 0.95), GOOD, GOOD]).unread == 0


def test_one_doubtful_line_is_kept_but_a_page_of_them_is_not() -> None:
    doubtful = ("HR RR AR HRIO TERTA", 0.6)
    assert judge([LINE] * 4, [GOOD, doubtful, GOOD, GOOD]) == ([0, 1, 2, 3], 4, 0)
    assert judge([LINE] * 4, [GOOD, doubtful, doubtful, doubtful]) == ([0], 4, 3)
    # a bad copy: in doubt, but better than nothing
    assert judge([LINE] * 4, [("THE SUM OF THE BILL", 0.75)] * 4) == ([0, 1, 2, 3], 4, 4)


def test_numbers_alone_are_too_little_for_a_line_of_thin_letters() -> None:
    thin = np.hstack([crop(12, tall=0.18), crop(8)])  # such as Arabic ones, of which recognition says nothing
    assert judge([thin, LINE, LINE], [("31/12/2024", 0.96), GOOD, GOOD]).unread == 1
    assert judge([crop(10), LINE, LINE], [("31/12/2024", 0.96), GOOD, GOOD]).unread == 0
    leader = np.hstack([crop(3), crop(40, tall=0.08), crop(4)])
    assert judge([leader, LINE, LINE], [("12..1.20", 0.96), GOOD, GOOD]).unread == 0


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("\u03a4\u03b9\u03bb\u03b3\u03b9 \u03b1\u03c1\u03b9\u03bc 117 of the bill", 4),
        ("n\u03bdu'n no 4471 of the bill", 4),
        ("a dose of 5 \u03bcg and \u03b1 = 0.05 as stated", 0),
    ],
    ids=["Greek", "mixed words", "symbols"],
)
def test_a_page_of_letters_that_are_half_known_is_unread(text: str, unread: int) -> None:
    kept, found, missed = judge([LINE] * 4, [(text, 0.9)] * 4)
    assert (kept, found, missed) == ([0, 1, 2, 3], 4, unread)


def test_specks_and_logos_are_no_unread_text() -> None:
    assert judge([crop(2), crop(20, height=6), LINE], [("", 0.0), ("", 0.0), GOOD]) == ([2], 1, 0)
    assert judge([crop(6)], [("", 0.0)]) == ([], 0, 0)
    assert judge([LINE], [("", 0.0)]) == ([], 1, 1)


def page(number: int, found: int, unread: int, *, lines: int = 0, layer: bool = False) -> Page:
    line = TextLine(text="x", box=((0, 0), (1, 0), (1, 1), (0, 1)), confidence=1.0)
    return Page(
        number=number,
        width=10,
        height=10,
        text_from="text_layer" if layer else "ocr",
        lines=(line,) * lines,
        regions_found=found,
        regions_unread=unread,
    )


def test_pages_that_are_mostly_unread() -> None:
    pages = [
        page(1, 0, 0),
        page(2, 40, 2, lines=38),
        page(3, 1, 1),
        page(4, 20, 14, lines=6),
        page(5, 3, 3, lines=30, layer=True),
        page(6, 20, 20, lines=1, layer=True),
    ]
    assert mostly_unread(pages) == (3, 4, 6)
