"""The encoding of text whose bytes do not say it."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Sequence

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
COMMON = ("gb18030", "cp932", "big5", "cp1252")
"""Encodings of text that does not name its encoding, apart from UTF-8."""
_LETTERS = {"cp437": "LATIN ", "cp1252": "LATIN ", "cp866": "CYRILLIC "}
_SIGNS = "€£§°–—’“”„…«»©®"
_SAMPLE = 100_000
_PLAUSIBLE = 0.8


def decode(data: bytes) -> str:
    """Text from bytes: by its byte order mark, as UTF-8 or UTF-16, or in the encoding that suits it best."""
    return data.decode(marked(data) or unmarked_wide(data) or _guessed(data), "replace")


def marked(data: bytes) -> str | None:
    """The encoding that a byte order mark tells, `None` without one."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def unmarked_wide(data: bytes) -> str | None:
    """UTF-16 without a byte order mark, if every other byte is mostly zero: Latin text."""
    head = data[:400]
    even, odd = head[::2], head[1::2]
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(head) >= 8 and zeros.count(0) > 0.7 * len(zeros) and not others.count(0):
            return encoding
    return None


def most_plausible(text: bytes, encodings: Sequence[str]) -> tuple[str | None, float]:
    """UTF-8 if that is possible, else the encoding in which `text` looks most like text, and how much (0 to 1).

    The first of equals wins; `None` if none is possible.
    """
    if _decodes(text, "utf-8"):
        return "utf-8", 1.0
    rated = [(e, _plausibility(text.decode(e), e)) for e in encodings if _decodes(text, e)]
    return max(rated, key=lambda pair: pair[1], default=(None, 0.0))


def _guessed(data: bytes) -> str:
    if _decodes(data, "utf-8"):
        return "utf-8"
    text = data[: 10 * _SAMPLE].decode("utf-8", "replace")
    foreign = sum(not c.isascii() for c in text)
    damaged = text.count("\ufffd")
    if damaged * 20 < foreign - damaged:  # UTF-8 with a damaged character
        return "utf-8"
    sample = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE]
    sample = sample[: sample.rfind(b"\n") + 1] if len(sample) == _SAMPLE else sample  # not within a character
    encoding, plausibility = most_plausible(sample, COMMON)
    if encoding and plausibility >= _PLAUSIBLE:
        return encoding
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best else encoding or "cp1252"


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _plausibility(text: str, encoding: str) -> float:
    """How much the characters beyond ASCII look like text, 0 to 1."""
    marks = [
        _mark(text[at - 1 : at], character, text[at + 1 : at + 2], encoding)
        for at, character in enumerate(text)
        if not character.isascii()
    ]
    return sum(marks) / len(marks) if marks else 0.0


def _mark_of_letter(before: str, character: str, after: str, encoding: str) -> float:
    if character in _SIGNS:
        return float((before + after).isascii())
    if not unicodedata.name(character, "").startswith(_LETTERS[encoding]):
        return 0.0
    plain = any(c.isascii() and c.isalpha() for c in before + after)
    if encoding == "cp866":  # no plain letters within a word, no capital after a small letter
        return 0.2 if plain or (character.isupper() and before.islower()) else 1.0
    return 1.0 if plain else 0.2  # European words have a plain letter on one side of an accented one at least


def _mark(before: str, character: str, after: str, encoding: str) -> float:
    if encoding in _LETTERS:
        return _mark_of_letter(before, character, after, encoding)
    code = character.encode(encoding)
    if len(code) == 1:  # half-width katakana: what GBK looks like when taken for Shift-JIS
        return 0.1
    first, second = code[0], code[1]
    # The ranges of punctuation, kana and common characters; rare ones are mostly misread other encodings.
    common = {
        "gb18030": second >= 0xA1 and (0xA1 <= first <= 0xA5 or 0xB0 <= first <= 0xD7),
        "cp932": 0x81 <= first <= 0x83 or 0x88 <= first <= 0x97,
        "big5": 0xA1 <= first <= 0xA3 or 0xA4 <= first <= 0xC6,
    }
    known = {
        "gb18030": second >= 0xA1 and 0xD8 <= first <= 0xF7,
        "cp932": 0x98 <= first <= 0x9F or 0xE0 <= first <= 0xEA,
        "big5": 0xC9 <= first <= 0xF9,
    }
    return 1.0 if common[encoding] else 0.6 if known[encoding] else 0.2
