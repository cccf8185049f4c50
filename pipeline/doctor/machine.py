"""This machine: the sandbox in which documents are parsed, and fonts for those that bring none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.reader.reader import described, lacking, missing
from pipeline.sandbox import LAYERS
from pipeline.settings import Settings

_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts")
_HAN = (
    "cjk",
    "noto sans sc",
    "wqy",
    "wenquanyi",
    "droidsansfallback",
    "arphic",
    "uming",
    "ukai",
    "sourcehan",
    "simsun",
)
_MOST = 20_000  # files that are looked at


def sandbox(settings: Settings) -> Iterator[Finding]:
    """Whether parsers can be confined; starts one, which takes half a second."""
    if settings.sandbox == "off":
        yield warning("sandbox", described(settings), "set NIGHTSHIFT_SANDBOX=auto")
        return
    lacks = missing(settings.sandbox)
    if not lacks:
        yield ok("sandbox", f"Documents are parsed in a sandbox: {'; '.join(LAYERS.values())}.")
        return
    make = fault if settings.sandbox == "require" else warning
    what = lacking(lacks).partition(": ")[0]
    yield make("sandbox", f"{what}.", "see docs/explanation/parsing.md#what-a-reader-does-not-have")


def fonts(places: tuple[str, ...] = _FONTS) -> Iterator[Finding]:
    """PDFs without embedded fonts are drawn with those of this machine."""
    files = (name for place in places for _, _, names in os.walk(place) for name in names)
    found = [
        name.lower() for name in islice(files, _MOST) if Path(name).suffix.lower() in (".ttf", ".otf", ".ttc")
    ]
    if not found:
        yield warning(
            "fonts",
            "There are no fonts: PDF files that do not embed theirs are read wrongly.",
            "install fonts-dejavu and fonts-noto-cjk, or the like",
        )
    elif not any(mark.replace(" ", "") in name.replace("-", "") for name in found for mark in _HAN):
        yield warning(
            "fonts",
            "There is no font with Chinese characters: PDF files that do not embed theirs are read wrongly.",
            "install fonts-noto-cjk, or the like",
        )
    else:
        yield ok("fonts", f"{len(found)} fonts, some with Chinese characters.")
