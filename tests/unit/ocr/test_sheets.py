"""Small letters on large sheets: which tiles are detected again, and how their boxes are joined."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.ocr.sheets import with_small_lines

Image = NDArray[np.uint8]
Quads = NDArray[np.float32]
NONE = np.zeros((0, 4, 2), np.float32)
SIDE = 960


def sheet(*lines: tuple[int, int, int], letter: int = 16, size: tuple[int, int] = (2800, 4000)) -> Image:
    """A white page with lines of letters: left, top, number of letters."""
    page = np.full((*size, 3), 255, np.uint8)
    for left, top, count in lines:
        for n in range(count):
            x = left + n * (letter - 2)
            page[top : top + letter, x : x + letter - 6] = 10
    return page


def box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


class Eye:
    """Finds each dark row of a tile as one box."""

    def __init__(self) -> None:
        self.tiles: list[tuple[int, ...]] = []

    def __call__(self, tile: Image) -> Quads:
        self.tiles.append(tile.shape[:2])
        dark = tile[:, :, 0] < 128
        rows = np.flatnonzero(np.diff(np.concatenate([[0], dark.any(axis=1).astype(int), [0]])))
        boxes = []
        for top, bottom in rows.reshape(-1, 2):
            columns = np.flatnonzero(dark[top:bottom].any(axis=0))
            boxes.append(box(columns[0], top, columns[-1] + 1, bottom))
        return np.array(boxes, np.float32).reshape(-1, 4, 2)


def found(page: Image, boxes: Quads = NONE) -> tuple[list[list[int]], int]:
    """Bounds of the boxes found, and the number of tiles."""
    eye = Eye()
    quads = with_small_lines(page, boxes, eye, SIDE)
    bounds = [[*quad.min(axis=0), *quad.max(axis=0)] for quad in quads]
    return sorted([round(float(v)) for v in bound] for bound in bounds), len(eye.tiles)


def test_small_lines_are_found_in_the_tiles_that_hold_them() -> None:
    bounds, tiles = found(sheet((3000, 2200, 30)))
    assert bounds == [[3000, 2200, 3416, 2216]]
    assert 1 <= tiles <= 4


def test_light_lines_on_a_dark_sheet_are_found() -> None:
    page = np.asarray(255 - sheet((3000, 2200, 30)), np.uint8)
    tiles: list[tuple[int, ...]] = []

    def look(tile: Image) -> Quads:
        tiles.append(tile.shape)
        return NONE

    with_small_lines(page, NONE, look, SIDE)
    assert 1 <= len(tiles) <= 4


def test_a_line_across_tiles_is_one_box() -> None:
    bounds, tiles = found(sheet((300, 1000, 220), (500, 1060, 200)))
    assert bounds == [[300, 1000, 3376, 1016], [500, 1060, 3296, 1076]]
    assert tiles > 2


@pytest.mark.parametrize("size", [(2300, 1650), (960, 700)])
def test_pages_of_usual_size_are_not_looked_at(size: tuple[int, int]) -> None:
    assert found(sheet((100, 300, 40), size=size)) == ([], 0)


def test_what_detection_saw_is_not_looked_for_again() -> None:
    seen = np.array([box(290, 980, 1800, 1050)], np.float32)
    page = sheet((300, 1000, 40), letter=36)
    assert found(page, seen) == ([[290, 980, 1800, 1050]], 0)


def test_lines_too_low_for_detection_are_found_anew() -> None:
    blurred = np.array([box(250, 995, 1000, 1020)], np.float32)
    bounds, _ = found(sheet((300, 1000, 40)), blurred)
    assert bounds == [[300, 1000, 856, 1016]]


def test_a_large_title_stays_beside_small_lines() -> None:
    title = np.array([box(300, 200, 2000, 300)], np.float32)
    bounds, _ = found(sheet((300, 1000, 40)), title)
    assert bounds == [[300, 200, 2000, 300], [300, 1000, 856, 1016]]


def test_blank_sheets_rules_and_grain_cost_no_tile() -> None:
    blank = sheet()
    ruled = sheet()
    ruled[::200] = 0
    ruled[:, ::300] = 0
    random = np.random.default_rng(1)
    grain = np.where(random.random((700, 1000)) < 0.06, 20, 230).astype(np.uint8)
    grain = np.repeat(np.repeat(grain, 4, axis=0), 4, axis=1)[:, :, None].repeat(3, axis=2)
    assert [found(np.ascontiguousarray(page))[1] for page in (blank, ruled)] == [0, 0]
    assert np.count_nonzero(grain < 128) > 100_000
    tiles: list[Image] = []

    def nothing(tile: Image) -> Quads:
        tiles.append(tile)
        return NONE

    with_small_lines(np.ascontiguousarray(grain), NONE, nothing, SIDE)
    assert tiles == []
