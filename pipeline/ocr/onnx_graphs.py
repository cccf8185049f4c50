"""ONNX files with more of the work put into them: what comes before the network, and after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.errors import ModelMissing
from pipeline.ocr.tensors import Table

LEVELS, THERE = "levels", "there"
"""Inputs of `from_levels`."""


def loaded(path: Path) -> Any:
    """The model of a file; raises `ModelMissing` without the package onnx."""
    try:
        import onnx
    except ImportError:
        raise ModelMissing("The package onnx is not installed: install 'nightshift[onnx]'.") from None
    return onnx.load(path)


def with_best_class(model: Any) -> None:
    """Have a recogniser say the best class of each column and its probability instead of all 18,710.

    So 5 KB of a batch leave the device instead of 100 MB.
    """
    from onnx import TensorProto, helper

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


def from_levels(model: Any, table: Table) -> None:
    """Have a model take pixels, and normalise them itself as `pipeline.ocr.tensors.batch_of` does, to the last bit.

    Its inputs are then `levels`, uint8 (n, h, w, 3), and `there`, uint8 (n, 1, 1, w): 1 for the columns of an image, 0
    for those after it. So a quarter of the bytes go to the device, and no processor looks at each pixel.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    (given,) = graph.input
    before = [
        helper.make_node("Cast", [LEVELS], ["level_numbers"], to=TensorProto.INT32),
        helper.make_node("Gather", ["level_values", "level_numbers"], ["normalised"], axis=0),
        helper.make_node("Transpose", ["normalised"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", [THERE], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["planes", "mask"], [given.name]),
    ]
    for place, node in enumerate(before):
        graph.node.insert(place, node)
    graph.initializer.append(numpy_helper.from_array(table[0], "level_values"))
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info(LEVELS, TensorProto.UINT8, ["n", "h", "w", 3]))
    graph.input.append(helper.make_tensor_value_info(THERE, TensorProto.UINT8, ["n", 1, 1, "w"]))
