"""The end of a recogniser on OpenVINO: a matrix of 120 x 18,710, and a softmax over the classes of each column.

Both cost a third of the model. Decoding needs the best class of each column, and a probability only where a
character begins: so the softmax is left out of the model. The matrix is multiplied faster where its side is a
multiple of what the tiles of the CPU hold; zeros are added up to that, which changes no sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.ocr.batched import Answer

TILE = 64
"""Values of a row of a tile (AMX: 32 of bf16, 64 of int8)."""


def without_softmax(model: Any) -> bool:
    """Let an OpenVINO model answer with its scores before the last softmax; returns whether it ends with one."""
    (result,) = model.get_results()
    softmax = result.input_value(0).get_node()
    if softmax.get_type_name() != "Softmax":
        return False
    scores = softmax.input_value(0)
    _fill_tiles(scores.get_node())
    result.input(0).replace_source_output(scores)
    model.validate_nodes_and_infer_types()
    return True


def _fill_tiles(node: Any) -> None:
    """Add zeros to the matrix that `node` adds a bias to, and to what is multiplied by it."""
    from openvino import opset13 as ops

    while node.get_type_name() in ("Identity", "Add"):
        node = node.input_value(0).get_node()
    if node.get_type_name() != "MatMul" or node.input_value(1).get_node().get_type_name() != "Constant":
        return
    matrix = node.input_value(1).get_node().data
    lacking = -matrix.shape[0] % TILE
    if matrix.ndim != 2 or node.get_attributes()["transpose_b"] or not lacking:
        return
    zeros = [0] * (node.input_value(0).get_partial_shape().rank.get_length() - 1)
    features = ops.pad(node.input_value(0), [*zeros, 0], [*zeros, lacking], "constant", np.float32(0))
    node.input(0).replace_source_output(features.output(0))
    filled = ops.constant(np.pad(matrix, ((0, lacking), (0, 0))))
    node.input(1).replace_source_output(filled.output(0))


def best_of(scores: NDArray[np.float32]) -> Answer:
    """The best class, int32 (t), of scores (t, classes), and its probability where a character begins, elsewhere 0.

    That is all that `lines.text_of` looks at.
    """
    classes = scores.argmax(axis=1).astype(np.int32)
    begins = classes != 0
    begins[1:] &= classes[1:] != classes[:-1]
    sure = np.zeros(len(scores), np.float32)
    above = scores[begins]
    above -= above.max(axis=1, keepdims=True)
    sure[begins] = 1 / np.exp(above, out=above).sum(axis=1)
    return classes, sure
