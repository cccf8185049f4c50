"""Text of a web page that a browser does not show: by the styles that its elements carry themselves.

Style sheets are not read: where a colour may come from one, text counts as seen. So it does where something may have
been moved behind it, and where an element says two things. `display: none` is left to the conversion to text, which
knows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pipeline.documents.base import LEGIBLE

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NEVER = {"template", "datalist"}
_NO_TEXT = {"style", "script", "title"}
_OWN_COLOURS = {"a", "button", "input", "mark", "select", "svg", "textarea"}
_GROUNDS = ("background", "background-color", "background-image")
_ABOVE = (None, "", "none", "transparent", "inherit", "initial", "unset", "currentcolor")
"""Values that leave what is inherited, or what is behind."""
_SHEETS = (
    "//style | //link[contains(@rel, 'stylesheet')]"
    " | //*[self::col or self::colgroup][@style or @bgcolor]"  # the cells of a column are not in it
)
_LOOSE = re.compile(
    r"\b(?:position *: *(?:absolute|fixed|relative|sticky)(?![^;]*; *(?:left|top) *: *-\d{4})|float *:|z-index"
    r"|transform|zoom|margin[a-z-]*:[^;]*-\d|(?:text|box)-shadow|text-stroke|border-image|filter|mix-blend)"
)
"""What may put something behind a text, or draw it otherwise than its colour says."""
_SCALED = re.compile(r"\b(?:transform|zoom|scale)")
_SIZE = re.compile(r"(\d+\.?\d*|\.\d+)(px|pt)?")
_FAR = re.compile(r"-\d{4,}(?:\.\d+)?(?:px|pt)")
_ZERO = re.compile(r"(?:0+(?:\.0*)?|\.0+)%?")
_TWICE = "?"  # the value of what is said twice: no value of any kind
_RGB = re.compile(r"rgb\(\s*(\d+)\s*[,\s]\s*(\d+)\s*[,\s]\s*(\d+)\s*\)")
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})")
_WHITE = "ffffff"
_NAMED = {"white": _WHITE, "black": "000000"}
_TINY = 1.0  # pixels or points


class _Look(NamedTuple):
    """What a piece of text inherits. `gone`: nobody misses it. `colour`, `ground`: hex digits, `None`: not known."""

    gone: bool = False
    clear: bool = False
    shown: bool = True
    size: float | None = None
    colour: str | None = "000000"
    ground: str | None = _WHITE

    @property
    def is_seen(self) -> bool:
        tiny = self.size is not None and self.size <= _TINY
        same = self.colour is not None and self.colour == self.ground
        return self.shown and not (self.gone or self.clear or tiny or same)


def blank(tree: HtmlElement) -> int:
    """Remove text that is not shown from a page; returns how many pieces of it somebody may miss."""
    styles = [style.lower() for style in tree.xpath("//@style")]
    is_loose = bool(tree.xpath(_SHEETS)) or any(map(_LOOSE.search, styles))
    is_scaled = any(map(_SCALED.search, styles))
    looks: dict[HtmlElement, _Look] = {}
    count = 0
    for element in list(tree.iter()):
        parent = element.getparent()
        above = looks[parent] if parent is not None else _Look(ground=None if is_loose else _WHITE)
        look = looks[element] = _look(element, above, is_loose) if isinstance(element.tag, str) else above
        if is_scaled and look.size:
            look = looks[element] = look._replace(size=None)
        is_text = isinstance(element.tag, str) and element.tag not in _NO_TEXT  # and no comment
        if element.text and is_text and not look.is_seen:
            count += not look.gone and _is_legible(element.text)
            element.text = None
        if parent is not None and element.tail and not above.is_seen:
            count += not above.gone and _is_legible(element.tail)
            element.tail = None
    return count


def _is_legible(text: str) -> bool:
    return sum(c.isalnum() for c in text) >= LEGIBLE


def _look(element: HtmlElement, above: _Look, is_loose: bool) -> _Look:
    style = _style(element.get("style") or "")
    hidden = style.get("display", "none" if element.get("hidden") is not None else "") == "none"
    if hidden or element.tag in _NEVER or _is_away(element, style):
        return above._replace(gone=True)
    look = above._replace(size=None, colour=None, ground=None) if is_loose else above
    if element.tag == "table":  # in pages of old HTML it inherits neither
        look = look._replace(size=None, colour=None)
    if element.tag in _OWN_COLOURS or style.get("position") in ("absolute", "fixed", "sticky"):
        look = look._replace(colour=None, ground=None)  # it may be over a picture
    if _is_zero(style.get("opacity", "")):
        look = look._replace(clear=True)
    if (visibility := style.get("visibility")) not in _ABOVE:
        look = look._replace(shown=visibility not in ("hidden", "collapse"))
    if "font-size" in style or "font" in style:
        both = "font-size" in style and "font" in style
        look = look._replace(size=None if both else _size(style.get("font-size") or style["font"]))
    elif element.tag == "font" and element.get("size"):
        look = look._replace(size=None)
    if (colour := style.get("color") or _old_colour(element)) not in _ABOVE:
        look = look._replace(colour=_colour(colour))
    elif colour in ("initial", "unset"):
        look = look._replace(colour=None)
    said = [element.get("bgcolor"), element.get("background"), *map(style.get, _GROUNDS)]
    if grounds := [one for one in said if one not in _ABOVE]:
        look = look._replace(ground=_colour(grounds[0]) if len(grounds) == 1 else None)
    return look


def _style(text: str) -> dict[str, str]:
    """The declarations of an attribute; one that is there twice is `_TWICE`: which counts, a browser knows."""
    found: dict[str, str] = {}
    for one in text.lower().replace("!important", "").split(";"):
        name, _, value = (part.strip() for part in one.partition(":"))
        if value:
            found[name] = _TWICE if name in found else value
    return found


def _is_zero(value: str) -> bool:
    return bool(value and _ZERO.fullmatch(value))


def _is_away(element: HtmlElement, style: dict[str, str]) -> bool:
    """Whether an element is far outside the page, with all that is in it."""
    moved = style.get("position") in ("absolute", "fixed")
    if any(_FAR.fullmatch(style.get(side, "")) for side in ("left", "top") if moved):
        return True
    return bool(_FAR.fullmatch(style.get("text-indent", ""))) and not element.xpath(
        ".//*[contains(@style, 'indent')]"
    )


def _size(said: str) -> float | None:
    """Pixels or points, `None` for what depends on other sizes; of a whole font, only whether it has none."""
    found = _SIZE.match(said)
    if not found or (" " in said and float(found[1])):
        return None
    return float(found[1]) if found[2] in ("px", "pt") or not float(found[1]) else None


def _old_colour(element: HtmlElement) -> str:
    name = {"font": "color", "body": "text"}.get(element.tag)
    return (element.get(name) or "") if name else ""


def _colour(said: str) -> str | None:
    """Six hex digits; `None` for one that is not known, or not opaque."""
    said = said.lower().strip()
    if found := _HEX.fullmatch(said):
        return found[1] if len(found[1]) == 6 else "".join(2 * digit for digit in found[1])
    if found := _RGB.fullmatch(said):
        return "".join(f"{min(int(part), 255):02x}" for part in found.groups())
    return _NAMED.get(said)
