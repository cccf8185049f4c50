"""The ONNX weights of RapidOCR on onnxruntime: on an NVIDIA GPU where onnxruntime-gpu is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelMissing, UsageError
from pipeline.models import ModelInfo
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.tensor_models import TensorModels, as_device_error
from pipeline.ocr.tensors import TABLES

PROVIDER = "CUDAExecutionProvider"


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
        self._sessions = {kind: _session(kind, path, device, threads) for kind, path in files.items()}

    def compute(self, kind: Kind, batch: NDArray[np.float32]) -> Answer:
        """Compute a batch (n, 3, h, w); raises `DeviceMemory`, `DeviceLost`, or what onnxruntime raises."""
        session = self._sessions[kind]
        try:
            found = session.run(None, {session.get_inputs()[0].name: batch})
        except Exception as error:
            raise as_device_error(error) from error
        if kind == "recognize":
            classes, confidences = found
            return classes.astype(np.int32), confidences
        return (found[0][:, 0],) if kind == "detect" else (found[0],)


def _session(kind: Kind, path: Path, device: str, threads: int) -> Any:
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
        # an exhaustive search for the fastest convolution, at each new size, takes seconds
        cuda = {"device_id": int(device.partition(":")[2] or 0), "cudnn_conv_algo_search": "HEURISTIC"}
        providers.insert(0, (PROVIDER, cuda))
    model: Any = _with_best_class(path) if kind == "recognize" else str(path)
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
