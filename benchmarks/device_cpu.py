"""On this CPU: OCR models in each process, or in one device process that all ask.

    python benchmarks/device_cpu.py [--texts 6] [--rounds 2] [--children 8]

Pages: every page of the shipped samples, and as many pages of rendered text as `--texts` says. Both ways read each page
in turn, in one process of one compute thread; what they read must be the same. Printed: CPU milliseconds a page, those
of the device process included; then the memory of `--children` processes that have read all pages, each way. Memory is
the proportional set size: pages of memory that several processes share count once.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from subprocess import Popen
from types import SimpleNamespace

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline import ocr
from pipeline.device.client import Client
from pipeline.device.launch import start
from pipeline.documents.open import open_document
from pipeline.errors import PermanentError
from pipeline.settings import Settings

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
Rgb = NDArray[np.uint8]


def settings(**changes: object) -> ocr.OcrSettings:
    defaults = {
        "ocr_engine": "rapidocr",
        "ocr_device": "cpu",
        "ocr_model_dir": None,
        "ocr_max_side": 960,
        "ocr_threads": 1,
        "ocr_download": False,
    }
    return SimpleNamespace(**{**defaults, **changes})


def sample_pages() -> Iterator[Rgb]:
    """Every page of the shipped samples that can be opened, rendered."""
    for path in sorted(SAMPLES.iterdir()):
        try:
            document = open_document(path.read_bytes(), Settings().limits)
        except PermanentError:
            continue  # one sample is damaged on purpose
        with document:
            yield from (document.render(number) for number in range(1, document.page_count + 1))


def text_pages(count: int) -> Iterator[Rgb]:
    """Pages of 40 lines, A4 at 150 dpi."""
    random = np.random.default_rng(1)
    font = ImageFont.load_default(22)
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789")
    for _ in range(count):
        image = Image.new("RGB", (1240, 1754), "white")
        for row in range(40):
            lengths = random.integers(2, 11, random.integers(3, 12))
            words = ("".join(random.choice(letters, length)) for length in lengths)
            ImageDraw.Draw(image).text((80, 80 + 40 * row), " ".join(words), fill="black", font=font)
        yield np.asarray(image)


def engine_for(address: Path | None) -> ocr.OcrEngine:
    """An engine with its own models, or one that asks the process at an address."""
    return ocr.load(settings()) if address is None else ocr.asking(settings(), Client([address]).ask)


def cpu_seconds(device: Popen[bytes]) -> float:
    times = psutil.Process(device.pid).cpu_times()
    return float(times.user + times.system)


def compute(device: Popen[bytes], address: Path, pages: list[Rgb], rounds: int) -> None:
    """Print CPU milliseconds a page of both ways, page by page in turn."""
    own, asking = engine_for(None), engine_for(address)
    spent = {"own models": 0.0, "asking": 0.0}
    lines = 0
    before = 0.0
    for turn in range(rounds + 1):
        if turn == 1:  # the first round compiles the models for each size of image
            spent = dict.fromkeys(spent, 0.0)
            before = cpu_seconds(device)
        for page in pages:
            readings = []
            for name, engine in (("own models", own), ("asking", asking)):
                begin = time.process_time()
                readings.append(engine.read(page))
                spent[name] += time.process_time() - begin
            if readings[0] != readings[1]:
                raise SystemExit("the device process reads something else")
            lines += len(readings[0].lines)
    count = rounds * len(pages)
    there = cpu_seconds(device) - before
    alone, here = spent.values()
    print(
        f"{len(pages)} pages, {lines // (rounds + 1)} lines, {rounds} rounds; CPU ms a page: own models "
        f"{1000 * alone / count:.0f}; asking {1000 * (here + there) / count:.0f}, of it {1000 * here / count:.0f} in "
        f"the process that asks; ratio {(here + there) / alone:.3f}; the same was read",
        flush=True,
    )


def set_size(pid: int) -> float:
    """Proportional set size of a process in MiB."""
    return float(psutil.Process(pid).memory_full_info().pss) / 2**20


def child(address: Path | None, texts: int, done: Queue[int], end: Event) -> None:
    """Read all pages, say so, and stay to be measured."""
    engine = engine_for(address)
    for page in (*sample_pages(), *text_pages(texts)):
        engine.read(page)
    done.put(os.getpid())
    end.wait()


def memory(name: str, address: Path | None, options: argparse.Namespace, device: Popen[bytes]) -> None:
    """Print the memory of children that have read all pages, and of the device process if they asked it."""
    context = get_context("spawn")
    done, end = context.Queue(), context.Event()
    children = [
        context.Process(target=child, args=(address, options.texts, done, end))
        for _ in range(options.children)
    ]
    for process in children:
        process.start()
    sizes = [set_size(pid) for pid in [done.get(timeout=600) for _ in children]]
    extra = 0.0 if address is None else set_size(device.pid)
    end.set()
    for process in children:
        process.join()
    print(
        f"{name}: {len(sizes)} processes, {sum(sizes) / len(sizes):.0f} MiB each, device process {extra:.0f} MiB, "
        f"together {sum(sizes) + extra:.0f} MiB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--children", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        address = Path(folder) / "device"
        device = start(address, settings(), "cpu")
        compute(device, address, [*sample_pages(), *text_pages(options.texts)], options.rounds)
        memory("asking", address, options, device)
        device.terminate()
        memory("own models", None, options, device)


if __name__ == "__main__":
    main()
