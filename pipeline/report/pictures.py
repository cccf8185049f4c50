"""Pictures of pages for the report: parts of them, and whole ones, small enough and without what the policy masks.

What OCR has not read can't be masked. So of a page only what was read, and is not masked, may be seen in a part of it:
everything else there is painted over. A whole page is shown so small that ten characters across it, as any number of
a person has, are less than five pixels wide each, and what was read and is masked is painted over as well. Where names
are masked there are no pictures: too many of them are in no list. Documents are parsed in the reader's sandbox.
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs
from PIL import Image, ImageDraw

from pipeline import reader
from pipeline.errors import NotFound, PermanentError, PipelineError
from pipeline.limits import Limits
from pipeline.mask_policy import policy
from pipeline.models import Box, DocumentResult, Page
from pipeline.storage import Store, keys

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CROP_BYTES, CROP_WIDTH, CROP_HEIGHT = 14_000, 440, 120
"""Bytes and pixels of a part of a page, ..."""
THUMB_BYTES, THUMB_SIDE, MASKED_SIDE = 4_500, 130, 48
"""... and of a whole one; `MASKED_SIDE`: pixels of its longer side under a policy that masks something."""
SECONDS = 30.0
"""After which no more pictures are made for one report."""
LARGEST = 32 * 1024 * 1024
"""Bytes of a document of which pictures are made, at most."""

_PAPER, _INK = 255, 200
_LEVELS = 16  # of grey
_THUMB_DPI = 50


class Pictures:
    """Makes the pictures of one report, within `SECONDS`; the bytes of one document are in memory at a time."""

    def __init__(self, store: Store, limits: Limits, mask: str) -> None:
        self._store, self._limits = store, limits
        rules = policy(mask)
        self.masked = bool(rules.kinds)
        self._none = rules.hides_names
        self._until = time.monotonic() + SECONDS

    def crop(self, result: DocumentResult, masked: DocumentResult, number: int, boxes: Sequence[Box]) -> str:
        """The part of a page where these boxes are, as PNG in base64; empty where none can or may be shown."""
        page, shown = _page(result, number), _page(masked, number)
        if self._none or page is None or shown is None or not boxes or not page.width:
            return ""
        pixels = self._pixels(result.sha256, page, self._limits)
        if pixels is None:
            return ""
        picture = Image.fromarray(pixels).convert("L")
        if picture.size != (page.width, page.height):  # read at another resolution than the current setting
            picture = picture.resize((page.width, page.height))
        if self.masked:
            picture = _only_read(picture, page, shown)
        return _png(_fitted(picture.crop(_around(boxes, page)), CROP_WIDTH, CROP_HEIGHT), CROP_BYTES)

    def thumbnail(self, result: DocumentResult, masked: DocumentResult) -> str:
        """The first page as a small picture, as PNG in base64; empty where none can or may be shown."""
        page, shown = _page(result, 1), _page(masked, 1)
        if self._none or page is None or shown is None or not page.width:
            return ""
        small = structs.replace(self._limits, render_dpi=min(self._limits.render_dpi, _THUMB_DPI))
        pixels = self._pixels(result.sha256, page, small)
        if pixels is None:
            return ""
        picture = Image.fromarray(pixels).convert("L")
        if self.masked:
            scale = picture.width / page.width
            _paint(picture, _hidden(page, shown), scale, _INK)
        side = MASKED_SIDE if self.masked else THUMB_SIDE
        return _png(_fitted(picture, side, side), THUMB_BYTES)

    def _pixels(self, sha256: str | None, page: Page, limits: Limits) -> NDArray[np.uint8] | None:
        """The upright page as RGB; `None` where it can't be drawn, or there is no time left."""
        import numpy as np

        if sha256 is None or time.monotonic() > self._until:
            return None
        try:
            data = self._store.get(keys.document(sha256))
            if len(data) > LARGEST:
                return None
            with reader.open_document(data, limits) as document:
                drawn = document.render(page.number)
        except (NotFound, PermanentError, MemoryError, IndexError):  # not kept, or it has no picture
            return None
        except PipelineError:  # a reader that does not start, a key that is not known here
            return None
        return np.ascontiguousarray(np.rot90(drawn, -page.rotation // 90))


def _page(result: DocumentResult, number: int) -> Page | None:
    return next((page for page in result.pages if page.number == number and page.error is None), None)


def _hidden(page: Page, shown: Page) -> list[Box]:
    """Where what is masked is on a page: lines of which the policy masks something, and codes."""
    lines = [line.box for line, other in zip(page.lines, shown.lines, strict=True) if line.text != other.text]
    return [*lines, *(code.box for code in page.codes if code.box)]


def _only_read(picture: Image.Image, page: Page, shown: Page) -> Image.Image:
    """The page with everything painted over that was not read, or is masked."""
    seen = Image.new("L", picture.size, 0)
    hidden = _hidden(page, shown)
    masked = {id(box) for box in hidden}
    _paint(seen, [line.box for line in page.lines if id(line.box) not in masked], 1.0, 255)
    _paint(seen, hidden, 1.0, 0)
    return Image.composite(picture, Image.new("L", picture.size, _INK), seen)


def _paint(picture: Image.Image, boxes: Sequence[Box], scale: float, value: int) -> None:
    draw = ImageDraw.Draw(picture)
    for box in boxes:
        draw.polygon([(x * scale, y * scale) for x, y in box], fill=value, outline=value, width=3)


def _around(boxes: Sequence[Box], page: Page) -> tuple[int, int, int, int]:
    """The rectangle around boxes, with a little of what is next to them."""
    xs = [x for box in boxes for x, _ in box]
    ys = [y for box in boxes for _, y in box]
    height = (max(ys) - min(ys)) / len(boxes)
    return (
        max(int(min(xs) - 2 * height), 0),
        max(int(min(ys) - 0.6 * height), 0),
        min(int(max(xs) + 2 * height) + 1, page.width),
        min(int(max(ys) + 0.6 * height) + 1, page.height),
    )


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / max(picture.width, 1), height / max(picture.height, 1), 1.0)
    size = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _png(picture: Image.Image, most: int) -> str:
    """As PNG of at most so many bytes, in base64: made smaller until it fits; empty where nothing is on it."""
    darkest, lightest = picture.getextrema()
    if darkest == lightest:
        return ""
    for _ in range(6):
        out = io.BytesIO()
        _levels(picture).save(out, "PNG", optimize=True)
        if out.tell() <= most:
            return base64.b64encode(out.getvalue()).decode()
        picture = _fitted(picture, picture.width * 3 // 4, picture.height * 3 // 4)
    return ""


def _levels(picture: Image.Image) -> Any:
    return picture.quantize(_LEVELS, dither=Image.Dither.NONE)
