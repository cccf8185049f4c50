"""Text layers that are hidden, turned, letter-spaced, written from right to left, or that lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from pipeline.documents import bidi, suspects, text_layer
from pipeline.documents.glyphs import Glyph, Run
from pipeline.documents.lines import text_lines
from pipeline.documents.open import open_document
from pipeline.limits import Limits
from tests.unit.documents.test_pdf import (
    FIGURES,
    LINE,
    TEXT,
    first_page,
    show,
    texts,
    unicode_font,
)

MakePdf = Callable[..., bytes]
KEPT = ["Invoice 12345678 of May", "Total 412.00 CNY"]
ONE_LEFT_OUT = ("1 line of the text layer is not visible on the page and was left out.",)
SECRET = LINE % (50, 100, b"Passport 99887766 of John")


def test_text_of_no_size_is_no_crash(make_pdf: MakePdf) -> None:
    flat = b"BT /F1 12 Tf 12 0 0 0 50 80 Tm (no height at all) Tj ET\n"
    point = b"BT /F1 12 Tf 0 0 0 0 50 60 Tm (a point) Tj ET\n"
    page = first_page(make_pdf(TEXT + flat + point, extra=[b"<</Type/Font/Subtype/Type1>>"]))
    assert KEPT[0] in texts(page)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (SECRET + b"0 g 45 96 150 14 re f", []),
        (SECRET + b"1 g 45 96 150 14 re f", []),
        (SECRET + b"0 g 92 96 48 14 re f", ["Passport", "of John"]),
        (SECRET + b"0 g 45 96 150 14 re f 1 g " + LINE % (60, 100, b"REDACTED"), ["REDACTED"]),
        (SECRET + show(40, 80, 200, 60), []),
        (b"1 g " + SECRET, []),
        (b".99 g " + SECRET, []),
        (b"q 0 0 10 10 re W n " + SECRET + b"Q", []),
        (LINE % (500, 100, b"Passport 99887766"), []),
        (b"BT /F1 .5 Tf 50 100 Td (Passport 99887766) Tj ET", []),
    ],
    ids=[
        "bar",
        "white bar",
        "part",
        "label",
        "picture",
        "white",
        "nearly white",
        "clipped",
        "off the page",
        "tiny",
    ],
)
def test_what_cannot_be_seen_is_left_out_and_counted(
    make_pdf: MakePdf, content: bytes, seen: list[str]
) -> None:
    page = first_page(make_pdf(TEXT + content, **FIGURES))
    assert texts(page) == [*KEPT, *seen]
    assert page.warnings == ONE_LEFT_OUT


@pytest.mark.parametrize(
    "content",
    [
        show(0, 0, 400, 300) + TEXT,
        TEXT + b"/Multiply gs 1 1 0 rg 45 176 150 14 re f",
        TEXT + b"/Faint gs 0 g 45 176 150 14 re f",
        b"0 g 45 170 200 50 re f 1 g " + TEXT,
        b"1 0 0 rg 45 170 200 50 re f 0 .5 0 rg " + TEXT,
        TEXT + TEXT,
    ],
    ids=["on a picture", "highlighted", "faint cover", "white on black", "equal grey", "painted twice"],
)
def test_what_can_be_seen_is_kept(make_pdf: MakePdf, content: bytes) -> None:
    states = b"/ExtGState<</Multiply<</BM/Multiply>>/Faint<</ca .3>>>>"
    page = first_page(make_pdf(content, extra=FIGURES["extra"], resources=states + b"/XObject<</Im0 4 0 R>>"))
    assert texts(page) == KEPT
    assert page.warnings == ()


def cid_font(text: str) -> tuple[bytes, dict[str, object]]:
    """A line in a Chinese font that is not in the file, and the objects it needs."""
    font = b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[5 0 R]>>"
    child = (
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 6 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>/DW 1000>>"
    )
    about = b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[0 -200 1000 800]/StemV 90>>"
    line = b"BT /F2 14 Tf 20 100 Td <%s> Tj ET\n" % text.encode("utf-16-be").hex().encode()
    return line, {"extra": [font, child, about]}


def with_font(data: bytes, number: int) -> bytes:
    return data.replace(b"/Font<</F1 3 0 R>>", b"/Font<</F1 3 0 R/F2 %d 0 R>>" % number)


def test_text_whose_font_is_missing_is_kept_and_said(
    make_pdf: MakePdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, objects = cid_font("价税合计贰佰伍拾圆整")
    page = first_page(with_font(make_pdf(TEXT + line, **objects), 4))
    assert texts(page) == [*KEPT, "价税合计贰佰伍拾圆整"]
    drawn = page.warnings == ()
    said = len(page.warnings) == 1 and "a font is missing" in page.warnings[0]
    assert drawn or said  # as this computer has such a font or not


def test_a_font_that_lies_is_suspected_and_an_honest_one_is_not(make_pdf: MakePdf) -> None:
    line = b"The quick brown fox jumps over 14 lazy dogs"
    lie = {code: chr((code - 97 + 11) % 26 + 97) for code in range(97, 123)}
    content = LINE % (50, 200, line) + (LINE % (50, 150, line)).replace(b"/F1", b"/F2")
    (suspect,) = first_page(with_font(make_pdf(content, extra=unicode_font(lie)), 5)).suspects
    assert suspect.text.startswith("Tsp bftnv mczhy qzi")
    honest = first_page(with_font(make_pdf(content, extra=unicode_font({})), 5))
    assert honest.suspects == ()


def test_swapped_digits_are_suspected(make_pdf: MakePdf) -> None:
    lie = {code: chr((code - 48 + 3) % 10 + 48) for code in range(48, 58)}
    content = TEXT + b"BT /F2 10 Tf 50 100 Td (4,250.00 198.37) Tj ET"
    (suspect,) = first_page(with_font(make_pdf(content, extra=unicode_font(lie)), 5)).suspects
    assert suspect.text == "7,583.33 421.60"


@pytest.mark.parametrize(
    ("rotation", "matrix"),
    [(90, b"0 1 -1 0 300 50"), (180, b"-1 0 0 -1 350 250"), (270, b"0 -1 1 0 100 250")],
)
def test_a_page_drawn_sideways_is_turned_and_its_rows_are_kept(
    make_pdf: MakePdf, rotation: int, matrix: bytes
) -> None:
    table = b"(Item) Tj 100 0 Td (Price) Tj -100 -20 Td (Apple pie) Tj 100 0 Td (12.00) Tj"
    page = first_page(make_pdf(b"BT /F1 10 Tf %s Tm " % matrix + table + b" ET\n" + LINE % (20, 20, b"note")))
    assert page.rotation == rotation
    assert (page.width, page.height) == ((834, 1112) if rotation in (90, 270) else (1112, 834))
    assert page.lines is not None
    at = {line.text: line.box[0] for line in page.lines}
    assert at["Item"][1] == pytest.approx(at["Price"][1], abs=3)
    assert at["Item"][0] < at["Price"][0]
    assert at["Apple pie"][1] > at["Item"][1]
    assert "note" in at


def test_letter_spaced_text_is_joined_without_gluing_words(make_pdf: MakePdf) -> None:
    content = TEXT + b"BT /F1 10 Tf 3 Tc 50 100 Td (INVOICE) Tj 0 -20 Td (Here is text) Tj ET"
    x, apart = 50.0, b" 0 Tc "
    for char, width in zip(
        b"Grand total", (7.8, 3.3, 5.6, 5.6, 5.6, 4, 2.8, 5.6, 2.8, 5.6, 2.2), strict=True
    ):
        apart += b"BT /F1 10 Tf %.1f 50 Td (%c) Tj ET\n" % (x, char) if char != 32 else b""
        x += width + 1.4
    page = first_page(make_pdf(content + apart))
    assert set(texts(page)) == {*KEPT, "INVOICE", "Here is text", "Grand total"}


@pytest.mark.parametrize("spacing", [2, 4, 7])
def test_letter_spaced_amounts_are_whole(make_pdf: MakePdf, spacing: int) -> None:
    content = b"BT /F1 10 Tf %d Tc 50 100 Td (Total sum 4,512.80 EUR) Tj 0 -20 Td (1,250.00) Tj ET" % spacing
    assert texts(first_page(make_pdf(TEXT + content))) == [*KEPT, "Total sum 4,512.80 EUR", "1,250.00"]


def test_words_typed_with_blanks_between_their_letters_are_joined(make_pdf: MakePdf) -> None:
    content = b"BT /F1 10 Tf 50 100 Td (R E C H N U N G) Tj 0 -20 Td (I N V O I C E   N O T E S) Tj ET"
    content += LINE % (50, 60, b"Plan A or B or C")
    found = texts(first_page(make_pdf(TEXT + content)))
    assert set(found) == {*KEPT, "RECHNUNG", "INVOICE NOTES", "Plan A or B or C"}


def test_letter_spaced_chinese_is_joined() -> None:
    title = placed("\u8d2d\u8d27\u5408\u540c", step=1.7)
    assert [line.text for line in text_lines(title)] == ["\u8d2d\u8d27\u5408\u540c"]
    cells = placed("\u662f\u5426", step=1.7)
    assert [line.text for line in text_lines(cells)] == ["\u662f \u5426"]


def placed(text: str, step: float) -> list[Glyph]:
    """Characters of one text object, each as wide as its em of ten pixels, a step (in ems) apart."""
    run = Run(None, 1, (1.0, 0.0), 10.0, 1, False, (0, 0, 0, 255))
    return [
        Glyph(char, run, run.turn, 10 * step * i, 0, 10 * step * i + 10, 10, 10, 10.0, 0, (0, 0, 1, 1))
        for i, char in enumerate(text)
    ]


def test_cells_of_single_digits_stay_apart(make_pdf: MakePdf) -> None:
    cells = b"".join(LINE % (50 + 9 * i, 100, b"%d" % i) for i in range(8))
    assert "0 1 2 3 4 5 6 7" in texts(first_page(make_pdf(TEXT + cells)))


HEBREW = {0x41: "\u05e9", 0x42: "\u05dc", 0x43: "\u05d5", 0x44: "\u05dd", 0x45: "\u05e2", 0x46: "\u05d8"}


@pytest.mark.parametrize("order", ["as seen", "as read"])
def test_hebrew_is_in_reading_order_whatever_the_order_in_the_file(make_pdf: MakePdf, order: str) -> None:
    places = [(60 + 7.2 * i, char) for i, char in enumerate(b"FE DCBA")]
    if order == "as read":
        places.reverse()
    letters = b"".join(b"BT /F2 10 Tf %.1f 100 Td (%c) Tj ET\n" % place for place in places if place[1] != 32)
    page = first_page(with_font(make_pdf(TEXT + letters, extra=unicode_font(HEBREW)), 5))
    assert texts(page)[-1] == "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d8"


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        ("CBA", "ABC"),
        ("12.50 FED CBA", "ABC DEF 12.50"),
        ("R 3 FED CBA", "ABC DEF R 3"),
        ("FED 12/05/2023 CBA", "ABC 12/05/2023 DEF"),
        ("the names are: FED CBA", "the names are: ABC DEF"),
        ("(FED) CBA", "ABC (DEF)"),
        (")FED( CBA", "ABC (DEF)"),
        ("50% CBA", "ABC 50%"),
    ],
)
def test_from_what_is_seen_to_what_is_read(seen: str, read: str) -> None:
    """Capitals A to F stand for Hebrew letters."""
    hebrew = {ord(a): chr(0x5D0 + i) for i, a in enumerate("ABCDEF")}
    assert bidi.logical(list(seen.translate(hebrew))) == read.translate(hebrew)


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        ("117-2024 BA", "AB 2024-117"),
        ("31/12/2024 BA", "AB 31/12/2024"),
        ("1,250.50 BA", "AB 1,250.50"),
    ],
)
def test_hyphens_behind_arabic_part_numbers(seen: str, read: str) -> None:
    """Capitals A and B stand for Arabic letters, behind which a number ends at a hyphen."""
    arabic = {ord("A"): "\u0628", ord("B"): "\u062a"}
    assert bidi.logical(list(seen.translate(arabic))) == read.translate(arabic)


def test_presentation_forms_become_letters_and_ligatures_are_listed_forwards() -> None:
    assert bidi.logical(["\ufee3", "\ufefc"]) == "\u0644\u0627\u0645"
    assert bidi.logical(["\u0645", "\u0627\u0644"]) == "\u0644\u0627\u0645"


def test_the_second_page_with_the_same_font_is_not_compared_again(make_pdf: MakePdf) -> None:
    with open_document(make_pdf([TEXT, TEXT]), Limits()) as document:
        assert texts(document.page(1)) == texts(document.page(2)) == KEPT


def test_a_page_of_countless_pieces_of_text_is_read_by_ocr(
    make_pdf: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = b"".join(b"BT /F1 9 Tf 1 0 0 1 %d 50 Tm (word) Tj ET " % (5 + 30 * n) for n in range(12))
    data = make_pdf(words)
    for most, layer in ((12, True), (11, False)):
        monkeypatch.setattr(text_layer, "MAX_TEXTS", most)
        with open_document(data, Limits()) as document:
            assert (document.page(1).lines is not None) == layer


@pytest.mark.parametrize(
    ("text", "turn", "embedded", "looked_at"),
    [
        ("\u0410\u041c\u041e\u0424\u041d\u0423\u0413\u0424\u0414", (1.0, 0.0), True, True),
        ("$&(.'-+.,)$)", (1.0, 0.0), True, True),
        ("..............", (1.0, 0.0), True, False),
        ("\u0410\u041c\u041e\u0424\u041d\u0423\u0413\u0424\u0414", (1.0, 0.0), False, False),
        ("Amount due", (0.0, -1.0), True, True),
        ("Amount due", (0.0, -1.0), False, False),
        ("Amount due", (1.0, 0.0), True, False),
    ],
    ids=["alphabet", "signs", "leader", "own font", "turned", "turned in an own font", "Latin"],
)
def test_lines_without_patterns_are_looked_at_once(
    monkeypatch: pytest.MonkeyPatch, text: str, turn: tuple[float, float], embedded: bool, looked_at: bool
) -> None:
    monkeypatch.setattr(Run, "font_name", property(lambda run: "Body"))
    monkeypatch.setattr(suspects, "_looks_wrong", lambda *about: False)
    run = Run(None, 1, turn, 10.0, 1, embedded, (0, 0, 0, 255))
    glyphs = [
        Glyph(char, run, turn, 10 * i, 0, 10 * i + 9, 10, 10, 10.0, 0, (10 * i, 0, 10 * i + 9, 10))
        for i, char in enumerate(text)
    ]
    fonts = suspects.Fonts(seen={}, suspicious=set())
    page = cast(Any, None)  # not drawn
    assert [found.text for found in fonts.suspects(page, glyphs, 1.0)] == [text] * looked_at
    assert fonts.suspects(page, glyphs, 1.0) == ()
