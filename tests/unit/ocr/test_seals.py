"""Seals over text: found by colour and shape, taken away by channel, and the better reading kept."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.ocr.reading import read_page
from pipeline.ocr.seals import find_seals, touching, without

Image = NDArray[np.uint8]
RED, BLUE, VIOLET, GREEN = (205, 35, 55), (40, 60, 190), (110, 50, 170), (30, 130, 70)
"""RGB."""


def paper() -> Image:
    """An RGB page with dark bars for lines of text."""
    image = np.full((900, 700, 3), 250, np.uint8)
    for top in range(300, 600, 60):
        image[top : top + 16, 150:560:2] = 20
    return image


def stamped(colour: tuple[int, int, int], centre: tuple[int, int] = (400, 430), radius: int = 110) -> Image:
    """The page with a ring over its text, black where both are."""
    seal = np.full((900, 700, 3), 255, np.uint8)
    cv2.circle(seal, centre, radius, colour, 8)
    cv2.circle(seal, centre, radius // 3, colour, -1)
    return (paper().astype(np.uint16) * seal // 255).astype(np.uint8)


def bgr(image: Image) -> Image:
    return np.ascontiguousarray(image[:, :, ::-1])


@pytest.mark.parametrize(("colour", "channel"), [(RED, 2), (BLUE, 0), (VIOLET, 0), (GREEN, 1)])
def test_a_seal_over_text_is_found(colour: tuple[int, int, int], channel: int) -> None:
    found = find_seals(bgr(stamped(colour)))
    assert found
    assert {seal.channel for seal in found} == {channel}
    assert min(s.left for s in found) < 300 < 500 < max(s.right for s in found)
    assert min(s.top for s in found) < 330 < 530 < max(s.bottom for s in found)


def test_there_is_no_seal_on_plain_paper_on_grey_and_beside_the_text() -> None:
    assert find_seals(bgr(paper())) == []
    assert find_seals(bgr(stamped((90, 90, 90)))) == []
    assert find_seals(bgr(stamped(RED, (400, 750)))) == []


def test_red_letters_and_a_red_page_are_no_seals() -> None:
    image = paper()
    image[310:318, 200:240] = RED
    assert find_seals(bgr(image)) == []
    image[:] = np.minimum(image, RED)
    assert find_seals(bgr(image)) == []


@pytest.mark.parametrize("colour", [RED, BLUE, GREEN])
def test_without_its_seal_a_page_is_black_on_white(colour: tuple[int, int, int]) -> None:
    page = bgr(stamped(colour))
    clean = without(page, find_seals(page))
    ring = clean[440:455, 285:295]
    assert ring.min() > 200
    assert clean[305:310, 400].max() < 60
    assert np.array_equal(clean[:200], page[:200])


def test_boxes_that_touch_a_seal() -> None:
    (seal, *_) = find_seals(bgr(stamped(RED)))
    inside, outside = (400, 430, 420, 440), (20, 20, 200, 40)
    boxes = np.array([[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in (inside, outside)])
    assert touching(boxes.astype(np.float32), [seal]).tolist() == [True, False]


class Engine:
    """Reads what it is given: on pages with colour, and on pages without."""

    def __init__(
        self, coloured: Sequence[tuple[int, str, float]], clean: Sequence[tuple[int, str, float]]
    ) -> None:
        self.texts = {True: coloured, False: clean}
        self.detected = 0

    def detect(self, image: Image) -> NDArray[np.float32]:
        self.detected += 1
        self.now = self.texts[bool(np.ptp(image.astype(int), axis=2).max() > 60)]
        boxes = [[(150, y), (560, y), (560, y + 16), (150, y + 16)] for y, _, _ in self.now]
        return np.array(boxes, np.float32).reshape(-1, 4, 2)

    def recognize(self, crops: Sequence[Image]) -> list[tuple[str, float]]:
        wanted = self.now if len(crops) == len(self.now) else self.now[-len(crops) :]
        return [(text, confidence) for _, text, confidence in wanted]

    def upside_down(self, crops: Sequence[Image]) -> float:
        return 0.0


def read(engine: Engine, image: Image) -> list[str]:
    return sorted(line.text for line in read_page(image, engine, engine, 960).lines)


WHOLE = "a whole line of the contract's last page"
PART = "a whole line of the con"


def test_the_better_reading_is_kept() -> None:
    engine = Engine([(360, PART, 0.97), (420, WHOLE, 0.99)], [(360, WHOLE, 0.99), (420, PART, 0.9)])
    assert read(engine, stamped(RED)) == [WHOLE, WHOLE]


def test_a_line_that_only_the_clean_page_shows_is_added() -> None:
    engine = Engine([(360, WHOLE, 0.99)], [(360, WHOLE, 0.99), (480, WHOLE, 0.98)])
    assert read(engine, stamped(BLUE)) == [WHOLE, WHOLE]


def test_letters_of_the_seal_itself_are_kept_if_they_are_sure() -> None:
    assert read(Engine([(420, WHOLE, 0.95)], []), stamped(RED)) == [WHOLE]
    assert read(Engine([(420, WHOLE, 0.75)], []), stamped(RED)) == []


def test_a_page_without_a_seal_is_detected_once() -> None:
    engine = Engine([], [(360, WHOLE, 0.99)])
    assert read(engine, paper()) == [WHOLE]
    assert engine.detected == 1
