"""Pages per second of the default engine, compared with RapidOCR and PaddleOCR in their default configuration.

    python benchmarks/ocr_speed.py [DATA] [--pages 30] [--processes 2]

Each contender reads the same pages, already decoded, in a plain loop in two fresh processes of one compute
thread each, one contender after the other. Pages/s are those of the slower process: for the loop alone, and
including the time to load the models. CPU seconds per page count the loop alone; use them on a machine with
other load. PaddleOCR gets the same weights, on onnxruntime. F1 as in ocr_accuracy.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ocr_accuracy import DATA, pages, rgb, scores, settings

Reader = Callable[[NDArray[np.uint8]], list[str]]


class Run(NamedTuple):
    load: float
    loop: float
    cpu: float
    lines: list[list[str]]


def ours(_: Path) -> Reader:
    from pipeline import ocr

    engine = ocr.load(settings())
    return lambda image: [line.text for line in engine.read(image).lines]


def rapidocr(_: Path) -> Reader:
    from rapidocr import RapidOCR

    one = {f"EngineConfig.onnxruntime.{key}_op_num_threads": 1 for key in ("intra", "inter")}
    engine = RapidOCR(params={"Global.log_level": "error", **one})

    def read(image: NDArray[np.uint8]) -> list[str]:
        return list(engine(np.ascontiguousarray(image[:, :, ::-1])).txts or ())

    return read


def paddleocr(models: Path) -> Reader:
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    from paddleocr import PaddleOCR

    engine = PaddleOCR(
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": 1, "inter_op_num_threads": 1},
        device="cpu",
        text_detection_model_name="PP-OCRv6_small_det",
        text_detection_model_dir=str(models / "det"),
        text_recognition_model_name="PP-OCRv6_small_rec",
        text_recognition_model_dir=str(models / "rec"),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
    )

    def read(image: NDArray[np.uint8]) -> list[str]:
        (result,) = engine.predict(np.ascontiguousarray(image[:, :, ::-1]))
        texts: list[Any] = result["rec_texts"]
        return texts

    return read


def loop(make: Callable[[Path], Reader], models: Path, paths: Sequence[Path]) -> Run:
    import cv2

    cv2.setNumThreads(1)
    images = [rgb(path) for path in paths]
    begin = time.perf_counter()
    read = make(models)
    loaded, cpu = time.perf_counter(), time.process_time()
    lines = [read(image) for image in images]
    return Run(loaded - begin, time.perf_counter() - loaded, time.process_time() - cpu, lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", default=DATA)
    parser.add_argument("--pages", type=int, default=30)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    from pipeline.ocr.paddle_files import prepare_onnx_dirs

    images = pages(options.data, options.pages)
    shares = [images[i :: options.processes] for i in range(options.processes)]
    first: tuple[float, float, float] | None = None
    with tempfile.TemporaryDirectory() as models:
        prepare_onnx_dirs(Path(models))
        for make in (ours, rapidocr, paddleocr):
            with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
                jobs = [pool.submit(loop, make, Path(models), share) for share in shares]
                runs = [job.result() for job in jobs]
            rates = (
                len(images) / max(run.loop for run in runs),
                len(images) / max(run.load + run.loop for run in runs),
                len(images) / sum(run.cpu for run in runs),
            )
            first = first or rates
            show(make.__name__, rates, first)
            character_f1, token_f1 = scores(
                [page for run in runs for page in run.lines], [path for share in shares for path in share]
            )
            print(f"           character F1 {character_f1:.4f}, token F1 {token_f1:.4f}", flush=True)


def show(name: str, rates: Sequence[float], first: Sequence[float]) -> None:
    """Print pages per second, the same including loading, and per CPU second, each with our speed as a multiple."""
    loop_, loaded, cpu = (
        f"{rate:.3f} (ours {ours / rate:.2f}x)" for rate, ours in zip(rates, first, strict=True)
    )
    print(f"{name:10} pages/s {loop_}, with loading {loaded}, pages per CPU second {cpu}")


if __name__ == "__main__":
    main()
