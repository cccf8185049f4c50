"""Whether a text layer says what the page shows: pieces of it are read by OCR and compared."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from pipeline.documents.base import Document, PageInput, Suspect
from pipeline.ocr.base import OcrEngine
from pipeline.steps.decoding import rendered

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIKE = 0.5
"""Minimum similarity (0..1) of a piece and what OCR reads there: letters mistaken for others leave it above .8."""
ENOUGH = 4
"""Minimum number of characters, and of digits, to be judged by."""
MARGIN = 8
"""Pixels around a piece."""
CONFIDENT = 0.8
"""Minimum confidence of a reading that contradicts the layer."""

_verdicts: WeakKeyDictionary[Document, dict[str, bool]] = WeakKeyDictionary()


def is_false(document: Document, given: PageInput, ocr: OcrEngine) -> bool:
    """Whether the page shows other text than its layer says. Each font is judged once a document."""
    known = _verdicts.setdefault(document, {})
    image: NDArray[np.uint8] | None = None
    for suspect in given.suspects:
        if suspect.font not in known:
            if image is None:
                image = rendered(document, given.number)
            verdict = _contradicts(image, suspect, ocr)
            if verdict is not None:
                known[suspect.font] = verdict
    return any(known.get(suspect.font, False) for suspect in given.suspects)


def _contradicts(image: NDArray[np.uint8], suspect: Suspect, ocr: OcrEngine) -> bool | None:
    """`None`: nothing could be read there."""
    left, top, right, bottom = (round(edge) for edge in suspect.box)
    crop = image[max(top - MARGIN, 0) : bottom + MARGIN, max(left - MARGIN, 0) : right + MARGIN]
    if not crop.size:
        return None
    lines = sorted(ocr.read(np.ascontiguousarray(crop)).lines, key=lambda line: line.box[0][0])
    seen = _bare("".join(line.text for line in lines))
    said = _bare(suspect.text)
    if len(seen) < max(ENOUGH, len(said) / 2):
        return None
    if min(line.confidence for line in lines) < CONFIDENT:
        return None
    pairs = [(said, seen), (_digits(said), _digits(seen))]
    return any(len(one) >= ENOUGH and _alike(one, other) < ALIKE for one, other in pairs)


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
