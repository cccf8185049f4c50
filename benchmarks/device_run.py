"""How busy `nightshift run` keeps a simulated device, and what a page costs the processors.

    python benchmarks/device_run.py [--pages 400] [--processes 8]

The device is that of `device.py`: 30 ms a batch and 30 ms a page, up to 8 pages a batch. Documents of 1 to 40 pages,
150 dpi, are read with the engines `fake-device` and `fake-ner`, into a folder. Busy: share of the time from the first
batch to the last, in which most processes start. Processor time per page is the difference between this run and one of
a quarter of the pages: all processes, without what it takes to start them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import device
import device_pages
from PIL import Image

from pipeline.device.counters import Counters, read_counters

NIGHTSHIFT = str(Path(sys.executable).parent / "nightshift")
LENGTHS = (1, 1, 1, 1, 2, 3, 5, 8, 20, 40)


def write(folder: Path, pages: int) -> None:
    """Documents that have so many pages in all, no two pages the same."""
    scans = [Image.fromarray(device_pages.decoded(scan)) for scan in device_pages.scans()]
    number = 0
    for document, length in enumerate(device_pages.lengths(pages, LENGTHS)):
        found = []
        for _ in range(length):
            found.append(scans[number % len(scans)].copy())
            found[-1].paste((100, number // 250, number % 250), (0, 0, 16, 16))
            number += 1
        if length == 1:
            found[0].save(folder / f"{document}.jpg", quality=60)
        else:
            found[0].save(
                folder / f"{document}.tif", save_all=True, append_images=found[1:], compression="jpeg"
            )


def run(place: Path, processes: int) -> tuple[list[tuple[float, Counters]], float]:
    """What the device had done at each time that something changed, and seconds of processor time of all processes."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")},
        "NIGHTSHIFT_ENV_FILE": "",
        "NIGHTSHIFT_OCR_ENGINE": "fake-device",
        "NIGHTSHIFT_NER_ENGINE": "fake-ner",
        "NIGHTSHIFT_DEVICES": "gpu:0",
        "NIGHTSHIFT_MAX_BYTES": str(1 << 31),
        "NIGHTSHIFT_TEMP_DIR": str(place / "t"),
        "NIGHTSHIFT_FAKE_DEVICE": " ".join(
            f"{name}={getattr(device.DEVICE, name)}" for name in ("batch", "image", "most")
        ),
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [NIGHTSHIFT, "run", str(place / "in"), "--out", str(place / "out"), "-j", str(processes)]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--show", "0"], env=environment, stdout=log, stderr=log)
        seen: list[tuple[float, Counters]] = []
        while process.poll() is None:
            for path in (place / "t").rglob("*.sock.counters"):
                now = read_counters(path.with_suffix(""))
                if now and now.images and (not seen or now.images > seen[-1][1].images):
                    seen.append((time.monotonic(), now))
            time.sleep(0.01)
    assert process.returncode == 0, (place / "log").read_text(encoding="utf-8")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seen, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(pages: int, processes: int) -> tuple[list[tuple[float, Counters]], float]:
    """`run` on so many new pages."""
    with tempfile.TemporaryDirectory(prefix="ns-") as folder:
        for name in ("in", "t"):
            (Path(folder) / name).mkdir()
        write(Path(folder) / "in", pages)
        return run(Path(folder), processes)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--processes", type=int, default=8)
    args = parser.parse_args()
    _, few = measured(args.pages // 4, args.processes)
    seen, many = measured(args.pages, args.processes)
    (begun, first), (ended, last) = seen[0], seen[-1]
    seconds, slots = ended - begun, last.slots - first.slots
    print(
        f"{args.pages} pages, {args.processes} processes: {seconds:.1f} s from the first batch to the last, "
        f"busy {(last.busy - first.busy) / seconds:.3f}, slots filled {(last.images - first.images) / slots:.3f}, "
        f"{(last.images - first.images) / seconds:.1f} pages/s; "
        f"{1000 * (many - few) / (args.pages - args.pages // 4):.1f} ms of processor time per page"
    )


if __name__ == "__main__":
    main()
