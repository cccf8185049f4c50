from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.documents.open import open_document, page_image
from pipeline.errors import OverLimit, Unreadable
from pipeline.limits import Limits

LIMITS = Limits()


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pixels(data: bytes, number: int = 1, limits: Limits = LIMITS) -> NDArray[np.uint8]:
    with open_document(data, limits) as document:
        page = document.page(number)
    assert page.image is not None
    assert page.lines is None
    assert page.image.dtype == np.uint8
    assert page.image.flags.c_contiguous
    assert page.image.shape == (page.height, page.width, 3)
    return page.image


def picture() -> Image.Image:
    """A picture that every rotation or flip changes."""
    image = Image.new("RGB", (30, 20), "white")
    image.paste((255, 0, 0), (0, 0, 10, 10))
    image.paste((0, 0, 255), (20, 0, 30, 5))
    return image


@pytest.mark.parametrize(
    ("kind", "media_type", "exact"),
    [
        ("PNG", "image/png", True),
        ("BMP", "image/bmp", True),
        ("GIF", "image/gif", True),
        ("TIFF", "image/tiff", True),
        ("JPEG2000", "image/jp2", True),
        ("WEBP", "image/webp", False),
        ("JPEG", "image/jpeg", False),
    ],
)
def test_every_format_gives_rgb(kind: str, media_type: str, exact: bool) -> None:
    data = save(picture(), kind, **({} if exact else {"quality": 95}))
    with open_document(data, LIMITS) as document:
        assert (document.media_type, document.page_count) == (media_type, 1)
    difference = np.abs(pixels(data).astype(int) - np.asarray(picture()))
    assert difference.max() == 0 if exact else difference.mean() < 12


UNDONE = {  # how to store a picture so that this EXIF orientation rotates it upright
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", UNDONE)
def test_orientation_is_undone(orientation: int, kind: str) -> None:
    method = UNDONE[orientation]
    stored = picture() if method is None else picture().transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = save(stored, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    assert np.array_equal(pixels(data), np.asarray(picture()))


@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff\x12\x01"]
)
def test_broken_exif_is_ignored(exif: bytes) -> None:
    assert pixels(save(picture(), "JPEG", exif=exif)).shape == (20, 30, 3)


def test_cmyk_jpeg_and_tiff_keep_their_colours() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    for data in (save(red, "JPEG", quality=95), save(red, "TIFF")):
        assert np.abs(pixels(data)[8, 8].astype(int) - (255, 0, 0)).max() < 6


def test_ycbcr_and_lab_tiff_keep_their_colours() -> None:
    ycbcr = Image.new("RGB", (16, 16), (200, 40, 40)).convert("YCbCr")
    assert np.abs(pixels(save(ycbcr, "TIFF"))[8, 8].astype(int) - (200, 40, 40)).max() < 6
    lab = Image.new("LAB", (16, 16), (255, 128, 128))  # L 100, a 0, b 0
    assert pixels(save(lab, "TIFF"))[8, 8].min() > 245


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 32896, 65535]], np.uint16), [0, 128, 255]),  # 16 bits are scaled, not clipped
        (np.array([[0, 2048, 4095]], np.uint16), [0, 128, 255]),  # a 12-bit scanner in 16 bits
        (np.array([[0, 128, 255]], np.uint16), [0, 128, 255]),
        (np.array([[-1000, 0, 1000]], np.int32), [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, np.nan, 70000.0]], np.float32), [0, 0, 255]),
    ],
)
def test_deep_greys_are_scaled(values: NDArray[np.generic], expected: list[int]) -> None:
    data = save(Image.fromarray(values), "TIFF")
    assert pixels(data)[0, :, 0].tolist() == expected


def test_big_endian_16_bit_png() -> None:
    data = save(Image.fromarray(np.array([[0, 65535]], np.uint16)), "PNG")
    assert pixels(data)[0, :, 1].tolist() == [0, 255]


