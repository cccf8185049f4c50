from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.documents.base import PageInput
from pipeline.documents.open import open_document, page_image
from pipeline.errors import Encrypted, OverLimit, Unreadable, Unsupported
from pipeline.limits import Limits

LIMITS = Limits()
MakePdf = Callable[..., bytes]

LINE = b"BT /F1 10 Tf %d %d Td (%s) Tj ET\n"
TEXT = LINE % (50, 200, b"Invoice 12345678 of May") + LINE % (50, 180, b"Total 412.00 CNY")


def first_page(data: bytes, limits: Limits = LIMITS) -> PageInput:
    with open_document(data, limits) as document:
        assert document.media_type == "application/pdf"
        return document.page(1)


def picture(width: int = 64, height: int = 64, *, level: int = 128) -> bytes:
    body = zlib.compress(bytes([level]) * (width * height))
    head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8"
    return (
        head % (width, height)
        + b"/Filter/FlateDecode/Length %d>>stream\n" % len(body)
        + body
        + b"\nendstream"
    )


def show(x: int, y: int, width: int, height: int) -> bytes:
    return b"q %d 0 0 %d %d %d cm /Im0 Do Q\n" % (width, height, x, y)


def texts(page: PageInput) -> list[str]:
    assert page.lines is not None
    return [line.text for line in page.lines]


SCALE = 200 / 72
PICTURE = {"extra": [picture()], "resources": b"/XObject<</Im0 4 0 R>>"}


def figure() -> bytes:
    """A picture with something on it: dark above, light below."""
    half = bytes([40]) * 2048 + bytes([220]) * 2048
    return picture().split(b"/Filter")[0] + b"/Length 4096>>stream\n" + half + b"\nendstream"


FIGURES = {"extra": [figure()], "resources": b"/XObject<</Im0 4 0 R>>"}
FIGURE = show(50, 50, 200, 100)


def test_born_digital_text_keeps_text_and_boxes(make_pdf: MakePdf) -> None:
    page = first_page(make_pdf(TEXT))
    assert page.image is None
    assert page.lines is not None
    assert [line.text for line in page.lines] == ["Invoice 12345678 of May", "Total 412.00 CNY"]
    assert (page.width, page.height, page.dpi) == (1112, 834, 200)
    scale = 200 / 72
    (left, top), (right, _), (_, bottom), _ = page.lines[0].box
    assert left == pytest.approx(50 * scale, abs=4)
    assert bottom == pytest.approx((300 - 200) * scale, abs=8)
    assert 20 < bottom - top < 32
    assert 280 < right - left < 320
    assert page.lines[0].confidence == 1.0


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("extra", [b"", b"/CropBox[20 100 390 290]"])
def test_boxes_cover_the_rendered_text(make_pdf: MakePdf, rotate: int, extra: bytes) -> None:
    data = make_pdf(TEXT, page=b"/Rotate %d" % rotate + extra)
    page = first_page(data)
    image = page_image(data, 1, page.rotation, LIMITS)
    assert page.rotation == -rotate % 360
    assert image.shape == (page.height, page.width, 3)
    assert page.lines is not None
    dark = image.min(axis=2) < 200
    covered = np.zeros_like(dark)
    for line in page.lines:
        points = np.array(line.box)
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        covered[int(y0) - 1 : int(y1) + 2, int(x0) - 1 : int(x1) + 2] = True
        assert dark[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1].mean() > 0.1
    assert dark.any()
    assert not (dark & ~covered).any()


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_box_begins_where_its_text_begins(make_pdf: MakePdf, rotate: int) -> None:
    page = first_page(make_pdf(TEXT, page=b"/Rotate %d" % rotate))
    assert texts(page) == ["Invoice 12345678 of May", "Total 412.00 CNY"]
    assert page.lines is not None
    start, along, _, below = (np.array(point) for point in page.lines[0].box)
    turn = 0.0  # the page is turned upright
    assert np.allclose(
        (along - start) / np.linalg.norm(along - start), (np.cos(turn), np.sin(turn)), atol=1e-6
    )
    assert np.allclose(
        (below - start) / np.linalg.norm(below - start), (-np.sin(turn), np.cos(turn)), atol=1e-6
    )


