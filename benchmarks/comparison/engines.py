"""OCR libraries as their users call them, with one compute thread each, offline.

A maker loads the models and returns a reader: paths of images in, the lines of each page out, in the same order.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

Reader = Callable[[list[Path]], Iterable[list[str]]]
MAX_SIDE = 960
"""Pixels: the longest side of a page for detection in the best settings, as `nightshift` has it."""


def rapidocr(*, best: bool) -> Reader:
    """RapidOCR, page by page.

    Its defaults, or its best setting: OpenVINO, no classifier of line directions, detection at 960 pixels, and single
    lines, since on a CPU a batch only adds padding.
    """
    from rapidocr import EngineType, RapidOCR

    from pipeline.ocr import telemetry

    telemetry.decline()
    params: dict[str, Any] = {"Global.log_level": "error"}
    params |= {f"EngineConfig.onnxruntime.{part}_op_num_threads": 1 for part in ("intra", "inter")}
    if best:
        params |= {f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Rec")}
        params |= {"EngineConfig.openvino.inference_num_threads": 1, "EngineConfig.openvino.num_streams": 1}
        params |= {"Global.use_cls": False, "Global.max_side_len": MAX_SIDE, "Rec.rec_batch_num": 1}
        params |= {"Det.limit_type": "max", "Det.limit_side_len": MAX_SIDE}
    engine = RapidOCR(params=params)

    def read(paths: list[Path]) -> Iterator[list[str]]:
        for path in paths:
            yield list(engine(str(path)).txts or ())

    return read


def paddleocr(*, best: bool) -> Reader:
    """PaddleOCR on onnxruntime with the weights of the rapidocr wheel: no others can be had offline.

    Its defaults and one call per page, or its best setting: one call for all pages, detection at 960 pixels.
    """
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    from paddleocr import PaddleOCR

    from pipeline.ocr.paddle_files import prepare_onnx_dirs

    models = tempfile.TemporaryDirectory()
    detection, recognition = prepare_onnx_dirs(Path(models.name))
    engine = PaddleOCR(
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": 1, "inter_op_num_threads": 1},
        device="cpu",
        text_detection_model_name="PP-OCRv6_small_det",
        text_detection_model_dir=str(detection),
        text_recognition_model_name="PP-OCRv6_small_rec",
        text_recognition_model_dir=str(recognition),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
    )
    models.cleanup()

    def read(paths: list[Path]) -> Iterator[list[str]]:
        for path in paths:
            (result,) = engine.predict(str(path))
            yield list(result["rec_texts"])

    def read_list(paths: list[Path]) -> Iterator[list[str]]:
        names = [str(path) for path in paths]
        for result in engine.predict(names, text_det_limit_side_len=MAX_SIDE, text_det_limit_type="max"):
            yield list(result["rec_texts"])

    return read_list if best else read


def fake() -> Reader:
    """Reads nothing: what a comparison costs by itself, and for tests."""
    return lambda paths: ([] for _ in paths)


ENGINES: dict[str, Callable[[], Reader]] = {
    "rapidocr": partial(rapidocr, best=False),
    "rapidocr-best": partial(rapidocr, best=True),
    "paddleocr": partial(paddleocr, best=False),
    "paddleocr-best": partial(paddleocr, best=True),
    "fake": fake,
}


def load(name: str) -> Reader:
    """Load an engine of `ENGINES`, its image library with one thread."""
    import cv2

    cv2.setNumThreads(1)
    return ENGINES[name]()
