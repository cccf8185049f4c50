"""Whether the pictures of a PDF page are whole: PDFium draws broken ones white or in half, without an error."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from itertools import islice

import msgspec
import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from pipeline.documents import streams
from pipeline.documents.streams import DAMAGED, EARLY, Fault
from pipeline.errors import Unreadable

SMALL = 0.005
"""Share of the page below which a picture is an ornament: broken, it is worth a warning."""

MAX_PICTURES = 2000
MAX_PIXELS = 400_000_000
"""What is checked per page; the pictures after that are taken as they are."""

_SHORT_NAMES = {
    "AHx": "ASCIIHexDecode",
    "A85": "ASCII85Decode",
    "LZW": "LZWDecode",
    "Fl": "FlateDecode",
    "RL": "RunLengthDecode",
    "CCF": "CCITTFaxDecode",
    "DCT": "DCTDecode",
}
_CODECS = ("DCTDecode", "JPXDecode", "JBIG2Decode", "CCITTFaxDecode")

_COMPONENTS = {
    pdfium_c.FPDF_COLORSPACE_DEVICEGRAY: (1,),
    pdfium_c.FPDF_COLORSPACE_CALGRAY: (1,),
    pdfium_c.FPDF_COLORSPACE_INDEXED: (1,),
    pdfium_c.FPDF_COLORSPACE_SEPARATION: (1,),
    pdfium_c.FPDF_COLORSPACE_DEVICERGB: (3,),
    pdfium_c.FPDF_COLORSPACE_CALRGB: (3,),
    pdfium_c.FPDF_COLORSPACE_LAB: (3,),
    pdfium_c.FPDF_COLORSPACE_DEVICECMYK: (4,),
    pdfium_c.FPDF_COLORSPACE_ICCBASED: (1, 3, 4),
}
_ANY_COMPONENTS = tuple(range(1, 9))


class Pictures(msgspec.Struct, frozen=True):
    """What is broken on one page: `unread` pictures, one sentence about each kind, and `fault` if they are the page."""

    unread: int = 0
    warnings: tuple[str, ...] = ()
    fault: str = ""

    def require(self) -> None:
        """Raise `Unreadable` where the page is little more than its broken pictures."""
        if self.fault:
            raise Unreadable(self.fault)


def broken_pictures(page: pdfium.PdfPage, place: str) -> Pictures:
    """Check each picture on a page, in forms too; `place` names the page, to start a sentence with.

    A broken picture of a page with a good text layer leaves the layer as it is. Without one, call `require`: the page
    counts as unread if broken pictures are half or more of the area of all its pictures.
    """
    whole, broken = 0.0, 0.0
    faults: dict[tuple[Fault, bool], int] = {}
    for share, fault in _checked(page):
        if fault is None:
            whole += share
        else:
            broken += share
            key = fault, share < SMALL
            faults[key] = faults.get(key, 0) + 1
    if not faults:
        return Pictures()
    unread = sum(count for (_, small), count in faults.items() if not small)
    main = next((fault for fault, small in faults if not small), None) if broken >= whole else None
    return Pictures(
        unread=unread,
        warnings=tuple(
            f"{place} holds {_counted(count, 'small ' if small else '', fault)}."
            for (fault, small), count in faults.items()
        ),
        fault=f"{place} holds an image that {main}. Scan or export it again." if main else "",
    )


def pixel_size(picture: pdfium.PdfImage) -> tuple[int, int]:
    """Width and height of a picture in pixels; of a JPEG 2000, which need not be what its PDF says, the larger ones."""
    width, height = picture.get_px_size()
    *before, codec = picture.get_filters() or [""]
    if codec == "JPXDecode":
        get = pdfium_c.FPDFImageObj_GetImageDataDecoded if before else pdfium_c.FPDFImageObj_GetImageDataRaw
        own = streams.jpx_size(_bytes(picture, get))
        width, height = max(width, own[0]), max(height, own[1])
    return width, height


def _counted(count: int, size: str, fault: Fault) -> str:
    if count == 1:
        return f"a {size}image that {fault}" if size else f"an image that {fault}"
    many = fault.replace("ends", "end").replace("so a part is", "so parts are")
    return f"{count} {size}images that {many}"


def _checked(page: pdfium.PdfPage) -> Iterator[tuple[float, Fault | None]]:
    """Share of the page and fault of each picture; one that is drawn many times is checked once."""
    known: dict[tuple[object, ...], Fault | None] = {}
    pixels = 0
    for picture in islice(page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE]), MAX_PICTURES):
        width, height = picture.get_px_size()
        key = width, height, hash(_bytes(picture, pdfium_c.FPDFImageObj_GetImageDataRaw))
        if key not in known:
            pixels += width * height
            if pixels > MAX_PIXELS:
                return
            known[key] = _fault(picture, width, height)
        yield _share(picture, page), known[key]


def _fault(picture: pdfium.PdfImage, width: int, height: int) -> Fault | None:
    if width <= 0 or height <= 0:
        return None  # a picture without pixels draws nothing, as its producer wanted it
    filters = [_SHORT_NAMES.get(name, name) for name in picture.get_filters()]
    codec = filters[-1] if filters else ""
    get = pdfium_c.FPDFImageObj_GetImageDataRaw
    if len(filters) > 1 or codec not in (*_CODECS, "FlateDecode"):
        get = pdfium_c.FPDFImageObj_GetImageDataDecoded  # all filters but one of `_CODECS` are undone
    match codec:
        case "DCTDecode":
            return streams.jpeg_fault(_bytes(picture, get))
        case "JPXDecode":
            data = _bytes(picture, get)
            return streams.jpx_fault(data) or (None if streams.jpx_decodes(data) else _undrawable(picture))
        case "JBIG2Decode":
            return streams.jbig2_fault(_bytes(picture, get)) or _undrawable(picture)
        case "CCITTFaxDecode":
            return _fax_fault(picture, _bytes(picture, get), width, height)
        case _:
            return _plain_fault(picture, filters, width, height)


def _plain_fault(picture: pdfium.PdfImage, filters: list[str], width: int, height: int) -> Fault | None:
    """Check pixels that are stored as such, perhaps deflated."""
    about = picture.get_metadata()
    if about.bits_per_pixel == 0:
        return DAMAGED
    components: tuple[int, ...] = _COMPONENTS.get(about.colorspace, _ANY_COMPONENTS)
    bits: tuple[int, ...] = (1, 2, 4, 8, 16)
    if about.bits_per_pixel == 1:
        components, bits = (1,), (1,)
    elif about.bits_per_pixel == 8:
        components = (1,)
    if filters == ["FlateDecode"]:
        data = _bytes(picture, pdfium_c.FPDFImageObj_GetImageDataRaw)
        return streams.flate_fault(data, width, height, components, bits)
    size = pdfium_c.FPDFImageObj_GetImageDataDecoded(picture, None, 0)
    return streams.plain_fault(size, width, height, components, bits)


def _fax_fault(picture: pdfium.PdfImage, data: bytes, width: int, height: int) -> Fault | None:
    """Check fax data; missing rows count where nothing is drawn in their place."""
    missing = streams.fax_rows_missing(data, width, height)
    if missing <= 0.01 * height:
        return None
    drawn = _drawn(picture)
    if drawn is None:
        return DAMAGED
    rest = drawn[height - missing + 1 :]
    return EARLY if rest.size == 0 or (rest == rest.flat[0]).all() else None


def _undrawable(picture: pdfium.PdfImage) -> Fault | None:
    return DAMAGED if _drawn(picture) is None else None


def _drawn(picture: pdfium.PdfImage) -> NDArray[np.uint8] | None:
    """The picture as PDFium decodes it, `None` if it can't."""
    try:
        return np.array(picture.get_bitmap().to_numpy())
    except pdfium.PdfiumError:
        return None


def _bytes(picture: pdfium.PdfImage, get: Callable[..., int]) -> bytes:
    size = get(picture, None, 0)
    buffer = ctypes.create_string_buffer(size)
    get(picture, buffer, size)
    return buffer.raw[:size]


def _share(picture: pdfium.PdfImage, page: pdfium.PdfPage) -> float:
    """Share of the page that a picture covers."""
    rect, outer = picture.get_bounds(), picture.container
    while outer:  # bounds are in the frame of the form that contains the picture
        rect, outer = outer.get_matrix().on_rect(*rect), outer.container
    left, bottom, right, top = page.get_bbox()
    width = min(max(rect[0], rect[2]), right) - max(min(rect[0], rect[2]), left)
    height = min(max(rect[1], rect[3]), top) - max(min(rect[1], rect[3]), bottom)
    return float(max(width, 0.0) * max(height, 0.0) / (((right - left) * (top - bottom)) or 1.0))