def test_16_bit_tiff_with_white_as_zero_is_inverted() -> None:
    data = save(Image.fromarray(np.array([[0, 65535]], np.uint16)), "TIFF")
    black_is_zero = struct.pack("<HHIHH", 262, 3, 1, 1, 0)
    assert data.count(black_is_zero) == 1
    data = data.replace(black_is_zero, struct.pack("<HHIHH", 262, 3, 1, 0, 0))
    assert pixels(data)[0, :, 0].tolist() == [255, 0]


def test_one_bit_group_4_tiff() -> None:
    stored = picture().convert("L").point(lambda value: 255 if value > 128 else 0).convert("1")
    data = save(stored, "TIFF", compression="group4")
    assert np.array_equal(pixels(data)[..., 2], np.asarray(stored.convert("L")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparent_is_white(mode: str) -> None:
    image = Image.new("RGBA", (4, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    kind = "TIFF" if mode == "PA" else "PNG"
    if mode == "P":
        flat = Image.new("P", (4, 1), 0)
        flat.putpalette([0, 0, 0, 0, 0, 0])
        flat.putpixel((1, 0), 1)
        data = save(flat, kind, transparency=1)
    else:
        data = save(image.convert("LA") if mode != "RGBA" else image, kind)
    assert pixels(data)[0, :2].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("alpha", [255, 130])
@pytest.mark.parametrize(
    ("inks", "ground"),
    [
        ([(255, 255, 255)], 0),
        ([(255, 240, 120)], 0),
        ([(20, 20, 20)], 255),
        ([(120, 120, 120)], 255),
        ([(255, 255, 255), (10, 10, 10)], 128),
    ],
)
def test_the_ground_of_transparent_ink_is_chosen_against_it(
    inks: list[tuple[int, int, int]], ground: int, alpha: int
) -> None:
    image = Image.new("RGBA", (60, 40 * len(inks)), (255, 255, 255, 0))
    for number, ink in enumerate(inks):
        for column in range(5, 55, 8):
            image.paste((*ink, alpha), (column, 40 * number + 5, column + 3, 40 * number + 35))
    found = pixels(save(image, "PNG"))
    assert found[0, 0].tolist() == [ground] * 3
    assert abs(int(found[20, 6, 0]) - ground) >= 60


def test_light_letters_in_a_dark_box_do_not_change_the_ground() -> None:
    image = Image.new("RGBA", (80, 60), (0, 0, 0, 0))
    image.paste((20, 20, 60, 255), (10, 10, 70, 50))
    image.paste((255, 255, 255, 255), (30, 20, 33, 40))
    assert pixels(save(image, "PNG"))[0, 0].tolist() == [255, 255, 255]


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("P", (5, 5), colour) for colour in (0, 1)]
    for frame in frames:
        frame.putpalette([255, 0, 0, 0, 255, 0])
    data = save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with open_document(data, LIMITS) as document:
        assert document.page_count == 1
    assert pixels(data)[0, 0].tolist() == [255, 0, 0]


def png_bomb(side: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(100_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_decompression_bomb_is_refused_before_decoding(side: int) -> None:
    before = Image.MAX_IMAGE_PIXELS
    tracemalloc.start()
    with pytest.raises(OverLimit, match=r"limit of 100,000,000 pixels.*NIGHTSHIFT_MAX_PIXELS"):
        pixels(png_bomb(side))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_chunk_that_unpacks_to_too_much_is_named() -> None:
    packed = zlib.compress(bytes(3 << 20))
    body = b"iCCPx\0\0" + packed
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = save(Image.new("L", (9, 9)), "PNG")
    with pytest.raises(OverLimit, match="a colour profile that unpacks to more than 1 MiB"):
        pixels(data[:33] + chunk + data[33:])


def test_the_pixel_limit_may_be_raised_above_pillows_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert pixels(save(picture(), "PNG")).shape == (20, 30, 3)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "L", "1", "P", "RGBA")),
        *(("TIFF", mode) for mode in ("RGB", "1", "P", "RGBA", "CMYK")),
    ],
)
def test_large_pages_are_scaled_down(kind: str, mode: str) -> None:
    data = save(picture().resize((900, 600)).convert(mode), kind, dpi=(300, 300))
    with open_document(data, Limits(max_side=90)) as document:
        page = document.page(1)
    assert (page.width, page.height) == (90, 60)
    assert page.image is not None
    assert page.image[50, 50].min() > 245
    assert page.dpi == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_truncated_file_is_not_read_in_part(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(7).integers(0, 255, (300, 300, 3), np.uint8))
    data = save(noise, kind)
    with pytest.raises(Unreadable, match=r"image can't be decoded: it .* again\.$") as caught:
        pixels(data[: len(data) * 2 // 3])
    if kind in ("JPEG", "PNG", "BMP"):
        assert "is truncated" in caught.value.message


def three_pages() -> bytes:
    pages = [Image.new("L", (10 * k, 7 * k), 80 * k) for k in (1, 2, 3)]
    return save(pages[0], "TIFF", save_all=True, append_images=pages[1:])


def test_tiff_pages_of_different_sizes_in_any_order() -> None:
    with open_document(three_pages(), LIMITS) as document:
        assert document.page_count == 3
        for number in (3, 1, 2, 2):
            page = document.page(number)
            assert (page.number, page.width, page.height) == (number, 10 * number, 7 * number)
            assert page.image is not None
            assert page.image[0, 0].tolist() == [80 * number] * 3
        with pytest.raises(IndexError):
            document.page(4)


def test_too_many_tiff_pages_name_limit_and_setting() -> None:
    with pytest.raises(OverLimit, match=r"more pages than the limit of 2.*--max-pages"):
        open_document(three_pages(), Limits(max_pages=2))


def test_a_tiff_with_circular_pages_terminates() -> None:
    data = bytearray(three_pages())
    offsets = [struct.unpack_from("<I", data, 4)[0]]
    for _ in range(2):
        count = struct.unpack_from("<H", data, offsets[-1])[0]
        offsets.append(struct.unpack_from("<I", data, offsets[-1] + 2 + 12 * count)[0])
    count = struct.unpack_from("<H", data, offsets[-1])[0]
    struct.pack_into("<I", data, offsets[-1] + 2 + 12 * count, offsets[0])
    with open_document(bytes(data), LIMITS) as document:
        assert document.page_count == 3


def test_tiff_thumbnails_are_not_pages() -> None:
    pages = [Image.new("L", (size, size)) for size in (40, 4)]
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    data = save(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    with open_document(data, LIMITS) as document:
        assert document.page_count == 1
        assert document.page(1).width == 40


def test_a_damaged_page_is_named() -> None:
    noise = Image.fromarray(np.random.default_rng(7).integers(0, 255, (60, 60), np.uint8))
    data = save(noise, "TIFF", save_all=True, append_images=[noise, noise], compression="tiff_lzw")
    with open_document(data, LIMITS) as document:
        document._image.seek(1)  # type: ignore[attr-defined]
        strip = document._image.tag_v2[273][0]  # type: ignore[attr-defined]
    broken = data[: strip + 20] + b"\xff" * 200 + data[strip + 220 :]
    assert pixels(broken, 1).shape == (60, 60, 3)
    with pytest.raises(Unreadable, match=r"Page 2 of 3 of the TIFF image can't be decoded"):
        pixels(broken, 2)


def test_page_image_is_rotated_clockwise() -> None:
    data = save(picture(), "PNG")
    turned = page_image(data, 1, 90, LIMITS)
    assert turned.flags.c_contiguous
    assert np.array_equal(turned, np.asarray(picture().transpose(Image.Transpose.ROTATE_270)))
    assert np.array_equal(page_image(data, 1, 0, LIMITS), np.asarray(picture()))


def test_a_till_roll_keeps_its_width_but_a_page_is_scaled_down() -> None:
    limits = Limits(max_side=400)
    for size, expected in (((100, 3000), (67, 2000)), ((100, 1000), (100, 1000)), ((900, 1200), (300, 400))):
        buffer = io.BytesIO()
        Image.new("L", size, 255).save(buffer, "PNG")
        with open_document(buffer.getvalue(), limits) as document:
            page = document.page(1)
        assert (page.width, page.height) == expected
