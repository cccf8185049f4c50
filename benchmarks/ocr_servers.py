"""The engine `remote` with a real `paddlex --serve`, compared with the same models in this process.

Text: PaddleX's pipeline called here and over HTTP, line by line; then the engines `paddleocr` and `remote`, as share of
equal characters (difflib). Processor time per page, as wall-clock time says little on a busy machine: of the pipeline
here, of the server, and of what the client needs on top of that.

    python -m benchmarks.ocr_servers [samples/*.jpg ...]
"""

from __future__ import annotations

import argparse
import difflib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from pipeline import ocr
from pipeline.documents.layout import assemble
from pipeline.ocr.base import OcrEngine
from pipeline.served.engine import servers_of
from pipeline.served.servers import Servers
from pipeline.served.wire import request_of
from pipeline.settings import Settings
from tests.support.servers.paddlex import MODEL, PaddleX, configuration, start_paddlex

SIDE = 960
SAMPLES = (
    "receipt.jpg",
    "vat_invoice.jpg",
    "medical_note.png",
    "delivery_note_turned.jpg",
    "parking_photo.jpg",
)

Rgb = NDArray[np.uint8]


def measure(paths: list[Path], server: PaddleX, settings: Settings) -> None:
    """Print a line per page, and the medians."""
    servers = Servers(servers_of(settings), settings.ocr_server_seconds)
    direct = pipeline(server.folder)
    engines = ocr.load(Settings(ocr_engine="paddleocr")), ocr.load(settings)
    whole = psutil.Process(server.process.pid)
    rows = []
    for path in paths:
        page = np.asarray(Image.open(path).convert("RGB"))
        bgr = np.ascontiguousarray(page[:, :, ::-1])
        here, here_ms = timed(partial(direct, bgr))
        before = cpu(whole)
        there, client_ms = timed(partial(servers.ask, bgr, SIDE))
        server_ms = 1000 * (cpu(whole) - before)
        _, encode_ms = timed(partial(request_of, bgr, SIDE))
        texts = [text_of(engine, page) for engine in engines]
        alike = difflib.SequenceMatcher(None, texts[0], texts[1], autojunk=False).ratio()
        rows.append((here_ms, server_ms, client_ms, encode_ms, alike))
        same = sum(text == line.text for text, line in zip(here, there, strict=False))
        print(
            f"{path.name}: {page.shape[1]} x {page.shape[0]}, {same} of {len(here)} lines equal ({len(there)} over "
            f"HTTP); here {here_ms:.0f}, server {server_ms:.0f}, client {client_ms:.0f} (request {encode_ms:.0f}) ms "
            f"of processor time; text as `paddleocr` {alike:.4f}",
            flush=True,
        )
    here_ms, server_ms, client_ms, encode_ms, alike = (
        statistics.median(column) for column in zip(*rows, strict=True)
    )
    print(
        f"median: here {here_ms:.0f}, server {server_ms:.0f}, client {client_ms:.0f} (request {encode_ms:.0f}) ms; "
        f"text as `paddleocr` {alike:.4f}"
    )


def pipeline(folder: Path) -> Callable[[Rgb], list[str]]:
    """PaddleX's OCR pipeline in this process, as the server has it."""
    from paddlex import create_pipeline  # type: ignore[import-untyped]

    made: Any = create_pipeline(
        config=configuration(folder / "models-here"), engine="onnxruntime", device="cpu"
    )

    def read(bgr: Rgb) -> list[str]:
        (found,) = made.predict(
            [bgr], text_det_limit_side_len=SIDE, text_det_limit_type="max", text_rec_score_thresh=0.0
        )
        return list(found["rec_texts"])

    return read


def timed(what: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and milliseconds of this process's processor time."""
    began = time.process_time()
    found = what()
    return found, 1000 * (time.process_time() - began)


def cpu(process: psutil.Process) -> float:
    """Seconds of processor time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def text_of(engine: OcrEngine, page: Rgb) -> str:
    """The text as results have it."""
    seen = engine.read(page)
    return assemble(seen.lines, seen.width, seen.height)[0]


def main() -> None:
    """Start a server, measure, stop it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", type=Path, default=[Path("samples") / name for name in SAMPLES])
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = start_paddlex(Path(folder), given.port)
        try:
            settings = Settings(
                ocr_engine="remote",
                ocr_servers=server.url,
                ocr_server_model=MODEL,
                ocr_server_seconds=600.0,
                time_limit=3000.0,
            )
            measure(given.pages, server, settings)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
