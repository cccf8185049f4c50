"""Barcodes on pages: what they say and where, and hostile ones do no harm."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.documents.codes import MAX_CODES, find_codes
from pipeline.documents.open import open_document
from pipeline.limits import Limits
from pipeline.models import Rotation
from tests.support.barcodes import barcode, sheet, squares
from tests.unit.documents.conftest import build_pdf
from tests.unit.documents.test_portfolio import INVOICE

PAYMENT = "BCD\n002\n1\nSCT\n\nMuster Elektrik GmbH\nDE02120300000000202051\nEUR197.50\n\n\nR-2026-417"


@pytest.mark.parametrize(
    "text", [PAYMENT, "01,10,044001900111,12345678,388.10,20260203,,A1B2,", "价税合计 412.00"]
)
def test_a_qr_code_is_read_with_its_place(text: str) -> None:
    picture = barcode(text)
    (code,) = find_codes(sheet((picture, 500, 40)))
    assert (code.kind, code.text) == ("qr", text)
    assert code.box is not None
    xs, ys = [x for x, _ in code.box], [y for _, y in code.box]
    assert 500 < min(xs) < max(xs) < 500 + picture.shape[1]
    assert 40 < min(ys) < max(ys) < 40 + picture.shape[0]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_boxes_are_on_the_upright_page(turn: Rotation) -> None:
    upright = sheet((barcode("one"), 500, 40))
    (there,) = find_codes(upright)
    (code,) = find_codes(np.ascontiguousarray(np.rot90(upright, turn // 90)), turn)
    assert code.box is not None
    assert there.box is not None
    for corner, expected in zip(code.box, there.box, strict=True):
        assert corner == pytest.approx(expected, abs=4)


def test_barcodes_are_kept_too() -> None:
    page = sheet((barcode("INV-417", "Code128"), 20, 300), (barcode("two"), 20, 20))
    assert [(code.kind, code.text) for code in find_codes(page)] == [("qr", "two"), ("barcode", "INV-417")]


def test_blue_ink_is_read() -> None:
    page = sheet((barcode("ink"), 100, 100))
    blue = page.copy()
    blue[page[:, :, 0] < 128] = (20, 40, 160)
    assert [code.text for code in find_codes(blue)] == ["ink"]


def test_pages_without_codes_have_none() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    assert find_codes(noise) == ()
    assert find_codes(np.zeros((1, 1, 3), np.uint8)) == ()
    assert find_codes(sheet()) == ()


def test_a_sheet_of_labels_is_cut() -> None:
    small = barcode("x", scale=2)
    labels = [(small, 60 * (n % 12) + 10, 60 * (n // 12) + 10) for n in range(60)]
    assert len(find_codes(sheet(*labels))) == MAX_CODES


@pytest.mark.parametrize("data", [b"\xff\xfe\x80", b"a\0b", b"\xed\xa0\x80"])
def test_bytes_that_are_no_text_can_be_stored(data: bytes) -> None:
    for code in find_codes(sheet((barcode(data), 100, 100))):
        assert code.text.encode("utf-8")


def test_a_code_drawn_by_small_squares_is_announced_and_found() -> None:
    with open_document(build_pdf(INVOICE + squares("drawn", 300, 200)), Limits()) as document:
        given = document.page(1)
        assert given.tiled
        assert [code.text for code in find_codes(document.render(1))] == ["drawn"]


def test_tables_are_not_taken_for_codes() -> None:
    rules = b"\n".join(b"20 %d 360 0.5 re f\n%d 20 0.5 200 re f" % (20 + n, 20 + 2 * n) for n in range(150))
    with open_document(build_pdf(INVOICE + rules), Limits()) as document:
        assert not document.page(1).tiled
