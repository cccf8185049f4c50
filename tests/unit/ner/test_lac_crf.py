"""Compared with a brute-force sum over all paths."""

from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.ner.crf import Lattice, best_paths

LABELS = 3


def weigh(path: tuple[int, ...], scores: NDArray[np.float64], transitions: NDArray[np.float64]) -> float:
    steps = sum(transitions[a, b] for a, b in pairwise(path))
    return float(sum(scores[t, label] for t, label in enumerate(path)) + steps)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def test_best_paths_of_a_batch_of_different_lengths(random: np.random.Generator) -> None:
    lengths = np.array([5, 1, 3])
    scores = random.normal(size=(3, 5, LABELS)).astype(np.float32) * 3
    transitions = random.normal(size=(LABELS, LABELS)).astype(np.float32) * 3
    for row, path in enumerate(best_paths(scores, transitions, lengths)):
        every = product(range(LABELS), repeat=int(lengths[row]))
        assert tuple(path) == max(every, key=lambda p: weigh(p, scores[row], transitions))


@pytest.mark.parametrize("offset", [0.0, 900.0, -900.0], ids=["small", "large", "negative"])
@pytest.mark.parametrize(
    ("start", "labels"), [(0, [0]), (1, [0, 1]), (2, [0, 1, 1]), (0, [0, 1, 1, 1, 1]), (4, [2])]
)
def test_probability_of_a_label_sequence(
    random: np.random.Generator, start: int, labels: list[int], offset: float
) -> None:
    length = 5
    scores = random.normal(size=(length, LABELS)) + offset
    transitions = random.normal(size=(LABELS, LABELS))
    total = fitting = 0.0
    end = start + len(labels)
    for path in product(range(LABELS), repeat=length):
        weight = np.exp(weigh(path, scores - offset, transitions))
        total += weight
        if list(path[start:end]) == labels and (end == length or path[end] != 1):
            fitting += weight
    found = Lattice(scores, transitions).probability(start, labels, not_next=1)
    assert found == pytest.approx(fitting / total, rel=1e-9)
