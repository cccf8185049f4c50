"""The end of the recogniser on OpenVINO: the same answers without a softmax."""

from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from pipeline.ocr.lines import text_of
from pipeline.ocr.openvino_head import best_of, without_softmax
from pipeline.ocr.tensors import best

RNG = np.random.default_rng(1)


def softmax(scores: Any) -> Any:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def model(*, end: bool = True, side: int = 12) -> Any:
    features = ops.parameter([1, -1, side], np.float32)
    matrix = ops.constant(RNG.standard_normal((side, 5)).astype(np.float32))
    scores = ops.add(ops.matmul(features, matrix, False, False), ops.constant(np.ones(5, np.float32)))
    return openvino.Model([ops.result(ops.softmax(scores, 2) if end else scores)], [features])


def computed(net: Any, features: Any) -> Any:
    request = openvino.Core().compile_model(net, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return request([features])[0]


@pytest.mark.parametrize("side", [12, 64])
def test_scores_lead_to_the_same_text_and_confidence(side: int) -> None:
    features = (3 * RNG.standard_normal((1, 30, side))).astype(np.float32)
    net = model(side=side)
    before = computed(net, features)
    assert without_softmax(net)
    after = computed(net, features)
    assert softmax(after[0]) == pytest.approx(before[0], abs=1e-5)
    classes, sure = best(before)
    text, confidence = text_of((classes[0], sure[0]), "abcd")
    assert text
    assert text_of(best_of(after[0]), "abcd") == (text, pytest.approx(confidence, abs=1e-4))


def test_a_model_that_ends_otherwise_stays_as_it_is() -> None:
    assert not without_softmax(model(end=False))


def test_probabilities_are_computed_where_characters_begin() -> None:
    scores = np.array([[5, 0, 0], [0, 5, 0], [0, 5, 0], [5, 0, 0], [0, 5, 0], [0, 0, 5]], np.float32)
    classes, sure = best_of(scores)
    assert classes.tolist() == [0, 1, 1, 0, 1, 2]
    assert (sure > 0).tolist() == [False, True, False, False, True, True]
    assert sure.max() == pytest.approx(softmax(scores).max())
    assert best_of(scores[:0])[1].tolist() == []