def test_rotated_text_has_the_right_order_and_boxes(make_pdf: MakePdf) -> None:
    content = TEXT + b"BT /F1 10 Tf 0 1 -1 0 300 50 Tm (turned upwards) Tj ET"
    lines = first_page(make_pdf(content)).lines
    assert lines is not None
    turned = next(line for line in lines if line.text == "turned upwards")
    scale = 200 / 72
    begin, end = turned.box[0], turned.box[1]
    assert begin[0] == pytest.approx(end[0])
    assert begin[1] == pytest.approx((300 - 50) * scale, abs=4)
    assert end[1] < begin[1] - 100


def test_columns_are_separated_and_scattered_words_joined(make_pdf: MakePdf) -> None:
    content = LINE % (50, 200, b"left column") + LINE % (150, 200, b"right column")
    content += LINE % (82, 150, b"Ltd Co") + LINE % (50, 150, b"Orchid")  # from right to left in the file
    content += LINE % (50, 120, b"bold") + LINE % (50.3, 120, b"bold")  # painted twice
    lines = first_page(make_pdf(content)).lines
    assert lines is not None
    assert sorted(line.text for line in lines) == ["Orchid Ltd Co", "bold", "left column", "right column"]


def test_spaces_follow_the_gaps(make_pdf: MakePdf) -> None:
    content = TEXT + b"BT /F1 10 Tf 50 100 Td [(91)-10(1111)-600(X)20(Y)] TJ ET"
    lines = first_page(make_pdf(content)).lines
    assert lines is not None
    assert "911111 XY" in [line.text for line in lines]


def unicode_font(mapping: dict[int, str]) -> list[bytes]:
    pairs = b"".join(
        b"<%02x> <%s>\n" % (code, char.encode("utf-16-be").hex().encode()) for code, char in mapping.items()
    )
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        b"1 begincodespacerange <00> <ff> endcodespacerange\n%d beginbfchar\n"
        % len(mapping)
        + pairs
        + b"endbfchar endcmap end end"
    )
    return [
        b"<</Length %d>>stream\n" % len(cmap) + cmap + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 4 0 R>>",
    ]


def test_chinese_text_is_kept(make_pdf: MakePdf) -> None:
    extra = unicode_font({0x41: "发", 0x42: "票", 0x43: "\u212b"})
    data = make_pdf(
        TEXT + b"BT /F2 10 Tf 50 100 Td (ABC) Tj ET", extra=extra, resources=b"/Font<</F1 3 0 R/F2 5 0 R>>"
    )
    lines = first_page(data.replace(b"/Font<</F1 3 0 R>>/Font", b"/Font")).lines
    assert lines is not None
    assert lines[-1].text == "发票\u00c5"  # NFC: the Angstrom sign becomes a letter


def test_unmapped_characters_send_the_page_to_ocr(make_pdf: MakePdf) -> None:
    extra = unicode_font({0x41: "\ue001", 0x42: "\ufffd"})
    data = make_pdf(
        TEXT + b"BT /F2 10 Tf 50 100 Td (ABAB) Tj ET", extra=extra, resources=b"/Font<</F1 3 0 R/F2 5 0 R>>"
    )
    page = first_page(data.replace(b"/Font<</F1 3 0 R>>/Font", b"/Font"))
    assert page.lines is None
    assert page.image is not None


def test_a_page_without_text_is_ocred_and_a_few_characters_are_kept(make_pdf: MakePdf) -> None:
    assert first_page(make_pdf(b"")).image is not None
    alone = first_page(make_pdf(LINE % (50, 50, b"Page 3")))
    assert (texts(alone), alone.image) == (["Page 3"], None)
    scan = first_page(make_pdf(FIGURE + LINE % (50, 50, b"Page 3"), **FIGURES))
    assert texts(scan) == ["Page 3"]
    assert [list(region) for region in scan.regions] == [pytest.approx([0, 0, 1112, 834])]


