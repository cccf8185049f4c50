"""What a device does before computing: normalise and pad."""

import numpy as np
import pytest
from rapidocr.ch_ppocr_det.utils import DetPreProcess

from pipeline.ocr.cuts import Image
from pipeline.ocr.tensors import TABLES, batch_of


def noise(height: int, width: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_pages_are_normalised_as_rapidocr_does() -> None:
    page = noise(64, 96)
    theirs = DetPreProcess(64, "max", [0.5] * 3, [0.5] * 3)
    expected = theirs.permute(theirs.normalize(page)).astype(np.float32)
    assert np.array_equal(batch_of([page], 64, 96, TABLES["detect"])[0], expected)


@pytest.mark.parametrize("kind", ["recognize", "direction"])
def test_lines_are_padded_with_the_middle_of_the_range(kind: str) -> None:
    lines = [noise(48, 100), noise(48, 128, seed=1)]
    batch = batch_of(lines, 48, 128, TABLES[kind])  # type: ignore[index]
    assert batch.shape == (2, 3, 48, 128)
    assert (batch[0, :, :, 100:] == 0).all()
    for tensor, line in zip(batch, lines, strict=True):
        expected = line.transpose(2, 0, 1) / 127.5 - 1
        assert tensor[:, :, : line.shape[1]] == pytest.approx(expected, abs=1e-6)


def test_each_channel_has_its_own_values() -> None:
    table = np.stack([np.full(256, level, np.float32) for level in (1, 2, 3)])
    assert batch_of([noise(2, 2)], 2, 2, table)[0, :, 0, 0].tolist() == [1, 2, 3]
