"""Pictures of which a part was overwritten with zeros are refused, and no others."""

import io

import pytest
from PIL import Image, ImageDraw

from pipeline.documents import zeroed
from pipeline.documents.open import open_document
from pipeline.errors import Unreadable
from pipeline.limits import Limits


def picture(size: tuple[int, int] = (600, 800), lines: int = 25) -> Image.Image:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for n in range(lines):
        draw.text((40, 20 + 30 * n), f"Item {n * 7919} of an invoice: {n * 13.37:.2f} EUR", fill="black")
    return image


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> tuple[int, int]:
    with open_document(data, Limits()) as document:
        page = document.page(1)
    return page.width, page.height


PROGRESSIVE = {"progressive": True, "quality": 90}
KINDS = [
    ("JPEG", {}),
    ("JPEG", {"optimize": True}),
    ("JPEG", PROGRESSIVE),
    ("JPEG", PROGRESSIVE | {"subsampling": 0}),
    ("WEBP", {}),
    ("JPEG2000", {}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("part", [(0.4, 0.6), (0.5, 1.0)], ids=["middle", "rest"])
def test_a_picture_that_lost_a_part_is_refused(
    kind: str, options: dict[str, object], part: tuple[float, float]
) -> None:
    data = saved(picture(), kind, **options)
    begin, end = (int(share * len(data)) for share in part)
    assert end - begin > 2048
    with pytest.raises(Unreadable, match="overwritten with zeros"):
        opened(data[:begin] + bytes(end - begin) + data[end:])


@pytest.mark.parametrize(("kind", "options"), [*KINDS, ("PNG", {}), ("BMP", {}), ("TIFF", {})])
@pytest.mark.parametrize("lines", [0, 1, 25])
def test_blank_paper_is_no_loss(kind: str, options: dict[str, object], lines: int) -> None:
    assert opened(saved(picture((1240, 1754), lines), kind, **options)) == (1240, 1754)


@pytest.mark.parametrize(("in_scan", "lost"), [(b"\1\0\2\x11\3\x11", True), (b"\2\x11", False)])
def test_a_colour_with_a_scan_of_its_own_may_be_blank(in_scan: bytes, lost: bool) -> None:
    """The first table's zeros are no blank block, as those of the second are, which only two of the colours use."""

    def segment(marker: int, content: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content

    def table(number: int, first: int) -> bytes:
        return bytes([0x10 | number, 0, 1]) + bytes(14) + bytes([first])

    frame = segment(0xC0, b"\x08\0\x08\0\x08\x03" + bytes(9))
    scans = segment(0xDA, bytes([len(in_scan) // 2]) + in_scan + b"\0\x3f\0")
    data = b"\xff\xd8" + segment(0xC4, table(0, 1) + table(1, 0)) + frame + scans + bytes(4096) + b"\xff\xd9"
    assert zeroed.has_lost_part(data, "image/jpeg") is lost


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "JPEG2000"])
def test_zeros_beside_the_picture_are_no_loss(kind: str) -> None:
    """A file that was filled up to whole blocks, or that has a video behind its picture; metadata with room in it."""
    data = saved(picture(), kind)
    assert opened(data + bytes(8192)) == (600, 800)
    if kind != "JPEG2000":
        assert opened(saved(picture(), kind, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0" + bytes(4096))) == (600, 800)


ROWS = [
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("BMP", "1", {}),
    ("TIFF", "RGB", {"compression": "raw"}),
    ("TIFF", "L", {"compression": "raw"}),
    ("TIFF", "1", {"compression": "raw"}),
]


@pytest.mark.parametrize(("kind", "mode", "options"), ROWS)
@pytest.mark.parametrize("part", [(10, 12), (20, None)], ids=["middle", "rest"])
def test_rows_that_were_lost_are_missed(
    kind: str, mode: str, options: dict[str, object], part: tuple[int, int | None]
) -> None:
    data = saved(picture((1241, 1754)).convert(mode), kind, **options)
    begin = 4096 * part[0]
    end = 4096 * part[1] if part[1] else len(data)
    with pytest.raises(Unreadable, match=f"A part of the {kind} image was overwritten with zeros"):
        opened(data[:begin] + bytes(end - begin) + data[end:])


@pytest.mark.parametrize("compression", ["group3", "tiff_ccitt"])
def test_fax_rows_that_were_lost_are_missed(compression: str) -> None:
    data = saved(picture((1240, 1754), 50).convert("1"), "TIFF", compression=compression)
    with pytest.raises(Unreadable, match="overwritten with zeros"):
        opened(data[:6000] + bytes(2048) + data[8048:])


@pytest.mark.parametrize(("kind", "mode", "options"), ROWS)
@pytest.mark.parametrize("width", [1240, 2048])
@pytest.mark.parametrize(
    "box", [(0, 0, 4096, 200), (0, 1500, 4096, 1754), (300, 0, 700, 1754), (0, 0, 4096, 1754)]
)
def test_black_areas_are_no_loss(
    kind: str, mode: str, options: dict[str, object], width: int, box: tuple[int, int, int, int]
) -> None:
    image = picture((width, 1754))
    image.paste((0, 0, 0), box)
    assert opened(saved(image.convert(mode), kind, **options)) == (width, 1754)


def test_one_lost_page_of_many_is_named() -> None:
    pages = [picture((1241, 1754)).convert("L") for _ in range(3)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="raw")
    data = out.getvalue()
    begin = len(data) // 2 // 4096 * 4096
    with open_document(data[:begin] + bytes(8192) + data[begin + 8192 :], Limits()) as document:
        assert document.page(1).width == document.page(3).width == 1241
        with pytest.raises(Unreadable, match="A part of page 2 of 3 of the TIFF image was overwritten"):
            document.page(2)
