"""PDF pages by PDFium: rendered as an image for OCR, or read from the text layer and an image of what it lacks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager

import msgspec
import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from pipeline.documents.attached import attached_invoices, files_on
from pipeline.documents.base import Document, PageInput, Rect
from pipeline.documents.notices import refuse_notice
from pipeline.documents.pdf_bounds import check_object_streams, check_page_count
from pipeline.documents.pdf_contents import Contents
from pipeline.documents.pdf_streams import Pictures, broken_pictures, pixel_size
from pipeline.documents.portfolio import refuse_wrapper
from pipeline.documents.suspects import Fonts
from pipeline.documents.text_layer import Layer, flatten, read_layer
from pipeline.documents.turned import rotation_of, turn_lines, turn_rect
from pipeline.documents.visible import set_active
from pipeline.errors import Encrypted, OverLimit, Unreadable, Unsupported
from pipeline.limits import Limits

MIN_SIDE = 1000
"""Minimum long side in pixels: smaller pages are rendered at more than `render_dpi`.

PDFium ignores /UserUnit, and producers that confuse inches with points make such pages too.
"""

MIN_CONTRAST = 40
"""Levels of 255 between the darkest and the lightest pixel of a region that may hold text."""


class PdfFile(Document):
    """A PDF. PDFium is not thread-safe: one process, one thread."""

    media_type = "application/pdf"

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Open without rendering; raises `Encrypted`, `Unreadable`, `Unsupported` or `OverLimit`."""
        self._limits = limits
        self._fonts = Fonts(seen={}, suspicious=set())
        self._scrawls: dict[int, tuple[Rect, ...]] = {}
        self._files: dict[int, list[str]] = {}
        self._pdf = _open(data)
        self._contents = Contents(self._pdf, len(data))
        try:
            self.page_count = len(self._pdf)
            if self.page_count > limits.max_pages:
                raise OverLimit(
                    f"The PDF has {self.page_count} pages, more than the limit of {limits.max_pages}:"
                    " split it, or raise --max-pages."
                )
            if self._pdf.get_formtype() == pdfium_c.FORMTYPE_XFA_FULL:
                raise Unsupported(
                    "The PDF is a dynamic form (XFA) without finished pages: print it to a PDF and send that."
                )
            check_page_count(self._pdf, data)
            refuse_wrapper(self._pdf)
            self._pdf.init_forms()
        except BaseException:
            self._pdf.close()
            raise

    def page(self, number: int) -> PageInput:
        """Read the visible text layer and draw what it lacks, or all; raises `Unreadable` or `OverLimit`.

        The first page has the attached invoices too.
        """
        given = self._read(number)
        if number > 1:
            return given
        codes, warnings = attached_invoices(self._pdf, self._limits.max_bytes)
        return msgspec.structs.replace(given, codes=codes, warnings=(*given.warnings, *warnings))

    def _read(self, number: int) -> PageInput:
        with self._load(number) as (page, scale, scrawls):
            broken = self._broken(number, page)
            layer = None
            if self._limits.text_layer:
                patterns = self._contents.has_patterns(number)
                layer = read_layer(page, _pixel_frame(page, scale), scale, scrawls, patterns=patterns)
            if layer is not None:
                if self.page_count == 1:
                    refuse_notice("\n".join(line.text for line in layer.lines))
                return self._by_layer(number, page, scale, layer, broken)
            broken.require()
            width, height = _pixel_size(page, scale)
            return PageInput(
                number=number,
                width=width,
                height=height,
                image=_draw(page, scale),
                unread=broken.unread,
                warnings=broken.warnings,
                dpi=scale * 72,
            )

    def _broken(self, number: int, page: pdfium.PdfPage) -> Pictures:
        """What of the page is broken: its pictures, or the content that draws them."""
        place = self.place(number)
        blank = pdfium_c.FPDFPage_CountObjects(page) == 0
        faults = self._contents.faults(number, blank=blank)
        broken = broken_pictures(page, place)
        files = self._files[number]
        warnings = tuple(f"{place} has content that {fault}." for fault in dict.fromkeys(faults))
        warnings += tuple(
            f"{place} has the file {name} attached, which was not read: save and send it." for name in files
        )
        if not warnings:
            return broken
        return msgspec.structs.replace(
            broken,
            unread=broken.unread + len(faults) + len(files),
            warnings=(*broken.warnings, *warnings),
            fault=f"{place} has content that {faults[0]}. Scan or export it again."
            if blank
            else broken.fault,
        )

    def _by_layer(
        self, number: int, page: pdfium.PdfPage, scale: float, layer: Layer, broken: Pictures
    ) -> PageInput:
        """The layer's lines upright, and the page without them where some of it is left to be read."""
        width, height = _pixel_size(page, scale)
        rotation = rotation_of(layer.lines)
        suspects = self._fonts.suspects(page, layer.glyphs, scale)
        image = None
        regions = layer.regions
        if regions:
            set_active(layer.runs, active=False)
            image = _draw(page, scale)
            regions = tuple(region for region in regions if _has_ink(image, region))
            image = np.ascontiguousarray(np.rot90(image, -rotation // 90)) if regions else None
        turned = (height, width) if rotation in (90, 270) else (width, height)
        return PageInput(
            number=number,
            width=turned[0],
            height=turned[1],
            image=image,
            lines=turn_lines(layer.lines, rotation, width, height),
            regions=tuple(turn_rect(region, rotation, width, height) for region in regions),
            suspects=suspects,
            tiled=layer.tiled,
            rotation=rotation,
            unread=broken.unread,
            warnings=(*broken.warnings, *layer.warnings),
            dpi=scale * 72,
        )

    def render(self, number: int) -> NDArray[np.uint8]:
        """Render a page as RGB; raises `Unreadable` or `OverLimit`, naming it."""
        with self._load(number) as (page, scale, _):
            return _draw(page, scale)

    def close(self) -> None:
        """Close the document."""
        self._pdf.close()

    @contextmanager
    def _load(self, number: int) -> Iterator[tuple[pdfium.PdfPage, float, tuple[Rect, ...]]]:
        """Load a page and choose its scale in pixels per point; the third is where notes are scrawled, in points."""
        place = self.place(number)
        try:
            page, scrawls = self._flat(number)
            with closing(page):
                self._check_pictures(page, place)
                longest = max(page.get_size())
                scale = max(self._limits.render_dpi / 72, MIN_SIDE / longest)
                # slightly below the limit, since sizes are rounded up
                scale = min(scale, (self._limits.longest_side(*page.get_size()) - 0.01) / longest)
                yield page, scale, scrawls
        except pdfium.PdfiumError as error:
            raise Unreadable(f"{place} is damaged and can't be rendered. Scan or export it again.") from error

    def _flat(self, number: int) -> tuple[pdfium.PdfPage, tuple[Rect, ...]]:
        """Load a page with its form fields, stamps and notes as part of its content."""
        page = self._pdf[number - 1]
        self._files.setdefault(number, files_on(page))
        scrawls = flatten(page)
        if scrawls is not None:
            self._scrawls[number] = scrawls
        empty = min(page.get_size()) <= 0  # a crop box outside of the page: viewers ignore it
        if empty:
            page.set_cropbox(*page.get_mediabox())
        if empty or scrawls is not None:
            page.close()
            page = self._pdf[number - 1]
        if min(page.get_size()) <= 0:
            raise Unreadable(f"{self.place(number)} has no area: export it again.")
        return page, self._scrawls.get(number, ())

    def _check_pictures(self, page: pdfium.PdfPage, place: str) -> None:
        for picture in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE]):
            width, height = pixel_size(picture)
            if width * height > self._limits.max_pixels:
                raise OverLimit(
                    f"{place} contains an image of {width} x {height} pixels, more than the limit of"
                    f" {self._limits.max_pixels:,}: scan it at a lower resolution,"
                    " or raise NIGHTSHIFT_MAX_PIXELS."
                )