def test_text_layer_can_be_switched_off(make_pdf: MakePdf) -> None:
    assert first_page(make_pdf(TEXT), Limits(text_layer=False)).lines is None


def test_the_hidden_layer_of_an_ocr_program_is_ignored(make_pdf: MakePdf) -> None:
    hidden = TEXT.replace(b"BT ", b"BT 3 Tr ")
    assert first_page(make_pdf(show(0, 0, 400, 300) + hidden, **FIGURES)).lines is None
    assert first_page(make_pdf(hidden)).lines is None
    lines = first_page(make_pdf(TEXT + LINE.replace(b"BT", b"BT 3 Tr") % (50, 100, b"hidden"))).lines
    assert lines is not None
    assert "hidden" not in [line.text for line in lines]


def test_a_picture_beside_text_is_a_region_and_not_a_reason_to_drop_the_text(make_pdf: MakePdf) -> None:
    page = first_page(make_pdf(TEXT + FIGURE, **FIGURES))
    assert texts(page) == ["Invoice 12345678 of May", "Total 412.00 CNY"]
    ((left, top, right, bottom),) = page.regions
    assert left < 50 * SCALE < 250 * SCALE < right
    assert top < 150 * SCALE < 250 * SCALE < bottom
    assert right - left < 230 * SCALE
    assert page.image is not None
    assert page.image[: int(140 * SCALE)].min() == 255  # drawn without the text of the layer


def test_strips_of_a_scan_are_one_region_and_trivial_or_plain_pictures_none(make_pdf: MakePdf) -> None:
    strips = b"".join(show(50, 50 + 5 * i, 200, 5) for i in range(20))
    assert len(first_page(make_pdf(TEXT + strips, **FIGURES)).regions) == 1
    assert first_page(make_pdf(TEXT + show(50, 50, 3, 100), **FIGURES)).regions == ()
    plain = first_page(make_pdf(show(0, 0, 400, 300) + TEXT, **PICTURE))
    assert (plain.regions, plain.image) == ((), None)


def test_a_scan_inside_a_form_is_seen(make_pdf: MakePdf) -> None:
    inner = b"q 1 0 0 1 0 0 cm /Im0 Do Q"
    form = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Matrix[360 0 0 150 20 20]"
        b"/Resources<</XObject<</Im0 4 0 R>>>>"
        b"/Length %d>>stream\n" % len(inner) + inner + b"\nendstream"
    )
    data = make_pdf(TEXT + b"/Fm0 Do", extra=[figure(), form], resources=b"/XObject<</Fm0 5 0 R>>")
    ((left, _, right, _),) = first_page(data).regions
    assert (left, right) == pytest.approx((20 * SCALE, 380 * SCALE), abs=10)


def test_text_turned_into_curves_is_a_region(make_pdf: MakePdf) -> None:
    letter = b" ".join(b"%d %d l" % (50 + i, 50 + i * i % 7) for i in range(12)) + b" f\n"
    letters = b"".join(b"1 0 0 1 8 0 cm 50 50 m " + letter for _ in range(10))
    page = first_page(make_pdf(TEXT + letters))
    assert texts(page) == ["Invoice 12345678 of May", "Total 412.00 CNY"]
    assert len(page.regions) == 1
    assert first_page(make_pdf(TEXT + b"20 20 300 200 re S\n" * 60)).regions == ()


PEN = {
    "A": "0 0 m 3 9 l 6 0 l 1 3 m 5 3 l",
    "E": "6 0 m 0 0 l 0 9 l 6 9 l 0 5 m 4 5 l",
    "L": "0 9 m 0 0 l 6 0 l",
    "N": "0 0 m 0 9 l 6 0 l 6 9 l",
    "T": "0 9 m 6 9 l 3 9 m 3 0 l",
    "1": "1 7 m 3 9 l 3 0 l",
    "4": "4 0 m 4 9 l 0 3 l 6 3 l",
    "7": "0 9 m 6 9 l 2 0 l",
}
"""Letters as programs for plans draw them."""


