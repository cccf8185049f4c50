"""Plots as parts of a page: matplotlib's SVG without what a page brings itself, its colours as CSS classes.

Plots are drawn in the colours of `INKS`, which stand for CSS variables: one picture for light, dark and print.
"""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INKS = {
    name: f"#0000{number:02x}"
    for number, name in enumerate(
        (
            "ink",
            "muted",
            "grid",
            "open",
            "first",
            "second",
            "third",
            "fourth",
            "soft",
            "bad",
            "warn",
            "paper",
        ),
        1,
    )
}
_NAMES = {colour: name for name, colour in INKS.items()}
_KEPT = ("stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "fill-opacity")
_SETTINGS = {
    "svg.fonttype": "none",  # text stays text: in the page's font, scaled and read with it
    "svg.hashsalt": "nightshift",
    "path.simplify": True,
    "font.size": 11.0,
    "axes.linewidth": 0.8,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.major.pad": 5.0,
    "ytick.major.pad": 5.0,
    "text.color": INKS["muted"],
    "axes.edgecolor": INKS["grid"],
    "axes.labelcolor": INKS["muted"],
    "xtick.color": INKS["muted"],
    "ytick.color": INKS["muted"],
    "grid.color": INKS["grid"],
    "grid.linewidth": 0.8,
}
_NUMBER = re.compile(r"-?\d+\.\d+")
_NS = "{http://www.w3.org/2000/svg}"


def style() -> Any:
    """The context in which plots are drawn: ours, whatever the user's own matplotlibrc says."""
    # where a home cannot be written it would warn of a slower start, each time
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib import style as styles

    return styles.context(["default", _SETTINGS])


def figure(width: int, height: int) -> Figure:
    """An empty figure of `width` x `height` units, which belongs to no window and no global list of plots."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    new = Figure(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasSVG(new)
    return new


def drawn(new: Figure, label: str, kind: str = "") -> str:
    """The figure as `<svg>`: an image with this label, or without one if it is only decoration; `kind`: CSS class."""
    out = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    new.savefig(out, format="svg", transparent=True, metadata=nothing)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    root = etree.fromstring(out.getvalue().encode(), parser)
    svg = etree.Element("svg", viewBox=root.get("viewBox", ""), **({"class": kind} if kind else {}))
    svg.attrib.update({"role": "img", "aria-label": label} if label else {"aria-hidden": "true"})
    for element in root.iter(f"{_NS}path", f"{_NS}text"):
        if element.getparent().tag != f"{_NS}defs":
            _add(svg, element)
    return str(etree.tostring(svg, encoding="unicode"))


def _add(svg: Any, element: Any) -> None:
    """Copy one path or text, if anything of it is seen."""
    declared = (part.partition(":") for part in element.get("style", "").split(";") if part.strip())
    style = {name.strip(): value.strip() for name, _, value in declared}
    fill, stroke = (_NAMES.get(style.get(side, ""), "") for side in ("fill", "stroke"))
    if not fill and not stroke:
        return
    classes = ([f"f-{fill}"] if fill else ["f-none"]) + ([f"s-{stroke}"] if stroke else [])
    new = etree.SubElement(svg, etree.QName(element).localname, **{"class": " ".join(classes)})
    for name in _KEPT:
        if name in style:
            new.set(name, style[name])
    if new.tag == "path":
        new.set("d", _short(" ".join(element.get("d", "").split())))
        return
    new.text = element.text
    size = re.search(r"([\d.]+)px", style.get("font-size", "") or style.get("font", ""))
    new.set("font-size", size[1] if size else "11")
    if "text-anchor" in style:
        new.set("text-anchor", style["text-anchor"])
    for name in ("x", "y", "transform"):
        if element.get(name):
            new.set(name, _short(element.get(name)))


def _short(numbers: str) -> str:
    """Tenths are enough for a screen."""
    return _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), numbers)
