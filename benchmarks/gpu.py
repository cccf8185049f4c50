"""On a machine with an NVIDIA GPU: how busy `nightshift run` keeps it, next to a page at a time and to the processors.

    python benchmarks/gpu.py PAGES [--pages 600] [--processes 16] [--only gpu,library,cpu]

PAGES: a folder with images and `printed.json`, name -> lines printed on it (`--make 48` makes one; it needs the font of
the tests, not a GPU). Documents of 1 to 40 pages are made of them, no two pages the same. Contenders, each with
processes of its own, one after the other:

- `gpu`: `nightshift run`, one device process for the GPU.
- `library`: RapidOCR on the same GPU, a page at a time, as a consumer of a queue with prefetch 1 does; no store.
- `cpu`: `nightshift run` on all processors without a GPU.

Printed as JSON, one line each. `used`: mean of what nvidia-smi gives as utilisation from the first batch to the last:
the share of time in which a kernel ran. `busy`: the share in which the device process computed, with copies of images.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comparison import accuracy
from comparison.stored import lines_of

from pipeline.device.counters import Counters, read_counters
from pipeline.settings import Settings
from pipeline.storage import open_store

NIGHTSHIFT = str(Path(sys.executable).parent / "nightshift")
LENGTHS = (1, 1, 1, 1, 2, 3, 5, 8, 20, 40)
PRINTED = "printed.json"


class Gpu:
    """What nvidia-smi says ten times a second: (time, utilisation in percent, MiB in use)."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int, int]] = []
        self._process = subprocess.Popen(
            [
                "nvidia-smi",
                "--query-gpu=utilization.gpu,memory.used",
                "--format=csv,noheader,nounits",
                "-lms",
                "100",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with suppress(ValueError):
                used, memory = map(int, line.split(","))
                self.seen.append((time.monotonic(), used, memory))

    def used(self, since: float, until: float) -> float:
        """Mean utilisation, 0 to 1."""
        found = [used for when, used, _ in self.seen if since <= when <= until]
        return sum(found) / len(found) / 100 if found else 0.0

    def memory(self, since: float, until: float) -> int:
        """Most MiB in use."""
        return max((memory for when, _, memory in self.seen if since <= when <= until), default=0)

    def end(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.wait()


def write(source: Path, folder: Path, pages: int) -> None:
    """Each picture of `source` by its name, then documents of mixed lengths, until there are so many pages."""
    paths = sorted(path for path in source.iterdir() if path.name != PRINTED)
    for path in islice(paths, pages):
        (folder / path.name).write_bytes(path.read_bytes())
    number = len(paths)
    while number < pages:
        for length in LENGTHS:
            found = []
            for _ in range(min(length, pages - number)):
                found.append(Image.open(paths[number % len(paths)]).convert("RGB"))
                found[-1].paste((100, number // 250, number % 250), (0, 0, 16, 16))
                number += 1
            if len(found) == 1:
                found[0].save(folder / f"more-{number}.jpg", quality=70)
            elif found:
                target = folder / f"more-{number}.tif"
                found[0].save(target, save_all=True, append_images=found[1:], compression="jpeg", quality=70)


@contextmanager
def processor_seconds(figures: dict[str, Any], pages: int) -> Iterator[None]:
    """Adds the processor time of child processes that end meanwhile, in ms per page."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures["cpu_ms_per_page"] = round(1000 * spent / pages, 1)


def nightshift(source: Path, pages: int, processes: int, device: str, gpu: Gpu) -> dict[str, Any]:
    """`nightshift run` on so many pages."""
    figures: dict[str, Any] = {"pages": pages, "processes": processes}
    with tempfile.TemporaryDirectory(prefix="ns-") as name, processor_seconds(figures, pages):
        place = Path(name)
        for folder in ("in", "t"):
            (place / folder).mkdir()
        write(source, place / "in", pages)
        begun = time.monotonic()
        code, seen = _run(place, processes, device)
        ended = time.monotonic()
        figures |= {"exit": code, "seconds": round(ended - begun, 2)}
        figures["log"] = (place / "log").read_text(encoding="utf-8")[-600:] if code else ""
        figures |= _accuracy(source, place)
        if seen:
            figures |= _device(seen, gpu)
            time.sleep(1)  # the last samples of memory
            figures["memory_mib"] = gpu.memory(begun, ended)
            figures["memory_after_mib"] = gpu.memory(ended + 0.5, time.monotonic())
        return figures


def _run(place: Path, processes: int, device: str) -> tuple[int, list[tuple[float, Counters]]]:
    environment = {**os.environ, "NIGHTSHIFT_DEVICES": device, "NIGHTSHIFT_TEMP_DIR": str(place / "t")}
    environment["NIGHTSHIFT_MAX_BYTES"] = str(1 << 31)
    command = [NIGHTSHIFT, "run", str(place / "in"), "--out", str(place / "out"), "-j", str(processes)]
    seen: list[tuple[float, Counters]] = []
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--show", "0"], env=environment, stdout=log, stderr=log)
        while process.poll() is None:
            with suppress(FileNotFoundError):  # it is cleaning up
                for path in (place / "t").rglob("*.sock.counters"):
                    now = read_counters(path.with_suffix(""))
                    if now and now.images and (not seen or now.images != seen[-1][1].images):
                        seen.append((time.monotonic(), now))
            time.sleep(0.01)
    return process.returncode, seen


def _device(seen: list[tuple[float, Counters]], gpu: Gpu) -> dict[str, Any]:
    (begun, first), (ended, last) = seen[0], seen[-1]
    seconds = ended - begun
    middle = begun + seconds / 5, ended - seconds / 5
    return {
        "device_seconds": round(seconds, 2),
        "busy": round((last.busy - first.busy) / seconds, 3),
        "slots": round((last.images - first.images) / (last.slots - first.slots), 3),
        "images": last.images,
        "batches": last.batches,
        "used": round(gpu.used(begun, ended), 3),
        "used_middle": round(gpu.used(*middle), 3),
    }


def _accuracy(source: Path, place: Path) -> dict[str, Any]:
    printed = json.loads((source / PRINTED).read_text(encoding="utf-8"))
    url = str(place / "out")
    found = lines_of(open_store(url, Settings.from_env({}, store_url=url)))
    names = [name for name in printed if name in found]
    read = [found[name] for name in names]
    return {
        "documents": len(found),
        "read": len(names),
        "f1": round(
            accuracy.score(accuracy.characters, read, [printed[name] for name in names]),
            4,
        ),
    }


def library(source: Path, pages: int, gpu: Gpu) -> dict[str, Any]:
    """RapidOCR on the GPU, page by page, without a search for the fastest convolution of each new size."""
    from rapidocr import RapidOCR

    params = {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.use_cuda": True,
        "EngineConfig.onnxruntime.cuda_ep_cfg.cudnn_conv_algo_search": "HEURISTIC",
        "Global.use_cls": False,
        "Global.max_side_len": 960,
        "Det.limit_type": "max",
        "Det.limit_side_len": 960,
        "Rec.rec_batch_num": 32,
    }
    engine = RapidOCR(params=params)
    printed = json.loads((source / PRINTED).read_text(encoding="utf-8"))
    paths = [path for path in sorted(source.iterdir()) if path.name != PRINTED]
    engine(str(paths[0]))
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    read = {path.name: list(engine(str(path)).txts or ()) for path in paths[:pages]}
    ended, after = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "pages": len(read),
        "device_seconds": round(ended - begun, 2),
        "used": round(gpu.used(begun, ended), 3),
        "cpu_ms_per_page": round(1000 * spent / len(read), 1),
        "memory_mib": gpu.memory(begun, ended),
        "f1": round(
            accuracy.score(accuracy.characters, list(read.values()), [printed[name] for name in read]), 4
        ),
    }


def make(folder: Path, count: int) -> None:
    """Pages as `make bench` makes them, and what is printed on them."""
    from comparison.pages.made import made

    folder.mkdir(parents=True, exist_ok=True)
    pages = made(folder, count, seed=1).pages
    printed = {page.path.name: page.lines for page in pages}
    (folder / PRINTED).write_text(json.dumps(printed, ensure_ascii=False), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, metavar="PAGES")
    parser.add_argument("--make", type=int, metavar="COUNT", help="make so many pages, nothing else")
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--only", default="gpu,library,cpu")
    args = parser.parse_args()
    if args.make:
        make(args.source, args.make)
        return
    gpu = Gpu()
    try:
        for name in args.only.split(","):
            if name == "library":
                figures = library(args.source, args.pages, gpu)
            else:
                device = "" if name == "cpu" else "gpu:0"
                figures = nightshift(args.source, args.pages, args.processes, device, gpu)
            print(json.dumps({"what": name, **figures}), flush=True)
    finally:
        gpu.end()


if __name__ == "__main__":
    main()
