"""Post-training int8 quantisation of a recogniser: a static one, of the convolutions that hold most of the work.

The result is an ONNX file with QuantizeLinear and DequantizeLinear around each of them, which OpenVINO and
onnxruntime compute in int8 where the CPU can.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline.errors import ModelMissing, RunError
from pipeline.ocr.cuts import Image
from pipeline.ocr.lines import LINE_HEIGHT, padded_width
from pipeline.ocr.tensors import TABLES, batch_of

OPSET = 13
"""The first one with a scale for each channel of a weight."""
CHANNELS = 192
"""Convolutions of 1 x 1 between at least as many channels are quantised: two thirds of the work of PP-OCRv6. The
others read the picture, weigh channels, or prepare the last layers, and lose more than they gain."""
INSTRUCTIONS = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"}


def is_supported(cpu: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU multiplies int8 faster than floating-point numbers; True where that can't be seen."""
    try:
        found = cpu.read_text()
    except OSError:
        return True
    lines = [line for line in found.splitlines() if line.lower().startswith(("flags", "features"))]
    return not lines or bool(INSTRUCTIONS & set(lines[0].split()))


def check_installed() -> None:
    """Raise `ModelMissing` without the packages that quantise."""
    try:
        import onnx  # noqa: F401
        import onnxruntime.quantization  # noqa: F401
    except ImportError:
        raise ModelMissing("The package onnx is not installed: install 'nightshift[onnx]'.") from None


def quantise(model: Path, lines: Sequence[Image], target: Path, names: Mapping[str, str]) -> None:
    """Write the recogniser `model` (ONNX) to `target`, in int8, with `names` added to its metadata.

    `lines`: BGR, scaled by `lines.scale_line`, for which the range of each layer's input is measured. Raises
    `ModelMissing` without the package onnx, `RunError` if the model has no convolution to quantise.
    """
    check_installed()
    import onnx
    from onnx import version_converter
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    loaded = onnx.load(model)
    kept = {pair.key: pair.value for pair in loaded.metadata_props}
    loaded = version_converter.convert_version(loaded, OPSET)
    chosen = _worth_it(loaded.graph)
    if not chosen:
        raise RunError(f"{model} has no layers that are worth quantising: it stays as it is.")
    with tempfile.TemporaryDirectory() as room, _quiet():
        source = Path(room, "model.onnx")
        onnx.save(loaded, source)
        quantize_static(
            source,
            target,
            _Reader(loaded.graph.input[0].name, lines),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=chosen,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"OpTypesToExcludeOutputQuantization": ["Conv"]},
        )
    written = onnx.load(target)
    del written.metadata_props[:]
    onnx.helper.set_model_props(written, {**kept, **names})
    onnx.save(written, target)


def _worth_it(graph: Any) -> list[str]:
    """Names of the convolutions to quantise."""
    shapes = {weights.name: tuple(weights.dims) for weights in graph.initializer}
    pooled = {"ReduceMean", "GlobalAveragePool"}
    produced = {name: node for node in graph.node for name in node.output}
    chosen = []
    for node in graph.node:
        shape = shapes.get(node.input[1], ()) if node.op_type == "Conv" else ()
        if len(shape) != 4 or shape[2:] != (1, 1) or min(shape[:2]) < CHANNELS:
            continue
        source = produced.get(node.input[0])
        if source is None or source.op_type not in pooled:
            chosen.append(node.name)
    return chosen


class _Reader:
    """`CalibrationDataReader` of onnxruntime: one line at a time."""

    def __init__(self, name: str, lines: Sequence[Image]) -> None:
        self._name = name
        self._lines = iter(lines)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next input, None after the last."""
        line = next(self._lines, None)
        if line is None:
            return None
        width = padded_width(line.shape[1])
        return {self._name: batch_of([line], LINE_HEIGHT, width, TABLES["recognize"])}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without onnxruntime's advice, which it gives on the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
