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
_WHITE_THEMES = ("background1", "light1")
_EFFECTS = {f"{_W}{effect}" for effect in ("outline", "shadow", "emboss", "imprint")}
"""What makes white letters visible; later versions of Word have others, in a namespace of their own."""
_STYLES = ("rStyle", "pStyle", "tblStyle")


def coloured_styles(styles: etree._Element) -> set[str] | None:
    """Ids of the styles that give their text a ground, or are based on one that does; `None` if a default one does."""
    every = list(styles.iter(f"{_W}style"))
    found = {one.get(f"{_W}styleId", "") for one in every if _has_ground(one.iter())}
    while True:
        based = {
            one.get(f"{_W}styleId", "")
            for one in every
            if (base := one.find(f"{_W}basedOn")) is not None and base.get(f"{_W}val") in found
        }
        if based <= found:
            break
        found |= based
    defaults = {
        one.get(f"{_W}styleId", "") for one in every if one.get(f"{_W}default") in ("1", "true", "on")
    }
    everywhere = styles.find(f"{_W}docDefaults")
    if defaults & found or (everywhere is not None and _has_ground(everywhere.iter())):
        return None
    return found


def has_ground(parts: Iterable[bytes]) -> bool:
    """Whether there may be a colour or a picture behind any text of these parts; also of those that are in UTF-16."""
    return any(_BEHIND.search(part) or b"\0" in part[:8] for part in parts)


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
    is_complex = any(look.find(f"{_W}{kind}") is not None for kind in ("rtl", "cs"))
    size = look.find(f"{_W}{'szCs' if is_complex else 'sz'}")
    if size is not None and (said := size.get(f"{_W}val", "")).isdecimal() and 0 < int(said) <= _TINY:
        return True
    return coloured is not None and _is_white(look) and not _is_on_ground(run, coloured)


def _is_white(look: etree._Element) -> bool:
    """Whether letters are white, all of them and without an edge."""
    colour = look.find(f"{_W}color")
    if colour is None or colour.get(f"{_W}val", "").upper() not in _WHITE:
        return False
    if colour.get(f"{_W}themeColor", _WHITE_THEMES[0]) not in _WHITE_THEMES:
        return False
    return not any(one.tag in _EFFECTS or not str(one.tag).startswith(_W) for one in look)


def _is_on_ground(run: etree._Element, coloured: set[str]) -> bool:
    """Whether the run, or what it is in, has a colour, or is a shape that may have one."""
    for element in (run, *run.iterancestors()):
        name = etree.QName(element).localname
        if name == "txbxContent":
            return True
        exceptions = element.find(f"{_W}tblPrEx")  # of a row
        if exceptions is not None and _has_ground(exceptions.iterchildren()):
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
