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


KINDS = [("JPEG", {}), ("JPEG", {"optimize": True}), ("WEBP", {}), ("JPEG2000", {})]


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


@pytest.mark.parametrize(("kind", "options"), [*KINDS, ("JPEG", {"progressive": True}), ("PNG", {})])
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
