"""Linear-chain CRF in NumPy: the best path of a batch, and the probability of a label sequence.

Both take one step per character over a whole batch, which costs a fraction of the network's time and
less than Paddle's own decoder. Lafferty et al. 2001; scaling after Rabiner 1989, section V.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def best_paths(scores: Floats, transitions: Floats, lengths: Ints) -> list[list[int]]:
    """Viterbi: the most probable labels of each row.

    `scores` [B, T, L], `transitions` [L, L] as [from, to], `lengths` [B] with 1 <= length <= T.
    """
    best = scores[:, 0]
    back = np.zeros((scores.shape[1], *best.shape), np.int64)
    for t in range(1, scores.shape[1]):
        joint = best[:, :, None] + transitions
        back[t] = joint.argmax(axis=1)
        step = np.take_along_axis(joint, back[t][:, None, :], axis=1)[:, 0] + scores[:, t]
        best = np.where((t < lengths)[:, None], step, best)
    ends = best.argmax(axis=1)
    return [_follow(back[:length, row], int(ends[row])) for row, length in enumerate(lengths)]


def _follow(back: Ints, label: int) -> list[int]:
    path = [label]
    for step in back[:0:-1]:
        label = int(step[label])
        path.append(label)
    return path[::-1]


class Lattice:
    """All label paths of one sentence, weighted: the exact probability of any label sequence."""

    def __init__(self, scores: Floats, transitions: Floats) -> None:
        """Run forward and backward over `scores` [T, L] with `transitions` [L, L]."""
        self._step = np.exp(transitions.astype(np.float64))
        weights = np.exp((scores - scores.max(axis=1, keepdims=True)).astype(np.float64))
        ahead = np.empty_like(weights)
        scale = np.empty(len(weights))
        for t, weight in enumerate(weights):
            ahead[t] = weight if t == 0 else weight * (ahead[t - 1] @ self._step)
            scale[t] = ahead[t].sum()
            ahead[t] /= scale[t]
        self._weights = weights / scale[:, None]
        self._ahead = ahead
        # behind[t]: the weight of all continuations after label l at t, relative to the scaled past.
        self._behind = np.ones_like(weights)
        for t in range(len(weights) - 2, -1, -1):
            self._behind[t] = self._step @ (self._weights[t + 1] * self._behind[t + 1])

    def probability(self, start: int, labels: Sequence[int], not_next: int | None = None) -> float:
        """Return the probability of `labels` starting at `start`.

        With `not_next`, also require that this label does not follow.
        """
        chance = self._ahead[start, labels[0]]
        for t, (before, label) in enumerate(pairwise(labels), start + 1):
            chance *= self._step[before, label] * self._weights[t, label]
        following = start + len(labels)
        if following == len(self._weights):
            return float(chance)
        rest = self._step[labels[-1]] * self._weights[following] * self._behind[following]
        return float(chance * (rest.sum() - (0.0 if not_next is None else rest[not_next])))
