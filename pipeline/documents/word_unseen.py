"""Text of a Word document that is not visible on its pages: white on white, or too small to be read.

White text is common where a cell, a paragraph or the page has a colour. So it counts as unseen only where nothing can
be behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

from pipeline.documents.base import LEGIBLE

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WHITE = ("FFFFFF", "WHITE")
_BEHIND = re.compile(rb"""behindDoc\s*=\s*["'](?:1|true)|<(?:\w+:)?(?:pict|background)\b""")
"""What puts a colour or a picture behind text, in any part."""
_TINY = 4
"""Half-points up to which nobody can read a letter."""
_STYLES = ("rStyle", "pStyle", "tblStyle")


def coloured_styles(styles: etree._Element) -> set[str]:
    """Ids of the styles that give their text a ground, or are based on one that does."""
    every = list(styles.iter(f"{_W}style"))
    found = {one.get(f"{_W}styleId", "") for one in every if _has_ground(one.iter())}
    while True:
        based = {
            one.get(f"{_W}styleId", "")
            for one in every
            if (base := one.find(f"{_W}basedOn")) is not None and base.get(f"{_W}val") in found
        }
        if based <= found:
            return found
        found |= based


def has_ground(parts: Iterable[bytes]) -> bool:
    """Whether there may be a colour or a picture behind any text of these parts."""
    return any(_BEHIND.search(part) for part in parts)


def blank(root: etree._Element, coloured: set[str] | None) -> int:
    """Remove text that is not visible from a part; returns of how many paragraphs somebody may miss some.

    `coloured`: styles with a ground; `None`: there may be one everywhere.
    """
    missed: dict[etree._Element, int] = {}
    for run in root.iter(f"{_W}r"):
        texts = list(run.iterchildren(f"{_W}t"))
        if texts and _is_unseen(run, coloured):
            paragraph = next(run.iterancestors(f"{_W}p"), run)
            for text in texts:
                letters = sum(c.isalnum() for c in text.text or "")
                missed[paragraph] = missed.get(paragraph, 0) + letters
                text.text = None
    return sum(letters >= LEGIBLE for letters in missed.values())


def _is_unseen(run: etree._Element, coloured: set[str] | None) -> bool:
    look = run.find(f"{_W}rPr")
    if look is None:
        return False
    size = look.find(f"{_W}sz")
    if size is not None and (said := size.get(f"{_W}val", "")).isdecimal() and 0 < int(said) <= _TINY:
        return True
    colour = look.find(f"{_W}color")
    is_white = colour is not None and colour.get(f"{_W}val", "").upper() in _WHITE
    return is_white and coloured is not None and not _is_on_ground(run, coloured)


def _is_on_ground(run: etree._Element, coloured: set[str]) -> bool:
    """Whether the run, or what it is in, has a colour, or is a shape that may have one."""
    for element in (run, *run.iterancestors()):
        name = etree.QName(element).localname
        if name == "txbxContent":
            return True
        look = element.find(f"{_W}{name}Pr")  # rPr, pPr, tcPr, trPr, tblPr
        if look is None:
            continue
        styles = (look.find(f"{_W}{style}") for style in _STYLES)
        if any(style is not None and style.get(f"{_W}val") in coloured for style in styles):
            return True
        if _has_ground(look.iterchildren()):
            return True
    return False


def _has_ground(elements: Iterable[etree._Element]) -> bool:
    for element in elements:
        if element.tag == f"{_W}highlight" and element.get(f"{_W}val") not in ("none", "white"):
            return True
        if element.tag == f"{_W}shd":
            fill = element.get(f"{_W}fill", "auto").upper()
            plain = element.get(f"{_W}val") in ("clear", "nil") and not element.get(f"{_W}themeFill")
            if not plain or fill not in ("AUTO", *_WHITE):
                return True
    return False
