"""The native text layer of a PDF page: what of it can be seen, and what of the page it lacks.

A layer contains only what its producer put there, and not all of that is on the paper: text may be hidden. Text in
pictures, stamps and outlines is not in it; those regions are read by OCR.
"""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipeline.documents.base import LEGIBLE, Rect
from pipeline.documents.drawings import drawings, is_tiled, regions
from pipeline.documents.glyphs import MAX_CHARS, Glyph, Run, read_glyphs
from pipeline.documents.lines import text_lines
from pipeline.documents.visible import look
from pipeline.models import TextLine

MIN_CHARS = 20
"""A page with less visible text than this is read as a whole by OCR, too."""
MAX_STRANGE = 0.03
"""Maximum share of characters without a known Unicode value."""

MAX_TEXTS = 20_000
"""Pages that are drawn by more pieces of text are read by OCR: PDFium takes the square of their number."""
MAX_NOTES = 2000
"""More form fields, stamps and notes than this on a page are not made part of its content: it takes too long."""

_TEXTLESS = {pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP, pdfium_c.FPDF_ANNOT_FILEATTACHMENT}
_SCRAWLED = {pdfium_c.FPDF_ANNOT_INK}


class Layer(NamedTuple):
    """A page's visible native text. `runs`: the text objects it is drawn by. `regions`: what it lacks, in pixels.

    `tiled`: see `PageInput`.
    """

    lines: tuple[TextLine, ...]
    glyphs: list[Glyph]
    regions: tuple[Rect, ...]
    warnings: tuple[str, ...]
    tiled: bool = False

    @property
    def runs(self) -> list[Run]:
        """The text objects that draw the layer."""
        return [glyph.run for glyph in self.glyphs]


def read_layer(
    page: pdfium.PdfPage,
    frame: pdfium.PdfMatrix,
    scale: float,
    scrawls: tuple[Rect, ...] = (),
    *,
    patterns: bool = False,
) -> Layer | None:
    """Read the page's visible text, or return `None` where all of it is better read by OCR of the page.

    That is so if it has no visible text (that which OCR programs put under a scan is not), or more than a few
    characters without a known Unicode value. `frame` maps the page's points to pixels of the rendered page,
    `scale` is the number of pixels of a point; `scrawls`: further regions to be read, in points; `patterns`: see
    `drawings`.
    """
    if _has_countless_texts(page):
        return None
    with closing(page.get_textpage()) as textpage:
        if not 0 < textpage.count_chars() <= MAX_CHARS:
            return None
        glyphs, outside, strange = read_glyphs(textpage, frame)
        if not glyphs or strange > MAX_STRANGE * (len(glyphs) + strange):
            return None
        drawn = drawings(page, frame, scale, patterns=patterns)
        kept, hidden, undrawn = look(page, glyphs, drawn, scale)
    if not kept:
        return None
    width, height = frame.on_rect(*page.get_bbox())[2:]
    drawn.pictures.extend(frame.on_rect(*rect) for rect in scrawls)
    parts = regions(drawn, width, height, scale) if len(kept) >= MIN_CHARS else ((0.0, 0.0, width, height),)
    warnings = (*_left_out(hidden + outside), *_not_drawn(undrawn))
    return Layer(tuple(text_lines(kept)), kept, parts, warnings, is_tiled(drawn, scale))


def _has_countless_texts(page: pdfium.PdfPage) -> bool:
    count: int = pdfium_c.FPDFPage_CountObjects(page)
    if count <= MAX_TEXTS:
        return False
    kinds = (pdfium_c.FPDFPageObj_GetType(pdfium_c.FPDFPage_GetObject(page, n)) for n in range(count))
    texts: int = sum(kind == pdfium_c.FPDF_PAGEOBJ_TEXT for kind in kinds)
    return texts > MAX_TEXTS


def _left_out(hidden: list[Glyph]) -> list[str]:
    count = (
        sum(sum(c.isalnum() for c in line.text) >= LEGIBLE for line in text_lines(hidden)) if hidden else 0
    )
    if not count:
        return []
    number, verb = ("1 line", "is") if count == 1 else (f"{count} lines", "are")
    was = "was" if count == 1 else "were"
    return [f"{number} of the text layer {verb} not visible on the page and {was} left out."]


def _not_drawn(undrawn: list[Glyph]) -> list[str]:
    count = len(text_lines(undrawn)) if undrawn else 0
    if not count:
        return []
    number, verb = ("1 line", "is") if count == 1 else (f"{count} lines", "are")
    return [
        f"{number} of the text layer {verb} not drawn, because a font is missing on this computer, and kept as the"
        " file has them: install a font for Chinese, such as fonts-wqy-microhei."
    ]


def flatten(page: pdfium.PdfPage) -> tuple[Rect, ...] | None:
    """Make form fields, stamps and notes part of the page's content, as they are drawn; `None` if there are none.

    Returns the rectangles of scrawls among them, in points. The page must be loaded again to show the change.
    """
    kinds, scrawls = [], []
    rect = pdfium_c.FS_RECTF()
    for index in range(pdfium_c.FPDFPage_GetAnnotCount(page)):
        note = pdfium_c.FPDFPage_GetAnnot(page, index)
        kind = pdfium_c.FPDFAnnot_GetSubtype(note)
        if pdfium_c.FPDFAnnot_HasKey(note, b"AP") and kind not in _TEXTLESS:
            kinds.append(kind)
            if kind in _SCRAWLED and pdfium_c.FPDFAnnot_GetRect(note, rect):
                scrawls.append((rect.left, rect.bottom, rect.right, rect.top))
        pdfium_c.FPDFPage_CloseAnnot(note)
    if len(kinds) > MAX_NOTES:
        return None  # drawn all the same
    if not kinds or pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY) != pdfium_c.FLATTEN_SUCCESS:
        return None
    return tuple(scrawls)
