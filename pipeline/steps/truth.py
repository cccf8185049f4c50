"""Whether a text layer says what the page shows: pieces of it are read by OCR and compared."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pipeline.documents.base import Document, PageInput, Suspect
from pipeline.ocr.base import OcrEngine
from pipeline.steps.decoding import rendered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALIKE = 0.5
"""Minimum similarity (0..1) of a piece and what OCR reads there: letters mistaken for others leave it above .8."""
ENOUGH = 4
"""Minimum number of characters, and of digits, to be judged by."""
MARGIN = 8
"""Pixels around a piece."""
CONFIDENT = 0.8
"""Minimum confidence of a reading that contradicts the layer ..."""
SURE, WHOLE = 0.9, 0.7
"""... and of one in Latin letters that contradicts another alphabet, of which it must read so much of the piece: of
letters that it does not know it guesses some and leaves out most."""

_LOOK_ALIKE = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0430\u0435\u043e\u0440\u0441\u0443\u0445"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd",
    "ABEKMHOPCTYXaeopcyxABEZHIKMNOPTYXov",
)
"""Cyrillic and Greek letters with the shapes of Latin ones."""

_verdicts: WeakKeyDictionary[Document, dict[str, bool]] = WeakKeyDictionary()


def is_false(document: Document, given: PageInput, ocr: OcrEngine) -> bool:
    """Whether the page shows other text than its layer says. Each font is judged once a document."""
    known = _verdicts.setdefault(document, {})
    image: NDArray[np.uint8] | None = None
    for suspect in given.suspects:
        if suspect.font not in known:
            if image is None:
                image = rendered(document, given.number)
            verdict = _contradicts(image, suspect, ocr, given.rotation)
            if verdict is not None:
                known[suspect.font] = verdict
    return any(known.get(suspect.font, False) for suspect in given.suspects)


def _contradicts(image: NDArray[np.uint8], suspect: Suspect, ocr: OcrEngine, rotation: int) -> bool | None:
    """`None`: nothing could be read there. `rotation`: that of the page, clockwise."""
    import numpy as np

    left, top, right, bottom = (round(edge) for edge in suspect.box)
    crop = image[max(top - MARGIN, 0) : bottom + MARGIN, max(left - MARGIN, 0) : right + MARGIN]
    if not crop.size:
        return None
    lines = sorted(
        ocr.read(np.ascontiguousarray(np.rot90(crop, -rotation // 90))).lines, key=lambda line: line.box[0][0]
    )
    seen = _bare("".join(line.text for line in lines))
    said = _bare(suspect.text)
    length = sum(not char.isspace() for char in suspect.text)
    if len(seen) < max(ENOUGH, len(said) / 2):
        return None
    confidence = min(line.confidence for line in lines)
    if confidence < CONFIDENT:
        return None
    if _is_foreign(suspect.text) and not (
        confidence >= SURE and seen.isascii() and len(seen) >= WHOLE * length
    ):
        return None
    if not said:  # signs alone, where letters are seen
        return True
    pairs = [(said, seen), (_digits(said), _digits(seen))]
    return any(len(one) >= ENOUGH and _alike(one, other) < ALIKE for one, other in pairs)


def _is_foreign(text: str) -> bool:
    """Whether a text is mostly in an alphabet that the models may not know, or in none."""
    letters = [char for char in text if not char.isspace()]
    known = sum((char.isascii() and char.isalnum()) or "\u3040" <= char <= "\u9fff" for char in letters)
    return 2 * known <= len(letters)


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).translate(_LOOK_ALIKE)
    return "".join(char for char in plain.casefold() if char.isalnum())


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
