"""Text regions by RapidOCR's module for detection, without the rest of RapidOCR."""

import subprocess
import sys

import numpy as np

from pipeline.ocr.regions import Contours, _in_rows, boxes_of

_LOOK = """
import sys
from pipeline.ocr.regions import scale_page
import numpy as np
assert scale_page(np.zeros((64, 64, 3), np.uint8), 32).shape == (32, 32, 3)
assert not {"rapidocr.inference_engine.base", "rapidocr.utils.model_resolver"} & sys.modules.keys()
from rapidocr import VisRes
from rapidocr.ch_ppocr_det import TextDetector
assert VisRes
assert TextDetector.sorted_boxes and sys.modules["rapidocr.ch_ppocr_det"].TextDetector is TextDetector
"""


def test_the_engines_of_rapidocr_are_not_imported_and_still_can_be() -> None:
    subprocess.run([sys.executable, "-c", _LOOK], check=True, timeout=60)


def test_boxes_are_in_the_order_of_rapidocr() -> None:
    from rapidocr.ch_ppocr_det import TextDetector

    rng = np.random.default_rng(1)
    for count in (1, 2, 40):
        boxes = (rng.random((count, 4, 2)) * (500, 120)).astype(np.float32)
        assert (_in_rows(boxes) == TextDetector.sorted_boxes(boxes)).all()


def test_lines_of_a_row_from_left_to_right() -> None:
    page = np.zeros((96, 320), np.float32)
    for top, left in ((76, 20), (10, 200), (13, 20)):
        page[top : top + 16, left : left + 80] = 0.9
    found = boxes_of(page, 96, 320, Contours())
    assert [(int(box[0, 0]) // 100, int(box[0, 1]) // 50) for box in found] == [(0, 0), (1, 0), (0, 1)]
    assert boxes_of(np.zeros((96, 320), np.float32), 96, 320, Contours()).shape == (0, 4, 2)
