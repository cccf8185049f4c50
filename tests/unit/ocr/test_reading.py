"""The engines' common flow, without models: sizes, crops, rotations, invalid input."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.ocr.cuts import cut_line, turn
from pipeline.ocr.lines import LINE_HEIGHT, MAX_WIDTH, padded_width, scale_line
from pipeline.ocr.reading import detection_side, read_page

Image = NDArray[np.uint8]


@pytest.mark.parametrize(
    ("height", "width", "side"),
    [(1400, 1000, 960), (1000, 1400, 960), (2400, 1000, 960), (5000, 1000, 1920), (1000, 10_000, 3840)],
)
def test_long_pages_are_processed_at_more_pixels(height: int, width: int, side: int) -> None:
    assert detection_side(height, width, 960) == side


def test_absurdly_long_pages_are_bounded() -> None:
    assert detection_side(100_000, 10, 960) == 12 * 960


def test_a_vertical_line_is_rotated_counter_clockwise() -> None:
    page = np.zeros((100, 60, 3), np.uint8)
    page[10:90, 20:40] = 255
    page[10:20, 20:40] = (0, 0, 255)  # where the line begins
    quad = np.array([(20, 10), (40, 10), (40, 90), (20, 90)], np.float32)
    crop = cut_line(page, quad, turned=True)
    assert crop.shape == (20, 80, 3)
    assert crop[10, 5].tolist() == [0, 0, 255]
    assert crop[10, 75].tolist() == [255, 255, 255]


@pytest.mark.parametrize("length", [200, 40_000])
def test_a_line_is_cut_from_a_page_of_any_length(length: int) -> None:
    page = np.zeros((40, 40_100, 3), np.uint8)
    page[10:30, 50 : 50 + length] = 255
    quad = np.array([(50, 10), (50 + length, 10), (50 + length, 30), (50, 30)], np.float32)
    crop = cut_line(page, quad, turned=False)
    assert crop.shape[1] / crop.shape[0] == pytest.approx(length / 20, rel=0.15)
    assert crop[crop.shape[0] // 2].mean() > 250


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_is_clockwise(rotation: Any) -> None:
    corner = {0: (0, 0), 90: (0, 3), 180: (1, 3), 270: (1, 0)}
    image = np.zeros((2, 4, 3) if rotation in (0, 180) else (4, 2, 3), np.uint8)
    image[0, 0] = 9
    assert turn(image, rotation)[corner[rotation]].tolist() == [9, 9, 9]


def test_a_line_keeps_its_shape_on_the_way_to_the_recogniser() -> None:
    assert scale_line(np.zeros((24, 200, 3), np.uint8)).shape == (LINE_HEIGHT, 400, 3)
    assert [padded_width(width) for width in (1, 128, 129, 400)] == [128, 128, 160, 416]


def test_an_endless_line_is_squeezed() -> None:
    assert scale_line(np.zeros((10, 9000, 3), np.uint8)).shape[1] == MAX_WIDTH


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3)),
        np.zeros((0, 5, 3), np.uint8),
    ],
)
def test_other_than_an_rgb_page_is_refused(image: Any) -> None:
    parts: Any = None  # never reached
    with pytest.raises(ValueError, match="expected RGB"):
        read_page(image, parts, parts, 960)
