"""Batches: who shares one, how many fit, and answers without what padding gave."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.models import ModelInfo
from pipeline.ocr.asking_engine import asking_here
from pipeline.ocr.batched import Answer, DeviceLost, DeviceMemory, Kind
from pipeline.ocr.lines import MAX_WIDTH, padded_width
from pipeline.ocr.tensor_models import MOST, TensorModels, as_device_error
from pipeline.ocr.tensors import TABLES


class Counted(TensorModels):
    """Answers with the number of an image, taken from its first pixel."""

    info = ModelInfo(engine="counted", name="counted", digest="0" * 16)
    tables = TABLES

    def __init__(self, *, together: bool) -> None:
        super().__init__(together=together)
        self.shapes = list[tuple[int, ...]]()

    def compute(self, kind: Kind, batch: NDArray[np.float32]) -> Answer:
        self.shapes.append(batch.shape)
        numbers = np.rint((batch[:, 0, 0, 0] + 1) * 127.5).astype(np.int32)
        if kind == "detect":
            return (np.broadcast_to(numbers[:, None, None], (len(batch), *batch.shape[2:])),)
        if kind == "direction":
            return (np.stack([numbers, numbers], axis=1),)
        columns = np.broadcast_to(numbers[:, None], (len(batch), batch.shape[3] // 8))
        return columns, columns.astype(np.float32)


def image(height: int, width: int, number: int = 0) -> NDArray[np.uint8]:
    return np.full((height, width, 3), number, np.uint8)


@pytest.mark.parametrize("together", [True, False])
def test_lines_of_all_widths_are_answered_in_order(together: bool) -> None:
    models = Counted(together=together)
    widths = np.random.default_rng(1).integers(1, MAX_WIDTH + 1, 150)
    lines = [image(48, width, number) for number, width in enumerate(widths)]
    answers = asking_here(models)("recognize", lines)
    assert [classes[0] for classes, _ in answers] == list(range(150))
    assert [len(classes) for classes, _ in answers] == [padded_width(width) // 8 for width in widths]
    assert [len(sure) for _, sure in answers] == [padded_width(width) // 8 for width in widths]
    together_ = [shape for shape in models.shapes if shape[0] > 1]
    assert bool(together_) == together


def test_a_batch_holds_as_many_as_fit() -> None:
    models = Counted(together=True)
    for kind, size in (("detect", (960, 672)), ("recognize", (48, 320)), ("recognize", (48, 3200))):
        most = models.most(kind, size)  # type: ignore[arg-type]
        assert 1 < most * size[0] * size[1] <= MOST[kind]  # type: ignore[index]
    assert models.most("detect", (9600, 6720)) == 1
    asking_here(models)("recognize", [image(48, 320)] * 100)
    assert [shape[0] for shape in models.shapes] == [64, 36]


def test_pages_of_one_size_share_a_batch_and_keep_it() -> None:
    models = Counted(together=True)
    pages = [image(64, 96, 0), image(96, 64, 1), image(64, 96, 2)]
    maps = asking_here(models)("detect", pages)
    assert [found.shape for (found,) in maps] == [page.shape[:2] for page in pages]
    assert [found[0, 0] for (found,) in maps] == [0, 1, 2]
    assert models.shapes == [(2, 3, 64, 96), (1, 3, 96, 64)]


def test_heads_of_all_widths_share_a_batch() -> None:
    models = Counted(together=True)
    answers = asking_here(models)("direction", [image(48, 20, 7), image(48, 192, 8)])
    assert [found.tolist() for (found,) in answers] == [[7, 7], [8, 8]]
    assert models.shapes == [(2, 3, 48, 192)]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            RuntimeError("[ONNXRuntimeError] : 1 : FAIL : bfc_arena.cc: Failed to allocate memory"),
            DeviceMemory,
        ),
        (RuntimeError("(ResourceExhausted) Out of memory error on GPU 0"), DeviceMemory),
        (MemoryError(), DeviceMemory),
        (RuntimeError("CUDA failure 700: an illegal memory access was encountered"), DeviceLost),
        (RuntimeError("(External) CUDA error(719), unspecified launch failure"), DeviceLost),
        (RuntimeError("CUDNN failure 3000: CUDNN_STATUS_NOT_SUPPORTED"), RuntimeError),
        (ValueError("an image has no pixels"), ValueError),
    ],
)
def test_what_the_error_of_a_runtime_means(error: Exception, kind: Any) -> None:
    assert type(as_device_error(error)) is kind
