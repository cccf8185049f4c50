"""Pages whose text is drawn sideways or upside down: lines, boxes and regions of the page turned upright."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import structs

from pipeline.documents.base import Rect
from pipeline.models import Point, Rotation, TextLine

_ROTATIONS: dict[tuple[int, int], Rotation] = {(1, 0): 0, (0, -1): 90, (-1, 0): 180, (0, 1): 270}


def rotation_of(lines: Iterable[TextLine]) -> Rotation:
    """Degrees by which the page is to be turned clockwise for most of its text to be upright."""
    votes: Counter[Rotation] = Counter()
    for line in lines:
        (x0, y0), (x1, y1) = line.box[:2]
        across, down = x1 - x0, y1 - y0
        sideways = abs(down) > abs(across)
        step = (0, 1 if down > 0 else -1) if sideways else (1 if across >= 0 else -1, 0)
        votes[_ROTATIONS[step]] += len(line.text)
    return max(votes, key=lambda rotation: (votes[rotation], -rotation), default=0)


def turn_lines(
    lines: Sequence[TextLine], rotation: Rotation, width: float, height: float
) -> tuple[TextLine, ...]:
    """Lines of a page of that width and height (pixels) after it was turned clockwise."""

    def turned(line: TextLine) -> TextLine:
        first, second, third, fourth = (turn_point(point, rotation, width, height) for point in line.box)
        return structs.replace(line, box=(first, second, third, fourth))

    return tuple(turned(line) for line in lines) if rotation else tuple(lines)


def turn_rect(rect: Rect, rotation: Rotation, width: float, height: float) -> Rect:
    """A rectangle of a page of that width and height (pixels) after it was turned clockwise."""
    (x0, y0), (x1, y1) = (turn_point(point, rotation, width, height) for point in (rect[:2], rect[2:]))
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def turn_point(point: Point, rotation: Rotation, width: float, height: float) -> Point:
    """A point of a page of that width and height (pixels) after it was turned clockwise."""
    x, y = point
    match rotation:
        case 90:
            return height - y, x
        case 180:
            return width - x, height - y
        case 270:
            return y, width - x
    return x, y
