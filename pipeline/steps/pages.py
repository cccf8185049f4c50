"""How one page is read: its native text layer, OCR of the rendered page, or the layer and OCR of what it lacks."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from msgspec import structs

from pipeline.documents.base import Document, PageInput, Rect
from pipeline.documents.codes import find_codes
from pipeline.documents.layout import assemble
from pipeline.documents.turned import turn_lines
from pipeline.errors import PipelineError, RunError
from pipeline.models import Box, Code, Page, Point, Rotation, TextLine
from pipeline.steps import truth
from pipeline.steps.decoding import decoded, rendered
from pipeline.steps.engines import Engines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.ocr.base import PageReading

LETTERHEADS = 32
"""Pictures whose text is kept for the pages to come."""
FALSE_LAYER = "The text layer has other letters than the page shows: the page was read by OCR."


def read_page(document: Document, number: int, engines: Engines) -> Page:
    """Read page `number` (from 1); raises `Unreadable` or `OverLimit`, naming the page."""
    started = engines.clock()
    given = decoded(document, number)
    if given.image is not None or given.suspects:
        loading = engines.clock()
        _load_ocr(engines)
        started += engines.clock() - loading  # done once per process, no part of the page
    computed = engines.gpu_clock()
    if given.suspects and _is_false(document, given, engines):
        given = PageInput(
            number=number,
            width=given.width,
            height=given.height,
            image=rendered(document, number),
            unread=given.unread,
            warnings=(*given.warnings, FALSE_LAYER),
            codes=given.codes,
        )
    page = _by_ocr(given, engines) if given.lines is None else _by_layer(given, engines)
    turn = cast(Rotation, (page.rotation - given.rotation) % 360)
    codes = (*given.codes, *_codes_drawn(document, given, turn))
    seconds, gpu_seconds = engines.clock() - started, engines.gpu_clock() - computed
    return structs.replace(page, codes=codes, seconds=round(seconds, 4), gpu_seconds=round(gpu_seconds, 4))


def _is_false(document: Document, given: PageInput, engines: Engines) -> bool:
    with engines.computing("ocr"):
        return truth.is_false(document, given, engines.ocr)


def _codes_drawn(document: Document, given: PageInput, turn: Rotation) -> tuple[Code, ...]:
    """The barcodes on the page. It is drawn for them only where small areas look like one."""
    if given.image is not None:
        return find_codes(given.image, turn)
    if given.tiled:
        return find_codes(rendered(document, given.number), cast(Rotation, (given.rotation + turn) % 360))
    return ()


def _load_ocr(engines: Engines) -> None:
    """Load the engine; what goes wrong there is no page's fault."""
    try:
        _ = engines.ocr
    except PipelineError:
        raise
    except Exception as error:
        raise RunError(
            f"The OCR engine {engines.settings.ocr_engine} can't be loaded ({type(error).__name__}: {error}): "
            "check its installation and the device."
        ) from error


def _by_ocr(given: PageInput, engines: Engines) -> Page:
    """The whole page by OCR."""
    assert given.image is not None
    with engines.computing("ocr"):
        seen = engines.ocr.read(given.image)
    text, lines = assemble(seen.lines, seen.width, seen.height)
    return Page(
        number=given.number,
        width=seen.width,
        height=seen.height,
        rotation=seen.rotation,
        text_from="ocr",
        text=text,
        lines=lines,
        regions_found=seen.found + given.unread,
        regions_unread=seen.unread + given.unread,
        parts_missing=given.unread,
        warnings=given.warnings,
    )


def _by_layer(given: PageInput, engines: Engines) -> Page:
    """The native text layer, and OCR of the regions that it does not cover."""
    assert given.lines is not None
    found, unread, added = given.unread, given.unread, list[TextLine]()
    votes: Counter[Rotation] = Counter({0: _length(given.lines)})
    for region in given.regions:
        assert given.image is not None
        seen, there = _read_region(given.image, region, engines)
        found, unread = found + seen.found, unread + seen.unread
        there = [line for line in there if not _repeats(line, given.lines)]
        votes[seen.rotation] += _length(there)
        added += there
    # a few digital characters on a scan that is turned to its side are turned with it
    (turn, _), *_ = votes.most_common(1)
    width, height = (given.height, given.width) if turn in (90, 270) else (given.width, given.height)
    upright = turn_lines([*given.lines, *added], turn, given.width, given.height)
    text, lines = assemble(upright, width, height)
    return Page(
        number=given.number,
        width=width,
        height=height,
        rotation=cast(Rotation, (given.rotation + turn) % 360),
        text_from="mixed" if added else "text_layer",
        text=text,
        lines=lines,
        regions_found=found,
        regions_unread=unread,
        parts_missing=given.unread,
        warnings=given.warnings,
    )


def _length(lines: Iterable[TextLine]) -> int:
    return sum(len(line.text) for line in lines)


def _read_region(
    image: NDArray[np.uint8], region: Rect, engines: Engines
) -> tuple[PageReading, list[TextLine]]:
    """OCR one part of a page; its lines with boxes in pixels of the whole page."""
    import numpy as np

    left, top, right, bottom = (round(v) for v in region)
    crop = np.ascontiguousarray(image[max(top, 0) : bottom, max(left, 0) : right])
    seen = _read_once(crop, engines)
    height, width = crop.shape[:2]
    corner = (float(max(left, 0)), float(max(top, 0)))
    lines = [
        structs.replace(line, box=_placed(line.box, seen.rotation, width, height, corner))
        for line in seen.lines
    ]
    return seen, lines


_letterheads: OrderedDict[tuple[str, bytes], PageReading] = OrderedDict()
"""What was read in the last pictures: a logo is the same on all pages, and on all letters of a sender."""
_kept = threading.Lock()


def _read_once(crop: NDArray[np.uint8], engines: Engines) -> PageReading:
    key = engines.ocr_info.digest, hashlib.sha256(crop.tobytes() + repr(crop.shape).encode()).digest()
    seen = _letterheads.get(key)
    if seen is None:
        with engines.computing("ocr"):
            seen = engines.ocr.read(crop)
    with _kept:
        _letterheads[key] = seen
        _letterheads.move_to_end(key)
        if len(_letterheads) > LETTERHEADS:
            _letterheads.popitem(last=False)
    return seen


def _placed(box: Box, rotation: Rotation, width: int, height: int, corner: Point) -> Box:
    """A box on a crop that was rotated clockwise, as pixels of the page that the crop was cut from."""

    def back(x: float, y: float) -> Point:
        match rotation:
            case 90:
                x, y = y, height - x
            case 180:
                x, y = width - x, height - y
            case 270:
                x, y = width - y, x
        return x + corner[0], y + corner[1]

    first, second, third, fourth = (back(x, y) for x, y in box)
    return first, second, third, fourth


def _repeats(line: TextLine, layer: Sequence[TextLine]) -> bool:
    """Whether a line that OCR found is at a place where the layer has a line already."""
    x = sum(px for px, _ in line.box) / 4
    y = sum(py for _, py in line.box) / 4
    for known in layer:
        xs, ys = [px for px, _ in known.box], [py for _, py in known.box]
        if min(xs) <= x <= max(xs) and min(ys) <= y <= max(ys):
            return True
    return False
