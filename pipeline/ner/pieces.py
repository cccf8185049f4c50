"""Cut a text into the pieces LAC reads: one line or less each, of bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterator

LIMIT = 256
"""Longest piece in characters: bounds memory; LAC was trained on single sentences."""

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_SENTENCE_END = re.compile(r"[。！？!?；;…]+[”’」』）)\"']*")
_PAUSE = re.compile(r"[，,、：:\s]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def chinese_pieces(text: str, limit: int = LIMIT) -> Iterator[tuple[int, str]]:
    """Yield (offset, piece) for the pieces of `text` that hold at least two Han characters.

    No piece holds a line break, starts or ends with white space, or is longer than `limit` (>= 2).
    """
    for line in _LINE.finditer(text):
        start = line.start()
        while start < line.end():
            end = _cut(text, start, line.end(), limit)
            piece = text[start:end]
            if _is_chinese(piece):
                yield start + len(piece) - len(piece.lstrip()), piece.strip()
            start = end


def _cut(text: str, start: int, stop: int, limit: int) -> int:
    """Where the piece from `start` ends: at a sentence end, else a pause, of its second half, else hard."""
    if stop - start <= limit:
        return stop
    for mark in (_SENTENCE_END, _PAUSE):
        ends = [match.end() for match in mark.finditer(text, start + limit // 2, start + limit)]
        if ends:
            return ends[-1]
    return start + limit


def _is_chinese(piece: str) -> bool:
    first = _HAN.search(piece)
    return first is not None and _HAN.search(piece, first.end()) is not None
