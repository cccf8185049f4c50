"""Pictures of which a part was overwritten with zeros are refused, and no others."""

import io

import pytest
from PIL import Image, ImageDraw, TiffImagePlugin

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


PACKED = [
    ("group3", "1"),
    ("group4", "1"),
    ("tiff_ccitt", "1"),
    ("jpeg", "L"),
    ("jpeg", "RGB"),
    ("tiff_lzw", "RGB"),
    ("packbits", "RGB"),
    ("tiff_adobe_deflate", "RGB"),
]


@pytest.mark.parametrize(("compression", "mode"), PACKED)
@pytest.mark.parametrize("strip", [65536, 1 << 24], ids=["strips", "one strip"])
def test_packed_rows_that_were_lost_are_missed(
    compression: str, mode: str, strip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", strip)
    data = saved(picture((1240, 1754), 55).convert(mode), "TIFF", compression=compression)
    assert opened(data) == (1240, 1754)
    for part in ((4096, 8192), (6000, 8048), (6144, len(data) - 1500)):
        with pytest.raises(Unreadable, match=r"overwritten with zeros|can't be decoded"):
            opened(data[: part[0]] + bytes(part[1] - part[0]) + data[part[1] :])


def test_fax_codes_that_are_filled_up_are_no_loss() -> None:
    codes = saved(picture((1240, 1754), 55).convert("1"), "TIFF", compression="group4", strip_size=1 << 24)
    image = Image.open(io.BytesIO(codes))
    (offset,), (count,) = image.tag_v2[273], image.tag_v2[279]  # type: ignore[attr-defined]
    filled = codes[offset : offset + count] + bytes(3001)
    at = int.from_bytes(codes[4:8], "little")
    moved = bytearray(codes + filled)
    for entry in range(at + 2, at + 2 + 12 * int.from_bytes(codes[at : at + 2], "little"), 12):
        new = {273: len(codes), 279: len(filled)}.get(int.from_bytes(codes[entry : entry + 2], "little"))
        if new:
            moved[entry + 2 : entry + 12] = b"\4\0\1\0\0\0" + new.to_bytes(4, "little")
    assert opened(bytes(moved)) == (1240, 1754)


def test_blank_paper_in_deflate_is_no_loss() -> None:
    blank = Image.new("RGB", (2480, 3508), "white")
    data = saved(blank, "TIFF", compression="tiff_adobe_deflate", strip_size=1 << 26)
    assert opened(data)[0] > 2000


@pytest.mark.parametrize("size", [(1654, 1963), (2478, 1425)])
def test_filling_at_the_end_of_rows_is_no_loss(size: tuple[int, int]) -> None:
    """The last row of white paper has two bytes of filling, here behind the edge of a block."""
    assert opened(saved(Image.new("RGB", size, "white"), "BMP")) == size


def test_blank_paper_whose_white_is_zero_is_no_loss() -> None:
    """Whatever byte of the last rows is the last with ink."""
    paper = Image.new("1", (1240, 1754), 1)
    data = bytearray(saved(paper, "TIFF", compression="raw", tiffinfo={262: 0}))
    image = Image.open(io.BytesIO(data))
    (offset,) = image.tag_v2[273]  # type: ignore[attr-defined]
    data[offset:] = bytes(len(data) - offset)
    data[40 * 4096 - 1] = 0x80
    assert opened(bytes(data)) == (1240, 1754)


def test_a_pattern_in_a_progressive_file_is_no_loss() -> None:
    for step in (8, 16):
        image = Image.new("L", (1240, 1754), 255)
        for x in range(3, 1240, step):
            for y in range(3, 1754, step):
                image.putpixel((x, y), 0)
        for quality in (60, 75, 90):
            assert opened(saved(image, "JPEG", progressive=True, quality=quality)) == (1240, 1754)


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
