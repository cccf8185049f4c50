"""Raster files as pages: every colour mode and orientation is converted to upright 8-bit RGB.

An animated GIF or WebP is one page, its first frame; a TIFF has one page per full image (thumbnails,
reduced copies and masks are skipped). A truncated file is refused instead of being read in part: a
missing lower half must not look like a page with little text.
"""

from __future__ import annotations

import io
import math
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
from PIL import ExifTags, Image, ImageFilter

from pipeline.documents import zeroed, zeroed_rows
from pipeline.documents.base import Document, PageInput
from pipeline.documents.sniff import NAMES
from pipeline.errors import OverLimit, PermanentError, Unreadable
from pipeline.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/jp2": "JPEG2000",
    "image/j2c": "JPEG2000",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
    "image/heif": "HEIF",
}

_BY_ROWS = ("image/bmp", "image/tiff")

# EXIF 2.3, tag 0x0112: how to rotate the stored image upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# TIFF 6.0: NewSubfileType bit 0 = reduced copy of another page, bit 2 = transparency mask.
_SUBFILE_TYPE, _NO_PAGE = 254, 0b101
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0

_GROUNDS = (255, 0, 128)
"""Grey values that transparent parts may get, white first."""
_CLEAR, _INK = 48, 96
"""Alpha below and above which a pixel is transparent or ink."""
_CONTRAST = 70
"""Ink that differs less from its ground is lost."""