def drawn(text: str, ends: bytes = b"S\n") -> bytes:
    """A text drawn letter by letter; with `ends` of nothing as one path."""
    content = b""
    for number, letter in enumerate(text):
        numbers = PEN[letter].split()
        moved = [str(50 + 8 * number + float(n)) if at % 3 == 0 else n for at, n in enumerate(numbers)]
        moved = [str(100 + float(n)) if at % 3 == 1 else n for at, n in enumerate(moved)]
        content += " ".join(moved).encode() + b" " + ends
    return content + (b"" if ends else b"S\n")


@pytest.mark.parametrize("ends", [b"S\n", b""], ids=["a path per letter", "one path"])
@pytest.mark.parametrize("text", ["LAN1474", "TELLTALE"])
def test_letters_drawn_with_a_pen_are_a_region(make_pdf: MakePdf, text: str, ends: bytes) -> None:
    page = first_page(make_pdf(TEXT + drawn(text, ends)))
    assert texts(page) == ["Invoice 12345678 of May", "Total 412.00 CNY"]
    ((left, top, right, bottom),) = page.regions
    assert left <= 50 * SCALE < (50 + 8 * len(text) - 2) * SCALE <= right
    assert top <= 191 * SCALE < 200 * SCALE <= bottom


ROUND = b"%d %d m %d %d l %d %d %d %d %d %d c h S\n"
GRID = [(x, y) for x in range(40, 360, 20) for y in range(20, 150, 15)]


@pytest.mark.parametrize(
    "rules",
    [
        b"20 20 m 380 20 l 20 40 m 380 40 l 20 60 m 380 60 l 20 20 m 20 60 l 200 20 m 200 60 l S\n" * 4,
        b"".join(b"%d 100 10 10 re S\n" % (50 + 12 * n) for n in range(20)),
        b"".join(
            b"%d 100 m %d 110 l %d 110 l %d 100 l h S\n" % (x, x, x + 8, x + 8) for x in range(50, 250, 10)
        ),
        b"".join(b"%d 100 m %d 100 l S\n" % (x, x + 3) for x in range(50, 350, 5)),
        b"50 50 m " + b" ".join(b"%d %d l" % (50 + x, 50 + x * x % 37) for x in range(1, 90)) + b" S\n",
        b"".join(ROUND % (x, y, x + 8, y, x + 8, y + 2, x + 8, y + 8, x, y + 8) for x, y in GRID),
    ],
    ids=["table", "boxes", "frames", "dashes", "curve", "round boxes"],
)
def test_rules_and_curves_are_no_letters(make_pdf: MakePdf, rules: bytes) -> None:
    assert first_page(make_pdf(TEXT + rules)).regions == ()


def test_a_drawing_of_very_many_lines_is_read_as_a_page(make_pdf: MakePdf) -> None:
    wave = b"20 20 m " + b" ".join(b"%d %d l" % (20 + x, 20 + x * x % 97) for x in range(1, 360)) + b" S\n"
    (region,) = first_page(make_pdf(TEXT + wave * 500)).regions
    assert region[2] - region[0] > 390 * SCALE


def annotated(make_pdf: MakePdf, look: bytes, note: bytes, page: bytes = b"") -> PageInput:
    stream = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 100 20]/Resources<</Font<</F1 3 0 R>>>>/Length %d>>stream\n"
        % len(look)
        + look
        + b"\nendstream"
    )
    note = b"<</Type/Annot/Rect[50 50 150 70]/AP<</N 4 0 R>>" + note + b">>"
    root = b"/AcroForm<</Fields[5 0 R]>>"
    return first_page(make_pdf(TEXT, extra=[stream, note], page=b"/Annots[5 0 R]" + page, root=root))


VALUE = b"BT /F1 12 Tf 2 4 Td (42.00) Tj ET"


