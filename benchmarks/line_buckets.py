"""What padding lines to wider buckets changes in what is read, and what it costs.

    python benchmarks/line_buckets.py [FOLDER ...]

Lines of the shipped samples and of the pages (.jpg) in the folders named are read by the default engine's
recogniser on onnxruntime, in single precision: each padded as the default engine pads it, and then as each scheme of
buckets does. Printed for each scheme: how many buckets there are and how many the lines fall into, pixels more than
without it, lines that are read differently, and by how many characters.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from device_cpu import sample_pages, settings
from numpy.typing import NDArray
from PIL import Image

from pipeline.ocr import identity, weights
from pipeline.ocr.asking_engine import AskingEngine, asking_here
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image as Line
from pipeline.ocr.lines import LINE_HEIGHT, MAX_WIDTH, MIN_WIDTH, padded_width, text_of
from pipeline.ocr.onnx_models import OnnxModels
from pipeline.ocr.openvino_models import OpenVinoModels
from pipeline.ocr.rapid import recipe_of
from pipeline.ocr.tensors import TABLES, batch_of

SCHEMES: dict[str, Sequence[int]] = {
    "steps of 32": range(MIN_WIDTH, MAX_WIDTH + 1, 32),
    "of 64": range(MIN_WIDTH, MAX_WIDTH + 1, 64),
    "of 128": range(MIN_WIDTH, MAX_WIDTH + 1, 128),
    "of 320": range(320, MAX_WIDTH + 1, 320),
    "an eighth": (
        *range(128, 512, 32),
        *range(512, 1024, 64),
        *range(1024, 2048, 128),
        *range(2048, 3201, 384),
    ),
    "a quarter": (
        *range(128, 256, 32),
        *range(256, 512, 64),
        *range(512, 1024, 128),
        *range(1024, MAX_WIDTH, 256),
        MAX_WIDTH,
    ),
}


def lines_of(pages: Iterator[NDArray[np.uint8]]) -> list[Line]:
    """The scaled lines of all pages, as the default engine asks for them."""
    chosen = settings()
    found = list[Line]()
    here = asking_here(OpenVinoModels(identity.of_rapid(chosen), weights.onnx_models(None), threads=1))

    def ask(kind: Kind, images: Sequence[Line]) -> list[Answer]:
        if kind == "recognize":
            found.extend(images)
        return here(kind, images)

    engine = AskingEngine(chosen, identity.of_rapid(chosen), recipe_of(chosen), ask)
    for page in pages:
        engine.read(page)
    return found


def edits(one: str, other: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for number, a in enumerate(one, 1):
        corner, row[0] = row[0], number
        for column, b in enumerate(other, 1):
            corner, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, corner + (a != b))
    return row[-1]


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]]
    photos = (
        np.asarray(Image.open(path).convert("RGB")) for f in folders for path in sorted(f.glob("*.jpg"))
    )
    lines = lines_of(iter([*sample_pages(), *photos]))
    models = OnnxModels(identity.of_rapid(settings()), weights.onnx_models(None), "cpu", threads=1)
    characters = recipe_of(settings()).characters

    def read(line: Line, width: int) -> str:
        classes, sure = models.compute("recognize", batch_of([line], LINE_HEIGHT, width, TABLES["recognize"]))
        columns = -(-classes.shape[1] * padded_width(line.shape[1]) // width)
        return text_of((classes[0][:columns], sure[0][:columns]), characters)[0]

    exact = [read(line, padded_width(line.shape[1])) for line in lines]
    pixels, total = sum(padded_width(line.shape[1]) for line in lines), sum(map(len, exact))
    print(f"{len(lines)} lines, {total} characters")
    for name, widths in SCHEMES.items():
        padded = [widths[bisect_left(widths, padded_width(line.shape[1]))] for line in lines]
        texts = [read(line, width) for line, width in zip(lines, padded, strict=True)]
        changed = [edits(a, b) for a, b in zip(exact, texts, strict=True) if a != b]
        print(
            f"{name:12} {len(widths):3} buckets, {len(set(padded)):3} in use, pixels {sum(padded) / pixels - 1:+.1%}, "
            f"lines changed {len(changed)}, edits per 1,000 characters {1000 * sum(changed) / total:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
