"""Where something is on its page, and its value as number or date: the columns that several tables have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.models import Point

_PIXELS = 2.0
"""Corners of an upright rectangle may be off by this much, or by ..."""
_SHARE = 0.1
"""... this share of its height."""
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def place_columns(boxes: Sequence[Sequence[Point]]) -> dict[str, Any]:
    """`x0`, `y0`, `x1`, `y1` of the enclosing rectangle in pixels, and `polygons`, one per line.

    `polygons` is `None` where it would say nothing more: one line that is upright.
    """
    if not boxes:
        return dict.fromkeys(("x0", "y0", "x1", "y1", "polygons"))
    xs, ys = ([point[axis] for box in boxes for point in box] for axis in (0, 1))
    upright = len(boxes) == 1 and _is_upright(boxes[0])
    return {
        "x0": min(xs),
        "y0": min(ys),
        "x1": max(xs),
        "y1": max(ys),
        "polygons": None if upright else [list(box) for box in boxes],
    }


def _is_upright(box: Sequence[Point]) -> bool:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = box
    off = max(abs(ay - by), abs(cy - dy), abs(ax - dx), abs(bx - cx))
    return ax <= bx and ay <= dy and off <= max(_PIXELS, _SHARE * abs(dy - ay))


def decimal_of(value: str | None, digits: int = 18, places: int = 2) -> str | None:
    """A plain decimal rounded to `places`; `None` for anything else, or for one of more than `digits` digits."""
    try:
        number = Decimal(value or "").quantize(Decimal(1).scaleb(-places))
    except InvalidOperation:
        return None
    fits = number.is_finite() and len(number.as_tuple().digits) <= digits
    return f"{number:f}" if fits else None


def date_of(value: str | None) -> str | None:
    """A whole ISO date; `None` for anything else, such as a month."""
    if value is None or not _ISO.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None
