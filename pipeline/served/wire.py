"""What a PaddleX server is asked, and what it answers: one page, its lines with boxes and confidences.

Format: "OCR pipeline, service deployment" of PaddleX's documentation, 3.7: POST /ocr with JSON.
"""

from __future__ import annotations

import base64
import unicodedata
from typing import Any, NamedTuple

import cv2
import msgspec
import numpy as np

from pipeline.ocr.cuts import Image, Quads

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer; a page of 1,000 lines has 200 KB."""
MAX_LINES = 10_000
BEYOND = 16.0
"""Pixels by which a box may leave its page: PaddleX enlarges boxes, and rounds."""
ROUNDING = 0.001
"""By how much a confidence may exceed 1: servers compute in half precision."""
_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]

_Point = tuple[float, float]


class Line(NamedTuple):
    """A line of text: its box (4, 2), clockwise from the top left, in pixels; confidence 0..1."""

    quad: Quads
    text: str
    confidence: float


class WrongAnswer(Exception):
    """What came is no answer to the request; the text completes "It …"."""


class Refused(Exception):
    """The server says that it did not read the page; the text is its own reason."""


class _Lines(msgspec.Struct):
    rec_texts: list[str]
    rec_scores: list[float]
    rec_polys: list[tuple[_Point, _Point, _Point, _Point]]


class _Page(msgspec.Struct, rename="camel"):
    pruned_result: _Lines


class _Pages(msgspec.Struct, rename="camel"):
    ocr_results: list[_Page]


class _Answer(msgspec.Struct, rename="camel"):
    error_code: int = 0
    error_msg: str = ""
    result: _Pages | None = None


def request_of(image: Image, side: int) -> bytes:
    """The request for a BGR page (h, w, 3), without loss; `side`: longest side in pixels for text detection.

    Lines of low confidence are wanted, too: what counts as read is decided here.
    """
    _, png = cv2.imencode(".png", image, _FAST)
    asked: dict[str, Any] = {
        "file": base64.b64encode(png.data).decode(),
        "fileType": 1,
        "visualize": False,
        "useDocOrientationClassify": False,
        "useDocUnwarping": False,
        "useTextlineOrientation": False,
        "textDetLimitSideLen": side,
        "textDetLimitType": "max",
        "textRecScoreThresh": 0.0,
    }
    return msgspec.json.encode(asked)


def lines_of(data: bytes, height: int, width: int) -> list[Line]:
    """The lines in an answer for a page of this size.

    Raises `Refused`, and `WrongAnswer` for anything that is not such an answer.
    """
    if data.lstrip()[:1] == b"<":
        raise WrongAnswer("answers with a web page (HTML) instead of JSON")
    try:
        answer = msgspec.json.decode(data, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the latter: of texts that are no UTF-8
        what = "JSON of another form" if isinstance(error, msgspec.ValidationError) else "no valid JSON"
        raise WrongAnswer(f"answers with {what}") from None
    if answer.error_code:
        raise Refused(answer.error_msg)
    if answer.result is None or len(answer.result.ocr_results) != 1:
        raise WrongAnswer("does not answer with the lines of one page")
    return _checked(answer.result.ocr_results[0].pruned_result, height, width)


def _checked(found: _Lines, height: int, width: int) -> list[Line]:
    count = len(found.rec_texts)
    if not count == len(found.rec_scores) == len(found.rec_polys):
        raise WrongAnswer("answers with texts, confidences and boxes that differ in number")
    if count > MAX_LINES:
        raise WrongAnswer(f"answers with {count} lines for one page")
    if not all(0 <= score <= 1 + ROUNDING for score in found.rec_scores):
        raise WrongAnswer("answers with a confidence that is not between 0 and 1")
    quads = np.array(found.rec_polys, np.float32).reshape(count, 4, 2)
    if count and not (quads.min() >= -BEYOND and (quads <= (width + BEYOND, height + BEYOND)).all()):
        raise WrongAnswer("answers with boxes outside of the page")
    quads = quads.clip(0, (width, height)).astype(np.float32)
    return [
        Line(quad, _clean(text), min(score, 1.0))
        for quad, text, score in zip(quads, found.rec_texts, found.rec_scores, strict=True)
    ]


def _clean(text: str) -> str:
    """Without control characters, line ends among them, and halves of characters."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
