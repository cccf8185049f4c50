"""The ONNX weights of RapidOCR on onnxruntime: on an NVIDIA GPU where onnxruntime-gpu is installed.

On a GPU each shape of a batch has a session of its own. When a session gets another shape than before, onnxruntime
plans all its convolutions again, also for a shape that it has had: 0.5 to 3.5 s, where computing a batch takes 3 to
30 ms (https://github.com/microsoft/onnxruntime/issues/23006; docs/explanation/device.md has the figures). So that there
are few shapes, batches of lines are filled up, and widths are in steps of about an eighth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UsageError
from pipeline.models import ModelInfo
from pipeline.ocr import onnx_graphs
from pipeline.ocr.batched import Answer, DeviceMemory, Kind
from pipeline.ocr.cuts import Image
from pipeline.ocr.lines import MAX_WIDTH, padded_width
from pipeline.ocr.tensor_models import TensorModels, as_device_error
from pipeline.ocr.tensors import TABLES

PROVIDER = "CUDAExecutionProvider"
LINES = 32
"""Images of lines in a batch on a GPU; 32 take as long as a dozen, as launching kernels takes most of it."""
SESSIONS = 64
"""Sessions that are kept on a GPU."""


class OnnxModels(TensorModels):
    """`BatchModels` of ONNX files on `cpu` or `gpu:N`, `threads` threads each on a CPU.

    Raises `UsageError` if onnxruntime can't use the device, `ModelMissing` without the package onnx.
    """

    def __init__(
        self, info: ModelInfo, files: Mapping[Kind, Path], device: str, *, threads: int, together: bool = True
    ) -> None:
        super().__init__(together=together)
        self.info = info
        self.tables = TABLES
        self._device, self._threads = device, threads
        self._shaped = device != "cpu"
        self._models: Mapping[Kind, bytes] = {kind: self._content(kind, path) for kind, path in files.items()}
        self._sessions: dict[tuple[object, ...], Any] = {}
        self._usable = False
        for kind in files:  # those without a shape are of a CPU; on a GPU, they show that it can be used
            self._session(kind, ())
        if self._shaped:
            self._sessions.clear()
        self._usable = True

    def size_of(self, kind: Kind, height: int, width: int) -> tuple[int, int]:
        """Height and width in pixels that such an image is padded to."""
        height, width = super().size_of(kind, height, width)
        return height, bucket(width) if self._shaped and kind == "recognize" else width

    def most(self, kind: Kind, size: tuple[int, int]) -> int:
        """How many images a batch may hold; on a GPU pages are computed alone, as together they take as long."""
        most = super().most(kind, size)
        return min(most, 1 if kind == "detect" else LINES) if self._shaped else most

    def _content(self, kind: Kind, path: Path) -> bytes:
        if not self._shaped and kind != "recognize":
            return path.read_bytes()
        model = onnx_graphs.loaded(path)
        if kind == "recognize":
            onnx_graphs.with_best_class(model)
        if self._shaped:
            onnx_graphs.from_levels(model, self.tables[kind])
        content: bytes = model.SerializeToString()
        return content

    def run(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute one batch of images of one bucket, answers in order; raises as `compute`."""
        if not self._shaped:
            return super().run(kind, images)
        height, width = self.size_of(kind, *images[0].shape[:2])
        answers = zip(*self._on_gpu(kind, images, height, width), strict=True)
        if kind != "recognize":
            return list(answers)
        cut = list[Answer]()
        for (classes, confidences), image in zip(answers, images, strict=True):
            columns = -(-len(classes) * padded_width(image.shape[1]) // width)
            cut.append((classes[:columns], confidences[:columns]))
        return cut

    def _on_gpu(self, kind: Kind, images: Sequence[Image], height: int, width: int) -> Answer:
        """The batch is filled up with images of zeros, as long as memory is not short."""
        most = max(self.most(kind, (height, width)), len(images))
        try:
            return self._answers(kind, len(images), pixels_of(images, most, height, width))
        except DeviceMemory:
            self._sessions.clear()  # those of other shapes hold memory
            return self._answers(kind, len(images), pixels_of(images, len(images), height, width))

    def compute(self, kind: Kind, batch: NDArray[np.float32]) -> Answer:
        """Compute a batch (n, 3, h, w); raises `DeviceMemory`, `DeviceLost`, or what onnxruntime raises."""
        return self._answers(kind, len(batch), (batch,))

    def _answers(self, kind: Kind, count: int, batch: tuple[NDArray[Any], ...]) -> Answer:
        found = self._computed(kind, batch)
        if kind == "recognize":
            classes, confidences = found
            return classes.astype(np.int32)[:count], confidences[:count]
        return (found[0][:count, 0],) if kind == "detect" else (found[0][:count],)

    def _computed(self, kind: Kind, batch: tuple[NDArray[Any], ...]) -> list[NDArray[Any]]:
        try:
            session = self._session(kind, batch[0].shape if self._shaped else ())
            given = {one.name: values for one, values in zip(session.get_inputs(), batch, strict=True)}
            found: list[NDArray[Any]] = session.run(None, given)
        except Exception as error:
            raise as_device_error(error) from error
        return found

    def _session(self, kind: Kind, shape: tuple[int, ...]) -> Any:
        """The session of a shape; those that were used last are kept."""
        key = kind, *shape
        session = self._sessions.pop(key, None)
        if session is None:
            if len(self._sessions) >= SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            session = self._made(kind)
        self._sessions[key] = session
        return session

    def _made(self, kind: Kind) -> Any:
        try:
            return _session(self._models[kind], self._device, self._threads)
        except UsageError as error:
            if not self._usable:
                raise
            # onnxruntime falls back to the CPU also where a GPU that it has used is full
            raise DeviceMemory(str(error)) from error


def pixels_of(
    images: Sequence[Image], count: int, height: int, width: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The inputs of `onnx_graphs.from_levels` for `count` images of this size, of which the last ones may be empty.

    The given ones are as high and no wider; each is at the left.
    """
    levels = np.zeros((count, height, width, 3), np.uint8)
    there = np.zeros((count, 1, 1, width), np.uint8)
    for plane, row, image in zip(levels, there, images, strict=False):
        plane[:, : image.shape[1]] = image
        row[..., : image.shape[1]] = 1
    return levels, there


def bucket(width: int) -> int:
    """Width in pixels of the bucket for a padded line: at most an eighth more, where that is over 32."""
    step = max(32, 1 << (width.bit_length() - 4))
    return min(-(-width // step) * step, MAX_WIDTH)


def _session(model: str | bytes, device: str, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers: list[Any] = ["CPUExecutionProvider"]
    if device != "cpu":
        if PROVIDER not in onnxruntime.get_available_providers():
            raise UsageError(
                f"The OCR device '{device}' can't be used: onnxruntime-gpu is not installed.",
                code="unknown_device",
            )
        cuda = {
            "device_id": int(device.partition(":")[2] or 0),
            "cudnn_conv_algo_search": "HEURISTIC",
            "arena_extend_strategy": "kSameAsRequested",
        }
        providers.insert(0, (PROVIDER, cuda))
    session = onnxruntime.InferenceSession(model, options, providers=providers)
    if device != "cpu" and PROVIDER not in session.get_providers():
        # without the libraries of CUDA, onnxruntime falls back to the CPU and only logs it
        raise UsageError(
            f"The OCR device '{device}' can't be used: onnxruntime finds no CUDA there.",
            code="unknown_device",
        )
    return session