class ImageFile(Document):
    """A raster file of any supported type except PDF."""

    def __init__(self, data: bytes, media_type: str, limits: Limits) -> None:
        """Open without decoding; raises `Unreadable` or `OverLimit`."""
        self.media_type = media_type
        self.page_count = 1
        self._data = data
        self._limits = limits
        if media_type == "image/heif":
            from pi_heif import register_heif_opener

            register_heif_opener()
        if zeroed.has_lost_part(data, media_type):
            raise _overwritten(f"the {NAMES[media_type]}")
        with self._errors_of(f"The {NAMES[media_type]}"):
            self._image = self._open()
            self._frames = [0]
            if media_type == "image/tiff":
                self._frames = _tiff_frames(self._image, limits.max_pages)
            elif media_type == "image/heif":  # several photos in one file, no animation
                self._frames = list(range(min(getattr(self._image, "n_frames", 1), limits.max_pages)))
        self.page_count = len(self._frames)

    def page(self, number: int) -> PageInput:
        """Decode a page; raises `Unreadable` or `OverLimit`, naming it."""
        place = self.place(number)
        with self._errors_of(place):
            if self.page_count > 1:
                self._image.seek(self._frames[number - 1])
            else:  # a loaded single image can't be rewound
                self._image = self._open()
            stored = self._image.size
            self._check_size(place)
            if self.media_type in _BY_ROWS and zeroed_rows.has_lost_rows(self._data, self._image):
                raise _overwritten(place[0].lower() + place[1:])
            upright = _decode(self._image, self._limits)
            dpi = _dpi(self._image)
        pixels = np.array(upright)
        height, width, _ = pixels.shape
        scale = max(width, height) / max(stored)
        return PageInput(
            number=number, width=width, height=height, image=pixels, dpi=dpi * scale if dpi else None
        )

    def render(self, number: int) -> NDArray[np.uint8]:
        """Decode a page as RGB; raises `Unreadable` or `OverLimit`, naming it."""
        image = self.page(number).image
        assert image is not None
        return image

    def close(self) -> None:
        """Release the decoded image."""
        self._image.close()

    def _open(self) -> Image.Image:
        return Image.open(io.BytesIO(self._data), formats=(_FORMATS[self.media_type],))

    def _check_size(self, place: str) -> None:
        width, height = self._image.size
        if width * height > self._limits.max_pixels:
            raise OverLimit(
                f"{place} has {width} x {height} pixels, more than the limit of {self._limits.max_pixels:,}"
                " pixels: scan it at a lower resolution, or raise NIGHTSHIFT_MAX_PIXELS."
            )

    @contextmanager
    def _errors_of(self, place: str) -> Iterator[None]:
        """Turn whatever the decoders raise on broken bytes into one clear sentence."""
        try:
            with _quiet_pillow(self._limits.max_pixels):
                yield
        except (PermanentError, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            raise OverLimit(
                f"{place} has more than the limit of {self._limits.max_pixels:,} pixels:"
                " scan it at a lower resolution, or raise NIGHTSHIFT_MAX_PIXELS."
            ) from error
        except Exception as error:  # hostile bytes make Pillow raise nearly any type
            if "data too large" in str(error):  # of a chunk that is packed, of a PNG
                raise OverLimit(
                    f"{place} holds a text or a colour profile that unpacks to more than 1 MiB, as files made to"
                    " exhaust a machine do: save it without metadata."
                ) from error
            early = isinstance(error, EOFError) or "truncated" in str(error).lower()
            what = "is truncated" if early else "is damaged or in an unsupported variant of its format"
            raise Unreadable(f"{place} can't be decoded: it {what}. Scan or export it again.") from error


def _overwritten(place: str) -> Unreadable:
    return Unreadable(
        f"A part of {place} was overwritten with zeros, as by a copy that broke off: copy it again, or scan it again."
    )


@contextmanager
def _quiet_pillow(max_pixels: int) -> Iterator[None]:
    """Silence Pillow's warnings about odd metadata and set its decompression bomb limit to ours."""
    saved = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = saved


def _tiff_frames(image: Image.Image, max_pages: int) -> list[int]:
    """Find the frames that are pages, reading headers only; Pillow stops at circular chains."""
    frames: list[int] = []
    reduced: list[int] = []
    while True:
        number = len(frames) + len(reduced)
        try:
            image.seek(number)
        except EOFError:
            return frames or reduced
        if number >= max_pages:
            raise OverLimit(
                f"The TIFF image has more pages than the limit of {max_pages}:"
                " split it, or raise --max-pages."
            )
        kind = image.tag_v2.get(_SUBFILE_TYPE, 0)  # type: ignore[attr-defined]
        (reduced if isinstance(kind, int) and kind & _NO_PAGE else frames).append(number)


def _decode(image: Image.Image, limits: Limits) -> Image.Image:
    """Decode the current frame as RGB, scaled down to the limit and rotated upright."""
    scale = min(1.0, limits.longest_side(*image.size) / max(image.size))
    target = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image.draft(None, target)  # a JPEG is decoded at 1/2, 1/4 or 1/8 where that is still large enough
    image.load()
    plain = _plain_mode(image)
    if plain.size != target:
        plain = plain.resize(target, Image.Resampling.LANCZOS, reducing_gap=2.0)
    orientation = _orientation(image)
    rgb = _on_ground(plain)
    return rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb


def _plain_mode(image: Image.Image) -> Image.Image:
    """Convert any mode to one that can be resized: 8 bits per channel, alpha not premultiplied."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_grey8(np.asarray(image), inverted=_white_is_zero(image)))
    if image.mode == "La":
        return image.convert("LA")
    if image.has_transparency_data:
        return image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGB") if image.mode == "P" else image


def _grey8(values: NDArray[np.generic], *, inverted: bool) -> NDArray[np.uint8]:
    """Scale grey values of any depth to 0..255.

    The full scale is the smallest common one (1 for fractions, 8, 12, 16 bits) that contains every value,
    since 12-bit scanners store their values in 16 bits; anything else is stretched from its minimum to
    its maximum.
    """
    is_float = values.dtype.kind == "f"
    grey = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) if is_float else values
    low, high = float(grey.min()), float(grey.max())
    ceilings = (1.0, 255.0, 4095.0, 65535.0) if is_float else (255.0, 4095.0, 65535.0)
    full = next((c for c in ceilings if high <= c), None)
    if low < 0 or full is None:
        offset, span = low, high - low
    else:
        offset, span = 0.0, full
    scaled = np.subtract(grey, offset, dtype=np.float32)
    scaled *= 255.0 / (span or 1.0)
    if inverted:
        np.subtract(255.0, scaled, out=scaled)
    result: NDArray[np.uint8] = np.rint(scaled, out=scaled).astype(np.uint8)
    return result


def _white_is_zero(image: Image.Image) -> bool:
    """Whether a TIFF stores white as 0, which Pillow does not invert in 16-bit modes."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _on_ground(image: Image.Image) -> Image.Image:
    """Convert to RGB; transparent parts become white, or black or grey where light ink would vanish on white."""
    if image.mode not in ("RGBA", "LA"):
        return image.convert("RGB")
    alpha = image.getchannel("A")
    ground = Image.new("RGB", image.size, (_ground(image.convert("L"), alpha),) * 3)
    ground.paste(image.convert("RGB"), mask=alpha)
    return ground


def _ground(grey: Image.Image, alpha: Image.Image) -> int:
    """The grey value, of _GROUNDS, on which the least of the ink is lost; the first of equals.

    Only ink next to transparent pixels counts: ink in a filled box contrasts with the box.
    """
    near_clear = np.asarray(alpha.filter(ImageFilter.MinFilter(5))) < _CLEAR
    ink = np.asarray(grey)[(np.asarray(alpha) >= _INK) & near_clear].astype(np.int16)
    if not ink.size:
        return _GROUNDS[0]
    lost = [round(float((np.abs(ink - ground) < _CONTRAST).mean()), 2) for ground in _GROUNDS]
    return _GROUNDS[lost.index(min(lost))]


def _orientation(image: Image.Image) -> int:
    """Read the orientation of a decoded image; a broken EXIF block counts as none (TIFF: applied on load)."""
    with suppress(Exception):
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def _dpi(image: Image.Image) -> float | None:
    """Read the stored resolution in pixels per inch, if plausible."""
    with suppress(TypeError, ValueError, ZeroDivisionError, IndexError):
        dpi = float(image.info["dpi"][0]) if "dpi" in image.info else math.nan
        return dpi if 10 <= dpi <= 10_000 else None
    return None