def _open(data: bytes) -> pdfium.PdfDocument:
    check_object_streams(data)
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            raise Encrypted("The PDF requires a password: remove the password and send it again.") from error
        if error.err_code == pdfium_c.FPDF_ERR_SECURITY:
            raise Encrypted("The PDF uses an unsupported protection: send an unprotected copy.") from error
        raise Unreadable("The PDF is damaged or has no pages: scan or export it again.") from error


def _draw(page: pdfium.PdfPage, scale: float) -> NDArray[np.uint8]:
    bitmap = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
    with closing(bitmap):
        return np.array(bitmap.to_numpy(), order="C")


def _has_ink(image: NDArray[np.uint8], region: Rect) -> bool:
    """Whether anything can be seen on that part of the page."""
    left, top, right, bottom = (max(round(v), 0) for v in region)
    part = image[top:bottom:2, left:right:2]
    return part.size > 0 and int(part.max()) - int(part.min()) > MIN_CONTRAST


def _pixel_size(page: pdfium.PdfPage, scale: float) -> tuple[int, int]:
    """Width and height of the image that `_draw` returns."""
    return math.ceil(page.get_width() * scale), math.ceil(page.get_height() * scale)


def _pixel_frame(page: pdfium.PdfPage, scale: float) -> pdfium.PdfMatrix:
    """Matrix from the page's own points (y up) to pixels of the rendered page (y down)."""
    left, bottom, right, top = page.get_bbox()
    width, height = _pixel_size(page, scale)
    x, y = width / page.get_width(), height / page.get_height()
    match page.get_rotation():
        case 0:
            return pdfium.PdfMatrix(x, 0, 0, -y, -left * x, top * y)
        case 90:
            return pdfium.PdfMatrix(0, y, x, 0, -bottom * x, -left * y)
        case 180:
            return pdfium.PdfMatrix(-x, 0, 0, y, right * x, -bottom * y)
        case _:
            return pdfium.PdfMatrix(0, -y, -x, 0, top * x, right * y)
