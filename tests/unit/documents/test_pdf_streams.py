"""A picture in a PDF that ends early or can't be decoded makes its page unread, never blank or half and done."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.documents.base import PageInput
from pipeline.documents.open import open_document
from pipeline.errors import OverLimit, Unreadable
from pipeline.limits import Limits
from tests.unit.documents.conftest import _rc4, _security

MakePdf = Callable[..., bytes]
WIDTH, HEIGHT = 640, 800
TEXT = b"".join(
    b"BT /F1 10 Tf 40 %d Td (Line %d of a letter with text) Tj ET\n" % (y, y) for y in range(30, 290, 20)
)
EVERYWHERE = b"q 400 0 0 300 0 0 cm /Im0 Do Q\n"
IN_A_CORNER = b"q 20 0 0 20 5 5 cm /Im0 Do Q\n"


def scan() -> Image.Image:
    noise = np.random.default_rng(1).integers(200, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    draw = ImageDraw.Draw(image)
    for y in range(10, HEIGHT, 24):
        draw.text((20, y), f"Invoice line {y}: 12.72 EUR, and the words that follow it", fill=0, font_size=18)
    return image


SCAN = scan()


def encoded(form: str, image: Image.Image = SCAN, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def fax(compression: str) -> bytes:
    file = encoded("TIFF", SCAN.convert("1"), compression=compression, tiffinfo={278: HEIGHT})
    with Image.open(io.BytesIO(file)) as image:
        (start,), (size,) = image.tag_v2[273], image.tag_v2[279]  # type: ignore[attr-defined]
    return file[start : start + size]


def segment(number: int, kind: int, body: bytes) -> bytes:
    return struct.pack(">IBBBI", number, kind, 0, 1, len(body)) + body


def jbig2() -> bytes:
    """A page and one generic region coded as group 4 (ISO 14492, 7.4.6)."""
    page = struct.pack(">IIIIBH", WIDTH, HEIGHT, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", WIDTH, HEIGHT, 0, 0, 0, 1) + fax("group4")
    return segment(0, 48, page) + segment(1, 38, region)


def predicted(image: Image.Image) -> bytes:
    rows = np.asarray(image)
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))


def run_length(data: bytes) -> bytes:
    blocks = (data[i : i + 128] for i in range(0, len(data), 128))
    return b"".join(bytes([len(block) - 1]) + block for block in blocks) + b"\x80"


GREY, RGB, BITS = b"/ColorSpace/DeviceGray", b"/ColorSpace/DeviceRGB", b"/BitsPerComponent 8"
BLACK = GREY + b"/BitsPerComponent 1"
FAX = BLACK + b"/Filter/CCITTFaxDecode/DecodeParms<</K %d/Columns %d/Rows %d>>"
KINDS: dict[str, tuple[bytes, bytes]] = {
    "jpeg": (RGB + BITS + b"/Filter/DCTDecode", encoded("JPEG")),
    "grey jpeg": (GREY + BITS + b"/Filter/DCTDecode", encoded("JPEG", SCAN.convert("L"))),
    "cmyk jpeg": (
        b"/ColorSpace/DeviceCMYK/Decode[1 0 1 0 1 0 1 0]" + BITS + b"/Filter/DCTDecode",
        encoded("JPEG", SCAN.convert("CMYK")),
    ),
    "progressive jpeg": (RGB + BITS + b"/Filter/DCTDecode", encoded("JPEG", progressive=True)),
    "jpx": (b"/Filter/JPXDecode", encoded("JPEG2000", quality_mode="rates", quality_layers=[10])),
    "jpx in tiles": (b"/Filter/JPXDecode", encoded("JPEG2000", tile_size=(256, 256))),
    "flate": (RGB + BITS + b"/Filter/FlateDecode", zlib.compress(SCAN.tobytes())),
    "flate grey": (GREY + BITS + b"/Filter/FlateDecode", zlib.compress(SCAN.convert("L").tobytes())),
    "flate bits": (BLACK + b"/Filter/FlateDecode", zlib.compress(SCAN.convert("1").tobytes())),
    "flate mask": (
        b"/ImageMask true/BitsPerComponent 1/Filter/FlateDecode",
        zlib.compress(SCAN.convert("1").tobytes()),
    ),
    "flate predicted": (
        RGB + BITS + b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors 3/Columns %d>>" % WIDTH,
        predicted(SCAN),
    ),
    "plain": (GREY + BITS, SCAN.convert("L").tobytes()),
    "run length": (GREY + BITS + b"/Filter/RunLengthDecode", run_length(SCAN.convert("L").tobytes())),
    "group 4": (FAX % (-1, WIDTH, HEIGHT), fax("group4")),
    "group 3": (FAX % (0, WIDTH, HEIGHT) + b"", fax("group3")),
    "jbig2": (BLACK + b"/Filter/JBIG2Decode", jbig2()),
}


def xobject(head: bytes, data: bytes) -> bytes:
    return (
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d" % (WIDTH, HEIGHT)
        + head
        + b"/Length %d>>stream\n" % len(data)
        + data
        + b"\nendstream"
    )


@pytest.fixture
def read(make_pdf: MakePdf) -> Callable[..., PageInput]:
    def read(head: bytes, data: bytes, content: bytes = EVERYWHERE, **parts: object) -> PageInput:
        pdf = make_pdf(content, extra=[xobject(head, data)], resources=b"/XObject<</Im0 4 0 R>>", **parts)
        with open_document(pdf, Limits()) as document:
            return document.page(1)

    return read


Read = Callable[..., PageInput]


def lengths(size: int) -> Iterator[int]:
    yield from (size * 19 // 20, size * 47 // 100, size // 5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_picture_is_no_cause_for_alarm(read: Read, kind: str) -> None:
    page = read(*KINDS[kind])
    assert page.image is not None
    assert page.image.min() < 100 < page.image.max()
    assert (page.unread, page.warnings) == (0, ())


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_ends_early_makes_its_page_unread(read: Read, kind: str) -> None:
    head, data = KINDS[kind]
    for size in lengths(len(data)):
        with pytest.raises(
            Unreadable,
            match=r"^The PDF holds an image that (ends early|can't be decoded).* Scan or export it again\.$",
        ):
            read(head, data[:size])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "plain" not in kind])
def test_a_picture_of_junk_or_nothing_makes_its_page_unread(read: Read, kind: str) -> None:
    for junk in (b"", b"no picture at all" * 40):
        with pytest.raises(Unreadable, match=r"holds an image that (ends early|can't be decoded)"):
            read(KINDS[kind][0], junk)


@pytest.mark.parametrize("kind", ["jpeg", "grey jpeg", "cmyk jpeg", "progressive jpeg"])
def test_a_jpeg_that_lacks_only_its_end_marker_is_whole(read: Read, kind: str) -> None:
    head, data = KINDS[kind]
    assert read(head, data[:-2]).unread == 0
    assert read(head, data + b"\r\n").unread == 0


def test_an_end_marker_after_half_of_a_jpeg_does_not_hide_the_cut(read: Read) -> None:
    head, data = KINDS["jpeg"]
    with pytest.raises(Unreadable, match="ends early"):
        read(head, data[: len(data) // 2] + b"\xff\xd9")


def test_fax_data_without_an_end_marker_is_whole(read: Read) -> None:
    head, data = KINDS["group 4"]
    assert read(head, data[:-3]).unread == 0


def test_deflated_data_without_its_checksum_is_whole(read: Read) -> None:
    head, data = KINDS["flate"]
    assert read(head, data[:-4]).unread == 0


def test_fewer_pixels_than_the_picture_has_are_missed_in_any_coding(read: Read) -> None:
    half = SCAN.convert("L").tobytes()[: WIDTH * HEIGHT * 3 // 5]
    for name, data in (("FlateDecode", zlib.compress(half)), ("RunLengthDecode", run_length(half))):
        with pytest.raises(Unreadable, match="holds an image"):
            read(GREY + BITS + b"/Filter/" + name.encode(), data)


@pytest.mark.parametrize("kind", ["jpeg", "jpx", "group 4", "jbig2", "flate"])
def test_chains_of_filters_are_undone(read: Read, kind: str) -> None:
    head, data = KINDS[kind]
    start = head.index(b"/Filter") + len(b"/Filter")
    name = head[start:].split(b"/DecodeParms")[0]
    parameters = head[start + len(name) :].removeprefix(b"/DecodeParms") or b"null"
    for outer, pack in (
        (b"/FlateDecode", zlib.compress),
        (b"/ASCII85Decode", lambda data: base64.a85encode(data) + b"~>"),
        (b"/ASCIIHexDecode", lambda data: data.hex().encode() + b">"),
    ):
        chain = head[:start] + b"[" + outer + name + b"]/DecodeParms[null " + parameters + b"]"
        assert read(chain, pack(data)).unread == 0
        with pytest.raises(Unreadable, match="ends early"):
            read(chain, pack(data[: len(data) * 47 // 100]))


def test_a_picture_in_an_encrypted_pdf_is_checked_as_it_is_decrypted(read: Read) -> None:
    head = KINDS["jpeg"][0]
    key, _ = _security(b"", b"owner", b"0123456789abcdef")
    own = hashlib.md5(key + (4).to_bytes(3, "little") + b"\0\0").digest()[:10]
    small = encoded("JPEG", SCAN.resize((64, 80)))
    assert read(head, _rc4(own, small), user_password=b"").unread == 0
    with pytest.raises(Unreadable, match="ends early"):
        read(head, _rc4(own, small[: len(small) // 2]), user_password=b"")


def inline(data: bytes) -> bytes:
    head = b"q 400 0 0 300 0 0 cm BI /W %d /H %d /CS /G /BPC 8 /F /DCT ID " % (WIDTH, HEIGHT)
    return head + data + b"\nEI Q\n"


def test_inline_pictures_are_checked(make_pdf: MakePdf) -> None:
    data = KINDS["grey jpeg"][1]
    with open_document(make_pdf(inline(data)), Limits()) as document:
        assert document.page(1).unread == 0
    # what follows a cut inline picture is lost with it; a whole one with too few rows is seen
    short = encoded("JPEG", SCAN.convert("L").crop((0, 0, WIDTH, HEIGHT // 2)))
    cut = short.replace(struct.pack(">HH", HEIGHT // 2, WIDTH), struct.pack(">HH", HEIGHT, WIDTH), 1)
    with (
        open_document(make_pdf(inline(cut)), Limits()) as document,
        pytest.raises(Unreadable, match="ends early"),
    ):
        document.page(1)


def test_pictures_inside_forms_are_checked(make_pdf: MakePdf) -> None:
    head, data = KINDS["jpeg"]
    inner = b"q 1 0 0 1 0 0 cm /Im0 Do Q"
    form = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Matrix[400 0 0 300 0 0]"
        b"/Resources<</XObject<</Im0 4 0 R>>>>/Length %d>>stream\n" % len(inner) + inner + b"\nendstream"
    )
    pdf = make_pdf(b"/Fm0 Do", extra=[xobject(head, data[:5000]), form], resources=b"/XObject<</Fm0 5 0 R>>")
    with open_document(pdf, Limits()) as document, pytest.raises(Unreadable, match="ends early"):
        document.page(1)


def test_a_good_text_layer_is_kept_beside_a_broken_picture(read: Read) -> None:
    head, data = KINDS["jpeg"]
    page = read(head, data[:5000], TEXT + b"q 60 0 0 60 330 10 cm /Im0 Do Q\n")
    assert page.lines is not None
    assert len(page.lines) == 13
    assert page.unread == 1
    assert page.warnings == ("The PDF holds an image that ends early, so a part is missing.",)


def test_a_small_broken_picture_is_a_warning(read: Read) -> None:
    head, data = KINDS["jpeg"]
    for content in (IN_A_CORNER, TEXT + IN_A_CORNER):
        page = read(head, data[:5000], content)
        assert page.unread == 0
        assert page.warnings == ("The PDF holds a small image that ends early, so a part is missing.",)


def test_one_broken_strip_of_a_scan_costs_that_strip(make_pdf: MakePdf) -> None:
    head, data = KINDS["jpeg"]
    strips = b"".join(b"q 400 0 0 60 0 %d cm /Im%d Do Q\n" % (240 - 60 * i, i == 2) for i in range(5))
    extra = [xobject(head, data), xobject(head, data[:5000])]
    pdf = make_pdf([b"", strips], extra=extra, resources=b"/XObject<</Im0 4 0 R/Im1 5 0 R>>")
    with open_document(pdf, Limits()) as document:
        page = document.page(2)
    assert page.image is not None
    assert page.unread == 1
    assert page.warnings == ("Page 2 of 2 of the PDF holds an image that ends early, so a part is missing.",)


def test_a_page_is_named_and_the_others_are_read(make_pdf: MakePdf) -> None:
    head, data = KINDS["group 4"]
    pdf = make_pdf(
        [TEXT, EVERYWHERE, TEXT], extra=[xobject(head, data[:9000])], resources=b"/XObject<</Im0 4 0 R>>"
    )
    with open_document(pdf, Limits()) as document:
        assert document.page(1).lines
        with pytest.raises(Unreadable, match=r"^Page 2 of 3 of the PDF holds an image that ends early"):
            document.page(2)
        assert document.page(3).lines


@pytest.mark.parametrize("packed", [False, True])
def test_a_jpeg_2000_is_as_large_as_it_says_itself(make_pdf: MakePdf, packed: bool) -> None:
    data = bytearray(encoded("JPEG2000"))
    at = data.find(b"\xff\x4f\xff\x51") + 8
    data[at : at + 8] = struct.pack(">II", 60_000, 60_000)  # PDFium would make room for all of it
    head, body = b"/Filter/JPXDecode", bytes(data)
    if packed:
        head, body = b"/Filter[/FlateDecode/JPXDecode]", zlib.compress(body)
    pdf = make_pdf(
        b"400 0 0 300 0 0 cm /I Do", resources=b"/XObject<</I 4 0 R>>", extra=[xobject(head, body)]
    )
    with open_document(pdf, Limits()) as document, pytest.raises(OverLimit, match="60000 x 60000 pixels"):
        document.page(1)
