"""Page orientation: the decisions, without models."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.ocr.orientation import decide, runs_sideways, standing

Quads = NDArray[np.float32]


def boxes(*sizes: tuple[float, float]) -> Quads:
    return np.array([[(0, 0), (w, 0), (w, h), (0, h)] for w, h in sizes], np.float32)


def test_horizontal_and_vertical_lines_are_distinguished() -> None:
    assert not runs_sideways(boxes((300, 20), (200, 20), (20, 90)))
    assert runs_sideways(boxes((20, 300), (20, 200), (90, 20)))


def test_a_page_of_short_square_boxes_is_upright() -> None:
    assert not runs_sideways(boxes((20, 20), (25, 20), (20, 25)))


def test_a_single_digit_among_horizontal_lines_is_not_vertical() -> None:
    assert standing(boxes((300, 22), (200, 20), (11, 21))).tolist() == [False, False, False]


def test_a_long_line_next_to_the_text_is_vertical() -> None:
    assert standing(boxes((300, 22), (200, 20), (20, 200))).tolist() == [False, False, True]


def test_on_a_sideways_page_all_tall_boxes_are_vertical() -> None:
    assert standing(boxes((20, 300), (20, 100), (20, 40), (90, 20))).tolist() == [True, True, True, False]


def test_no_boxes() -> None:
    empty = np.zeros((0, 4, 2), np.float32)
    assert not runs_sideways(empty)
    assert standing(empty).tolist() == []


@pytest.mark.parametrize(
    ("sideways", "as_is", "flipped", "rotation"),
    [
        (False, 0.4, 0.95, 180),
        (False, 0.95, 0.4, 0),
        (False, 0.92, 0.95, 0),  # equal both ways: in doubt
        (False, 0.3, 0.6, 0),  # illegible either way
        (True, 0.4, 0.95, 90),
        (True, 0.95, 0.4, 270),
        (True, 0.9, 0.95, 0),
        (True, 0.5, 0.3, 0),
    ],
)
def test_a_page_is_rotated_only_for_a_clearly_better_reading(
    sideways: bool, as_is: float, flipped: float, rotation: int
) -> None:
    assert decide(sideways=sideways, as_is=as_is, flipped=flipped) == rotation
