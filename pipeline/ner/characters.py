"""Text as the recognisers see it: one plain character for each character, so that spans stay valid.

Full-width forms, digits of other scripts, unusual spaces, dashes and yen signs become their ASCII equivalents. Nothing
is inserted or dropped: `len(plain(text)) == len(text)`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.models import Mention

ENGINE = "patterns"

INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that nobody sees: soft hyphens, joiners, marks of direction, spaces of no width."""
_ZEROS = (
    *(
        0x660,
        0x6F0,
        0x7C0,
        0x966,
        0x9E6,
        0xA66,
        0xAE6,
        0xB66,
        0xBE6,
        0xC66,
        0xCE6,
        0xD66,
        0xE50,
        0xED0,
        0xF20,
        0x1040,
    ),
    *(0x17E0, 0x1810, *range(0x1D7CE, 0x1D800, 10)),
)
_DIGITS = {zero + digit: 0x30 + digit for zero in _ZEROS for digit in range(10)}
_UNREADABLE = re.compile(
    "(?<=[0-9])[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u0300-\u036f\u20d0-\u20ff\ue000-\uf8ff\ufe00-\ufe0f\ufffd]+(?=[0-9])"
)
"""What fonts without a table of characters leave inside a number: what is next to it is a part of a number only."""
_FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)}
_SPACES = dict.fromkeys([0x09, 0x0D, 0xA0, *range(0x2000, 0x200C), 0x202F, 0x205F, 0x3000, 0xFEFF], " ")
_ROW_ENDS = dict.fromkeys([0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029], "\n")
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE63, 0xFE58], "-")
_MARKS = {"￥": "¥", "﹕": ":", "∶": ":", "•": "·", "・": "·"}
_PLAIN: dict[int, int | str] = {**_FULL_WIDTH, **_SPACES, **_ROW_ENDS, **_DASHES, **_DIGITS}
_PLAIN |= {ord(mark): cousin for mark, cousin in _MARKS.items()}

_LOWER = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}

_HAN = re.compile(r"[\u4e00-\u9fff]")
_JAPANESE = re.compile("[\u3041-\u30fa単発価録売様駅込払検験関経気伝読実広働変仮択図]")
"""Kana, and characters that only Japanese writes so."""
_SHARE = 10
_TRADITIONAL, _SIMPLIFIED = (
    re.compile(f"[{characters}]")
    for characters in (
        "電話號總額發貿門東單稅億萬圓銀帳買賣應實訂這個們來為時開關會與學國產價現廠貨據證記書經營業機車費數項訊務",
        "电话号总额发贸门东单税亿万圆银账买卖应实订这个们来为时开关会与学国产价现厂货据证记书经营业机车费数项讯务",
    )
)
"""Characters of traditional Chinese, and those of the mainland for the same words."""
_DIGIT = re.compile("[0-9]")
_LATIN = re.compile(r"[A-Za-z]")


@lru_cache(maxsize=4)
def plain(text: str) -> str:
    """Map `text` to the characters used in the patterns, position by position."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text  # as most are
    return _UNREADABLE.sub(lambda match: "A" * len(match[0]), text.translate(_PLAIN))


@lru_cache(maxsize=4)
def lowered(page: str) -> str:
    """The page in lower case, position by position: far faster to search than by ignoring case."""
    lower = page.lower()
    # Few characters, such as U+0130, are longer in lower case.
    return lower if len(lower) == len(page) else page.translate(_LOWER)


def has_digit(page: str) -> bool:
    """Whether the patterns for digits can match anything."""
    return _DIGIT.search(page) is not None


@lru_cache(maxsize=2)
def is_chinese(page: str) -> bool:
    """Whether Chinese conventions apply to a page: at least one letter in five is a Han character.

    A single one proves nothing: OCR reads stamps and folds as 人 or 一, and shops print bilingual names.
    """
    han = len(_HAN.findall(page))
    return han > 0 and 4 * han >= len(_LATIN.findall(page))


def is_japanese(page: str, least: int = 5) -> bool:
    """Whether a page has Japanese characters, and at least one for ten Han characters: Chinese pages quote a few."""
    if page.isascii():
        return False
    own = len(_JAPANESE.findall(page))
    return own >= least and _SHARE * own >= len(_HAN.findall(page))


def is_traditional(page: str) -> bool:
    """Whether Chinese text is written as in Hong Kong, Macao and Taiwan."""
    return len(_TRADITIONAL.findall(page)) > len(_SIMPLIFIED.findall(page))


def found(
    kind: str,
    span: tuple[int, int],
    confidence: float,
    value: str | None,
    currency: str | None = None,
    other: str | None = None,
) -> Mention:
    """A mention of this engine over the half-open `span`."""
    return Mention(
        type=kind,
        start=span[0],
        end=span[1],
        confidence=round(confidence, 3),
        value=value,
        currency=currency,
        other=other,
        engine=ENGINE,
    )