@pytest.mark.parametrize(
    "note",
    [
        b"/Subtype/Widget/FT/Tx/T(sum)/V(42.00)/F 4",
        b"/Subtype/FreeText/Contents(42.00)/F 4",
        b"/Subtype/Stamp/F 4",
    ],
)
@pytest.mark.parametrize("page", [b"", b"/Rotate 90"])
def test_fields_and_notes_are_part_of_the_layer(make_pdf: MakePdf, note: bytes, page: bytes) -> None:
    read = annotated(make_pdf, VALUE, note, page)
    assert texts(read) == ["Invoice 12345678 of May", "Total 412.00 CNY", "42.00"]
    assert (read.image, read.regions) == (None, ())
    assert read.lines is not None
    left = read.lines[-1].box[0][0]
    assert left == pytest.approx(52 * SCALE, abs=3)


def test_hidden_and_empty_fields_are_not_read(make_pdf: MakePdf) -> None:
    hidden = annotated(make_pdf, VALUE, b"/Subtype/Widget/FT/Tx/T(sum)/V(42.00)/F 2")
    empty = annotated(make_pdf, b"", b"/Subtype/Widget/FT/Sig/T(seal)/F 4")
    for page in (hidden, empty):
        assert texts(page) == ["Invoice 12345678 of May", "Total 412.00 CNY"]
        assert (page.image, page.warnings) == (None, ())


def test_a_scrawl_is_a_region(make_pdf: MakePdf) -> None:
    page = annotated(make_pdf, b"2 w 0 0 m 30 20 60 0 90 15 c S", b"/Subtype/Ink/InkList[[50 50 90 60]]/F 4")
    assert texts(page) == ["Invoice 12345678 of May", "Total 412.00 CNY"]
    assert len(page.regions) == 1


def test_a_link_is_not_a_note(make_pdf: MakePdf) -> None:
    link = b"/Annots[<</Type/Annot/Subtype/Link/Rect[50 50 150 70]>>]"
    assert first_page(make_pdf(TEXT, page=link)).lines is not None


def test_colours_are_rgb_and_rotation_is_clockwise(make_pdf: MakePdf) -> None:
    data = make_pdf(b"1 0 0 rg 0 150 200 150 re f", page=b"/Rotate 90")  # red in the top left corner
    image = first_page(data).image
    assert image is not None
    assert image.flags.c_contiguous
    assert image.shape == (1112, 834, 3)
    assert image[100, 700].tolist() == [255, 0, 0]  # rotated to the top right
    assert image[100, 100].tolist() == [255, 255, 255]
    assert page_image(data, 1, 270, LIMITS)[100, 100].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    "box",
    [
        b"0 0 1000000 1000000",
        b"0 0 14400 10",
        b"0 0 0 0",
        b"0 0 -300 -200",
        b"0 0 .001 .001",
        b"0 0 5 5",
        b"1 2",
    ],
)
def test_absurd_page_sizes_stay_within_bounds(make_pdf: MakePdf, box: bytes) -> None:
    start = time.perf_counter()
    page = first_page(make_pdf(TEXT, box=box), Limits(text_layer=False))
    assert 500 <= max(page.width, page.height) <= 5 * LIMITS.max_side
    assert min(page.width, page.height) >= 1
    assert time.perf_counter() - start < 10


def test_junk_before_the_header_and_a_wrong_xref_are_tolerated(make_pdf: MakePdf) -> None:
    good = make_pdf(TEXT)
    for data in (
        b"\r\nHTTP junk\r\n" * 20 + good,
        good.replace(b"startxref\n", b"startxref\n9"),
        good[: good.index(b"xref")] + good[good.index(b"trailer") :],
    ):
        lines = first_page(data).lines
        assert lines is not None
        assert lines[1].text == "Total 412.00 CNY"


def test_a_damaged_pdf_is_unreadable(make_pdf: MakePdf) -> None:
    for data in (b"%PDF-1.7\n" + bytes(500), make_pdf(TEXT)[:40]):
        with pytest.raises(Unreadable, match="damaged"):
            open_document(data, LIMITS)


def test_a_pdf_without_pages_is_unreadable(make_pdf: MakePdf) -> None:
    with pytest.raises(Unreadable, match="no pages"):
        open_document(make_pdf([]), LIMITS)


