"""Normalise and pad images to what a model takes: all that a device does except computing."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image

Table = NDArray[np.float32]
"""Value of each of the 256 levels of a pixel in each channel: (3, 256)."""


def _tables() -> dict[Kind, Table]:
    """As RapidOCR computes them, to the last bit: -1..1."""
    levels = np.arange(256, dtype=np.float32)
    page = (levels * np.float32(1 / 255) - np.array([0.5])) / np.array([0.5])
    line = levels * np.float32(1 / 127.5) - np.float32(1)
    head = (levels / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    tables: dict[Kind, Table] = {"detect": page.astype(np.float32), "recognize": line, "direction": head}
    return {kind: np.tile(table, (3, 1)) for kind, table in tables.items()}


TABLES = _tables()


def batch_of(images: Sequence[Image], height: int, width: int, table: Table) -> NDArray[np.float32]:
    """A batch (n, 3, height, width) of BGR images that are no larger, each at the top left, the rest 0."""
    batch = np.zeros((len(images), 3, height, width), np.float32)
    for planes, image in zip(batch, images, strict=True):
        for plane, channel, values in zip(planes, cv2.split(image), table, strict=True):
            plane[: image.shape[0], : image.shape[1]] = cv2.LUT(channel, values)
    return batch


def best(scores: NDArray[np.float32]) -> Answer:
    """The best class, int32 (n, t), and its probability, float32 (n, t), of scores (n, t, classes)."""
    classes = scores.argmax(axis=2)
    sure = np.take_along_axis(scores, classes[:, :, None], axis=2)[:, :, 0]
    return classes.astype(np.int32), sure
