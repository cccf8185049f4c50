"""Memory growth of a worker: resident memory of one process after 20 documents and after many.

    python benchmarks/memory.py [DATA] [--pages 500]
    python benchmarks/memory.py [DATA] --ner lac patterns taskflow crf=FOLDER [--texts 2000]

Without --ner one process does the work of a worker: open, OCR, NER, page by page, over the same documents
repeatedly. With --ner each engine named reads only texts, in a separate process, with one call per text:
sentences of DATA/ner/msra_test.char.bmes, joined to 1 to 40 lines per text, so that every length occurs.
A `taskflow` without a folder is LAC in PaddleNLP's own format (`Taskflow("ner", mode="fast")`).
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path

WARM = 20
"""Warm-up documents; growth is measured from then on."""


def resident_mib() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", default=os.environ.get("NIGHTSHIFT_DATA", "data"), type=Path)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--ner", nargs="+", metavar="ENGINE", help="engines to measure separately")
    parser.add_argument("--texts", type=int, default=2000)
    arguments = parser.parse_args()
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if not arguments.ner:
        whole_worker(arguments.data, arguments.pages)
        return
    with tempfile.TemporaryDirectory() as folder:
        for engine in arguments.ner:
            spec = f"taskflow={export(Path(folder, 'lac'))}" if engine == "taskflow" else engine
            process = get_context("spawn").Process(
                target=alone, args=(engine, spec, arguments.data, arguments.texts)
            )
            process.start()
            process.join()


def whole_worker(data: Path, pages: int) -> None:
    from pipeline import ner, ocr
    from pipeline.documents.layout import assemble
    from pipeline.documents.open import open_document
    from pipeline.settings import Settings

    settings = Settings.from_env()
    reader, finder = ocr.load(settings), ner.load(settings)
    # Chinese pages first, so that both models are loaded before the first reading
    images = [path for folder in ("zh_docs", "sroie/img") for path in sorted((data / folder).glob("*.jpg"))]
    first = 0.0
    for number, path in enumerate(islice(cycle(images), pages), 1):
        with open_document(path.read_bytes(), settings.limits) as document:
            image = document.page(1).image
        assert image is not None
        seen = reader.read(image)
        finder.extract([assemble(seen.lines, seen.width, seen.height)[0]])
        if number in (WARM, 100, 200, 300, 400, pages):
            now = resident_mib()
            first = first or now
            print(f"{number:5} pages: {now:7.0f} MiB resident, {100 * (now / first - 1):+.1f} %", flush=True)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def export(folder: Path) -> Path:
    from pipeline.ner.taskflow.export import export_lac

    export_lac(folder)
    return folder


def alone(name: str, spec: str, data: Path, count: int) -> None:
    """Print one row: resident memory of this process when warm, after half of the texts, and after all."""
    from pipeline import ner
    from pipeline.settings import Settings

    engine = ner.load(Settings.from_env(ner_engine=spec))
    known: list[float] = []
    characters = mentions = 0
    started = time.perf_counter()
    for number, text in enumerate(texts(data, WARM + count), 1):
        mentions += len(engine.extract([text])[0])
        characters += len(text)
        if number in (WARM, WARM + count // 2, WARM + count):
            known.append(resident_mib())
    seconds = time.perf_counter() - started
    warm, half, end = known
    print(
        f"{name:20} {warm:6.0f} MiB warm, {half:6.0f} after {count // 2} texts, {end:6.0f} after {count} "
        f"({100 * (end / warm - 1):+.1f} %, second half {100 * (end / half - 1):+.1f} %); "
        f"{mentions} mentions, {characters / seconds:,.0f} characters/s",
        flush=True,
    )


def texts(data: Path, count: int) -> Iterator[str]:
    """Yield texts of 1 to 40 sentences, one per line."""
    blocks = (data / "ner" / "msra_test.char.bmes").read_text("utf-8").split("\n\n")
    sentences = cycle("".join(row[0] for row in block.split("\n") if row) for block in blocks if block)
    for number in range(count):
        yield "\n".join(islice(sentences, number * 7 % 40 + 1))


if __name__ == "__main__":
    main()