def test_a_page_that_is_missing_is_named(make_pdf: MakePdf) -> None:
    data = make_pdf([TEXT, TEXT, TEXT]).replace(b"6 0 R", b"99 0 R", 1)
    with open_document(data, LIMITS) as document:
        assert document.page(1).lines
        with pytest.raises(Unreadable, match=r"Page 2 of 3 of the PDF is damaged"):
            document.page(2)
        assert document.page(3).lines


def test_too_many_pages_name_limit_and_setting(make_pdf: MakePdf) -> None:
    with pytest.raises(OverLimit, match=r"3 pages.*limit of 2.*--max-pages"):
        open_document(make_pdf([TEXT] * 3), Limits(max_pages=2))


def test_a_huge_picture_inside_is_refused_before_it_is_decoded(make_pdf: MakePdf) -> None:
    bomb = picture().replace(b"/Width 64/Height 64", b"/Width 40000/Height 40000")
    data = make_pdf([TEXT, show(0, 0, 400, 300)], extra=[bomb], resources=b"/XObject<</Im0 4 0 R>>")
    with open_document(data, LIMITS) as document:
        assert document.page(1).lines
        with pytest.raises(OverLimit, match=r"Page 2 of 2 of the PDF.*40000 x 40000.*NIGHTSHIFT_MAX_PIXELS"):
            document.page(2)


def test_a_password_is_requested_clearly(make_pdf: MakePdf) -> None:
    with pytest.raises(Encrypted, match="requires a password"):
        open_document(make_pdf(TEXT, user_password=b"secret"), LIMITS)


def test_a_pdf_locked_for_its_owner_only_is_read(make_pdf: MakePdf) -> None:
    lines = first_page(make_pdf(TEXT, user_password=b"")).lines
    assert lines is not None
    assert lines[0].text == "Invoice 12345678 of May"


def test_a_dynamic_form_is_refused(make_pdf: MakePdf) -> None:
    xfa = b"<</Length 5>>stream\n<xdp>\nendstream"
    root = b"/NeedsRendering true/AcroForm<</Fields[]/XFA 4 0 R>>"
    with pytest.raises(Unsupported, match="dynamic form"):
        open_document(make_pdf(TEXT, extra=[xfa], root=root), LIMITS)


@pytest.mark.parametrize("box", [b"/CropBox[500 500 600 600]", b"/CropBox[500 500 600 600]/Rotate 90"])
def test_a_crop_box_outside_of_the_page_is_ignored(make_pdf: MakePdf, box: bytes) -> None:
    assert texts(first_page(make_pdf(TEXT, page=box))) == ["Invoice 12345678 of May", "Total 412.00 CNY"]


def test_a_page_tree_with_a_cycle_ends(make_pdf: MakePdf) -> None:
    data = make_pdf([TEXT, TEXT]).replace(b"/Kids[4 0 R 6 0 R]", b"/Kids[4 0 R 2 0 R]")
    with open_document(data, LIMITS) as document:
        assert document.page(1).lines
        with pytest.raises(Unreadable, match="Page 2 of 2"):
            document.page(2)


def test_many_pieces_of_one_line_are_joined_in_linear_time(make_pdf: MakePdf) -> None:
    backwards = b"".join(LINE % (9000 - 6 * i, 50, b"x") for i in range(1500))
    start = time.perf_counter()
    page = first_page(make_pdf(backwards, box=b"0 0 10000 100"))
    assert texts(page) == ["x" * 1500]
    assert time.perf_counter() - start < 5


def test_thousands_of_notes_are_drawn_without_becoming_part_of_the_page(
    make_pdf: Callable[..., bytes],
) -> None:
    note = b"<</Type/Annot/Subtype/Square/Rect[10 10 90 90]/AP<</N 5 0 R>>>>"
    look = b"<</Type/XObject/Subtype/Form/BBox[0 0 80 80]/Length 27>>stream\n1 0 0 rg 0 0 80 80 re f    \nendstream"
    data = make_pdf(b"", extra=[note, look], page=b"/Annots[" + b"4 0 R " * 3000 + b"]")
    with open_document(data, Limits()) as document:
        image = document.page(1).image
        assert image is not None
        red = (image[..., 0] > 200) & (image[..., 1] < 50)
        assert red.any()
