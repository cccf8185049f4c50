"""Cut a text into pieces for LAC: each at most one line or column, of bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterator

LIMIT = 256
"""Maximum piece length in characters: bounds memory; LAC was trained on single sentences."""

BREAK = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|[^\S\n\r]{2,}")
"""A line break, or the wide gap between columns of a line (`pipeline.documents.layout`)."""

_SENTENCE_END = re.compile(r"[。！？!?；;…]+[”’」』）)\"']*")
_PAUSE = re.compile(r"[，,、：:\s]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def chinese_pieces(text: str, limit: int = LIMIT) -> Iterator[tuple[int, str]]:
    """Yield (offset, piece) for the pieces of `text` that contain at least two Han characters.

    No piece contains a line break or a wide gap, starts or ends with white space, or is longer than
    `limit` (>= 2).
    """
    at = 0
    for gap in [*BREAK.finditer(text), None]:
        stop = gap.start() if gap else len(text)
        while at < stop:
            end = _cut(text, at, stop, limit)
            piece = text[at:end]
            if _is_chinese(piece):
                yield at + len(piece) - len(piece.lstrip()), piece.strip()
            at = end
        at = gap.end() if gap else stop


def _cut(text: str, start: int, stop: int, limit: int) -> int:
    """End of the piece from `start`: a sentence end in its second half, else a pause there, else the limit."""
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
