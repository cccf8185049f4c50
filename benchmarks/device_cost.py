"""Processor time of everything but the models where a device process computes: how many cores a device needs.

    python benchmarks/device_cost.py [DOCUMENT ...]

First what a request costs its client and the device process, with models that take no time. Then, for the documents
named, or the shipped samples: decoding and rendering; and everything that the default engine does for a page in the
process that asks, while another one computes. What entities, fields and the store cost is not in it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np  # noqa: E402
from device import processor  # noqa: E402

from pipeline import ocr  # noqa: E402
from pipeline.device.client import Client  # noqa: E402
from pipeline.device.launch import start  # noqa: E402
from pipeline.device.simulated import VARIABLE  # noqa: E402
from pipeline.documents.open import open_document  # noqa: E402
from pipeline.errors import PermanentError  # noqa: E402
from pipeline.ocr.batched import Kind  # noqa: E402
from pipeline.ocr.cuts import Image  # noqa: E402
from pipeline.settings import Settings  # noqa: E402

ASKED = 1000
"""Requests that a cost is the mean of."""
DEVICE = 5.0
"""Milliseconds a page of a fast device."""


@contextmanager
def asked(settings: Settings, device: str) -> Iterator[tuple[Client, int]]:
    """A client of a device process, and the id of that process."""
    with tempfile.TemporaryDirectory(prefix="ns-") as folder:
        process = start(Path(folder) / "device", settings, device)
        client = Client([Path(folder) / "device"])
        try:
            yield client, process.pid
        finally:
            client.close()
            process.terminate()
            process.wait()


def transport() -> float:
    """Milliseconds that the requests of a page cost, in both processes."""
    os.environ[VARIABLE] = "most=64"
    requests: dict[str, tuple[Kind, list[Image]]] = {
        "a page for detection, 960 x 672": ("detect", [np.zeros((960, 672, 3), np.uint8)]),
        "40 lines of 48 x 640": ("recognize", [np.zeros((48, 640, 3), np.uint8)] * 40),
    }
    total = 0.0
    with asked(Settings(ocr_engine="fake-device"), "gpu:0") as (client, pid):
        for name, (kind, images) in requests.items():
            client.ask(kind, images)
            before, theirs = time.process_time(), processor(pid)
            for _ in range(ASKED):
                client.ask(kind, images)
            ours = 1000 * (time.process_time() - before) / ASKED
            theirs = 1000 * (processor(pid) - theirs) / ASKED
            size = sum(image.nbytes for image in images) / 1e6
            each = (ours + theirs) / size
            print(
                f"{name:<32} {size:.2f} MB: client {ours:.2f} ms, device process {theirs:.2f} ms, {each:.2f} ms a MB"
            )
            total += ours + theirs
    return total


def host(paths: Sequence[Path]) -> tuple[float, float, int]:
    """Milliseconds a page for decoding, and for the rest of reading it in the process that asks; pages."""
    settings = Settings()
    decoding = reading = 0.0
    pages = 0
    with asked(settings, "cpu") as (client, _):
        engine = ocr.asking(settings, client.ask)
        engine.read(np.full((640, 640, 3), 255, np.uint8))
        for path in paths:
            with suppress(PermanentError):
                document = open_document(path.read_bytes(), settings.limits)
                for number in range(1, document.page_count + 1):
                    begun = time.process_time()
                    image = document.render(number)
                    between = time.process_time()
                    engine.read(image)
                    decoding += between - begun
                    reading += time.process_time() - between
                    pages += 1
    return 1000 * decoding / pages, 1000 * reading / pages, pages


def main() -> None:
    passing = transport()
    print(
        f"the requests of a page of 40 lines: {passing:.2f} ms, {passing / DEVICE:.2f} cores at {DEVICE:.0f} ms a page"
    )
    paths = [Path(name) for name in sys.argv[1:]] or sorted((ROOT / "samples").iterdir())
    decoding, reading, pages = host(paths)
    each = decoding + reading + passing / 2  # the client's half is in what reading takes
    print(
        f"{pages} pages: {decoding:.1f} ms to decode, {reading:.1f} ms to scale, cut and judge; "
        f"{each:.1f} ms with the device process: {each / DEVICE:.1f} cores for a device of {DEVICE:.0f} ms a page"
    )


if __name__ == "__main__":
    main()
