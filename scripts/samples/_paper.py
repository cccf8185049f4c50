"""A page to draw on, measured in millimetres."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Anchor = Literal["l", "m", "r"]

INK: Colour = (38, 38, 46)
RED: Colour = (206, 38, 44)
WHITE: Colour = (255, 255, 255)
FONT_ROOTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
FONTS = {  # name: Debian package, file, face in the collection
    "sans": ("fonts-noto-cjk", "NotoSansCJK-Regular.ttc", 2),
    "bold": ("fonts-noto-cjk", "NotoSansCJK-Bold.ttc", 2),
    "mono": ("fonts-noto-cjk", "NotoSansCJK-Regular.ttc", 7),
    "serif": ("fonts-noto-cjk", "NotoSerifCJK-Regular.ttc", 2),
    "serifbold": ("fonts-noto-cjk", "NotoSerifCJK-Bold.ttc", 2),
    "kai": ("fonts-arphic-ukai", "ukai.ttc", 0),
    "pdf": ("fonts-wqy-zenhei", "wqy-zenhei.ttc", 0),
}
NO_LINE_START = "，。、；：！？）》”%,.;:!?)"


class FontMissingError(Exception):
    """A required font is not installed; the message names its Debian package."""


@cache
def font_file(name: str) -> tuple[Path, int]:
    """Find a font of `FONTS`: its file and the index of the face.

    Raises `FontMissingError`.
    """
    package, file, face = FONTS[name]
    for root in FONT_ROOTS:
        for path in sorted(root.rglob(file)):
            return path, face
    raise FontMissingError(f"Font {file} is not installed. On Debian: apt-get install {package}")


@cache
def font(name: str, pixels: int) -> ImageFont.FreeTypeFont:
    """Load a font of `FONTS` at an em size in pixels."""
    path, face = font_file(name)
    return ImageFont.truetype(str(path), pixels, index=face)


class Sheet:
    """One upright page. Positions in mm from the top left, type sizes in points, y at the baseline."""

    def __init__(self, width: float, height: float, dpi: int = 150, paper: Colour = WHITE) -> None:
        self.width, self.height, self.scale = width, height, dpi / 25.4
        self.image = Image.new("RGB", (round(width * self.scale), round(height * self.scale)), paper)
        self.pen = ImageDraw.Draw(self.image)

    def px(self, mm: float) -> int:
        """Millimetres in pixels."""
        return round(mm * self.scale)

    def font(self, name: str, points: float) -> ImageFont.FreeTypeFont:
        """Load a font at this sheet's resolution."""
        return font(name, round(points * 25.4 / 72 * self.scale))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        points: float = 10,
        face: str = "sans",
        *,
        fill: Colour = INK,
        anchor: Anchor = "l",
    ) -> float:
        """Write one line; return its width in mm."""
        type_ = self.font(face, points)
        self.pen.text((x * self.scale, y * self.scale), text, fill, type_, anchor=anchor + "s")
        return float(type_.getlength(text)) / self.scale

    def spread(
        self, x: float, y: float, width: float, text: str, *, points: float, face: str, fill: Colour
    ) -> None:
        """Write one line with its characters spread evenly over `width`, as Chinese form labels are."""
        advance = self.font(face, points).getlength(text[-1]) / self.scale
        for i, char in enumerate(text):
            at = x + (width - advance) * i / max(1, len(text) - 1)
            self.text(at, y, char, points, face, fill=fill)

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        *,
        points: float = 10,
        face: str = "sans",
        lead: float = 1.6,
    ) -> float:
        """Write wrapped text (Chinese between any two characters, Latin between words).

        Return the baseline of the line that would follow.
        """
        type_, step = self.font(face, points), points * 25.4 / 72 * lead
        for line in _wrap(text, type_, width * self.scale):
            self.text(x, y, line, points, face)
            y += step
        return y

    def line(
        self, x0: float, y0: float, x1: float, y1: float, *, fill: Colour = INK, weight: float = 0.25
    ) -> None:
        """Draw a straight line of `weight` mm."""
        self.pen.line([self.px(v) for v in (x0, y0, x1, y1)], fill, max(1, self.px(weight)))

    def box(
        self, x0: float, y0: float, x1: float, y1: float, *, fill: Colour = INK, weight: float = 0.25
    ) -> None:
        """Draw a rectangle."""
        self.pen.rectangle([self.px(v) for v in (x0, y0, x1, y1)], None, fill, max(1, self.px(weight)))

    def table(
        self,
        x: float,
        y: float,
        columns: list[tuple[float, Anchor]],
        rows: list[list[str]],
        *,
        row_height: float = 8,
        points: float = 9.5,
        face: str = "sans",
        head: str = "bold",
    ) -> float:
        """Draw a grid of (width, alignment) columns, the first row as its head; return its bottom."""
        edges = [x + sum(width for width, _ in columns[:i]) for i in range(len(columns) + 1)]
        bottom = y + row_height * len(rows)
        for i, row in enumerate(rows):
            self.line(x, y + i * row_height, edges[-1], y + i * row_height)
            base = y + i * row_height + row_height / 2 + points * 0.13
            for j, cell in enumerate(row):
                align: Anchor = "m" if i == 0 else columns[j][1]
                at = {"l": edges[j] + 1.5, "m": (edges[j] + edges[j + 1]) / 2, "r": edges[j + 1] - 1.5}[align]
                self.text(at, base, cell, points, head if i == 0 else face, anchor=align)
        for edge in edges:
            self.line(edge, y, edge, bottom)
        self.line(x, bottom, edges[-1], bottom)
        return bottom

    def seal(
        self,
        x: float,
        y: float,
        radius: tuple[float, float],
        name: str,
        *,
        middle: str = "★",
        foot: str = "",
        points: float = 11,
    ) -> None:
        """Draw an oval red seal around its centre: `name` on the arc, `middle` and `foot` across.

        Ink is multiplied onto the sheet, so print stays visible below it.
        """
        layer = Image.new("RGB", self.image.size, WHITE)
        pen, (rx, ry) = ImageDraw.Draw(layer), (self.px(radius[0]), self.px(radius[1]))
        cx, cy = self.px(x), self.px(y)
        pen.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), None, RED, max(2, self.px(0.7)))
        em = round(points * 25.4 / 72 * self.scale)
        span = min(250, 28 * len(name))
        for i, char in enumerate(name):
            turn = math.radians(span * (i / max(1, len(name) - 1) - 0.5))
            glyph = Image.new("RGB", (em * 2, em * 2), WHITE)
            ImageDraw.Draw(glyph).text((em, em), char, RED, font("serifbold", em), anchor="mm")
            slope = math.atan2(math.sin(turn) / rx, math.cos(turn) / ry)
            glyph = glyph.rotate(-math.degrees(slope), Image.Resampling.BICUBIC, fillcolor=WHITE)
            spot = Image.new("RGB", layer.size, WHITE)
            inset = em * 0.95
            spot.paste(
                glyph,
                (
                    round(cx + (rx - inset) * math.sin(turn)) - em,
                    round(cy - (ry - inset) * math.cos(turn)) - em,
                ),
            )
            layer = ImageChops.multiply(layer, spot)
        pen = ImageDraw.Draw(layer)
        size = em * 2 if middle == "★" else round(em * 0.8)
        pen.text((cx, cy), middle, RED, font("bold" if middle == "★" else "sans", size), anchor="mm")
        pen.text((cx, cy + ry * 0.56), foot, RED, font("serifbold", round(em * 0.95)), anchor="mm")
        self.press(layer)

    def press(self, layer: Image.Image, strength: float = 0.82) -> None:
        """Multiply a layer of ink on white onto the sheet."""
        faint = Image.blend(Image.new("RGB", layer.size, WHITE), layer, strength)
        self.image = ImageChops.multiply(self.image, faint)
        self.pen = ImageDraw.Draw(self.image)

    def signature(self, x: float, y: float, width: float, seed: int, fill: Colour = (36, 52, 140)) -> None:
        """Draw a random pen line that spells no name."""
        rng = np.random.default_rng(seed)
        t = np.linspace(0, 1, 160)
        wave = sum(
            rng.uniform(0.5, 1.6) / k * np.sin(2 * np.pi * (k * 2.3 * t + rng.random())) for k in (1, 2, 3)
        )
        sway = 0.1 * np.sin(2 * np.pi * 5 * t + rng.random())
        points = [
            (self.px(x + width * (a + s)), self.px(y + 2.2 * b))
            for a, s, b in zip(t, sway, wave, strict=True)
        ]
        self.pen.line(points, fill, max(2, self.px(0.35)), joint="curve")


def _wrap(text: str, type_: ImageFont.FreeTypeFont, width: float) -> list[str]:
    words: list[str] = []
    for char in text:
        latin = char.isascii() and char != " "
        joins = words and words[-1][-1].isascii() and words[-1][-1] != " "
        if words and ((latin and joins) or char in NO_LINE_START or char == " "):
            words[-1] += char
        else:
            words.append(char)
    lines = [""]
    for word in words:
        if lines[-1] and type_.getlength((lines[-1] + word).rstrip()) > width:
            lines.append("")
        lines[-1] += word
    return [line.rstrip() for line in lines]
