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

from pipeline.errors import ModelMissing, UsageError
from pipeline.models import ModelInfo
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
        self._models: Mapping[Kind, bytes] = {
            kind: _with_best_class(path) if kind == "recognize" else path.read_bytes()
            for kind, path in files.items()
        }
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

    def run(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute one batch of images of one bucket, answers in order; raises as `compute`."""
        answers = super().run(kind, images)
        if not self._shaped or kind != "recognize":
            return answers
        size = self.size_of(kind, *images[0].shape[:2])[1]
        cut = list[Answer]()
        for (classes, confidences), image in zip(answers, images, strict=True):
            columns = -(-len(classes) * padded_width(image.shape[1]) // size)
            cut.append((classes[:columns], confidences[:columns]))
        return cut

    def compute(self, kind: Kind, batch: NDArray[np.float32]) -> Answer:
        """Compute a batch (n, 3, h, w); raises `DeviceMemory`, `DeviceLost`, or what onnxruntime raises."""
        try:
            found = self._computed(kind, self._filled(kind, batch))
        except DeviceMemory:
            if not self._shaped:
                raise
            self._sessions.clear()  # those of other shapes hold memory
            found = self._computed(kind, batch)
        if kind == "recognize":
            classes, confidences = found
            return classes.astype(np.int32)[: len(batch)], confidences[: len(batch)]
        return (found[0][: len(batch), 0],) if kind == "detect" else (found[0][: len(batch)],)

    def _filled(self, kind: Kind, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """On a GPU, the batch with images of zeros after it, up to as many as there may be."""
        most = self.most(kind, (batch.shape[2], batch.shape[3])) if self._shaped else 0
        rest = max(0, most - len(batch))
        return np.concatenate((batch, np.zeros((rest, *batch.shape[1:]), batch.dtype))) if rest else batch

    def _computed(self, kind: Kind, batch: NDArray[np.float32]) -> list[NDArray[Any]]:
        try:
            session = self._session(kind, batch.shape if self._shaped else ())
            found: list[NDArray[Any]] = session.run(None, {session.get_inputs()[0].name: batch})
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


def _with_best_class(path: Path) -> bytes:
    """The recogniser, with the best class of each column and its probability as outputs instead of all 18,710.

    So 5 KB of a batch leave the device instead of 100 MB.
    """
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError:
        raise ModelMissing("The package onnx is not installed: install 'nightshift[onnx]'.") from None
    model = onnx.load(path)
    graph = model.graph
    (scores,) = (output.name for output in graph.output)
    opset = next(found.version for found in model.opset_import if not found.domain)
    graph.node.append(helper.make_node("ArgMax", [scores], ["classes"], axis=2, keepdims=0))
    if opset >= 18:
        graph.initializer.append(helper.make_tensor("class_axis", TensorProto.INT64, [1], [2]))
        graph.node.append(helper.make_node("ReduceMax", [scores, "class_axis"], ["confidences"], keepdims=0))
    else:
        graph.node.append(helper.make_node("ReduceMax", [scores], ["confidences"], axes=[2], keepdims=0))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("classes", TensorProto.INT64, ["n", "t"]))
    graph.output.append(helper.make_tensor_value_info("confidences", TensorProto.FLOAT, ["n", "t"]))
    content: bytes = model.SerializeToString()
    return content
