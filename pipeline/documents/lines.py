"""The lines of a PDF page: characters of its text layer grouped by where they stand."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from pipeline.documents import bidi
from pipeline.documents.glyphs import Glyph, back
from pipeline.models import TextLine

COLUMN_GAP = 2.0
"""A wider gap, in ems, between characters that follow each other in the file separates two lines ..."""
JOIN_GAP = 0.7
"""... and this one pieces that are joined because of their place alone."""
WORD_GAP = 0.3
"""A wider gap, in ems, is a blank even if the file has none there ..."""
THIN_GAP = 0.05
"""... and where the file has one, or PDFium guesses one, this is enough."""
LEFTWARD_GAPS = WORD_GAP, WORD_GAP / 2, THIN_GAP
"""The same for lines from right to left: the file has no blank, PDFium guesses one, the file has one."""
TRACKED = 4
"""Minimum number of letters of letter-spaced text."""
MAX_TRACKING = 0.35
"""Widest letter-spacing, in ems, of letters placed one by one: wider ones are cells of a table."""
EVEN = 0.06
"""Gaps that differ by less from their median, in ems, are even ..."""
MOSTLY = 0.8
"""... and in letter-spaced figures at least this share of them are."""
TYPED = 5
"""Minimum number of letters that are spaced by typed blanks ..."""
TYPED_GAP = 0.4
"""... which are no wider than this, in ems."""


def text_lines(glyphs: Sequence[Glyph]) -> list[TextLine]:
    """Group characters into lines, in any order; a gap of over two ems separates two lines (columns).

    Characters are taken in file order; pieces that nearly touch on one baseline are joined wherever they
    are in the file; a piece painted twice counts once.
    """
    pieces: list[list[Glyph]] = []
    for glyph in glyphs:
        last = pieces[-1][-1] if pieces else None
        if last and (_follows(last, glyph, gap=COLUMN_GAP, drift=0.5) or _precedes(last, glyph)):
            pieces[-1].append(glyph)
        else:
            pieces.append([glyph])
    for piece in pieces:
        if _runs_left(piece):
            piece.sort(key=lambda glyph: glyph.left)
    return [_text_line(piece) for row in _rows(pieces) for piece in _joined(row)]


def _follows(last: Glyph, glyph: Glyph, *, gap: float, drift: float) -> bool:
    small, large = (last.em, glyph.em) if last.em < glyph.em else (glyph.em, last.em)
    return (
        last.left - 0.1 * small <= glyph.left <= last.right + gap * small  # ligatures share one place
        and abs(last.base - glyph.base) <= drift * large
        and last.turn == glyph.turn
    )


def _precedes(last: Glyph, glyph: Glyph) -> bool:
    """Whether a letter of a script that runs from right to left goes on to the left of the last one."""
    em = min(last.em, glyph.em)
    return (
        glyph.char >= "\u0590"
        and bidi.is_right_to_left(glyph.char)
        and bidi.is_right_to_left(last.char)
        and last.turn == glyph.turn
        and abs(last.base - glyph.base) <= 0.3 * em
        and last.left - COLUMN_GAP * em <= glyph.right <= last.right
    )


def _rows(pieces: list[list[Glyph]]) -> Iterator[list[list[Glyph]]]:
    row: list[list[Glyph]] = []
    for piece in sorted(pieces, key=lambda piece: (piece[0].turn, piece[0].base)):
        first, glyph = (row or [piece])[0][0], piece[0]
        if first.turn != glyph.turn or abs(first.base - glyph.base) > 0.3 * min(first.em, glyph.em):
            yield row
            row = []
        row.append(piece)
    yield row


def _joined(row: list[list[Glyph]]) -> list[list[Glyph]]:
    result: list[list[Glyph]] = []
    for piece in sorted(row, key=lambda piece: piece[0].left):
        if result and _is_repeated(result[-1], piece):
            continue
        if result and _follows(result[-1][-1], piece[0], gap=JOIN_GAP, drift=0.3):
            result[-1].extend(piece)
        else:
            result.append(list(piece))
    return result


def _is_repeated(done: list[Glyph], piece: list[Glyph]) -> bool:
    # in this order: long lines of many pieces are compared only where they could be the same
    near = len(done) == len(piece) and abs(done[0].left - piece[0].left) < 0.3 * piece[0].em
    return near and [glyph.char for glyph in done] == [glyph.char for glyph in piece]


def _text_line(piece: list[Glyph]) -> TextLine:
    chars, _, _, lefts, tops, rights, bottoms, bases, ems, _, _ = zip(*piece, strict=True)
    text = bidi.logical(_tokens(piece)) if _runs_left(piece) else _spaced("".join(chars), piece)
    sizes = Counter(ems)
    turn, base, em = piece[0].turn, bases[0], max(set(ems), key=sizes.__getitem__)
    left, right = min(lefts), max(rights)
    # dashes and dots are no thinner than small letters, so that lines keep their order on the page
    top, bottom = min(*tops, base - em / 2), max(*bottoms, base)
    box = back(turn, left, top), back(turn, right, top), back(turn, right, bottom), back(turn, left, bottom)
    return TextLine(text=unicodedata.normalize("NFC", text), box=box, confidence=1.0)


def _runs_left(piece: Iterable[Glyph]) -> bool:
    return any(glyph.char >= "\u0590" and bidi.is_right_to_left(glyph.char) for glyph in piece)


def _spaced(chars: str, piece: list[Glyph]) -> str:
    """Put blanks where the file has them, and the gap is not too thin for one, or where the gap is wide."""
    gaps = [_gap(last, glyph) for last, glyph in pairwise(piece)]
    if all(piece[0].turn):  # slanting: where its characters end is a guess
        blanks = [glyph.space == 2 or gap > 2 * WORD_GAP for gap, glyph in zip(gaps, piece[1:], strict=True)]
    else:
        tracking = _tracking(chars, gaps, piece)
        thin, wide = (2 * THIN_GAP, WORD_GAP / 2) if tracking else (THIN_GAP, WORD_GAP)
        blanks = [
            gap - tracking > wide
            or (glyph.space > 0 and gap - tracking > (THIN_GAP if glyph.space == 2 else thin))
            for gap, glyph in zip(gaps, piece[1:], strict=True)
        ]
        _join_typed(chars, gaps, blanks)
    if not chars.isascii():
        wide_pairs = [at for at, (one, two) in enumerate(pairwise(chars)) if _is_wide(one) and _is_wide(two)]
        spaced = _wide_tracking([gaps[at] for at in wide_pairs], piece)
        for at in wide_pairs:
            blanks[at] = gaps[at] - spaced > 0.5
    return chars[0] + "".join(
        f" {char}" if blank else char for char, blank in zip(chars[1:], blanks, strict=True)
    )


def _gap(last: Glyph, glyph: Glyph) -> float:
    em = last.em if last.em < glyph.em else glyph.em
    return (glyph.left - last.right) / em


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _tracking(chars: str, gaps: list[float], piece: list[Glyph]) -> float:
    """The gap, in ems, that letter-spaced text has between all of its characters; 0 for other text."""
    if len(gaps) < TRACKED - 1 or sorted(gaps)[len(gaps) // 2] <= THIN_GAP:
        return 0.0
    inner = [(gap, at) for at, gap in enumerate(gaps) if piece[at + 1].space < 2]
    if len(inner) < TRACKED - 1:
        return 0.0
    letters = sum(char.isalpha() and not _is_wide(char) for char in chars)
    gap = median(gap for gap, _ in inner)
    together = sum(piece[at].run is piece[at + 1].run for _, at in inner) > len(inner) / 2
    even = _is_even([gap for gap, _ in inner], gap) and (together or letters >= TRACKED)
    if letters < max(TRACKED, 0.7 * len(chars)) and not even:
        return 0.0  # figures may be the cells of a table
    return gap if gap > THIN_GAP and (gap < MAX_TRACKING or together) else 0.0


def _is_even(gaps: list[float], middle: float) -> bool:
    return sum(abs(gap - middle) < EVEN for gap in gaps) >= MOSTLY * len(gaps)


def _wide_tracking(gaps: list[float], piece: list[Glyph]) -> float:
    """The gap, in ems, that letter-spaced Chinese has between all of its characters; 0 for other text."""
    if len(gaps) < TRACKED - 1:
        return 0.0
    gap = median(gaps)
    together = piece[0].run is piece[-1].run
    return gap if gap > THIN_GAP and (together or gap < 1) and _is_even(gaps, gap) else 0.0


def _join_typed(chars: str, gaps: list[float], blanks: list[bool]) -> None:
    """Take back the blanks of words that are typed with one between all letters: `R E C H N U N G`."""
    if not blanks or sum(blanks) < MOSTLY * len(blanks):
        return
    start = 0
    for end in range(1, len(chars) + 1):
        if end < len(chars) and blanks[end - 1] and gaps[end - 1] < TYPED_GAP and chars[end].isalpha():
            continue
        if end - start >= TYPED and chars[start].isalpha():
            blanks[start : end - 1] = [False] * (end - 1 - start)
        start = end


def _tokens(piece: list[Glyph]) -> list[str]:
    """The characters of a line from left to right: blanks, ligatures in one, marks with the letter they stand on."""
    tokens: list[str] = []
    last: list[Glyph] = []
    marks = ""
    for _, shared in groupby(piece, key=lambda glyph: (glyph.left, glyph.right)):
        here = list(shared)
        text, first = "".join(glyph.char for glyph in here), here[0]
        if last and unicodedata.combining(text[0]):
            if (first.left + first.right) / 2 <= last[0].right:
                tokens[-1] += text
            else:
                marks += text
            continue
        # PDFium lists the letters as they are read: the blank that it has before a letter is to its right
        blank = max(first.space, last[-1].space) if last else 0
        if last and bidi.is_right_to_left(first.char) and bidi.is_right_to_left(last[-1].char):
            blank = last[-1].space
        if last and _gap(last[-1], first) > LEFTWARD_GAPS[blank]:
            tokens.append(" ")
        tokens.append(text + marks)
        last, marks = here, ""
    if marks:
        tokens[-1] += marks
    return tokens
